"""What all pods of the platform have in common."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pulumi
import pulumi_kubernetes as kubernetes

from components.images import ImageSource
from components.workload.hardening import pod_security
from components.workload.labels import labels, selector

core = kubernetes.core.v1
meta = kubernetes.meta.v1

TEMPORARY = "/tmp"  # noqa: S108
"""Where programs in a container write what they need for a moment: a volume of the pod's own."""

ZONE, HOST = "topology.kubernetes.io/zone", "kubernetes.io/hostname"

UNDISTURBED = "karpenter.sh/do-not-disrupt"
"""Annotation of pods that are not moved to save a node; a node at the end of its life is emptied all the same, after
its pool's ``terminationGracePeriod``, a day in Auto Mode (https://karpenter.sh/docs/concepts/disruption/).
"""

DOMAINS = 3
"""Zones, and nodes, over which copies that vote are spread, as far as there are zones."""


@dataclass(frozen=True)
class Place:
    """Where a workload runs, and what it is to the others.

    Attributes:
        namespace: name of the namespace.
        priority_class: name of the priority class.
        images: where its images come from.
        zones: number of zones in which a node is started for pods that need one; None where no node is.
    """

    namespace: pulumi.Input[str]
    priority_class: pulumi.Input[str]
    images: ImageSource = field(default_factory=ImageSource)
    zones: int | None = None


@dataclass(frozen=True)
class Pod:
    """A pod, as far as pods differ.

    Attributes:
        name: the workload's name, by which its pods are found.
        user: user and group of all its processes.
        account: name of its service account.
        containers: its containers.
        volumes: its volumes, those of a StatefulSet's claims aside.
        init: containers that run before, one after the other.
        configured_by: what the processes read once, at their start, as annotations: other values mean other pods.
        stop_seconds: seconds between the request to stop and the kill.
        spread: whether copies keep apart, over zones and nodes, as far as that can be.
        apart: whether a copy that cannot keep apart is not started.
        alone: whether there is no other copy, which would serve while this one is moved.
        restart: what happens to a container that has ended.
        token: whether it signs in to the API server.
        everywhere: whether it runs on nodes, too, that other pods are kept away from.
    """

    name: str
    user: int
    account: pulumi.Input[str]
    containers: Sequence[core.ContainerArgs]
    volumes: Sequence[core.VolumeArgs] = ()
    init: Sequence[core.ContainerArgs] = ()
    configured_by: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)
    stop_seconds: int = 30
    spread: bool = False
    apart: bool = False
    alone: bool = False
    restart: str = "Always"
    token: bool = False
    everywhere: bool = False

    def template(self, place: Place) -> core.PodTemplateSpecArgs:
        """Describe the pod at its place."""
        annotations = {f"auterity/{what}": value for what, value in self.configured_by.items()}
        # What ends by itself would begin anew elsewhere.
        if self.alone or self.restart != "Always":
            annotations[UNDISTURBED] = "true"
        containers = (*self.init, *self.containers)
        node_selector = place.images.node_selector([container.image for container in containers])
        for container in containers:
            container.image = place.images.locate(container.image)
        secret = place.images.pull_secret
        return core.PodTemplateSpecArgs(
            metadata=meta.ObjectMetaArgs(
                labels=labels(self.name),
                annotations=annotations,
            ),
            spec=core.PodSpecArgs(
                service_account_name=self.account,
                automount_service_account_token=self.token,
                # A Service called redis would set REDIS_PORT.
                enable_service_links=False,
                priority_class_name=place.priority_class,
                image_pull_secrets=[core.LocalObjectReferenceArgs(name=secret)] if secret else None,
                restart_policy=self.restart,
                termination_grace_period_seconds=self.stop_seconds,
                security_context=pod_security(self.user),
                node_selector=node_selector,
                topology_spread_constraints=self._spread(place.zones) if self.spread or self.apart else None,
                tolerations=[core.TolerationArgs(operator="Exists")] if self.everywhere else None,
                init_containers=list(self.init) or None,
                containers=list(self.containers),
                volumes=list(self.volumes) or None,
            ),
        )

    def _spread(self, zones: int | None) -> list[core.TopologySpreadConstraintArgs]:
        if self.apart:
            # Else the scheduler, which knows only zones with nodes, would be content with the first node.
            least = {ZONE: min(zones, DOMAINS), HOST: DOMAINS} if zones else {}
            return [
                core.TopologySpreadConstraintArgs(
                    max_skew=1,
                    topology_key=key,
                    when_unsatisfiable="DoNotSchedule",
                    min_domains=least.get(key),
                    label_selector=meta.LabelSelectorArgs(match_labels=selector(self.name)),
                )
                for key in (ZONE, HOST)
            ]
        return [
            core.TopologySpreadConstraintArgs(
                max_skew=1,
                topology_key=key,
                # A zone that is down must not keep the others from taking over.
                when_unsatisfiable="ScheduleAnyway",
                label_selector=meta.LabelSelectorArgs(match_labels=selector(self.name)),
                match_label_keys=["pod-template-hash"],
            )
            for key in (ZONE, HOST)
        ]


def about(name: str, place: Place, suffix: str = "", there_with: str = "") -> meta.ObjectMetaArgs:
    """Name an object of a workload.

    Args:
        name: the workload's name.
        place: where it runs.
        suffix: what tells the object from others of the same kind.
        there_with: path of the field with which the object counts as there, where that is not for the engine to guess:
            it watches what is behind a Service for ten seconds, although a Deployment answers for its own copies
            (https://www.pulumi.com/registry/packages/kubernetes/annotations/).
    """
    return meta.ObjectMetaArgs(
        name=f"{name}{suffix}",
        namespace=place.namespace,
        labels=labels(name),
        annotations={"pulumi.com/waitFor": f"jsonpath={{{there_with}}}"} if there_with else None,
    )


def name_of(thing: core.ConfigMap | core.Secret | core.ServiceAccount | core.Service) -> pulumi.Output[str]:
    """Return the name of an object, known once it is there."""
    return thing.metadata.apply(lambda metadata: metadata.name or "")


def host_of(service: core.Service) -> pulumi.Output[str]:
    """Return the host name of a Service inside the cluster."""
    return pulumi.Output.concat(service.metadata.name, ".", service.metadata.namespace, ".svc")


def digest(*texts: str) -> str:
    """Return what changes when any of the texts does."""
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()


def account_of(resource: str, name: str, place: Place, opts: pulumi.ResourceOptions) -> pulumi.Output[str]:
    """Make a workload's own service account, without a token, and return its name."""
    made = core.ServiceAccount(resource, metadata=about(name, place), automount_service_account_token=False, opts=opts)
    return name_of(made)


def from_config_map(name: str, config_map: core.ConfigMap) -> core.VolumeArgs:
    """Offer a ConfigMap's keys as files."""
    return core.VolumeArgs(name=name, config_map=core.ConfigMapVolumeSourceArgs(name=config_map.metadata.name))


def from_secret(name: str, secret: pulumi.Input[str]) -> core.VolumeArgs:
    """Offer a Secret's keys as files, to the pod's user alone."""
    return core.VolumeArgs(name=name, secret=core.SecretVolumeSourceArgs(secret_name=secret, default_mode=0o440))


def made_by_people(name: str, secret: str) -> core.VolumeArgs:
    """Offer a Secret that people make; until they have, the pod runs without it."""
    return core.VolumeArgs(
        name=name, secret=core.SecretVolumeSourceArgs(secret_name=secret, default_mode=0o440, optional=True)
    )


def scratch(name: str, mebibytes: int) -> core.VolumeArgs:
    """Offer room that goes with the pod, in MiB."""
    return core.VolumeArgs(name=name, empty_dir=core.EmptyDirVolumeSourceArgs(size_limit=f"{mebibytes}Mi"))


def read_only(name: pulumi.Input[str], path: str) -> core.VolumeMountArgs:
    """Mount a volume to be read."""
    return core.VolumeMountArgs(name=name, mount_path=path, read_only=True)


def writable(name: str, path: str) -> core.VolumeMountArgs:
    """Mount a volume to be written to."""
    return core.VolumeMountArgs(name=name, mount_path=path)


Question = core.HTTPGetActionArgs | core.ExecActionArgs | core.TCPSocketActionArgs
"""What a container is asked, to see whether it is well."""


def probe(asked: Question, period: int, failures: int) -> core.ProbeArgs:
    """Ask a container something every `period` seconds; so many failures in a row count. An answer may take 3 s."""
    return core.ProbeArgs(
        http_get=asked if isinstance(asked, core.HTTPGetActionArgs) else None,
        exec_=asked if isinstance(asked, core.ExecActionArgs) else None,
        tcp_socket=asked if isinstance(asked, core.TCPSocketActionArgs) else None,
        period_seconds=period,
        timeout_seconds=3,
        failure_threshold=failures,
    )


def environment_of(values: Mapping[str, pulumi.Input[str]]) -> list[core.EnvVarArgs]:
    """Write environment variables; none is a secret."""
    return [core.EnvVarArgs(name=name, value=value) for name, value in values.items()]


def own_name() -> list[core.EnvVarArgs]:
    """Tell a container its pod: ``POD_NAME`` and ``POD_NAMESPACE``, for the variables that stand after them."""
    fields = {"POD_NAME": "metadata.name", "POD_NAMESPACE": "metadata.namespace"}
    return [
        core.EnvVarArgs(
            name=name,
            value_from=core.EnvVarSourceArgs(field_ref=core.ObjectFieldSelectorArgs(field_path=path)),
        )
        for name, path in fields.items()
    ]


def resources(cpu_millis: int, memory_mib: int, cpu_limit_millis: int | None = None) -> core.ResourceRequirementsArgs:
    """Keep CPU and memory free for a container, and bound its memory: it is told what it may use, and uses it.

    CPU is bounded only where the platform says so: what nobody else needs, a store may have.
    """
    limits = {"memory": f"{memory_mib}Mi"}
    if cpu_limit_millis:
        limits["cpu"] = f"{cpu_limit_millis}m"
    return core.ResourceRequirementsArgs(
        requests={"cpu": f"{cpu_millis}m", "memory": f"{memory_mib}Mi"}, limits=dict(limits)
    )
