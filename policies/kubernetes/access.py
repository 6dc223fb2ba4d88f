"""Accounts, roles and namespaces."""

from __future__ import annotations

from collections.abc import Iterator

from policies.kubernetes.objects import (
    NAMESPACE,
    NAMESPACED,
    NETWORK_POLICY,
    SERVICE_ACCOUNT,
    WORKLOADS,
    kinds,
    name_of,
    namespace_name,
    namespace_of,
    pod_spec,
)
from policies.resources import Resource, Stack
from policies.rules import Finding, Violation, each_rule, of_each, resource_rule, stack_rule, unless
from policies.values import UndecidedError, Value, each

READING = {"get", "list", "watch", "*"}


@each_rule(
    "kubernetes-pod-account",
    "Pods have an account of their own, whose token is not mounted by itself",
    "CIS Kubernetes 1.12 5.1.5, 5.1.6",
    "NSA C-0034",
    of=WORKLOADS,
    beside=SERVICE_ACCOUNT + NAMESPACE,
)
def pod_account(stack: Stack, workload: Resource) -> Iterator[Violation]:
    pod = pod_spec(workload)
    if pod.unknown:
        raise UndecidedError(pod.path)
    account, mounted = pod["serviceAccountName"], pod["automountServiceAccountToken"]
    own = account.unknown or account.text not in ("", "default")
    yield from unless(own, workload, account, "name a ServiceAccount of its own")
    if mounted.flag is None:
        accounts = [
            each
            for each in stack.of(SERVICE_ACCOUNT)
            if (account.unknown and each.urn in workload.dependencies.get("spec", ()))
            or (
                not account.unknown
                and name_of(each) == account.text
                and namespace_of(stack, each) == namespace_of(stack, workload)
            )
        ]
        closed = bool(accounts) and all(each["automountServiceAccountToken"].flag is False for each in accounts)
        yield from unless(closed, workload, mounted, "set it to false here or at the ServiceAccount")
    else:
        yield from unless(
            mounted.flag is False, workload, mounted, "set it to false; mount a projected token where one is needed"
        )


@resource_rule(
    "kubernetes-role-no-wildcards",
    "Roles name what they allow",
    "CIS Kubernetes 1.12 5.1.3",
    "NSA C-0187",
    types=kinds("Role", "ClusterRole"),
)
def role_no_wildcards(resource: Resource) -> Iterator[Finding]:
    def check(rule: Value) -> Iterator[Violation]:
        for key in ("apiGroups", "resources", "verbs"):
            wide = "*" in [each.text for each in rule[key].items]
            yield from unless(not wide, resource, rule[key], "list what is needed")

    yield from each(resource["rules"].items, check)


@resource_rule(
    "kubernetes-role-no-secrets",
    "No role reads all Secrets",
    "CIS Kubernetes 1.12 5.1.2",
    "NSA C-0186",
    types=kinds("Role", "ClusterRole"),
)
def role_no_secrets(resource: Resource) -> Iterator[Finding]:
    def check(rule: Value) -> Iterator[Violation]:
        over = {"secrets", "*"} & {each.text for each in rule["resources"].items}
        reads = READING & {each.text for each in rule["verbs"].items}
        holds = not over or not reads or rule["resourceNames"].given
        yield from unless(holds, resource, rule["resources"], "name the Secrets in resourceNames")

    yield from each(resource["rules"].items, check)


@resource_rule(
    "kubernetes-no-cluster-admin",
    "Nothing is bound to cluster-admin, and nothing to everybody",
    "CIS Kubernetes 1.12 5.1.1",
    "NSA C-0035",
    types=kinds("RoleBinding", "ClusterRoleBinding"),
)
def no_cluster_admin(resource: Resource) -> Iterator[Finding]:
    role = resource.at("roleRef.name")
    yield from each([role], lambda name: unless(name.text != "cluster-admin", resource, name, "bind a smaller role"))
    everybody = ("system:anonymous", "system:unauthenticated", "system:authenticated", "system:masters")
    yield from each(
        resource["subjects"].items,
        lambda one: unless(one["name"].text not in everybody, resource, one["name"], "name an account"),
    )


@resource_rule(
    "kubernetes-namespace-pod-security",
    'Namespaces refuse pods that are not "restricted"',
    "CIS Kubernetes 1.12 5.2.1",
    "PSS restricted",
    types=NAMESPACE,
)
def namespace_pod_security(resource: Resource) -> Iterator[Finding]:
    level = resource.at("metadata.labels")["pod-security.kubernetes.io/enforce"]
    yield from unless(level.text == "restricted", resource, level, 'set the label to "restricted"')


@resource_rule(
    "kubernetes-default-namespace-unused",
    "Nothing is in the namespace default",
    "CIS Kubernetes 1.12 5.6.4",
    "NSA C-0061",
    types=NAMESPACED,
)
def default_namespace_unused(resource: Resource) -> Iterator[Finding]:
    namespace = resource.at("metadata.namespace")
    # One that is not known yet is computed from another resource, so somebody chose it.
    used = not namespace.unknown and namespace.text in ("", "default")
    yield from unless(not used, resource, namespace, "name a namespace of its own")


@stack_rule(
    "kubernetes-namespace-default-deny",
    "Each namespace with pods refuses what no policy allows, in both directions",
    "CIS Kubernetes 1.12 5.3.2",
    "NSA C-0030, C-0054",
    types=WORKLOADS + NAMESPACE + NETWORK_POLICY,
)
def namespace_default_deny(stack: Stack) -> Iterator[Finding]:
    denied: dict[str, set[str]] = {}
    for policy in stack.of(NETWORK_POLICY):
        try:
            denied.setdefault(namespace_of(stack, policy), set()).update(_denies(policy))
        except UndecidedError:
            continue
    names = {namespace_name(namespace): namespace for namespace in stack.of(NAMESPACE)}
    reported: set[str] = set()

    def check(workload: Resource) -> Iterator[Violation]:
        namespace = namespace_of(stack, workload)
        missing = sorted({"Ingress", "Egress"} - denied.get(namespace, set()))
        if missing and namespace not in reported:
            reported.add(namespace)
            yield Violation(
                names.get(namespace, workload),
                "NetworkPolicy",
                f"that denies {' and '.join(missing)} by default is not in the namespace of {workload.name}",
                "add one with an empty podSelector, both policyTypes and no rules",
            )

    yield from of_each(stack.of(WORKLOADS), check)


def _denies(policy: Resource) -> set[str]:
    """Return the directions that a policy closes for every pod of its namespace. Raises UndecidedError."""
    selector = policy.at("spec.podSelector")
    if selector["matchLabels"].fields or selector["matchExpressions"].items:
        return set()
    types = {each.text for each in policy.at("spec.policyTypes").items}
    return {way for way in types if not policy.at(f"spec.{way.lower()}").items}


@resource_rule(
    "kubernetes-network-policy-narrow",
    "Network policies name both ends and the ports",
    "CIS Kubernetes 1.12 5.3.2",
    "NSA C-0260",
    types=NETWORK_POLICY,
)
def network_policy_narrow(resource: Resource) -> Iterator[Finding]:
    def check(way: str, ends: str) -> Iterator[Finding]:
        for rule in resource.at(f"spec.{way}").items:
            for key in (ends, "ports"):
                yield from unless(rule[key].given, resource, rule[key], "list those that are needed")

    yield from check("ingress", "from")
    yield from check("egress", "to")
