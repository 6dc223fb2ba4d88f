"""What holds for every pod of every stack, whoever adds the next one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from components.workload.gateway_configuration import ALIVE as KONG_ALIVE
from components.workload.vault import ALIVE as VAULT_ALIVE
from tests.unit.programs import CONFIG_MAP, STACKS, object_of, shipped
from tests.unit.recording import Recorded, Recording

SERVICE = "kubernetes:core/v1:Service"
SET = "kubernetes:apps/v1:StatefulSet"
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
