"""Loki."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as kubernetes

from components.images import image
from components.observability.loki_configuration import (
    DATA,
    GOSSIP_PORT,
    GRPC_PORT,
    PORT,
    LogBucket,
    server_configuration,
)
from components.observability.names import LOKI as NAME
from components.workload.exporters import METRICS
from components.workload.hardening import container_security
from components.workload.pods import (
    TEMPORARY,
    Place,
    Pod,
    about,
    account_of,
    digest,
    from_config_map,
    host_of,
    probe,
    read_only,
    resources,
    scratch,
    writable,
)
from components.workload.stateful import Keeping, keep
from settings.observability import LogsSettings

core = kubernetes.core.v1

USER = 10001
"""User ``loki`` in the image."""

CONFIGURATION = "/etc/loki"


@dataclass(frozen=True)
class LokiArgs:
    """What Loki needs to know.

    Attributes:
        settings: the stack's ``observability.logs`` section.
        place: where it runs.
        bucket: where lines are kept; None for its own volumes.
        after: what must stand before the first server starts, and no value carries: its rights in AWS.
    """

    settings: LogsSettings
    place: Place
    bucket: pulumi.Input[LogBucket] | None = None
    after: Sequence[pulumi.Resource] = ()


class Loki(pulumi.ComponentResource):
    """Servers that take lines from the collectors, keep them for a time, and answer Grafana."""

    host: pulumi.Output[str]
    """Host name inside the cluster."""

    port: int
    """TCP port of the API; plain, and open to the collectors and Grafana alone."""

    def __init__(self, name: str, args: LokiArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("auterity:observability:Loki", name, None, opts)
        settings, place, own = args.settings, args.place, pulumi.ResourceOptions(parent=self)
        stated = pulumi.Output.all(place.namespace, args.bucket).apply(
            lambda given: server_configuration(
                settings, [f"{NAME}-{number}.{NAME}.{given[0]}.svc" for number in range(settings.copies)], given[1]
            )
        )
        configuration = core.ConfigMap(
            f"{name}-loki", metadata=about(NAME, place), data={"loki.yaml": stated}, opts=own
        )
        ready = core.HTTPGetActionArgs(path="/ready", port=METRICS)
        server = core.ContainerArgs(
            name="loki",
            image=image("loki"),
            args=[f"-config.file={CONFIGURATION}/loki.yaml"],
            ports=[
                core.ContainerPortArgs(name=METRICS, container_port=PORT),
                core.ContainerPortArgs(name="grpc", container_port=GRPC_PORT),
                core.ContainerPortArgs(name="gossip", container_port=GOSSIP_PORT),
            ],
            resources=resources(100, settings.memory_mib),
            # It reads its log first.
            startup_probe=probe(ready, 5, 120),
            readiness_probe=probe(ready, 5, 3),
            # Busy is not dead: it is killed only when it does not even take a connection.
            liveness_probe=probe(core.TCPSocketActionArgs(port=METRICS), 15, 4),
            security_context=container_security(),
            volume_mounts=[
                read_only("configuration", CONFIGURATION),
                writable("data", DATA),
                writable("scratch", TEMPORARY),
            ],
        )
        pod = Pod(
            NAME,
            user=USER,
            account=account_of(f"{name}-loki", NAME, place, own),
            containers=[server],
            volumes=[from_config_map("configuration", configuration), scratch("scratch", 256)],
            # It is read at the start alone.
            configured_by={"configuration": stated.apply(digest)},
            # It puts into storage what it holds.
            stop_seconds=300,
            spread=settings.copies > 1,
        )
        later = pulumi.ResourceOptions(parent=self, depends_on=list(args.after))
        ports = {METRICS: PORT, "grpc": GRPC_PORT, "gossip": GOSSIP_PORT}
        keeping = Keeping(ports, settings.storage_gib, settings.copies, together=True)
        self.host = host_of(keep(f"{name}-loki", keeping, pod, place, later))
        self.port = PORT
        self.register_outputs({"host": self.host, "port": self.port})
