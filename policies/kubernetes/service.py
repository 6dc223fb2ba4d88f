"""What is offered to the outside, and what keeps it there."""

from __future__ import annotations

from collections.abc import Iterator

from policies.aws.openings import is_world
from policies.kubernetes.objects import (
    AUTOSCALER,
    DISRUPTION_BUDGET,
    NAMESPACE,
    SECRET,
    SERVICE,
    WORKLOADS,
    containers,
    kind,
    kinds,
    name_of,
    namespace_of,
    pod_labels,
    pod_spec,
    selects,
)
from policies.resources import Resource, Stack
from policies.rules import DURABILITY, Finding, Violation, each_rule, of_each, resource_rule, stack_rule, unless
from policies.values import UndecidedError, Value, each

ADMIN_PORTS = {
    2379: "etcd",
    5432: "PostgreSQL",
    5672: "AMQP",
    6379: "Redis",
    8001: "Kong's admin API",
    8200: "Vault",
    8444: "Kong's admin API",
    9090: "Prometheus",
    15672: "RabbitMQ's management",
}
INTERNAL = {
    "service.beta.kubernetes.io/aws-load-balancer-scheme": "internal",
    "service.beta.kubernetes.io/aws-load-balancer-internal": "true",
    "networking.gke.io/load-balancer-type": "internal",
    "cloud.google.com/load-balancer-type": "internal",
    "service.beta.kubernetes.io/azure-load-balancer-internal": "true",
}
"""The annotations by which clouds keep a load balancer inside."""

REPLICATED = kinds("Deployment", "StatefulSet", "ReplicaSet")


@resource_rule(
    "kubernetes-load-balancer-closed",
    "A Service of type LoadBalancer is internal or names who may come",
    "NSA C-0256",
    types=SERVICE,
)
def load_balancer_closed(resource: Resource) -> Iterator[Finding]:
    if resource.at("spec.type").text != "LoadBalancer":
        return
    annotations, ranges = resource.at("metadata.annotations"), resource.at("spec.loadBalancerSourceRanges")
    internal = any(annotations[key].text.lower() == value for key, value in INTERNAL.items())
    named = ranges.given and not any(is_world(each) for each in ranges.items)
    yield from unless(internal or named, resource, ranges, "list the networks, or annotate it as internal")


@resource_rule(
    "kubernetes-admin-ports-inside",
    "No Service offers the ports of stores and of administration outside the cluster",
    "NSA C-0256",
    "CIS Kubernetes 1.12 5.3.2",
    types=SERVICE,
)
def admin_ports_inside(resource: Resource) -> Iterator[Finding]:
    if resource.at("spec.type").text not in ("LoadBalancer", "NodePort") and not resource.at("spec.externalIPs").given:
        return

    def check(port: Value) -> Iterator[Violation]:
        for value in (port["port"], port["targetPort"]):
            known = ADMIN_PORTS.get(int(value.number)) if value.number is not None else None
            yield from unless(not known, resource, value, "offer it by a Service of type ClusterIP", f"is {known}'s")

    yield from each(resource.at("spec.ports").items, check)


@resource_rule(
    "kubernetes-kong-admin-inside",
    "Kong's admin API listens on the loopback address, or on nothing",
    "Kong: Secure the Admin API",
    "NSA C-0021",
    types=WORKLOADS,
)
def kong_admin_inside(resource: Resource) -> Iterator[Finding]:
    def check(variable: Value) -> Iterator[Violation]:
        if variable["name"].text == "KONG_ADMIN_LISTEN":
            listens = [each.strip() for each in variable["value"].text.split(",")]
            inside = all(each == "off" or each.startswith(("127.", "[::1]", "localhost:")) for each in listens)
            yield from unless(inside, resource, variable["value"], 'set it to "127.0.0.1:8001" or "off"')

    yield from each((variable for one in containers(resource) for variable in one.value["env"].items), check)


@each_rule(
    "kubernetes-disruption-budget",
    "Every workload of two copies or more has a disruption budget",
    "Kubernetes: Specifying a Disruption Budget",
    of=REPLICATED,
    beside=DISRUPTION_BUDGET + AUTOSCALER + NAMESPACE,
    levels=DURABILITY,
)
def disruption_budget(stack: Stack, workload: Resource) -> Iterator[Violation]:
    if (copies(stack, workload) or 1) >= 2:
        budgets = [each for each in stack.of(DISRUPTION_BUDGET) if covers(stack, each, workload)]
        yield from unless(
            bool(budgets), workload, "PodDisruptionBudget", "add one whose selector matches the pods' labels"
        )


@each_rule(
    "kubernetes-disruption-budget-permits",
    "Every disruption budget is for a workload and lets a node be emptied",
    "Kubernetes: Specifying a Disruption Budget",
    of=DISRUPTION_BUDGET,
    beside=REPLICATED + AUTOSCALER + NAMESPACE,
)
def disruption_budget_permits(stack: Stack, budget: Resource) -> Iterator[Violation]:
    covered = [each for each in stack.of(REPLICATED) if covers(stack, budget, each)]
    yield from unless(bool(covered), budget, "spec.selector", "match the labels of a workload", "matches no pods")
    most, least = budget.at("spec.maxUnavailable"), budget.at("spec.minAvailable")
    yield from unless(most.raw not in (0, "0", "0%"), budget, most, "set it to 1 or more")
    for workload in covered:
        number = copies(stack, workload)
        all_of_them = least.raw in ("100%",) or (
            least.given and least.number is not None and number is not None and least.number >= number
        )
        yield from unless(not all_of_them, budget, least, f"set it below the copies of {workload.name}")


def covers(stack: Stack, budget: Resource, workload: Resource) -> bool:
    """Say whether a budget is about a workload's pods. Raises UndecidedError."""
    same = namespace_of(stack, budget) == namespace_of(stack, workload)
    return same and selects(budget.at("spec.selector"), pod_labels(workload))


def scales(stack: Stack, scaler: Resource, workload: Resource) -> bool:
    """Say whether an autoscaler is about a workload. Raises UndecidedError."""
    target = scaler.at("spec.scaleTargetRef")
    urns = scaler.dependencies.get("spec", ())
    named = workload.urn in urns if target["name"].unknown and urns else target["name"].text == name_of(workload)
    return (
        target["kind"].text == kind(workload) and named and namespace_of(stack, scaler) == namespace_of(stack, workload)
    )


def copies(stack: Stack, workload: Resource) -> float | None:
    """Return the least number of copies of a workload: its autoscaler's, else its own. Raises UndecidedError."""
    for scaler in stack.of(AUTOSCALER):
        if scales(stack, scaler, workload):
            return scaler.at("spec.minReplicas").number or 1
    return workload.at("spec.replicas").number


@each_rule(
    "kubernetes-autoscaler-target",
    "Every autoscaler has a workload, whose containers request what it measures",
    "NSA C-0270",
    of=AUTOSCALER,
    beside=REPLICATED + NAMESPACE,
)
def autoscaler_target(stack: Stack, scaler: Resource) -> Iterator[Violation]:
    targets = [each for each in stack.of(REPLICATED) if scales(stack, scaler, each)]
    target = scaler.at("spec.scaleTargetRef")
    yield from unless(bool(targets), scaler, target, "name a workload of its namespace")
    measured = [
        metric["resource"]["name"].text or metric["containerResource"]["name"].text
        for metric in scaler.at("spec.metrics").items
    ] or ["cpu"]
    for workload in targets:
        for one in containers(workload, "containers"):
            for resource in filter(None, measured):
                requested = one.value["resources"]["requests"][resource]
                yield from unless(requested.given, workload, requested, f"set it: {scaler.name} measures it")


@stack_rule(
    "kubernetes-secret-consumed",
    "Every Secret is used by a workload of the stack",
    "CIS Kubernetes 1.12 5.4.1",
    types=SECRET + WORKLOADS + kinds("Ingress", "ServiceAccount") + NAMESPACE,
)
def secret_consumed(stack: Stack) -> Iterator[Finding]:
    consumers = stack.of(WORKLOADS + kinds("Ingress", "ServiceAccount"))
    names = {name for each in consumers for name in secret_names(each)}
    needed = {urn for each in consumers for urns in each.dependencies.values() for urn in urns}

    def check(secret: Resource) -> Iterator[Violation]:
        if secret["type"].text.startswith(("kubernetes.io/service-account", "helm.sh/")):
            return
        used = secret.urn in needed or name_of(secret) in names
        yield from unless(used, secret, "use", "mount it, or remove it", "of it is made by nothing in this stack")

    yield from of_each(stack.of(SECRET), check)


def secret_names(resource: Resource) -> set[str]:
    """Return the names of the Secrets that an object uses, as far as they are known."""
    found: list[Value] = []
    try:
        if kind(resource) == "Ingress":
            found += [each["secretName"] for each in resource.at("spec.tls").items]
        elif kind(resource) == "ServiceAccount":
            found += [each["name"] for key in ("secrets", "imagePullSecrets") for each in resource[key].items]
        else:
            found += _of_pod(resource)
    except UndecidedError:
        pass
    return {each.raw for each in found if isinstance(each.raw, str)}


def _of_pod(resource: Resource) -> Iterator[Value]:
    pod = pod_spec(resource)
    for volume in pod["volumes"].items:
        yield volume["secret"]["secretName"]
        for source in volume["projected"]["sources"].items:
            yield source["secret"]["name"]
    for pull in pod["imagePullSecrets"].items:
        yield pull["name"]
    for one in containers(resource):
        for variable in one.value["env"].items:
            yield variable["valueFrom"]["secretKeyRef"]["name"]
        for variables in one.value["envFrom"].items:
            yield variables["secretRef"]["name"]
