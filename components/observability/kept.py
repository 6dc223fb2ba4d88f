"""Series that are kept of those that show thousands: the ones that a rule or a dashboard asks for."""

from __future__ import annotations

OF_THE_CLUSTER = (
    "apiserver_client_certificate_expiration_seconds_bucket",
    "apiserver_request_duration_seconds_bucket",
    "apiserver_request_total",
    "container_cpu_usage_seconds_total",
    "container_memory_working_set_bytes",
    "kubelet_volume_stats_available_bytes",
    "kubelet_volume_stats_capacity_bytes",
)
"""Of the API server and the kubelets."""

OF_OBJECTS = (
    "kube_cronjob_created",
    "kube_cronjob_status_last_successful_time",
    "kube_deployment_spec_replicas",
    "kube_deployment_status_replicas_available",
    "kube_horizontalpodautoscaler_spec_max_replicas",
    "kube_horizontalpodautoscaler_status_current_replicas",
    "kube_job_failed",
    "kube_job_status_completion_time",
    "kube_job_status_failed",
    "kube_job_status_start_time",
    "kube_node_status_condition",
    "kube_pod_container_status_restarts_total",
    "kube_pod_container_status_waiting_reason",
    "kube_statefulset_replicas",
    "kube_statefulset_status_replicas_ready",
)
"""Of kube-state-metrics."""
