"""What holds for every pod of every stack, whoever adds the next one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from components.workload.gateway_configuration import ALIVE as KONG_ALIVE
from components.workload.gateway_configuration import BODIES
from components.workload.pods import UNDISTURBED
from components.workload.vault import ALIVE as VAULT_ALIVE
from tests.unit.programs import CONFIG_MAP, STACKS, files_of, object_of, shipped
from tests.unit.recording import Recorded, Recording

SERVICE = "kubernetes:core/v1:Service"
SET = "kubernetes:apps/v1:StatefulSet"
CLAIM = "kubernetes:core/v1:PersistentVolumeClaim"
LASTING = (SET, "kubernetes:apps/v1:Deployment", "kubernetes:apps/v1:DaemonSet")

ANSWERED_ALONE = {
    # The app's own promise (`app.health_path`).
    "app": "/healthz",
    # SQLite on its own volume (https://grafana.com/docs/grafana/latest/developer-resources/api-reference/).
    "grafana": "/api/health",
    # https://prometheus.io/docs/prometheus/latest/management_api/; Alertmanager and Pushgateway alike.
    "prometheus": "/-/healthy",
    "alertmanager": "/-/healthy",
    "pushgateway": "/-/healthy",
    # https://github.com/kubernetes/kube-state-metrics, 'Health Endpoints': /livez fails while the API server does.
    "kube-state-metrics": "/healthz",
    "kong": KONG_ALIVE,
    "nginx": "/healthz",
    "vault": VAULT_ALIVE,
}
"""Container to the path that it answers without asking anybody."""

OWN_COMMANDS = ("pg_isready", "valkey-cli")
"""Commands that ask the server in the same container."""


def templates(recording: Recording, *kinds: str) -> Iterator[tuple[Recorded, dict[str, Any]]]:
    for kind in kinds or LASTING:
        for found in recording.of_type(kind):
            yield found, found.inputs["spec"]["template"]


def alone(container: dict[str, Any], probe: dict[str, Any]) -> bool:
    """Say whether a question is one that the process answers by itself."""
    if "tcpSocket" in probe:
        return True
    if "exec" in probe:
        return probe["exec"]["command"][0] in OWN_COMMANDS
    return bool(probe["httpGet"]["path"] == ANSWERED_ALONE.get(container["name"]))


@pytest.mark.parametrize("stack", STACKS)
def test_what_kills_a_container_asks_that_container_alone(stack: str) -> None:
    asked = [
        (found.name, container["name"], container["livenessProbe"])
        for found, template in templates(shipped(stack))
        for container in template["spec"]["containers"]
        if not alone(container, container["livenessProbe"])
    ]
    assert asked == []


@pytest.mark.parametrize("stack", STACKS)
def test_what_takes_requests_stays_whatever_its_database_does(stack: str) -> None:
    for found, template in templates(shipped(stack), "kubernetes:apps/v1:Deployment"):
        if found.inputs["metadata"]["name"] in ("auterity-gateway", "auterity-load-balancer"):
            [container] = template["spec"]["containers"]
            for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
                assert alone(container, container[probe]), (found.name, probe)


@pytest.mark.parametrize("stack", STACKS)
def test_a_copy_that_keeps_data_finds_itself_before_it_is_ready(stack: str) -> None:
    recording = shipped(stack)
    for found in recording.of_type(SET):
        service = object_of(recording, SERVICE, found.inputs["spec"]["serviceName"]).inputs["spec"]
        assert (service["clusterIP"], service["publishNotReadyAddresses"]) == ("None", True), found.name


@pytest.mark.parametrize("stack", STACKS)
def test_clients_reach_only_copies_that_are_ready(stack: str) -> None:
    recording = shipped(stack)
    names = [found.inputs["metadata"]["name"] for found in recording.of_type(SET)]
    for name in names:
        ready = object_of(recording, SERVICE, f"{name}-ready").inputs["spec"]
        governing = object_of(recording, SERVICE, name).inputs["spec"]
        assert "publishNotReadyAddresses" not in ready
        assert (ready["selector"], ready["ports"]) == (governing["selector"], governing["ports"])
    told = str([found.inputs for found in recording.of_type(CONFIG_MAP)])
    told += str([template for _, template in templates(recording)])
    # A copy by its own name may be asked before it is ready: its peers do.
    assert re.findall(rf"(?<![\w.-])(?:{'|'.join(names)})\.[a-z-]+\.svc", told) == []


@pytest.mark.parametrize("stack", STACKS)
def test_no_limit_that_a_container_did_not_state_is_below_its_request(stack: str) -> None:
    recording = shipped(stack)
    for limits in recording.of_type("kubernetes:core/v1:LimitRange"):
        [bounds] = limits.inputs["spec"]["limits"]
        assert set(bounds["default"]) == {"memory"}
    for found, template in templates(recording):
        for container in template["spec"]["containers"] + template["spec"].get("initContainers", []):
            assert "memory" in container["resources"]["limits"], (found.name, container["name"])


@pytest.mark.parametrize("stack", STACKS)
def test_every_volume_is_a_claim_of_its_own_which_can_grow(stack: str) -> None:
    recording = shipped(stack)
    claims = {claim.inputs["metadata"]["name"]: claim for claim in recording.of_type(CLAIM)}
    for found in recording.of_type(SET):
        assert {"spec.volumeClaimTemplates", "spec.podManagementPolicy"} <= set(found.ignore_changes)
        [template] = found.inputs["spec"]["volumeClaimTemplates"]
        for number in range(int(found.inputs["spec"]["replicas"])):
            claim = claims.pop(f"{template['metadata']['name']}-{found.inputs['metadata']['name']}-{number}")
            assert claim.inputs["metadata"]["namespace"] == found.inputs["metadata"]["namespace"]
            assert claim.inputs["spec"] == template["spec"]
            assert claim.urn in found.depends_on
    assert claims == {}


def test_how_copies_start_does_not_depend_on_their_number() -> None:
    """It can never be changed: one copy would have to go for three to come."""
    policies: dict[str, set[str]] = {}
    for stack in STACKS:
        for found in shipped(stack).of_type(SET):
            one = policies.setdefault(found.inputs["metadata"]["name"], set())
            one.add(found.inputs["spec"]["podManagementPolicy"])
    assert [name for name, found in policies.items() if len(found) > 1] == []


def test_copies_that_vote_are_not_started_where_one_loss_takes_most_of_them() -> None:
    voting = [
        template["spec"]["topologySpreadConstraints"]
        for found, template in templates(shipped("prod"), SET)
        if found.inputs["spec"]["replicas"] >= 3
    ]
    assert len(voting) >= 3
    for constraints in voting:
        assert {each["topologyKey"]: each["minDomains"] for each in constraints} == {
            "topology.kubernetes.io/zone": 3,
            "kubernetes.io/hostname": 3,
        }
        assert {each["whenUnsatisfiable"] for each in constraints} == {"DoNotSchedule"}
        assert {each["maxSkew"] for each in constraints} == {1}


@pytest.mark.parametrize("stack", STACKS)
def test_what_has_one_copy_or_ends_by_itself_is_not_moved_to_save_a_node(stack: str) -> None:
    recording = shipped(stack)
    ending = [template for _, template in templates(recording, "kubernetes:batch/v1:Job")]
    ending += [
        found.inputs["spec"]["jobTemplate"]["spec"]["template"]
        for found in recording.of_type("kubernetes:batch/v1:CronJob")
    ]
    lasting = [
        (found.inputs["spec"]["replicas"], template)
        for found, template in templates(recording, SET, "kubernetes:apps/v1:Deployment")
    ]
    kept = [template for template in ending if template["metadata"]["annotations"].get(UNDISTURBED) == "true"]
    assert (len(kept), bool(kept)) == (len(ending), True)
    for copies, template in lasting:
        assert (UNDISTURBED in template["metadata"]["annotations"]) == (copies == 1)


@pytest.mark.parametrize("stack", STACKS)
def test_a_volume_that_is_right_already_is_not_walked_through_at_each_start(stack: str) -> None:
    for _, template in templates(shipped(stack)):
        assert template["spec"]["securityContext"]["fsGroupChangePolicy"] == "OnRootMismatch"


@pytest.mark.parametrize("stack", STACKS)
def test_the_app_serves_on_while_nodes_learn_that_it_goes(stack: str) -> None:
    found = object_of(shipped(stack), "kubernetes:apps/v1:Deployment", "auterity-app").inputs["spec"]["template"][
        "spec"
    ]
    pause = found["containers"][0]["lifecycle"]["preStop"]["sleep"]["seconds"]
    assert found["terminationGracePeriodSeconds"] - pause >= 30
    assert pause >= 5


@pytest.mark.parametrize("stack", STACKS)
def test_no_upload_evicts_the_gateway(stack: str) -> None:
    """The kubelet evicts a pod whose ``emptyDir`` on disk outgrows its size; one in memory is full instead."""
    recording = shipped(stack)
    [route] = [
        each
        for service in yaml.safe_load(files_of(recording, "auterity-gateway")["kong.yml"])["services"]
        for each in service["routes"]
        if each["name"] == "app"
    ]
    assert route["request_buffering"] is False
    pod = object_of(recording, "kubernetes:apps/v1:Deployment", "auterity-gateway").inputs["spec"]["template"]["spec"]
    [kong] = pod["containers"]
    variables = {each["name"]: each.get("value") for each in kong["env"]}
    assert variables["KONG_NGINX_PROXY_PROXY_MAX_TEMP_FILE_SIZE"] == "0"
    assert variables["KONG_NGINX_HTTP_CLIENT_BODY_TEMP_PATH"] == BODIES
    [mount] = [each["name"] for each in kong["volumeMounts"] if each["mountPath"] == BODIES]
    [volume] = [each["emptyDir"] for each in pod["volumes"] if each["name"] == mount]
    assert volume["medium"] == "Memory"
    room, limit = (
        int(text.removesuffix("Mi")) for text in (volume["sizeLimit"], kong["resources"]["limits"]["memory"])
    )
    assert room <= limit / 4
