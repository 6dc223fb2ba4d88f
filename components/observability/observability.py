"""All that watches the platform, as one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import pulumi

from components.observability.alertmanager import Alertmanager, AlertmanagerArgs
from components.observability.cluster_figures import ClusterFigures, ClusterFiguresArgs
from components.observability.collector import Collector, CollectorArgs
from components.observability.dashboards import dashboards
from components.observability.grafana import Grafana, GrafanaArgs
from components.observability.kept import OF_OBJECTS, OF_THE_CLUSTER
from components.observability.loki import Loki, LokiArgs
from components.observability.loki_configuration import LogBucket
from components.observability.names import ALERTMANAGER, NAMESPACE, PUSHGATEWAY
from components.observability.prometheus import Prometheus, PrometheusArgs
from components.observability.prometheus_configuration import Targets, Told, server_configuration
from components.observability.pushgateway import Pushgateway
from components.observability.rules import Objectives, Watched, groups, rule_file
from components.workload.pods import Place
from settings.observability import ObjectivesSettings, ObservabilitySettings

if TYPE_CHECKING:
    from components.observability.tasks import WatchedTasks


@dataclass(frozen=True)
class Authority:
    """A server of the platform that speaks TLS.

    Attributes:
        certificate: certificate of the authority that signed its own, in PEM.
        ends: when its own ends, in seconds since 1970.
    """

    certificate: pulumi.Input[str]
    ends: pulumi.Input[int]


@dataclass(frozen=True)
class ObservabilityArgs:
    """What there is to watch.

    Attributes:
        settings: the stack's ``observability`` section.
        stack: the stack's name, on everything that leaves it.
        place: where what watches runs.
        nodes: where what reads the nodes' files runs.
        namespaces: namespaces whose pods are watched: name to the same, known once it is there.
        jobs: workloads that must have a target.
        queue_nodes: nodes of RabbitMQ in the cluster; 0 for none.
        ports: workload whose figures are on a container port that is not called ``metrics`` to its name.
        paths: workload whose figures are not at ``/metrics`` to the path.
        authorities: workload that speaks TLS to who vouches for it.
        pushed_to: whether jobs that end push their figures.
        tasks: copies of the app on ECS; None where there are none.
        kubelet_verified: whether the cluster's authority signs the kubelets' certificates.
        log_bucket: where logs are kept; None for Loki's own volumes.
        after: what must stand before Loki starts, and no value carries: its rights in AWS.
    """

    settings: ObservabilitySettings
    stack: str
    place: Place
    nodes: Place
    namespaces: Mapping[str, pulumi.Input[str]]
    jobs: Sequence[str]
    queue_nodes: int = 0
    ports: Mapping[str, str] = field(default_factory=dict)
    paths: Mapping[str, str] = field(default_factory=dict)
    authorities: Mapping[str, Authority] = field(default_factory=dict)
    pushed_to: bool = False
    tasks: WatchedTasks | None = None
    kubelet_verified: bool = True
    log_bucket: pulumi.Input[LogBucket] | None = None
    after: Sequence[pulumi.Resource] = ()


class Observability(pulumi.ComponentResource):
    """Prometheus and its rules, Alertmanager, Loki and its collectors, Grafana and its dashboards."""

    push_url: pulumi.Output[str] | None
    """Where jobs push their figures; None if they do not."""

    grafana_host: pulumi.Output[str]
    """Host name of Grafana inside the cluster."""

    grafana_login: pulumi.Output[str]
    """Name of the Secret with the ``username`` and ``password`` of Grafana's administrator."""

    def __init__(self, name: str, args: ObservabilityArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("auterity:observability:Observability", name, None, opts)
        settings, place, own = args.settings, args.place, pulumi.ResourceOptions(parent=self)
        spaces = list(args.namespaces)
        wanted = objectives(settings.objectives)
        ClusterFigures(name, ClusterFiguresArgs(place, args.nodes, spaces, OF_OBJECTS), own)
        alertmanager = Alertmanager(name, AlertmanagerArgs(settings.alerting, place), own)
        prometheus = self._prometheus(name, args, spaces, wanted)
        loki = Loki(name, LokiArgs(settings.logs, place, args.log_bucket, args.after), own)
        push = pulumi.Output.concat("http://", loki.host, f":{loki.port}/loki/api/v1/push")
        Collector(name, CollectorArgs(place, args.namespaces, push, settings.logs.tenant), own)
        grafana = Grafana(
            name,
            GrafanaArgs(
                settings.dashboards,
                place,
                dashboards(wanted),
                prometheus=pulumi.Output.concat("http://", prometheus.host, f":{prometheus.port}"),
                loki=pulumi.Output.concat("http://", loki.host, f":{loki.port}"),
                tenant=settings.logs.tenant,
                alertmanager=pulumi.Output.concat("http://", alertmanager.host, f":{alertmanager.port}"),
            ),
            own,
        )
        self.push_url = Pushgateway(name, place, own).url if args.pushed_to else None
        self.grafana_host = grafana.host
        self.grafana_login = grafana.login
        self.register_outputs(
            {"push_url": self.push_url, "grafana_host": self.grafana_host, "grafana_login": self.grafana_login}
        )

    def _prometheus(self, name: str, args: ObservabilityArgs, spaces: Sequence[str], wanted: Objectives) -> Prometheus:
        settings = args.settings
        files = {workload: f"{workload}.crt" for workload in args.authorities}
        known = Targets(
            spaces,
            args.ports,
            args.paths,
            files,
            relays=[PUSHGATEWAY] if args.pushed_to else (),
            kubelet_verified=args.kubelet_verified,
            kept=OF_THE_CLUSTER,
        )
        outside = args.tasks.tasks if args.tasks else pulumi.Output.from_input(None)
        told = Told(NAMESPACE, ALERTMANAGER, settings.metrics.remote_write)

        def rules(ends: Mapping[str, int]) -> str:
            watched = Watched(
                args.jobs,
                wanted,
                args.queue_nodes,
                settings.metrics.series,
                settings.alerting.copies,
                certificates=ends,
            )
            return rule_file(groups(watched), settings.runbooks)

        # By place: of no outputs at all, `Output.all` makes a list.
        ends = pulumi.Output.all(*[authority.ends for authority in args.authorities.values()])
        return Prometheus(
            name,
            PrometheusArgs(
                settings.metrics,
                args.place,
                configuration=outside.apply(
                    lambda tasks: server_configuration(args.stack, replace(known, tasks=tasks), told)
                ),
                rules=ends.apply(lambda values: rules(dict(zip(args.authorities, values, strict=True)))),
                authorities={
                    files[workload]: authority.certificate for workload, authority in args.authorities.items()
                },
                secret=settings.alerting.secret if settings.metrics.remote_write else None,
                after=[args.tasks] if args.tasks else (),
            ),
            pulumi.ResourceOptions(parent=self),
        )


def objectives(settings: ObjectivesSettings) -> Objectives:
    """Return the objectives as shares instead of percentages."""
    return Objectives(
        availability=round(settings.availability_percent / 100, 8),
        latency=round(settings.latency_percent / 100, 8),
        fast_seconds=settings.latency_seconds,
    )
