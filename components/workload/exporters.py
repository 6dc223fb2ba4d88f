"""What shows the figures of a server that has none of its own form to Prometheus."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pulumi
import pulumi_kubernetes as kubernetes

from components.workload.hardening import container_security
from components.workload.pods import environment_of, probe, resources

core = kubernetes.core.v1

METRICS = "metrics"
"""Name of every port that Prometheus reads."""


def exporter(
    image: str,
    port: int,
    environment: Mapping[str, pulumi.Input[str]],
    mounts: Sequence[core.VolumeMountArgs] = (),
) -> core.ContainerArgs:
    """Describe an exporter beside its server; without it the server works on.

    Args:
        image: with an exact tag.
        port: TCP port where it listens.
        environment: where its server is, and files of what it signs in with.
        mounts: where those files are.
    """
    alive = probe(core.TCPSocketActionArgs(port=METRICS), 10, 6)
    return core.ContainerArgs(
        name="exporter",
        image=image,
        ports=[core.ContainerPortArgs(name=METRICS, container_port=port)],
        env=environment_of(environment),
        resources=resources(10, 64),
        readiness_probe=alive,
        liveness_probe=alive,
        security_context=container_security(),
        volume_mounts=list(mounts) or None,
    )
