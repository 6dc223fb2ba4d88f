"""Prometheus."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pulumi
import pulumi_kubernetes as kubernetes

from components.images import image
from components.observability.names import PROMETHEUS as NAME
from components.observability.names import PROMETHEUS_PORT
from components.observability.prometheus_configuration import AUTHORITIES, CONFIGURATION, SECRETS
from components.observability.written import as_yaml
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
from components.workload.rights import Right, may
from components.workload.stateful import Keeping, keep
from settings.observability import MetricsSettings

core = kubernetes.core.v1

USER = 65534
"""User ``nobody`` in the image."""

DATA = "/data"

STORED_PERCENT = 80
"""Part of the volume that samples may fill: the write-ahead log and what is being compacted need room, too."""

WATCHES = (
    Right("", ("nodes", "pods"), ("get", "list", "watch")),
    Right("", ("nodes/metrics",), ("get",)),
    Right("discovery.k8s.io", ("endpointslices",), ("get", "list", "watch")),
)
"""What it may ask the API server: where targets are, and nodes for their figures."""


@dataclass(frozen=True)
class PrometheusArgs:
    """What Prometheus needs to know.

    Attributes:
        settings: the stack's ``observability.metrics`` section.
        place: where it runs.
        configuration: ``prometheus.yml``.
        rules: the rule file.
        authorities: name of a file to the certificate of the authority in it, in PEM.
        secret: Secret with what remote write signs in with; None where it does not.
        after: what must stand before it starts, and no value carries.
    """

    settings: MetricsSettings
    place: Place
    configuration: pulumi.Input[str]
    rules: pulumi.Input[str]
    authorities: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)
    secret: str | None = None
    after: Sequence[pulumi.Resource] = ()


class Prometheus(pulumi.ComponentResource):
    """Servers that each watch everything, so that one may be moved while another watches."""

    host: pulumi.Output[str]
    """Host name inside the cluster."""

    port: int
    """TCP port; plain, and open to Grafana alone."""

    def __init__(self, name: str, args: PrometheusArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("auterity:observability:Prometheus", name, None, opts)
        own, place = pulumi.ResourceOptions(parent=self), args.place
        told = pulumi.Output.from_input(args.configuration).apply(lambda text: text + retention(args.settings))
        rules = pulumi.Output.from_input(args.rules)
        configuration = core.ConfigMap(
            f"{name}-prometheus",
            metadata=about(NAME, place),
            data={"prometheus.yml": told, "rules.yml": rules},
            opts=own,
        )
        volumes = [from_config_map("configuration", configuration)]
        mounts = [read_only("configuration", CONFIGURATION), writable("data", DATA)]
        if args.authorities:
            authorities = core.ConfigMap(
                f"{name}-prometheus-authorities",
                metadata=about(NAME, place, "-authorities"),
                data=args.authorities,
                opts=own,
            )
            volumes.append(from_config_map("authorities", authorities))
            mounts.append(read_only("authorities", AUTHORITIES))
        if args.secret:
            volumes.append(made_by_people("secrets", args.secret))
            mounts.append(read_only("secrets", SECRETS))
        account = account_of(f"{name}-prometheus", NAME, place, own)
        may(f"{name}-prometheus", NAME, place, WATCHES, own, paths=["/metrics"])
        pod = Pod(
            NAME,
            user=USER,
            account=account,
            containers=[self._server(args.settings, mounts)],
            volumes=volumes,
            # Both are read at the start alone.
            configured_by={"configuration": told.apply(digest), "rules": rules.apply(digest)},
            # It writes what it holds in memory.
            stop_seconds=300,
            spread=args.settings.copies > 1,
            token=True,
        )
        later = pulumi.ResourceOptions(parent=self, depends_on=list(args.after))
        keeping = Keeping({METRICS: PROMETHEUS_PORT}, args.settings.storage_gib, args.settings.copies)
        self.host = host_of(keep(f"{name}-prometheus", keeping, pod, place, later))
        self.port = PROMETHEUS_PORT
        self.register_outputs({"host": self.host, "port": self.port})

    def _server(self, settings: MetricsSettings, mounts: Sequence[core.VolumeMountArgs]) -> core.ContainerArgs:
        def answers(path: str) -> core.HTTPGetActionArgs:
            return core.HTTPGetActionArgs(path=path, port=METRICS)

        return core.ContainerArgs(
            name="prometheus",
            image=image("prometheus"),
            # https://prometheus.io/docs/prometheus/latest/command-line/prometheus/
            args=[
                f"--config.file={CONFIGURATION}/prometheus.yml",
                f"--storage.tsdb.path={DATA}",
                f"--web.listen-address=0.0.0.0:{PROMETHEUS_PORT}",
            ],
            env=own_name(),
            ports=[core.ContainerPortArgs(name=METRICS, container_port=PROMETHEUS_PORT)],
            resources=resources(cpu_millis(settings), settings.memory_mib),
            # It reads its log of the last hours first.
            startup_probe=probe(answers("/-/ready"), 5, 180),
            readiness_probe=probe(answers("/-/ready"), 5, 3),
            liveness_probe=probe(answers("/-/healthy"), 15, 4),
            security_context=container_security(),
            volume_mounts=list(mounts),
        )


def retention(settings: MetricsSettings) -> str:
    """Write how long samples are kept: by the volume as it is, which may have grown, or not yet.

    It is the section ``storage`` of ``prometheus.yml``, which alone takes a percentage.
    """
    kept = {"time": f"{settings.retention_days}d", "percentage": STORED_PERCENT}
    return as_yaml({"storage": {"tsdb": {"retention": kept}}})


def cpu_millis(settings: MetricsSettings) -> int:
    """Return the CPU that is kept free for a server, in milli-CPU: a core for each half million series, at least 50."""
    return max(50, settings.series // 500)
