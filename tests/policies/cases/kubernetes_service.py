"""Cases of the rules of what is offered and kept going."""

from __future__ import annotations

from typing import Any

from tests.policies.cases.kubernetes_pods import LABELS, container, deployment, metadata, pod
from tests.policies.cases.model import Case, Made, Ref, breaks, keeps

CLOSED = "kubernetes-load-balancer-closed"
INSIDE = "kubernetes-admin-ports-inside"
KONG = "kubernetes-kong-admin-inside"
BUDGET = "kubernetes-disruption-budget"
PERMITS = "kubernetes-disruption-budget-permits"
TARGET = "kubernetes-autoscaler-target"
CONSUMED = "kubernetes-secret-consumed"
AWS_INTERNAL = {"service.beta.kubernetes.io/aws-load-balancer-scheme": "internal"}


def service(port: int, annotations: dict[str, str] | None = None, **spec: Any) -> Made:
    return Made(
        "kubernetes:core/v1:Service",
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": metadata(annotations=annotations or {}),
            "spec": {"selector": LABELS, "ports": [{"port": port}], "type": "LoadBalancer", **spec},
        },
    )


def named(namespace: str, name: str, made: Made) -> Made:
    """Put an object into a namespace of its case's own, where no other case's selectors reach it."""
    return Made(made.type, {**made.properties, "metadata": {"namespace": namespace, "name": name}})


def budget(namespace: str, labels: dict[str, str] | None = None, **spec: Any) -> Made:
    return Made(
        "kubernetes:policy/v1:PodDisruptionBudget",
        {
            "apiVersion": "policy/v1",
            "kind": "PodDisruptionBudget",
            "metadata": {"namespace": namespace},
            "spec": {"selector": {"matchLabels": LABELS if labels is None else labels}, **spec},
        },
    )


def scaler(namespace: str, name: Any, least: int = 2) -> Made:
    measured = {"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization"}}}
    return Made(
        "kubernetes:autoscaling/v2:HorizontalPodAutoscaler",
        {
            "apiVersion": "autoscaling/v2",
            "kind": "HorizontalPodAutoscaler",
            "metadata": {"namespace": namespace},
            "spec": {
                "minReplicas": least,
                "maxReplicas": 4,
                "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": name},
                "metrics": [measured],
            },
        },
    )


def secret(name: str, **more: Any) -> Made:
    return Made(
        "kubernetes:core/v1:Secret",
        {"apiVersion": "v1", "kind": "Secret", "metadata": metadata(name=name), "stringData": {"x": "y"}, **more},
    )


def app(namespace: str, spec: dict[str, Any] | None = None, **changes: Any) -> Made:
    return named(namespace, "app", deployment(spec, **changes))


def mounting(name: str) -> Made:
    return deployment(pod(volumes=[{"name": "login", "secret": {"secretName": name}}]))


def kong(listen: str) -> Made:
    return deployment(pod(container(env=[{"name": "KONG_ADMIN_LISTEN", "value": listen}])))


CASES: tuple[Case, ...] = (
    breaks(KONG, "everywhere", app=kong("127.0.0.1:8001, 0.0.0.0:8444 ssl")),
    keeps(KONG, "loopback", app=kong("127.0.0.1:8001, 127.0.0.1:8444 ssl")),
    keeps(KONG, "off", app=kong("off")),
    breaks(CLOSED, "open", service=service(443)),
    breaks(CLOSED, "the world by name", service=service(443, loadBalancerSourceRanges=["0.0.0.0/0"])),
    keeps(CLOSED, "internal", service=service(443, AWS_INTERNAL)),
    keeps(CLOSED, "for some", service=service(443, loadBalancerSourceRanges=["203.0.113.0/24"])),
    keeps(CLOSED, "inside", service=service(443, type="ClusterIP")),
    breaks(INSIDE, "Kong's admin API", service=service(8001, AWS_INTERNAL)),
    breaks(INSIDE, "behind another port", service=service(80, ports=[{"port": 80, "targetPort": 8444}])),
    breaks(INSIDE, "on every node", service=service(15672, type="NodePort")),
    keeps(INSIDE, "inside", service=service(5432, type="ClusterIP")),
    keeps(INSIDE, "web", service=service(443, AWS_INTERNAL)),
    breaks(BUDGET, "none", app=app("bare", replicas=2)),
    breaks(BUDGET, "for others", "app", app=app("others", replicas=2), budget=budget("others", {"app": "other"})),
    breaks(BUDGET, "of two by its autoscaler", "app", app=app("scaled"), scaler=scaler("scaled", "app", 2)),
    keeps(BUDGET, "one copy", app=app("single", replicas=1)),
    keeps(BUDGET, "covered", app=app("covered", replicas=2), budget=budget("covered", maxUnavailable=1)),
    breaks(PERMITS, "nothing", "budget", app=app("stuck", replicas=2), budget=budget("stuck", maxUnavailable=0)),
    breaks(PERMITS, "all stay", "budget", app=app("all", replicas=2), budget=budget("all", minAvailable=2)),
    breaks(PERMITS, "for nobody", budget=budget("nobody", maxUnavailable=1)),
    keeps(PERMITS, "one of two", app=app("one-of-two", replicas=2), budget=budget("one-of-two", minAvailable=1)),
    breaks(TARGET, "nobody", scaler=scaler("nowhere", "app")),
    breaks(
        TARGET,
        "nothing to measure",
        "app",
        app=app("unmeasured", pod(container(resources=None))),
        scaler=scaler("unmeasured", Ref("app", "metadata.name")),
    ),
    keeps(TARGET, "measured", app=app("measured"), scaler=scaler("measured", Ref("app", "metadata.name"))),
    breaks(CONSUMED, "by nobody", secret=secret("forgotten")),
    keeps(CONSUMED, "mounted", secret=secret("mounted"), app=mounting("mounted")),
)
