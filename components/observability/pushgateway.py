"""Pushgateway: keeps the figures of jobs that have ended, for Prometheus to read."""

from __future__ import annotations

import pulumi
import pulumi_kubernetes as kubernetes

from components.images import image
from components.observability.names import PUSHGATEWAY, PUSHGATEWAY_PORT
from components.workload.exporters import METRICS
from components.workload.hardening import container_security
from components.workload.pods import Place, Pod, account_of, host_of, probe, resources, writable
from components.workload.stateful import Keeping, keep

core = kubernetes.core.v1

USER = 65534
"""User ``nobody`` in the image."""

MEMORY_MIB = 64
"""Memory in MiB: it holds some dozens of series."""

DATA = "/pushgateway"


class Pushgateway(pulumi.ComponentResource):
    """One Pushgateway. Its file keeps what was pushed: a restart must not make the last backup unknown."""

    url: pulumi.Output[str]
    """Where figures are pushed."""

    def __init__(self, name: str, place: Place, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("auterity:observability:Pushgateway", name, None, opts)
        own = pulumi.ResourceOptions(parent=self)
        server = core.ContainerArgs(
            name="pushgateway",
            image=image("pushgateway"),
            args=[f"--persistence.file={DATA}/figures", "--persistence.interval=10s"],
            ports=[core.ContainerPortArgs(name=METRICS, container_port=PUSHGATEWAY_PORT)],
            resources=resources(10, MEMORY_MIB),
            readiness_probe=probe(core.HTTPGetActionArgs(path="/-/ready", port=METRICS), 5, 3),
            liveness_probe=probe(core.HTTPGetActionArgs(path="/-/healthy", port=METRICS), 15, 4),
            security_context=container_security(),
            volume_mounts=[writable("data", DATA)],
        )
        account = account_of(f"{name}-pushgateway", PUSHGATEWAY, place, own)
        pod = Pod(PUSHGATEWAY, user=USER, account=account, containers=[server])
        keeping = Keeping({METRICS: PUSHGATEWAY_PORT}, storage_gib=1)
        host = host_of(keep(f"{name}-pushgateway", keeping, pod, place, own))
        self.url = pulumi.Output.concat("http://", host, f":{PUSHGATEWAY_PORT}")
        self.register_outputs({"url": self.url})
