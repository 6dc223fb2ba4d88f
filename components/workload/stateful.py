"""What servers that keep data have in common: a name and a volume for each copy, and one at a time taken away."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import pulumi
import pulumi_kubernetes as kubernetes

from components.workload.copies import take_one_at_a_time
from components.workload.labels import labels, selector
from components.workload.pods import Place, Pod, about

apps = kubernetes.apps.v1
core = kubernetes.core.v1
meta = kubernetes.meta.v1

VOLUME = "data"
"""Name of the volume of each copy."""

QUORUM = 3
"""Copies from which on most of them have to be there, and no zone and no node may hold most of them."""

READY = "-ready"
"""What the name of the Service for clients has behind the workload's."""


@dataclass(frozen=True)
class Keeping:
    """How a server keeps its data.

    Attributes:
        ports: name of each TCP port to its number.
        storage_gib: size of each copy's volume, called ``data``, in GiB; it may grow, and never shrinks.
        copies: how many there are.
        together: whether copies start together, since none is ready before it has found the others; for any number of
            copies alike, since it can never be changed.
    """

    ports: Mapping[str, int]
    storage_gib: int
    copies: int = 1
    together: bool = False


def keep(name: str, keeping: Keeping, pod: Pod, place: Place, opts: pulumi.ResourceOptions) -> core.Service:
    """Run a server that keeps data; return the Service by which clients reach the copies that are ready.

    Copies find each other, and each one itself, by a second Service, which names a copy before it is ready: it may have
    to resolve its own name to become so.

    Args:
        name: prefix of every resource's name.
        keeping: how it keeps its data.
        pod: what runs.
        place: where.
        opts: options of every resource.
    """
    ports = [core.ServicePortArgs(name=port, port=number, target_port=number) for port, number in keeping.ports.items()]
    governing = core.Service(
        name,
        metadata=about(pod.name, place),
        spec=core.ServiceSpecArgs(
            cluster_ip="None", publish_not_ready_addresses=True, selector=selector(pod.name), ports=ports
        ),
        opts=opts,
    )
    clients = core.Service(
        f"{name}-ready",
        metadata=about(pod.name, place, READY, there_with=".spec.clusterIP"),
        spec=core.ServiceSpecArgs(type="ClusterIP", selector=selector(pod.name), ports=ports),
        opts=opts,
    )
    volume = core.PersistentVolumeClaimSpecArgs(
        access_modes=["ReadWriteOnce"],
        resources=core.VolumeResourceRequirementsArgs(requests={"storage": f"{keeping.storage_gib}Gi"}),
    )
    pod = replace(pod, alone=keeping.copies == 1, apart=keeping.copies >= QUORUM)
    apps.StatefulSet(
        name,
        metadata=about(pod.name, place),
        spec=apps.StatefulSetSpecArgs(
            replicas=keeping.copies,
            service_name=governing.metadata.name,
            pod_management_policy="Parallel" if keeping.together else "OrderedReady",
            selector=meta.LabelSelectorArgs(match_labels=selector(pod.name)),
            template=pod.template(place),
            volume_claim_templates=[
                core.PersistentVolumeClaimArgs(metadata=meta.ObjectMetaArgs(name=VOLUME), spec=volume)
            ],
        ),
        opts=pulumi.ResourceOptions.merge(
            opts,
            pulumi.ResourceOptions(
                depends_on=_claims(name, keeping, volume, pod, place, opts),
                # Neither can be changed: what is there stays, and volumes grow by their claims.
                ignore_changes=["spec.volumeClaimTemplates", "spec.podManagementPolicy"],
            ),
        ),
    )
    # It comes back with its volume.
    take_one_at_a_time(name, pod.name, place, opts, sick_ones_too=False)
    return clients


def _claims(
    name: str,
    keeping: Keeping,
    volume: core.PersistentVolumeClaimSpecArgs,
    pod: Pod,
    place: Place,
    opts: pulumi.ResourceOptions,
) -> list[core.PersistentVolumeClaim]:
    """Claim each copy's volume under the name by which the StatefulSet looks for it, which makes only what is missing.

    A claim can grow where it is; the template in a StatefulSet cannot change. A claim that a StatefulSet has made is
    taken over, and none is deleted with its copy: the data may be wanted again.
    """
    annotations = {
        "pulumi.com/patchForce": "true",
        # The provider waits for one that is pending, which no volume in use is.
        "pulumi.com/skipAwait": "true",
    }
    return [
        core.PersistentVolumeClaim(
            f"{name}-{VOLUME}{number}",
            metadata=meta.ObjectMetaArgs(
                name=f"{VOLUME}-{pod.name}-{number}",
                namespace=place.namespace,
                labels=labels(pod.name),
                annotations=annotations,
            ),
            spec=volume,
            opts=pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(retain_on_delete=True)),
        )
        for number in range(keeping.copies)
    ]
