"""Grafana."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as kubernetes

from components.images import image
from components.observability.dashboards import Dashboard
from components.observability.grafana_configuration import (
    ADMINISTRATOR,
    DASHBOARDS,
    DATA,
    LOGIN,
    PROVISIONING,
    dashboard_provider,
    datasources,
    environment,
)
from components.observability.names import GRAFANA as NAME
from components.observability.names import GRAFANA_PORT
from components.workload.exporters import METRICS
from components.workload.hardening import container_security
from components.workload.login import login_of, password_of
from components.workload.pods import (
    TEMPORARY,
    Place,
    Pod,
    about,
    account_of,
    digest,
    environment_of,
    from_config_map,
    from_secret,
    host_of,
    probe,
    read_only,
    resources,
    scratch,
    writable,
)
from components.workload.stateful import Keeping, keep
from settings.observability import DashboardsSettings

core = kubernetes.core.v1

USER = 472
"""User ``grafana`` in the image."""


@dataclass(frozen=True)
class GrafanaArgs:
    """What Grafana needs to know.

    Attributes:
        settings: the stack's ``observability.dashboards`` section.
        place: where it runs.
        dashboards: what it shows.
        prometheus: address of Prometheus.
        loki: address of Loki.
        tenant: as whom Loki is asked.
        alertmanager: address of Alertmanager.
    """

    settings: DashboardsSettings
    place: Place
    dashboards: Sequence[Dashboard]
    prometheus: pulumi.Input[str]
    loki: pulumi.Input[str]
    tenant: str
    alertmanager: pulumi.Input[str]


class Grafana(pulumi.ComponentResource):
    """One Grafana, reached by a forwarded port alone; all it shows comes from here, its volume keeps people's own."""

    host: pulumi.Output[str]
    """Host name inside the cluster."""

    port: int
    """TCP port."""

    login: pulumi.Output[str]
    """Name of the Secret with the administrator's ``username`` and ``password``."""

    def __init__(self, name: str, args: GrafanaArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("auterity:observability:Grafana", name, None, opts)
        place, own = args.place, pulumi.ResourceOptions(parent=self)
        version = args.settings.password_version
        login = login_of(
            f"{name}-grafana-login", NAME, ADMINISTRATOR, password_of(f"{name}-grafana", version, own), place, own
        )
        found = pulumi.Output.all(args.prometheus, args.loki, args.alertmanager).apply(
            lambda hosts: datasources(hosts[0], hosts[1], args.tenant, hosts[2])
        )
        provisioning = core.ConfigMap(
            f"{name}-grafana",
            metadata=about(NAME, place),
            data={"datasources.yaml": found, "dashboards.yaml": dashboard_provider()},
            opts=own,
        )
        written = {f"{dashboard.uid}.json": dashboard.written() for dashboard in args.dashboards}
        shown = core.ConfigMap(
            f"{name}-grafana-dashboards", metadata=about(NAME, place, "-dashboards"), data=written, opts=own
        )
        well = core.HTTPGetActionArgs(path="/api/health", port=METRICS)
        server = core.ContainerArgs(
            name="grafana",
            image=image("grafana"),
            env=environment_of(environment()),
            ports=[core.ContainerPortArgs(name=METRICS, container_port=GRAFANA_PORT)],
            resources=resources(100, args.settings.memory_mib),
            # It brings its own database up to date first.
            startup_probe=probe(well, 5, 60),
            readiness_probe=probe(well, 5, 3),
            liveness_probe=probe(well, 15, 4),
            security_context=container_security(),
            volume_mounts=[
                *(
                    core.VolumeMountArgs(
                        name="provisioning",
                        mount_path=f"{PROVISIONING}/{what}/platform.yaml",
                        sub_path=f"{what}.yaml",
                        read_only=True,
                    )
                    for what in ("datasources", "dashboards")
                ),
                read_only("dashboards", DASHBOARDS),
                read_only("login", LOGIN),
                writable("data", DATA),
                writable("scratch", TEMPORARY),
            ],
        )
        pod = Pod(
            NAME,
            user=USER,
            account=account_of(f"{name}-grafana", NAME, place, own),
            containers=[server],
            volumes=[
                from_config_map("provisioning", provisioning),
                from_config_map("dashboards", shown),
                from_secret("login", login),
                scratch("scratch", 128),
            ],
            # Dashboards it looks for by itself; these it reads at its start alone.
            configured_by={"datasources": found.apply(digest), "password": str(version)},
        )
        keeping = Keeping({METRICS: GRAFANA_PORT}, storage_gib=1)
        self.host = host_of(keep(f"{name}-grafana", keeping, pod, place, own))
        self.port = GRAFANA_PORT
        self.login = login
        self.register_outputs({"host": self.host, "port": self.port, "login": self.login})
