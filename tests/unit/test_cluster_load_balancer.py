"""What users rely on of the load balancer in the cluster."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from settings import PROJECT, SettingsError, load
from tests.unit.programs import ROOT, object_of, run_program, shipped, stack_config, with_section
from tests.unit.recording import Recording

NAME = "auterity-load-balancer"
SERVICE = "kubernetes:core/v1:Service"
LAPTOP = {"cpu": 2000, "memory": 4096}
"""Milli-CPU and MiB that the local stack may request: half of a laptop with 4 cores and 8 GiB."""


def service(recording: Recording) -> dict[str, Any]:
    spec: dict[str, Any] = object_of(recording, SERVICE, NAME).inputs["spec"]
    return spec


def quota(recording: Recording) -> str:
    [found] = [
        each.inputs
        for each in recording.of_type("kubernetes:core/v1:ResourceQuota")
        if each.inputs["metadata"]["namespace"] == "auterity"
    ]
    return str(found["spec"]["hard"]["services.nodeports"])


def with_an_address() -> Recording:
    config = stack_config("local")
    section = json.loads(config[f"{PROJECT}:load_balancer"])
    del section["node_port"]
    return run_program("local", {**config, f"{PROJECT}:load_balancer": json.dumps(section)})


def test_what_is_asked_of_the_laptop_reaches_the_load_balancer() -> None:
    [node] = yaml.safe_load((ROOT / "deploy/kind.yaml").read_text())["nodes"]
    mapped = {each["hostPort"]: each["containerPort"] for each in node["extraPortMappings"]}
    address = urlsplit(json.loads(stack_config("local")[f"{PROJECT}:load_balancer"])["node_port"]["url"])
    [port] = service(shipped("local"))["ports"]
    assert (address.hostname, mapped[address.port]) == ("localhost", port["nodePort"])


def test_kind_listens_on_the_loopback_address_alone() -> None:
    [node] = yaml.safe_load((ROOT / "deploy/kind.yaml").read_text())["nodes"]
    assert {each["listenAddress"] for each in node["extraPortMappings"]} == {"127.0.0.1"}


def test_the_cluster_of_kind_is_the_one_that_the_stack_expects() -> None:
    name = yaml.safe_load((ROOT / "deploy/kind.yaml").read_text())["name"]
    assert json.loads(stack_config("local")[f"{PROJECT}:kubernetes"])["existing"]["context"] == f"kind-{name}"


def test_the_namespace_may_open_the_one_port_of_the_nodes_that_is_wanted() -> None:
    assert quota(shipped("local")) == "1"


def test_with_tls_a_second_port_of_the_nodes_is_opened() -> None:
    node_port = {"url": "https://localhost:8443"}
    recording = with_section("local", "load_balancer", tls_secret="certificate", node_port=node_port)
    assert [port["nodePort"] for port in service(recording)["ports"]] == [30080, 30443]
    assert quota(recording) == "2"


def test_a_cluster_that_gives_addresses_opens_no_port_of_its_nodes() -> None:
    recording = with_an_address()
    spec = service(recording)
    assert (spec["type"], spec["allocateLoadBalancerNodePorts"]) == ("LoadBalancer", False)
    assert [port for port in spec["ports"] if "nodePort" in port] == []
    assert quota(recording) == "0"


def test_production_has_an_address_that_outlives_a_node() -> None:
    section = json.dumps({"node_port": {"url": "http://localhost:8080"}})
    with pytest.raises(SettingsError, match=r"load_balancer\.node_port"):
        load({**stack_config("prod"), f"{PROJECT}:load_balancer": section})


def test_the_local_stack_fits_a_laptop() -> None:
    requested = {"cpu": 0, "memory": 0}
    for kind in ("Deployment", "StatefulSet", "DaemonSet"):
        for workload in shipped("local").of_type(f"kubernetes:apps/v1:{kind}"):
            spec = workload.inputs["spec"]
            for container in spec["template"]["spec"]["containers"]:
                wanted = container["resources"]["requests"]
                requested["cpu"] += int(wanted["cpu"].removesuffix("m")) * int(spec.get("replicas", 1))
                requested["memory"] += int(wanted["memory"].removesuffix("Mi")) * int(spec.get("replicas", 1))
    assert requested["cpu"] <= LAPTOP["cpu"]
    assert requested["memory"] <= LAPTOP["memory"]


def test_a_cluster_that_is_gone_is_forgotten_where_it_may_be_thrown_away() -> None:
    [provider] = shipped("local").of_type("pulumi:providers:kubernetes")
    assert provider.inputs["deleteUnreachable"] == "true"


def test_a_cluster_that_does_not_answer_is_not_forgotten_elsewhere() -> None:
    existing = {"context": "kind-auterity-dev"}
    [provider] = with_section("local", "kubernetes", existing=existing).of_type("pulumi:providers:kubernetes")
    assert "deleteUnreachable" not in provider.inputs
