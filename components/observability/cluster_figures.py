"""What shows the cluster's own state to Prometheus: its objects, and its nodes."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as kubernetes

from components.images import image
from components.observability.names import (
    KUBE_STATE_METRICS,
    KUBE_STATE_METRICS_PORT,
    NODE_EXPORTER,
    NODE_EXPORTER_PORT,
)
from components.workload.copies import Serving, run_on_every_node, serve, take_one_at_a_time
from components.workload.exporters import METRICS
from components.workload.hardening import container_security
from components.workload.pods import Place, Pod, account_of, probe, resources
from components.workload.rights import Right, may

core = kubernetes.core.v1

USER = 65534
"""User ``nobody`` in both images."""

ROOT = "/host"

OBJECTS_MEMORY_MIB, NODE_MEMORY_MIB = 128, 48
"""Memory of kube-state-metrics and of a node-exporter, in MiB."""

KINDS = {
    "": ("nodes", "persistentvolumeclaims", "pods", "resourcequotas"),
    "apps": ("daemonsets", "deployments", "statefulsets"),
    "autoscaling": ("horizontalpodautoscalers",),
    "batch": ("cronjobs", "jobs"),
    "policy": ("poddisruptionbudgets",),
}
"""API group to the kinds of objects that are shown. Secrets and ConfigMaps are not among them."""

COLLECTORS = ("cpu", "diskstats", "filesystem", "loadavg", "meminfo", "pressure", "stat", "uname", "vmstat")
"""What is read of a node. Its network is not: a pod without the node's network sees its own alone."""


@dataclass(frozen=True)
class ClusterFiguresArgs:
    """What is shown.

    Attributes:
        place: where what needs no rights on nodes runs.
        nodes: where what reads the nodes' files runs.
        namespaces: namespaces whose objects are shown.
        kept: names of series about objects that somebody asks for.
    """

    place: Place
    nodes: Place
    namespaces: Sequence[str]
    kept: Collection[str]


class ClusterFigures(pulumi.ComponentResource):
    """The cluster's objects (kube-state-metrics) and nodes (node-exporter), as figures."""

    workloads: tuple[str, ...]
    """Names of what shows them."""

    def __init__(self, name: str, args: ClusterFiguresArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("auterity:observability:ClusterFigures", name, None, opts)
        own = pulumi.ResourceOptions(parent=self)
        self._objects(name, args, own)
        self._nodes(name, args.nodes, own)
        self.workloads = (KUBE_STATE_METRICS, NODE_EXPORTER)
        self.register_outputs({"workloads": self.workloads})

    def _objects(self, name: str, args: ClusterFiguresArgs, own: pulumi.ResourceOptions) -> None:
        place = args.place
        may(
            f"{name}-kube-state-metrics",
            KUBE_STATE_METRICS,
            place,
            [Right(group, kinds, ("list", "watch")) for group, kinds in KINDS.items()],
            own,
        )
        # Not /livez, which fails while the API server does.
        alive = core.HTTPGetActionArgs(path="/healthz", port=METRICS)
        server = core.ContainerArgs(
            name="kube-state-metrics",
            image=image("kube-state-metrics"),
            args=[
                f"--port={KUBE_STATE_METRICS_PORT}",
                # Its figures about itself, to nobody.
                "--telemetry-host=127.0.0.1",
                f"--resources={','.join(sorted(kind for kinds in KINDS.values() for kind in kinds))}",
                f"--namespaces={','.join(args.namespaces)}",
                f"--metric-allowlist={','.join(sorted(args.kept))}",
            ],
            ports=[core.ContainerPortArgs(name=METRICS, container_port=KUBE_STATE_METRICS_PORT)],
            resources=resources(20, OBJECTS_MEMORY_MIB),
            readiness_probe=probe(core.TCPSocketActionArgs(port=METRICS), 5, 3),
            liveness_probe=probe(alive, 15, 4),
            security_context=container_security(),
        )
        account = account_of(f"{name}-kube-state-metrics", KUBE_STATE_METRICS, place, own)
        pod = Pod(KUBE_STATE_METRICS, user=USER, account=account, containers=[server], token=True)
        serve(f"{name}-kube-state-metrics", Serving(1), pod, place, own)
        take_one_at_a_time(f"{name}-kube-state-metrics", KUBE_STATE_METRICS, place, own, sick_ones_too=True)

    def _nodes(self, name: str, place: Place, own: pulumi.ResourceOptions) -> None:
        asked = core.TCPSocketActionArgs(port=METRICS)
        server = core.ContainerArgs(
            name="node-exporter",
            image=image("node-exporter"),
            args=[
                f"--path.rootfs={ROOT}",
                f"--path.procfs={ROOT}/proc",
                f"--path.sysfs={ROOT}/sys",
                f"--web.listen-address=0.0.0.0:{NODE_EXPORTER_PORT}",
                "--collector.disable-defaults",
                *(f"--collector.{collector}" for collector in COLLECTORS),
            ],
            ports=[core.ContainerPortArgs(name=METRICS, container_port=NODE_EXPORTER_PORT)],
            resources=resources(10, NODE_MEMORY_MIB),
            readiness_probe=probe(asked, 10, 3),
            liveness_probe=probe(asked, 15, 4),
            security_context=container_security(),
            volume_mounts=[
                core.VolumeMountArgs(name="node", mount_path=ROOT, read_only=True, mount_propagation="HostToContainer")
            ],
        )
        pod = Pod(
            NODE_EXPORTER,
            user=USER,
            account=account_of(f"{name}-node-exporter", NODE_EXPORTER, place, own),
            containers=[server],
            volumes=[core.VolumeArgs(name="node", host_path=core.HostPathVolumeSourceArgs(path="/", type="Directory"))],
            everywhere=True,
        )
        run_on_every_node(f"{name}-node-exporter", pod, place, own)
