"""What users rely on of what runs in the cluster."""

from __future__ import annotations

from typing import Any

import pulumi
import pulumi_kubernetes as kubernetes
import pytest

from components.workload import App, AppArgs, Endpoint, Flow, Foundation, FoundationArgs, Place, Space
from components.workload.app import DRAIN_SECONDS
from settings import AppSettings, PodResources
from tests.unit.programs import STACKS, run_program, shipped, stack_config
from tests.unit.recording import Recording, record

CONFIG_MAP = "kubernetes:core/v1:ConfigMap"
DEPLOYMENT = "kubernetes:apps/v1:Deployment"
JOB = "kubernetes:batch/v1:Job"
DAEMON_SET = "kubernetes:apps/v1:DaemonSet"
SET = "kubernetes:apps/v1:StatefulSet"
POLICY = "kubernetes:networking.k8s.io/v1:NetworkPolicy"
SCALER = "kubernetes:autoscaling/v2:HorizontalPodAutoscaler"


def foundation(*flows: Flow) -> Recording:
    def build() -> None:
        provider = kubernetes.Provider("kubernetes")
        spaces = [Space("shop", cpu_millis=4000, memory_mib=8192, pods=20), Space("data", 1000, 1024, 10)]
        Foundation("auterity-test", FoundationArgs(spaces, flows), pulumi.ResourceOptions(provider=provider))

    return record(build)


def app(**settings: Any) -> Recording:
    def build() -> None:
        provider = kubernetes.Provider("kubernetes")
        args = AppArgs(AppSettings(**settings), Place("shop", "normal"), image="app:1.4.2")
        App("auterity-test", args, pulumi.ResourceOptions(provider=provider))

    return record(build)


def pod(recording: Recording) -> dict[str, Any]:
    template: dict[str, Any] = recording.only(DEPLOYMENT).inputs["spec"]["template"]
    return template


def container(recording: Recording) -> dict[str, Any]:
    [found] = pod(recording)["spec"]["containers"]
    assert isinstance(found, dict)
    return found


def test_every_namespace_admits_restricted_pods_alone() -> None:
    for namespace in foundation().of_type("kubernetes:core/v1:Namespace"):
        labels = namespace.inputs["metadata"]["labels"]
        assert labels["pod-security.kubernetes.io/enforce"] == "restricted"
        assert labels["pod-security.kubernetes.io/enforce-version"] == "v1.36"


def test_every_namespace_is_closed_in_both_directions() -> None:
    denials = [p.inputs for p in foundation().of_type(POLICY)]
    assert {p["metadata"]["namespace"] for p in denials} == {"shop", "data"}
    for denial in denials:
        assert denial["spec"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}


def test_a_flow_opens_its_port_at_both_ends_and_nothing_else() -> None:
    flow = Flow("database", Endpoint("shop", "app"), Endpoint("data", "postgres"), (("TCP", 5432),))
    recording = foundation(flow)
    target = recording.named("auterity-test-data-postgres", POLICY).inputs["spec"]
    source = recording.named("auterity-test-shop-app", POLICY).inputs["spec"]
    port = [{"protocol": "TCP", "port": 5432}]
    assert target["podSelector"] == {"matchLabels": {"app.kubernetes.io/name": "postgres"}}
    assert target["policyTypes"] == ["Ingress"]
    [rule] = target["ingress"]
    assert rule["ports"] == port
    assert rule["from"] == [
        {
            "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "shop"}},
            "podSelector": {"matchLabels": {"app.kubernetes.io/name": "app"}},
        }
    ]
    assert source["policyTypes"] == ["Egress"]
    assert source["egress"][0]["ports"] == port
    assert len(recording.of_type(POLICY)) == 4


def test_a_flow_to_the_outside_opens_the_inner_end_alone() -> None:
    flow = Flow("dns", Endpoint("shop"), Endpoint(None, blocks=("0.0.0.0/0",)), (("UDP", 53),))
    recording = foundation(flow)
    spec = recording.named("auterity-test-shop-every-pod", POLICY).inputs["spec"]
    assert spec["egress"] == [{"to": [{"ipBlock": {"cidr": "0.0.0.0/0"}}], "ports": [{"protocol": "UDP", "port": 53}]}]
    assert len(recording.of_type(POLICY)) == 3


def test_a_workload_has_one_policy_whatever_order_its_flows_are_named_in() -> None:
    app = Endpoint("shop", "app")
    named = [
        Flow("gateway", Endpoint("shop", "gateway"), app, (("TCP", 8000),)),
        Flow("database", app, Endpoint("data", "postgres"), (("TCP", 5432),)),
        Flow("cache", app, Endpoint("data", "valkey"), (("TCP", 6379),)),
    ]
    specs = [
        foundation(*flows).named("auterity-test-shop-app", POLICY).inputs["spec"] for flows in (named, named[::-1])
    ]
    assert specs[0] == specs[1]
    assert specs[0]["policyTypes"] == ["Ingress", "Egress"]
    assert [rule["ports"][0]["port"] for rule in specs[0]["egress"]] == [6379, 5432]


def test_a_namespace_is_bounded_and_gives_what_states_nothing_something_small() -> None:
    recording = foundation()
    hard = recording.named("auterity-test-shop", "kubernetes:core/v1:ResourceQuota").inputs["spec"]["hard"]
    assert hard == {
        "requests.cpu": "4000m",
        "requests.memory": "8192Mi",
        "pods": "20",
        "services.nodeports": "0",
    }
    [limits] = recording.named("auterity-test-shop", "kubernetes:core/v1:LimitRange").inputs["spec"]["limits"]
    assert limits["defaultRequest"]["memory"] == "64Mi"


def test_no_pod_comes_before_the_rules_of_its_namespace() -> None:
    recording = shipped("local")
    rules = {r.inputs["metadata"]["namespace"]: r.urn for r in recording.of_type(POLICY) if r.name.endswith("-deny")}
    assert len(rules) == 3
    for workload in (DEPLOYMENT, SET, JOB, DAEMON_SET):
        for found in recording.of_type(workload):
            assert rules[found.inputs["metadata"]["namespace"]] in found.depends_on, found.name


@pytest.mark.parametrize("stack", STACKS)
def test_nothing_is_put_into_a_namespace_before_it_is_there(stack: str) -> None:
    recording = shipped(stack)
    spaces = {r.inputs["metadata"]["name"]: r.urn for r in recording.of_type("kubernetes:core/v1:Namespace")}
    early = [
        found.name
        for found in recording.resources
        if found.type.startswith("kubernetes:")
        and (namespace := (found.inputs.get("metadata") or {}).get("namespace")) in spaces
        and spaces[namespace] not in found.depends_on
    ]
    assert early == []


def test_the_app_has_what_the_documentation_gives_it() -> None:
    recording = app()
    assert container(recording)["resources"] == {
        "requests": {"cpu": "1000m", "memory": "2048Mi"},
        "limits": {"cpu": "2000m", "memory": "4096Mi"},
    }
    assert recording.only(DEPLOYMENT).inputs["spec"]["replicas"] == 4
    scaler = recording.only(SCALER).inputs["spec"]
    assert (scaler["minReplicas"], scaler["maxReplicas"]) == (2, 10)
    assert scaler["metrics"][0]["resource"]["target"] == {"type": "Utilization", "averageUtilization": 80}


def test_a_pod_of_the_app_gives_up_every_privilege() -> None:
    recording = app()
    spec = pod(recording)["spec"]
    assert spec["automountServiceAccountToken"] is False
    assert spec["enableServiceLinks"] is False
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container(recording)["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }


def test_the_number_of_pods_is_the_autoscalers_after_the_start() -> None:
    assert app().only(DEPLOYMENT).ignore_changes == ("spec.replicas",)


def test_a_pod_serves_before_another_goes() -> None:
    strategy = app().only(DEPLOYMENT).inputs["spec"]["strategy"]
    assert strategy["rollingUpdate"] == {"maxUnavailable": 0, "maxSurge": 1}


def test_a_node_can_be_emptied_one_pod_at_a_time() -> None:
    budget = app().only("kubernetes:policy/v1:PodDisruptionBudget").inputs["spec"]
    assert budget["maxUnavailable"] == 1
    assert budget["selector"] == {"matchLabels": {"app.kubernetes.io/name": "auterity-app"}}


def test_pods_are_spread_over_zones_and_nodes() -> None:
    keys = [c["topologyKey"] for c in pod(app())["spec"]["topologySpreadConstraints"]]
    assert keys == ["topology.kubernetes.io/zone", "kubernetes.io/hostname"]


def test_start_readiness_and_life_are_asked_for_apart() -> None:
    found = container(app(start_seconds=60))
    assert found["startupProbe"]["failureThreshold"] * found["startupProbe"]["periodSeconds"] == 60
    assert found["readinessProbe"]["httpGet"] == {"path": "/readyz", "port": "http"}
    assert found["livenessProbe"]["httpGet"] == {"path": "/healthz", "port": "http"}


def test_another_configuration_is_another_pod() -> None:
    def digest(**environment: str) -> Any:
        return pod(app(environment=environment))["metadata"]["annotations"]["auterity/configuration"]

    assert digest() == digest()
    assert digest() != digest(APP_LOG_LEVEL="DEBUG")


def test_a_pod_may_end_in_order() -> None:
    assert pod(app(stop_seconds=45))["spec"]["terminationGracePeriodSeconds"] == DRAIN_SECONDS + 45


@pytest.mark.parametrize(
    ("wrong", "key"),
    [
        ({"cpu_limit_millis": 500}, "cpu_limit_millis"),
        ({"memory_limit_mib": 1024}, "memory_limit_mib"),
    ],
    ids=str,
)
def test_a_limit_below_its_request_is_refused(wrong: dict[str, int], key: str) -> None:
    with pytest.raises(ValueError, match=f"{key}: .*at least"):
        PodResources(**wrong)


def test_a_stack_without_a_cluster_puts_nothing_into_one() -> None:
    config = {
        key: value
        for key, value in stack_config("prod").items()
        if key.partition(":")[2] not in ("kubernetes", "gateway", "runtimes", "vault", "observability", "backup")
    }
    assert not [r for r in run_program("prod", config).resources if r.type.startswith("kubernetes:")]


def test_no_secret_stands_in_a_config_map() -> None:
    for found in shipped("local").of_type(CONFIG_MAP):
        assert not [key for key in found.inputs["data"] if key.endswith(("PASSWORD", "SECRET", "TOKEN"))]
