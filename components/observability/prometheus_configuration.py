"""What Prometheus is told: whom it watches, and whom it tells."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from components.observability.written import as_yaml
from components.workload.exporters import METRICS
from settings.observability import RemoteWriteSettings

SCRAPE_SECONDS = 15
"""Seconds between two looks at a target, and between two evaluations of the rules."""

CONFIGURATION, RULES, AUTHORITIES, SECRETS = (
    "/etc/prometheus",
    "/etc/prometheus/rules.yml",
    "/etc/prometheus-authorities",
    "/etc/prometheus-secrets",
)
ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount"

APISERVER, KUBELET, CADVISOR = "apiserver", "kubelet", "cadvisor"
"""Jobs that the cluster brings along."""

_NAME = "__meta_kubernetes_pod_label_app_kubernetes_io_name"
_PORT = "__meta_kubernetes_pod_container_port_name"


@dataclass(frozen=True)
class Tasks:
    """Tasks of a service on Amazon ECS.

    Attributes:
        job: workload that they are copies of.
        region: their Region.
        cluster_arn: ARN of their cluster.
        service: what the name of their service begins with.
        port: TCP port of their figures.
    """

    job: str
    region: str
    cluster_arn: str
    service: str
    port: int


@dataclass(frozen=True)
class Targets:
    """Whom Prometheus watches.

    Attributes:
        namespaces: namespaces whose pods are targets, each by its container port called ``metrics``.
        ports: workload whose figures are on a port with another name to that name.
        paths: workload whose figures are not at ``/metrics`` to the path, with its query.
        authorities: workload that speaks TLS to the file with the authority of its certificate.
        relays: workloads that show what others have pushed: its labels say whose it is.
        tasks: copies that run outside the cluster.
        kubelet_verified: whether the cluster's authority signs the kubelets' certificates.
        kept: series names of API server and kubelets that somebody asks for; they have tens of thousands of others.
    """

    namespaces: Sequence[str]
    ports: Mapping[str, str] = field(default_factory=dict)
    paths: Mapping[str, str] = field(default_factory=dict)
    authorities: Mapping[str, str] = field(default_factory=dict)
    relays: Collection[str] = ()
    tasks: Tasks | None = None
    kubelet_verified: bool = True
    kept: Collection[str] = ()


@dataclass(frozen=True)
class Told:
    """Whom Prometheus tells.

    Attributes:
        namespace: namespace of Alertmanager.
        workload: Alertmanager's name.
        remote_write: where samples go, too.
    """

    namespace: str
    workload: str
    remote_write: RemoteWriteSettings | None = None


def server_configuration(stack: str, targets: Targets, told: Told) -> str:
    """Write ``prometheus.yml`` (https://prometheus.io/docs/prometheus/latest/configuration/configuration/).

    Args:
        stack: the stack's name, on every sample and alert that leaves the cluster.
        targets: whom it watches.
        told: whom it tells.
    """
    document = {
        "global": {
            "scrape_interval": f"{SCRAPE_SECONDS}s",
            "evaluation_interval": f"{SCRAPE_SECONDS}s",
            "external_labels": {"stack": stack, "replica": "${POD_NAME}"},
        },
        "rule_files": [RULES],
        "alerting": {
            # Both servers send the same alert: what tells them apart would make two of it.
            "alert_relabel_configs": [{"action": "labeldrop", "regex": "replica"}],
            "alertmanagers": [
                {
                    "kubernetes_sd_configs": [_pods([told.namespace])],
                    "relabel_configs": [_keep(_NAME, told.workload), _keep(_PORT, METRICS)],
                }
            ],
        },
        "scrape_configs": [
            _plain(targets),
            *(_by_itself(targets, workload, _by_tls(file)) for workload, file in targets.authorities.items()),
            *(_by_itself(targets, workload, {"honor_labels": True}) for workload in targets.relays),
            *([_tasks(targets.tasks)] if targets.tasks else []),
            _apiserver(targets.kept),
            *(_kubelet(job, path, targets) for job, path in ((KUBELET, "/metrics"), (CADVISOR, "/metrics/cadvisor"))),
        ],
        **({"remote_write": [_remote(told.remote_write)]} if told.remote_write else {}),
    }
    return as_yaml(document)


def _pods(namespaces: Sequence[str]) -> dict[str, Any]:
    return {"role": "pod", "namespaces": {"names": list(namespaces)}}


def _keep(label: str, *values: str) -> dict[str, Any]:
    return {"action": "keep", "source_labels": [label], "regex": "|".join(values)}


def _copy(label: str, to: str) -> dict[str, Any]:
    return {"source_labels": [label], "target_label": to}


def _about_pods() -> list[dict[str, Any]]:
    """Name a target after its workload; a pod that has ended answers no more."""
    return [
        {"action": "drop", "source_labels": ["__meta_kubernetes_pod_phase"], "regex": "Failed|Succeeded"},
        _copy(_NAME, "job"),
        _copy("__meta_kubernetes_namespace", "namespace"),
        _copy("__meta_kubernetes_pod_name", "pod"),
        _copy("__meta_kubernetes_pod_node_name", "node"),
    ]


def _path(workload: str, path: str) -> list[dict[str, Any]]:
    """Ask one workload at another path."""
    where, _, query = path.partition("?")
    rules = [{"source_labels": ["job"], "regex": workload, "target_label": "__metrics_path__", "replacement": where}]
    for pair in filter(None, query.split("&")):
        name, _, value = pair.partition("=")
        rules.append(
            {"source_labels": ["job"], "regex": workload, "target_label": f"__param_{name}", "replacement": value}
        )
    return rules


def _plain(targets: Targets) -> dict[str, Any]:
    other = [
        {
            "action": "keep",
            "source_labels": [_NAME, _PORT],
            "regex": "|".join(
                [f".+;{METRICS}", *(f"{workload};{port}" for workload, port in sorted(targets.ports.items()))]
            ),
        },
    ]
    elsewhere = [
        {"action": "drop", "source_labels": [_NAME], "regex": workload}
        for workload in sorted([*targets.authorities, *targets.relays])
    ]
    paths = [
        rule
        for workload, path in targets.paths.items()
        if workload not in targets.authorities
        for rule in _path(workload, path)
    ]
    return {
        "job_name": "pods",
        "kubernetes_sd_configs": [_pods(targets.namespaces)],
        "relabel_configs": [*other, *elsewhere, *_about_pods(), *paths],
    }


def _by_itself(targets: Targets, workload: str, how: Mapping[str, Any]) -> dict[str, Any]:
    """Watch a workload by a job of its own, since it is asked in another way than all others."""
    path = _path(workload, targets.paths[workload]) if workload in targets.paths else []
    return {
        "job_name": workload,
        **how,
        "kubernetes_sd_configs": [_pods(targets.namespaces)],
        "relabel_configs": [_keep(_NAME, workload), _keep(_PORT, METRICS), *_about_pods(), *path],
    }


def _by_tls(file: str) -> dict[str, Any]:
    # Its certificate is for names, not for the addresses at which pods are found.
    named = "localhost"
    return {"scheme": "https", "tls_config": {"ca_file": f"{AUTHORITIES}/{file}", "server_name": named}}


def _tasks(tasks: Tasks) -> dict[str, Any]:
    found = {"role": "ecs", "region": tasks.region, "clusters": [tasks.cluster_arn], "port": tasks.port}
    return {
        "job_name": "tasks",
        "aws_sd_configs": [found],
        "relabel_configs": [
            _keep("__meta_ecs_service", f"{tasks.service}.*"),
            _keep("__meta_ecs_last_status", "RUNNING"),
            {"target_label": "job", "replacement": tasks.job},
            {"target_label": "namespace", "replacement": "ecs"},
            {"source_labels": ["__meta_ecs_task_arn"], "regex": ".+/([^/]+)", "target_label": "pod"},
            _copy("__meta_ecs_availability_zone", "zone"),
        ],
    }


def _signed_in(verified: bool) -> dict[str, Any]:
    return {
        "scheme": "https",
        "authorization": {"credentials_file": f"{ACCOUNT}/token"},
        "tls_config": {"ca_file": f"{ACCOUNT}/ca.crt"} if verified else {"insecure_skip_verify": True},
    }


def _kept(names: Collection[str]) -> dict[str, Any]:
    return {"metric_relabel_configs": [_keep("__name__", *sorted(names))]}


def _apiserver(kept: Collection[str]) -> dict[str, Any]:
    return {
        "job_name": APISERVER,
        **_signed_in(verified=True),
        "kubernetes_sd_configs": [{"role": "endpointslice", "namespaces": {"names": ["default"]}}],
        "relabel_configs": [
            _keep("__meta_kubernetes_service_name", "kubernetes"),
            _keep("__meta_kubernetes_endpointslice_port_name", "https"),
        ],
        **_kept(kept),
    }


def _kubelet(job: str, path: str, targets: Targets) -> dict[str, Any]:
    return {
        "job_name": job,
        **_signed_in(targets.kubelet_verified),
        "metrics_path": path,
        "kubernetes_sd_configs": [{"role": "node"}],
        "relabel_configs": [_copy("__meta_kubernetes_node_name", "node")],
        **_kept(targets.kept),
    }


def _remote(settings: RemoteWriteSettings) -> dict[str, Any]:
    signed_in = {
        "basic_auth": {"username": settings.username, "password_file": f"{SECRETS}/remote-write"},
    }
    return {"url": settings.url, **(signed_in if settings.username else {})}
