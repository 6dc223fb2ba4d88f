"""Cases of the rules of accounts, roles and namespaces."""

from __future__ import annotations

from typing import Any

from tests.policies.cases.kubernetes_pods import deployment, metadata, pod
from tests.policies.cases.model import Case, Made, Ref, breaks, keeps

ACCOUNT = "kubernetes-pod-account"
WILD = "kubernetes-role-no-wildcards"
SECRETS = "kubernetes-role-no-secrets"
ADMIN = "kubernetes-no-cluster-admin"
LEVEL = "kubernetes-namespace-pod-security"
UNUSED = "kubernetes-default-namespace-unused"
DENY = "kubernetes-namespace-default-deny"
NARROW = "kubernetes-network-policy-narrow"


def account(name: str, automount: bool | None) -> Made:
    said = {} if automount is None else {"automountServiceAccountToken": automount}
    return Made(
        "kubernetes:core/v1:ServiceAccount",
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata(name=name), **said},
    )


def role(kind: str = "Role", **rule: Any) -> Made:
    good = {"apiGroups": [""], "resources": ["configmaps"], "verbs": ["get"]}
    return Made(
        f"kubernetes:rbac.authorization.k8s.io/v1:{kind}",
        {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": kind,
            "metadata": metadata() if kind == "Role" else {},
            "rules": [{**good, **rule}],
        },
    )


def binding(role: str, subject: str) -> Made:
    return Made(
        "kubernetes:rbac.authorization.k8s.io/v1:ClusterRoleBinding",
        {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "ClusterRoleBinding",
            "metadata": {},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role},
            "subjects": [{"kind": "Group", "apiGroup": "rbac.authorization.k8s.io", "name": subject}],
        },
    )


def namespace(name: str = "other", **labels: str) -> Made:
    return Made(
        "kubernetes:core/v1:Namespace",
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}},
    )


def policy(namespace: Any = "shop", **spec: Any) -> Made:
    return Made(
        "kubernetes:networking.k8s.io/v1:NetworkPolicy",
        {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "NetworkPolicy",
            "metadata": {"namespace": namespace},
            "spec": {"podSelector": {}, **spec},
        },
    )


def placed(namespace: Any) -> Made:
    made = deployment()
    where = {} if namespace is None else {"namespace": namespace}
    return Made(made.type, {**made.properties, "metadata": where})


BOTH = ["Ingress", "Egress"]
PORTS = [{"port": 8000, "protocol": "TCP"}]
PODS = [{"podSelector": {"matchLabels": {"app": "shop"}}}]


def unsaid(name: str) -> Made:
    """A workload that leaves the token to its account."""
    spec = pod(serviceAccountName=name)
    del spec["automountServiceAccountToken"]
    return deployment(spec)


HERE = Ref("namespace", "metadata.name")

CASES: tuple[Case, ...] = (
    breaks(ACCOUNT, "default", app=deployment(pod(serviceAccountName="default"))),
    breaks(ACCOUNT, "mounted", app=deployment(pod(automountServiceAccountToken=True))),
    breaks(ACCOUNT, "left to an account that says nothing", "app", account=account("talks", None), app=unsaid("talks")),
    keeps(ACCOUNT, "said by the pod", app=deployment()),
    keeps(ACCOUNT, "said by the account", account=account("closed", False), app=unsaid("closed")),
    breaks(WILD, "verbs", role=role(verbs=["*"])),
    breaks(WILD, "of the cluster", role=role("ClusterRole", resources=["*"])),
    keeps(WILD, "named", role=role()),
    breaks(SECRETS, "all", role=role(resources=["configmaps", "secrets"], verbs=["list"])),
    keeps(SECRETS, "one", role=role(resources=["secrets"], resourceNames=["login"])),
    keeps(SECRETS, "writing", role=role(resources=["secrets"], verbs=["create"])),
    breaks(ADMIN, "administrator", binding=binding("cluster-admin", "platform")),
    breaks(ADMIN, "everybody", binding=binding("view", "system:unauthenticated")),
    keeps(ADMIN, "viewer", binding=binding("view", "platform")),
    breaks(LEVEL, "nothing", namespace=namespace()),
    breaks(LEVEL, "baseline", namespace=namespace(**{"pod-security.kubernetes.io/enforce": "baseline"})),
    keeps(LEVEL, "restricted", namespace=namespace(**{"pod-security.kubernetes.io/enforce": "restricted"})),
    breaks(UNUSED, "named", app=placed("default")),
    breaks(UNUSED, "not said", app=placed(None)),
    keeps(UNUSED, "of its own", app=placed("shop")),
    breaks(
        DENY,
        "one way",
        "namespace",
        namespace=namespace("one-way"),
        deny=policy(HERE, policyTypes=["Ingress"]),
        app=placed(HERE),
    ),
    breaks(
        DENY,
        "in another",
        "namespace",
        namespace=namespace("elsewhere"),
        deny=policy("deny-elsewhere", policyTypes=BOTH),
        app=placed(HERE),
    ),
    keeps(DENY, "both ways", namespace=namespace("both-ways"), deny=policy(HERE, policyTypes=BOTH), app=placed(HERE)),
    breaks(NARROW, "from anywhere", policy=policy(ingress=[{"ports": PORTS}])),
    breaks(NARROW, "any port", policy=policy(policyTypes=["Egress"], egress=[{"to": PODS}])),
    keeps(NARROW, "both ends and ports", policy=policy(ingress=[{"from": PODS, "ports": PORTS}])),
)
