"""What stands in the cluster before any workload: namespaces, and what holds in them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import pulumi
import pulumi_kubernetes as kubernetes

from components.workload.flows import Flow, allow, deny_all
from components.workload.labels import labels
from settings import PROJECT

core = kubernetes.core.v1
meta = kubernetes.meta.v1

RELEASE = "v1.36"
"""Release of the Pod Security Standards that namespaces are held to: theirs changes only on purpose."""

READINESS_GATES = "eks.amazonaws.com/pod-readiness-gate-inject"
"""Label of a namespace in which EKS Auto Mode gives pods that become targets a readiness gate; that of the AWS Load
Balancer Controller, ``elbv2.k8s.aws/pod-readiness-gate-inject``, does nothing there.
"""

PRIORITIES = {"critical": 1_000_000, "normal": 100_000}
"""Name of a priority class to its value: what keeps others alive (gateway, stores) gives way last."""


@dataclass(frozen=True)
class Space:
    """A namespace.

    Attributes:
        name: its name.
        cpu_millis: CPU that all its pods together may request, in milli-CPU.
        memory_mib: memory that all its pods together may request, in MiB.
        pods: how many pods it may hold.
        node_ports: how many ports of the nodes its Services may open.
        admits: level of the Pod Security Standards that its pods must keep to.
        balanced: whether a load balancer of AWS has targets in it: a pod that becomes one is ready once that one
            finds it healthy.
    """

    name: str
    cpu_millis: int
    memory_mib: int
    pods: int
    node_ports: int = 0
    admits: Literal["restricted", "privileged"] = "restricted"
    balanced: bool = False


@dataclass(frozen=True)
class FoundationArgs:
    """What the cluster is divided into, and who talks to whom.

    Attributes:
        spaces: the namespaces.
        flows: every connection that is wanted; there are no others.
        after: what must stand before the first pod, and no value carries: what makes network policies hold.
    """

    spaces: Sequence[Space]
    flows: Sequence[Flow]
    after: Sequence[pulumi.Resource] = ()


class Foundation(pulumi.ComponentResource):
    """Namespaces that admit restricted pods alone, unless they say otherwise; bounded in size, and closed but for the
    flows that are named.
    """

    namespaces: dict[str, pulumi.Output[str]]
    """Name of each namespace to the same, known once all that holds in it does."""

    priority_classes: dict[str, pulumi.Output[str]]
    """What a workload is to the platform (``critical``, ``normal``) to the name of its priority class."""

    def __init__(self, name: str, args: FoundationArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("auterity:workload:Foundation", name, None, opts)
        own = pulumi.ResourceOptions(parent=self)
        made = {space.name: self._namespace(name, space, args.after) for space in args.spaces}
        inside = {
            space: pulumi.ResourceOptions(parent=self, depends_on=[namespace]) for space, namespace in made.items()
        }
        # Before the flows are opened: whatever is in a namespace waits for these.
        rules = {
            space.name: [
                *_bounds(name, space, inside[space.name]),
                deny_all(name, space.name, inside[space.name]),
            ]
            for space in args.spaces
        }
        allow(name, args.flows, inside)
        classes = {
            priority: kubernetes.scheduling.v1.PriorityClass(
                f"{name}-{priority}",
                metadata=meta.ObjectMetaArgs(name=f"{PROJECT}-{priority}", labels=labels(PROJECT)),
                value=value,
                description=f"Workloads of the platform: {priority}",
                opts=own,
            )
            for priority, value in PRIORITIES.items()
        }
        # By way of the rules: no pod before they hold.
        self.namespaces = {space: _name_after(space, [namespace, *rules[space]]) for space, namespace in made.items()}
        self.priority_classes = {
            priority: made_class.metadata.apply(lambda metadata: metadata.name or "")
            for priority, made_class in classes.items()
        }
        self.register_outputs({"namespaces": self.namespaces, "priority_classes": self.priority_classes})

    def _namespace(self, name: str, space: Space, after: Sequence[pulumi.Resource]) -> core.Namespace:
        modes = {
            f"pod-security.kubernetes.io/{mode}{suffix}": value
            for mode in ("enforce", "audit", "warn")
            for suffix, value in (("", space.admits), ("-version", RELEASE))
        }
        gates = {READINESS_GATES: "enabled"} if space.balanced else {}
        return core.Namespace(
            f"{name}-{space.name}",
            metadata=meta.ObjectMetaArgs(name=space.name, labels={**labels(space.name), **modes, **gates}),
            opts=pulumi.ResourceOptions(parent=self, depends_on=list(after)),
        )


def _bounds(name: str, space: Space, opts: pulumi.ResourceOptions) -> list[pulumi.CustomResource]:
    """Bound the namespace as a whole, and give containers that state nothing something small.

    CPU has no default limit: it would become the limit of every container that states none, and the API server refuses
    a container whose request is above its limit. Of memory every container of ours states a limit.
    """
    quota = core.ResourceQuota(
        f"{name}-{space.name}",
        metadata=meta.ObjectMetaArgs(name="bounds", namespace=space.name),
        spec=core.ResourceQuotaSpecArgs(
            hard={
                "requests.cpu": f"{space.cpu_millis}m",
                "requests.memory": f"{space.memory_mib}Mi",
                "pods": str(space.pods),
                "services.nodeports": str(space.node_ports),
            }
        ),
        opts=opts,
    )
    defaults = core.LimitRange(
        f"{name}-{space.name}",
        metadata=meta.ObjectMetaArgs(name="defaults", namespace=space.name),
        spec=core.LimitRangeSpecArgs(
            limits=[
                core.LimitRangeItemArgs(
                    type="Container",
                    default={"memory": "256Mi"},
                    default_request={"cpu": "50m", "memory": "64Mi"},
                )
            ]
        ),
        opts=opts,
    )
    return [quota, defaults]


def _name_after(name: str, resources: Sequence[pulumi.Resource]) -> pulumi.Output[str]:
    """Return a name that is known in a preview, and in a deployment once resources stand.

    By way of their URNs, which a preview knows, as it does not their ids: where a namespace is unknown, the official
    provider takes ``default`` for it, and previews and policies show that.
    """
    return pulumi.Output.all(*[resource.urn for resource in resources]).apply(lambda _: name)
