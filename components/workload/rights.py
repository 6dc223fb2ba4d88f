"""What a workload may ask the API server."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as kubernetes

from components.workload.labels import labels
from components.workload.pods import Place

meta = kubernetes.meta.v1
rbac = kubernetes.rbac.v1

API_GROUP = "rbac.authorization.k8s.io"


@dataclass(frozen=True)
class Right:
    """Something that may be asked.

    Attributes:
        group: API group of the resources; empty for the core.
        resources: kinds of objects, in the plural.
        verbs: what may be asked of them.
    """

    group: str
    resources: tuple[str, ...]
    verbs: tuple[str, ...]


def may(
    name: str,
    workload: str,
    place: Place,
    rights: Sequence[Right],
    opts: pulumi.ResourceOptions,
    paths: Sequence[str] = (),
) -> None:
    """Let a workload ask the API server about the whole cluster, and change nothing.

    Args:
        name: name of the resources.
        workload: name of the workload and of its service account.
        place: where it runs.
        rights: what it may ask.
        opts: options of the resources.
        paths: paths of the API server itself that it may get, such as ``/metrics``.
    """
    asked = [rbac.PolicyRuleArgs(non_resource_urls=[*paths], verbs=["get"])] if paths else []
    role = rbac.ClusterRole(
        name,
        metadata=meta.ObjectMetaArgs(name=workload, labels=labels(workload)),
        rules=[*_rules(rights), *asked],
        opts=opts,
    )
    bind(name, workload, role.metadata.name, workload, place, opts)


def bind(
    name: str,
    called: str,
    role: pulumi.Input[str],
    workload: str,
    place: Place,
    opts: pulumi.ResourceOptions,
) -> None:
    """Give a workload a role in the whole cluster.

    Args:
        name: name of the resource.
        called: name of the binding in the cluster.
        role: name of the ClusterRole.
        workload: name of the workload and of its service account.
        place: where it runs.
        opts: options of the resource.
    """
    rbac.ClusterRoleBinding(
        name,
        metadata=meta.ObjectMetaArgs(name=called, labels=labels(workload)),
        role_ref=rbac.RoleRefArgs(api_group=API_GROUP, kind="ClusterRole", name=role),
        subjects=[_account(workload, place)],
        opts=opts,
    )


def may_within(
    name: str,
    workload: str,
    place: Place,
    namespace: pulumi.Input[str],
    rights: Sequence[Right],
    opts: pulumi.ResourceOptions,
) -> None:
    """Let a workload ask the API server about one namespace, which may be another than its own.

    Args:
        name: name of the resources.
        workload: name of the workload and of its service account.
        place: where it runs.
        namespace: the namespace that it may ask about.
        rights: what it may ask.
        opts: options of the resources.
    """
    about = meta.ObjectMetaArgs(name=workload, namespace=namespace, labels=labels(workload))
    role = rbac.Role(
        name,
        metadata=about,
        rules=_rules(rights),
        opts=opts,
    )
    rbac.RoleBinding(
        name,
        metadata=about,
        role_ref=rbac.RoleRefArgs(api_group=API_GROUP, kind="Role", name=role.metadata.name),
        subjects=[_account(workload, place)],
        opts=opts,
    )


def _rules(rights: Sequence[Right]) -> list[rbac.PolicyRuleArgs]:
    return [
        rbac.PolicyRuleArgs(api_groups=[right.group], resources=[*right.resources], verbs=[*right.verbs])
        for right in rights
    ]


def _account(workload: str, place: Place) -> rbac.SubjectArgs:
    return rbac.SubjectArgs(kind="ServiceAccount", name=workload, namespace=place.namespace)
