"""What users rely on of the cache in the cluster."""

from __future__ import annotations

import hashlib
from typing import Any

import pulumi
import pulumi_kubernetes as kubernetes
import pulumi_random as random
import pytest

from components.workload import ClusterCache, ClusterCacheArgs, Place
from components.workload.cache import server_configuration
from settings import CacheSettings
from settings.cache import ClusterCacheSettings
from tests.unit.programs import shipped
from tests.unit.recording import Recording, record

SECRET = "kubernetes:core/v1:Secret"
SET = "kubernetes:apps/v1:StatefulSet"


def cache(**settings: Any) -> Recording:
    def build() -> None:
        options = pulumi.ResourceOptions(providers=[kubernetes.Provider("kubernetes"), random.Provider("random")])
        section = CacheSettings(mode="in_cluster", **settings)
        ClusterCache("auterity-test", ClusterCacheArgs(section, Place("shop", "critical")), options)

    return record(build)


def lines(**settings: Any) -> dict[str, str]:
    text = server_configuration(CacheSettings(mode="in_cluster", **settings))
    return dict(line.split(" ", 1) for line in text.splitlines())


def test_nobody_gets_in_without_a_name_and_the_workloads_may_not_run_the_server() -> None:
    users = cache().named("auterity-test-cache-users", SECRET).inputs["stringData"]["users.acl"].splitlines()
    assert users[0] == "user default off"
    app = next(line for line in users if line.startswith("user app"))
    assert "-@dangerous" in app


def test_the_server_is_told_the_digest_of_the_password_and_clients_the_password() -> None:
    recording = cache()
    password = recording.named("auterity-test-cache-login", SECRET).inputs["stringData"]["password"]
    users = recording.named("auterity-test-cache-users", SECRET).inputs["stringData"]["users.acl"]
    assert password not in users
    assert f"#{hashlib.sha256(password.encode()).hexdigest()}" in users


def test_both_secrets_are_secret_in_the_state() -> None:
    assert all("stringData" in secret.secret_inputs for secret in cache().of_type(SECRET))


def test_no_password_is_on_a_command_line_or_in_the_configuration() -> None:
    recording = cache()
    password = recording.named("auterity-test-cache-login", SECRET).inputs["stringData"]["password"]
    assert password not in str(recording.only(SET).inputs)
    assert password not in str(recording.only("kubernetes:core/v1:ConfigMap").inputs)


def test_what_the_cache_holds_survives_a_restart() -> None:
    assert (lines()["appendonly"], lines()["dir"]) == ("yes", "/data")
    [claim] = cache().only(SET).inputs["spec"]["volumeClaimTemplates"]
    assert claim["spec"]["resources"]["requests"] == {"storage": "2Gi"}


def test_memory_ends_where_the_setting_says_and_the_container_has_room_beside_it() -> None:
    small = ClusterCacheSettings(memory_mib=64)
    assert (lines(in_cluster=small)["maxmemory"], lines()["maxmemory-policy"]) == ("64mb", "allkeys-lru")
    container = cache(in_cluster=small).only(SET).inputs["spec"]["template"]["spec"]["containers"][0]
    assert container["resources"]["limits"] == {"memory": "96Mi"}


def test_a_pod_of_the_cache_gives_up_every_privilege() -> None:
    spec = cache().only(SET).inputs["spec"]["template"]["spec"]
    assert spec["automountServiceAccountToken"] is False
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["containers"][0]["securityContext"]["readOnlyRootFilesystem"] is True


def test_another_configuration_restarts_the_cache() -> None:
    def annotations(**settings: Any) -> Any:
        return cache(**settings).only(SET).inputs["spec"]["template"]["metadata"]["annotations"]

    assert annotations() == annotations()
    assert annotations() != annotations(eviction="noeviction")


def test_a_volume_too_small_for_the_log_is_refused() -> None:
    with pytest.raises(ValueError, match="storage_gib: 1 given, allowed: at least 3"):
        ClusterCacheSettings(memory_mib=1024, storage_gib=1)


def test_only_the_app_reaches_the_cache() -> None:
    policy = shipped("local").named(
        "auterity-local-auterity-auterity-cache", "kubernetes:networking.k8s.io/v1:NetworkPolicy"
    )
    spec = policy.inputs["spec"]
    assert spec["podSelector"]["matchLabels"] == {"app.kubernetes.io/name": "auterity-cache"}
    [rule] = [rule for rule in spec["ingress"] if {"protocol": "TCP", "port": 6379} in rule["ports"]]
    [peer] = rule["from"]
    assert peer["podSelector"]["matchLabels"] == {"app.kubernetes.io/name": "auterity-app"}


def test_the_app_reads_its_password_from_a_file() -> None:
    app = shipped("local").named("auterity-local-app", "kubernetes:apps/v1:Deployment")
    [container] = app.inputs["spec"]["template"]["spec"]["containers"]
    environment = shipped("local").named("auterity-local-app", "kubernetes:core/v1:ConfigMap").inputs["data"]
    mounts = {mount["name"]: mount["mountPath"] for mount in container["volumeMounts"]}
    assert environment["REDIS_PASSWORD_FILE"] == f"{mounts['cache']}/password"
    assert "REDIS_PASSWORD" not in environment
