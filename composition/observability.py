"""What watches the workload in a cluster, and who talks to whom for that."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pulumi

from components.observability import Authority, Observability, ObservabilityArgs
from components.observability import names as watchers
from components.observability.alertmanager import MEMORY_MIB as ALERTMANAGER_MEMORY_MIB
from components.observability.cluster_figures import NODE_MEMORY_MIB, OBJECTS_MEMORY_MIB
from components.observability.collector import MEMORY_MIB as COLLECTOR_MEMORY_MIB
from components.observability.loki_configuration import GOSSIP_PORT, GRPC_PORT, LogBucket
from components.observability.loki_configuration import PORT as LOKI_PORT
from components.observability.prometheus import cpu_millis
from components.observability.prometheus_configuration import APISERVER, CADVISOR, KUBELET
from components.observability.pushgateway import MEMORY_MIB as PUSHGATEWAY_MEMORY_MIB
from components.workload import Endpoint, Flow, Place, Space, Vault
from components.workload import app as the_app
from components.workload import cache as the_cache
from components.workload import database as the_database
from components.workload import queue as the_queue
from components.workload import vault as the_vault
from components.workload.gateway_configuration import STATUS_PORT
from components.workload.vault_configuration import PORT as VAULT_PORT
from composition.endpoints import (
    ALERTMANAGER,
    ALLOY,
    ANYWHERE,
    API_SERVER_PORTS,
    APP,
    CACHE,
    DATABASE,
    GATEWAY,
    GRAFANA,
    KUBE_STATE_METRICS,
    LOKI,
    NODE_EXPORTER,
    PROMETHEUS,
    PUSHGATEWAY,
    QUEUE,
    VAULT,
)
from composition.inside import inside
from settings import AppSettings, ObservabilitySettings, StackSettings

if TYPE_CHECKING:
    from components.observability.tasks import WatchedTasks

KUBELET_PORT = 10250
"""TCP port at which a node tells of its pods and volumes."""

MOST_NODES = 50
"""Nodes for which collectors and exporters have room; a cluster with more needs a wider quota."""

VAULT_FIGURES = "/v1/sys/metrics?format=prometheus"


@dataclass(frozen=True)
class LogStorage:
    """Where logs are kept outside the cluster.

    Attributes:
        bucket: the bucket.
        after: what must stand before it can be used, and no value carries.
    """

    bucket: pulumi.Output[LogBucket]
    after: Sequence[pulumi.Resource]


def watched(settings: StackSettings, app: AppSettings) -> dict[Endpoint, int]:
    """List whose figures Prometheus reads, each with its TCP port."""
    there = {APP: app.port}
    if settings.gateway:
        there[GATEWAY] = STATUS_PORT
    if inside(settings.database):
        there[DATABASE] = the_database.METRICS_PORT
    if inside(settings.cache):
        there[CACHE] = the_cache.METRICS_PORT
    if inside(settings.messaging):
        there[QUEUE] = the_queue.METRICS_PORT
    if settings.vault:
        there[VAULT] = VAULT_PORT
    if settings.backup:
        there[PUSHGATEWAY] = watchers.PUSHGATEWAY_PORT
    return {
        **there,
        PROMETHEUS: watchers.PROMETHEUS_PORT,
        ALERTMANAGER: watchers.ALERTMANAGER_PORT,
        LOKI: LOKI_PORT,
        ALLOY: watchers.ALLOY_PORT,
        GRAFANA: watchers.GRAFANA_PORT,
        KUBE_STATE_METRICS: watchers.KUBE_STATE_METRICS_PORT,
        NODE_EXPORTER: watchers.NODE_EXPORTER_PORT,
    }


def flows(settings: StackSettings, app: AppSettings, observability: ObservabilitySettings) -> list[Flow]:
    """List every connection that watching needs."""
    wanted = [
        # A policy's name holds for its namespace: who is watched there names it.
        Flow(f"figures-of-{endpoint.name}", PROMETHEUS, endpoint, (("TCP", port),))
        for endpoint, port in watched(settings, app).items()
    ]
    wanted += [
        Flow(f"{namespace}-dns", Endpoint(namespace), ANYWHERE, (("UDP", 53), ("TCP", 53)))
        for namespace in (watchers.NAMESPACE, watchers.NODES_NAMESPACE)
    ]
    wanted += [
        Flow("nodes", PROMETHEUS, ANYWHERE, (("TCP", KUBELET_PORT),)),
        Flow("targets", PROMETHEUS, ANYWHERE, API_SERVER_PORTS),
        Flow("objects", KUBE_STATE_METRICS, ANYWHERE, API_SERVER_PORTS),
        Flow("pods", ALLOY, ANYWHERE, API_SERVER_PORTS),
        Flow("alerts", PROMETHEUS, ALERTMANAGER, (("TCP", watchers.ALERTMANAGER_PORT),)),
        Flow("lines", ALLOY, LOKI, (("TCP", LOKI_PORT),)),
        Flow("metrics", GRAFANA, PROMETHEUS, (("TCP", watchers.PROMETHEUS_PORT),)),
        Flow("logs", GRAFANA, LOKI, (("TCP", LOKI_PORT),)),
        Flow("silences", GRAFANA, ALERTMANAGER, (("TCP", watchers.ALERTMANAGER_PORT),)),
    ]
    alerting, logs = observability.alerting, observability.logs
    if alerting.copies > 1:
        port = watchers.ALERTMANAGER_CLUSTER_PORT
        wanted.append(Flow("members", ALERTMANAGER, ALERTMANAGER, (("TCP", port), ("UDP", port))))
    if alerting.receivers:
        wanted.append(Flow("people", ALERTMANAGER, ANYWHERE, tuple(("TCP", port) for port in alerting.ports())))
    if logs.copies > 1:
        ports = (("TCP", LOKI_PORT), ("TCP", GRPC_PORT), ("TCP", GOSSIP_PORT))
        wanted.append(Flow("log-servers", LOKI, LOKI, ports))
    if observability.metrics.remote_write:
        wanted.append(Flow("remote-write", PROMETHEUS, ANYWHERE, (("TCP", observability.metrics.remote_write.port),)))
    return wanted


def spaces(settings: ObservabilitySettings, *, pushed_to: bool) -> list[Space]:
    """Make room for what watches, and for what reads the nodes; with jobs that push their figures, for those."""
    metrics, alerting, logs, dashboards = settings.metrics, settings.alerting, settings.logs, settings.dashboards
    fixed = [
        *[(cpu_millis(metrics), metrics.memory_mib)] * metrics.copies,
        *[(20, ALERTMANAGER_MEMORY_MIB)] * alerting.copies,
        *[(100, logs.memory_mib)] * logs.copies,
        (100, dashboards.memory_mib),
        *([(10, PUSHGATEWAY_MEMORY_MIB)] if pushed_to else []),
        # One more is there before one less.
        *[(20, OBJECTS_MEMORY_MIB)] * 2,
        *[(50, COLLECTOR_MEMORY_MIB)] * MOST_NODES,
    ]
    return [
        Space(
            watchers.NAMESPACE,
            cpu_millis=sum(cpu for cpu, _ in fixed),
            memory_mib=sum(memory for _, memory in fixed),
            pods=len(fixed),
        ),
        Space(
            watchers.NODES_NAMESPACE,
            cpu_millis=10 * MOST_NODES,
            memory_mib=NODE_MEMORY_MIB * MOST_NODES,
            pods=MOST_NODES,
            # It reads files of the nodes, which no lower level admits.
            admits="privileged",
        ),
    ]


def observe(
    name: str,
    settings: StackSettings,
    app: AppSettings,
    place: Place,
    nodes: Place,
    namespaces: Mapping[str, pulumi.Input[str]],
    opts: pulumi.ResourceOptions,
    vault: Vault | None,
    storage: LogStorage | None = None,
    tasks: WatchedTasks | None = None,
) -> Observability | None:
    """Watch what runs in the cluster, where the settings want that.

    Args:
        name: prefix of every name, the project's and the stack's.
        settings: the stack's settings.
        app: the app's section.
        place: where what watches runs.
        nodes: where what reads the nodes runs.
        namespaces: all namespaces of the stack: name to the same, known once it is there.
        opts: the providers.
        vault: the secrets manager, if there is one.
        storage: where logs are kept; None for the cluster's own volumes.
        tasks: copies of the app outside the cluster.
    """
    if settings.observability is None:
        return None
    messaging = inside(settings.messaging)
    authorities = {}
    if vault:
        authorities[the_vault.NAME] = Authority(vault.certificate.authority, vault.certificate.ends)
    made = Observability(
        name,
        ObservabilityArgs(
            settings.observability,
            stack=pulumi.get_stack(),
            place=place,
            nodes=nodes,
            namespaces=namespaces,
            jobs=[*(endpoint.name or "" for endpoint in watched(settings, app)), APISERVER, KUBELET, CADVISOR],
            queue_nodes=messaging.in_cluster.nodes if messaging else 0,
            ports={the_app.NAME: the_app.PORT_NAME},
            paths={the_vault.NAME: VAULT_FIGURES} if vault else {},
            authorities=authorities,
            pushed_to=settings.backup is not None,
            tasks=tasks,
            # Elsewhere kubelets sign their own.
            kubelet_verified=settings.kubernetes is not None and settings.kubernetes.eks is not None,
            log_bucket=storage.bucket if storage else None,
            after=storage.after if storage else (),
        ),
        opts,
    )
    pulumi.export("grafana_host", made.grafana_host)
    return made
