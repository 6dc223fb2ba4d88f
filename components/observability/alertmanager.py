"""Alertmanager."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as kubernetes

from components.images import image
from components.observability.alertmanager_configuration import SECRETS, server_configuration
from components.observability.names import ALERTMANAGER as NAME
from components.observability.names import ALERTMANAGER_CLUSTER_PORT, ALERTMANAGER_PORT
from components.workload.exporters import METRICS
from components.workload.hardening import container_security
from components.workload.pods import (
    Place,
    Pod,
    about,
    account_of,
    digest,
    from_config_map,
    host_of,
    made_by_people,
    own_name,
    probe,
    read_only,
    resources,
    writable,
)
from components.workload.stateful import Keeping, keep
from settings.observability import AlertingSettings

core = kubernetes.core.v1

USER = 65534
"""User ``nobody`` in the image."""

CONFIGURATION, DATA = "/etc/alertmanager", "/data"

MEMORY_MIB = 64
"""Memory of a member in MiB."""


@dataclass(frozen=True)
class AlertmanagerArgs:
    """What Alertmanager needs to know.

    Attributes:
        settings: the stack's ``observability.alerting`` section.
        place: where it runs.
    """

    settings: AlertingSettings
    place: Place


class Alertmanager(pulumi.ComponentResource):
    """Members of a cluster that tell people of alerts, each alert once."""

    host: pulumi.Output[str]
    """Host name inside the cluster."""

    port: int
    """TCP port of the API; plain, and open to Prometheus and Grafana alone."""

    def __init__(self, name: str, args: AlertmanagerArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("auterity:observability:Alertmanager", name, None, opts)
        settings, place, own = args.settings, args.place, pulumi.ResourceOptions(parent=self)
        stated = server_configuration(settings)
        configuration = core.ConfigMap(
            f"{name}-alertmanager", metadata=about(NAME, place), data={"alertmanager.yml": stated}, opts=own
        )
        volumes = [from_config_map("configuration", configuration)]
        mounts = [read_only("configuration", CONFIGURATION), writable("data", DATA)]
        if settings.secret:
            volumes.append(made_by_people("secrets", settings.secret))
            mounts.append(read_only("secrets", SECRETS))

        def answers(path: str) -> core.HTTPGetActionArgs:
            return core.HTTPGetActionArgs(path=path, port=METRICS)

        server = core.ContainerArgs(
            name="alertmanager",
            image=image("alertmanager"),
            args=server_flags(settings),
            env=own_name(),
            ports=[
                core.ContainerPortArgs(name=METRICS, container_port=ALERTMANAGER_PORT),
                core.ContainerPortArgs(name="cluster", container_port=ALERTMANAGER_CLUSTER_PORT),
            ],
            resources=resources(20, MEMORY_MIB),
            readiness_probe=probe(answers("/-/ready"), 5, 3),
            liveness_probe=probe(answers("/-/healthy"), 15, 4),
            security_context=container_security(),
            volume_mounts=mounts,
        )
        pod = Pod(
            NAME,
            user=USER,
            account=account_of(f"{name}-alertmanager", NAME, place, own),
            containers=[server],
            volumes=volumes,
            # It is read at the start alone.
            configured_by={"configuration": digest(stated)},
            spread=settings.copies > 1,
        )
        ports = {METRICS: ALERTMANAGER_PORT, "cluster": ALERTMANAGER_CLUSTER_PORT}
        # Silences, and what has been sent.
        keeping = Keeping(ports, storage_gib=1, copies=settings.copies, together=True)
        self.host = host_of(keep(f"{name}-alertmanager", keeping, pod, place, own))
        self.port = ALERTMANAGER_PORT
        self.register_outputs({"host": self.host, "port": self.port})


def server_flags(settings: AlertingSettings) -> list[str]:
    """Write the command line (https://prometheus.io/docs/alerting/latest/alertmanager/#high-availability)."""
    alone = settings.copies == 1
    return [
        f"--config.file={CONFIGURATION}/alertmanager.yml",
        f"--storage.path={DATA}",
        f"--web.listen-address=0.0.0.0:{ALERTMANAGER_PORT}",
        # Without an address it talks to no other.
        f"--cluster.listen-address={'' if alone else f'0.0.0.0:{ALERTMANAGER_CLUSTER_PORT}'}",
        *(
            f"--cluster.peer={NAME}-{number}.{NAME}.$(POD_NAMESPACE).svc:{ALERTMANAGER_CLUSTER_PORT}"
            for number in range(0 if alone else settings.copies)
        ),
    ]
