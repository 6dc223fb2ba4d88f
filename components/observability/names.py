"""Names and ports of what watches the platform."""

from __future__ import annotations

from settings import PROJECT

NAMESPACE = f"{PROJECT}-observability"
"""Namespace of all that watches, and needs no more rights than any other pod."""

NODES_NAMESPACE = f"{PROJECT}-nodes"
"""Namespace of what reads the nodes' own figures, which Pod Security's levels below ``privileged`` do not admit."""

PROMETHEUS, ALERTMANAGER, PUSHGATEWAY, LOKI, ALLOY, GRAFANA, KUBE_STATE_METRICS, NODE_EXPORTER = (
    f"{PROJECT}-{name}"
    for name in (
        "prometheus",
        "alertmanager",
        "pushgateway",
        "loki",
        "alloy",
        "grafana",
        "kube-state-metrics",
        "node-exporter",
    )
)
"""Names of the workloads, which are the names of their jobs, too."""

PROMETHEUS_PORT, PUSHGATEWAY_PORT, ALERTMANAGER_PORT, GRAFANA_PORT = 9090, 9091, 9093, 3000
"""TCP ports of API and figures alike."""

ALERTMANAGER_CLUSTER_PORT = 9094
"""TCP and UDP port by which members of Alertmanager's cluster talk."""

ALLOY_PORT, KUBE_STATE_METRICS_PORT, NODE_EXPORTER_PORT = 12345, 8080, 9100
"""TCP ports of figures."""
