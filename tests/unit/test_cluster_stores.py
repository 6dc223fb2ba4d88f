"""What users rely on of the database and the broker in the cluster."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any

import pulumi
import pulumi_kubernetes as kubernetes
import pulumi_random as random
import pytest

from components.workload import ClusterDatabase, ClusterDatabaseArgs, ClusterQueue, ClusterQueueArgs, Place
from components.workload.queue import definitions, salted
from settings import DatabaseSettings, MessagingSettings
from settings.database import ClusterDatabaseSettings
from settings.messaging import ClusterQueueSettings
from tests.unit.recording import Recording, record

CONFIG_MAP = "kubernetes:core/v1:ConfigMap"
SECRET = "kubernetes:core/v1:Secret"
SET = "kubernetes:apps/v1:StatefulSet"


def database(*further: str, name: str = "auterity", **size: Any) -> Recording:
    def build() -> None:
        options = pulumi.ResourceOptions(providers=[kubernetes.Provider("kubernetes"), random.Provider("random")])
        section = DatabaseSettings(mode="in_cluster", name=name, in_cluster=ClusterDatabaseSettings(**size))
        args = ClusterDatabaseArgs(section, Place("shop", "critical"), further)
        ClusterDatabase("auterity-test", args, options)

    return record(build)


def queue(*, password_version: int = 1, **size: Any) -> Recording:
    def build() -> None:
        options = pulumi.ResourceOptions(providers=[kubernetes.Provider("kubernetes"), random.Provider("random")])
        section = MessagingSettings(
            mode="in_cluster", password_version=password_version, in_cluster=ClusterQueueSettings(**size)
        )
        ClusterQueue("auterity-test", ClusterQueueArgs(section, Place("shop", "critical")), options)

    return record(build)


def spec(recording: Recording) -> dict[str, Any]:
    found: dict[str, Any] = recording.only(SET).inputs["spec"]
    return found


def configured_by(recording: Recording) -> Any:
    return spec(recording)["template"]["metadata"]["annotations"]


def passwords(recording: Recording) -> list[str]:
    made = recording.of_type("random:index/randomPassword:RandomPassword")
    return [f"value-of-{password.name}" for password in made]


@pytest.mark.parametrize("made", [database("kong"), queue()], ids=["database", "queue"])
def test_no_password_is_on_a_command_line_in_an_environment_or_a_configuration(made: Recording) -> None:
    assert passwords(made)
    shown = str([r.inputs for r in made.resources if r.type != SECRET])
    assert not [password for password in passwords(made) if password in shown]


@pytest.mark.parametrize("made", [database("kong"), queue()], ids=["database", "queue"])
def test_every_secret_is_secret_in_the_state(made: Recording) -> None:
    assert all("stringData" in secret.secret_inputs for secret in made.of_type(SECRET))


@pytest.mark.parametrize("made", [database("kong"), queue()], ids=["database", "queue"])
def test_every_container_gives_up_every_privilege(made: Recording) -> None:
    pod = spec(made)["template"]["spec"]
    assert pod["automountServiceAccountToken"] is False
    assert pod["securityContext"]["runAsNonRoot"] is True
    for container in [*pod["initContainers"], *pod["containers"]]:
        assert container["securityContext"]["readOnlyRootFilesystem"] is True
        assert container["resources"]["limits"]["memory"]


@pytest.mark.parametrize("made", [database(storage_gib=7), queue(storage_gib=7)], ids=["database", "queue"])
def test_data_is_on_a_volume_of_the_stated_size(made: Recording) -> None:
    [claim] = spec(made)["volumeClaimTemplates"]
    assert claim["spec"]["resources"]["requests"] == {"storage": "7Gi"}


@pytest.mark.parametrize("made", [database(), queue()], ids=["database", "queue"])
def test_figures_are_shown_on_a_port_called_metrics(made: Recording) -> None:
    containers = spec(made)["template"]["spec"]["containers"]
    assert "metrics" in [port["name"] for container in containers for port in container["ports"]]


@pytest.mark.parametrize("make", [database, queue])
def test_another_size_restarts_the_server_and_the_same_one_does_not(make: Any) -> None:
    assert configured_by(make()) == configured_by(make())
    assert configured_by(make()) != configured_by(make(memory_mib=2048))


def test_each_database_has_an_owner_with_a_password_of_its_own() -> None:
    recording = database("kong")
    logins = [recording.named(f"auterity-test-database-{role}", SECRET) for role in ("auterity", "kong")]
    assert len({login.inputs["stringData"]["password"] for login in logins}) == 2


def test_a_database_without_a_gateway_has_none_for_it() -> None:
    assert "kong" not in database().named("auterity-test-database", CONFIG_MAP).inputs["data"]["roles.sql"]


def test_a_quarter_of_the_memory_is_for_shared_buffers() -> None:
    files = database(memory_mib=2048).named("auterity-test-database", CONFIG_MAP).inputs["data"]
    assert "shared_buffers = '512MB'" in files["postgresql.conf"]


def test_more_connections_than_the_memory_carries_are_refused() -> None:
    with pytest.raises(ValueError, match="max_connections: 100 given, allowed: at most 51"):
        ClusterDatabaseSettings(memory_mib=256, max_connections=100)


def test_the_broker_is_told_a_salted_digest_of_the_password() -> None:
    [user] = json.loads(definitions({"app": "secret"}))["users"]
    raw = base64.b64decode(user["password_hash"])
    assert raw[4:] == hashlib.sha256(raw[:4] + b"secret").digest()
    assert "secret" not in definitions({"app": "secret"}).replace("rabbit_password_hashing_sha256", "")


def test_another_password_has_another_salt_and_the_same_one_the_same() -> None:
    assert salted("one") == salted("one")
    salts = {base64.b64decode(salted(password))[:4] for password in ("one", "two")}
    assert len(salts) == 2


def test_queues_are_quorum_queues_unless_somebody_says_otherwise() -> None:
    assert json.loads(definitions({}))["vhosts"] == [{"name": "/", "default_queue_type": "quorum"}]


def test_the_management_interface_is_not_there() -> None:
    files = queue().named("auterity-test-queue", CONFIG_MAP).inputs["data"]
    assert files["enabled_plugins"] == "[rabbitmq_prometheus].\n"
    for service in queue().of_type("kubernetes:core/v1:Service"):
        assert 15672 not in [port["port"] for port in service.inputs["spec"]["ports"]]


def test_three_nodes_find_each_other_and_start_together() -> None:
    recording = queue(nodes=3)
    text = recording.named("auterity-test-queue", CONFIG_MAP).inputs["data"]["rabbitmq.conf"]
    for number in range(3):
        assert f"rabbit@auterity-queue-{number}.auterity-queue.shop.svc" in text
    assert (spec(recording)["replicas"], spec(recording)["podManagementPolicy"]) == (3, "Parallel")
    governing = recording.named("auterity-test-queue", "kubernetes:core/v1:Service")
    assert governing.inputs["spec"]["publishNotReadyAddresses"] is True


def test_one_node_looks_for_no_other() -> None:
    recording = queue(nodes=1)
    assert "cluster_formation" not in str(recording.named("auterity-test-queue", CONFIG_MAP).inputs["data"])
    assert "topologySpreadConstraints" not in spec(recording)["template"]["spec"]


def test_two_nodes_are_refused_since_two_have_no_majority() -> None:
    with pytest.raises(ValueError, match="nodes"):
        ClusterQueueSettings(nodes=2)  # type: ignore[arg-type]
