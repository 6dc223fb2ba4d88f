"""Alerts of the cluster: what should run and does not, what fills up, and what has not been backed up."""

from __future__ import annotations

from collections.abc import Mapping

from components.observability.rules.model import Alert, Group, Recording


def workload_alerts() -> Group:
    """Return the alerts of pods and what keeps them (https://github.com/kubernetes/kube-state-metrics)."""
    scaler = "kube_horizontalpodautoscaler"
    return Group(
        "workloads",
        [
            Alert(
                "PodCrashes",
                'max_over_time(kube_pod_container_status_waiting_reason{reason="CrashLoopBackOff"}[5m]) >= 1',
                "warning",
                "{{ $labels.container }} of {{ $labels.namespace }}/{{ $labels.pod }} ends again and again",
                "The copy does no work; if all copies do this, nobody does.",
                "workloads",
                10,
            ),
            Alert(
                "DeploymentIncomplete",
                "kube_deployment_status_replicas_available < kube_deployment_spec_replicas",
                "warning",
                "{{ $labels.namespace }}/{{ $labels.deployment }} has too few copies",
                "An update does not get on, or there is no room: the next loss of a node may be felt.",
                "workloads",
                15,
            ),
            Alert(
                "StatefulSetIncomplete",
                "kube_statefulset_status_replicas_ready < kube_statefulset_replicas",
                "warning",
                "{{ $labels.namespace }}/{{ $labels.statefulset }} has too few copies",
                "A store runs without the copies that it should have, or not at all.",
                "workloads",
                10,
            ),
            Alert(
                "AutoscalerAtMaximum",
                f"{scaler}_status_current_replicas >= {scaler}_spec_max_replicas",
                "warning",
                "{{ $labels.namespace }}/{{ $labels.horizontalpodautoscaler }} is at its maximum",
                "More load than this makes requests slower.",
                "workloads",
                15,
            ),
            Alert(
                "JobFailed",
                'kube_job_failed{condition="true"} > 0',
                "warning",
                "Job {{ $labels.namespace }}/{{ $labels.job_name }} has failed",
                "What it was to do is not done, and will not be tried again.",
                "workloads",
                1,
            ),
        ],
    )


def node_alerts() -> Group:
    """Return the alerts of nodes and volumes (https://github.com/prometheus/node_exporter, the kubelet's own)."""
    volume = "kubelet_volume_stats"
    disk = 'fstype!~"tmpfs|overlay|squashfs",mountpoint!~"/var/lib/kubelet/pods/.+"'
    return Group(
        "nodes",
        [
            Alert(
                "NodeNotReady",
                'kube_node_status_condition{condition="Ready",status="true"} == 0',
                "warning",
                "{{ $labels.node }} is not ready",
                "Its pods move to others, as far as these have room.",
                "nodes",
                10,
            ),
            Alert(
                "NodeMemoryFull",
                "node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes < 0.1",
                "warning",
                "{{ $labels.instance }} has {{ $value | humanizePercentage }} of its memory left",
                "Soon pods are evicted from it.",
                "nodes",
                15,
            ),
            Alert(
                "NodeDiskFull",
                f"node_filesystem_avail_bytes{{{disk}}} / node_filesystem_size_bytes{{{disk}}} < 0.1",
                "warning",
                "{{ $labels.mountpoint }} of {{ $labels.instance }} has {{ $value | humanizePercentage }} left",
                "Images cannot be pulled, and pods are evicted.",
                "nodes",
                15,
            ),
            Alert(
                "VolumeFull",
                f"{volume}_available_bytes / {volume}_capacity_bytes < 0.1",
                "critical",
                "{{ $labels.namespace }}/{{ $labels.persistentvolumeclaim }} has "
                "{{ $value | humanizePercentage }} left",
                "The store on it stops writing when nothing is left.",
                "nodes",
                5,
            ),
            Alert(
                "VolumeFills",
                f"{volume}_available_bytes / {volume}_capacity_bytes < 0.4 "
                f"and predict_linear({volume}_available_bytes[6h], 4 * 86400) < 0",
                "warning",
                "{{ $labels.namespace }}/{{ $labels.persistentvolumeclaim }} is full within four days",
                "It has been filling up for hours; there is time to make room.",
                "nodes",
                60,
            ),
        ],
    )


def control_plane_alerts() -> Group:
    """Return the alerts of the API server (https://kubernetes.io/docs/reference/instrumentation/metrics/)."""
    requests, failed = (f"sum by (job) (rate(apiserver_request_total{which}[5m]))" for which in ("", '{code=~"5.."}'))
    bucket = "apiserver_client_certificate_expiration_seconds_bucket"
    return Group(
        "control-plane",
        [
            Alert(
                "ApiServerErrors",
                f"{failed} / {requests} > 0.03",
                "warning",
                "{{ $value | humanizePercentage }} of the requests to the API server fail",
                "What runs goes on; changes, scaling and recovery may not.",
                "control-plane",
                10,
            ),
            Alert(
                "ClientCertificateExpires",
                f"histogram_quantile(0.01, sum by (job, le) (rate({bucket}[5m]))) < 7 * 86400",
                "warning",
                "A client of the API server shows a certificate that ends in {{ $value | humanizeDuration }}",
                "After that it is refused: a node, a controller or a deployment stops working.",
                "control-plane",
                5,
            ),
        ],
    )


DRILL_DAYS = 35
"""Days after which a monthly drill is missing."""


def backup_alerts() -> Group:
    """Return the alerts of the jobs called ``auterity-backup…``, as their CronJobs and their own figures tell."""
    which = '{cronjob=~"auterity-backup.*"}'
    return Group(
        "backups",
        [
            Alert(
                "BackupTooOld",
                f"time() - kube_cronjob_status_last_successful_time{which} > 26 * 3600",
                "critical",
                "The last good run of {{ $labels.cronjob }} was {{ $value | humanizeDuration }} ago",
                "What was written since then would be lost with the store.",
                "backups",
                5,
            ),
            Alert(
                "BackupNeverRan",
                f"time() - kube_cronjob_created{which} > 26 * 3600 "
                f"unless on (namespace, cronjob) kube_cronjob_status_last_successful_time{which}",
                "critical",
                "{{ $labels.cronjob }} has never had a good run",
                "There is no backup at all.",
                "backups",
                5,
            ),
            Alert(
                "BackupTargetFails",
                "auterity_backup_failed == 1",
                "warning",
                "The last run did not complete the backup in {{ $labels.target }}",
                "Until it does, one loss of the other target is the loss of every backup.",
                "backups",
                5,
            ),
            Alert(
                "BackupShrank",
                "auterity_backup_size_bytes < 0.5 * (auterity_backup_size_bytes offset 2d)",
                "warning",
                "The dumps in {{ $labels.target }} shrank by half in two days, to {{ $value | humanize1024 }}B",
                "Somebody has deleted much, or the dumps lack something; older backups go by and by.",
                "backups",
                5,
            ),
            Alert(
                "DrillFailed",
                "auterity_drill_failed == 1",
                "warning",
                "The last rehearsed restore from {{ $labels.target }} failed",
                "It is not known whether the backups there can be restored.",
                "backups",
                5,
            ),
            Alert(
                "DrillTooOld",
                f"time() - auterity_drill_last_success_timestamp_seconds > {DRILL_DAYS} * 86400",
                "warning",
                "The last good rehearsal from {{ $labels.target }} was {{ $value | humanizeDuration }} ago",
                "It is not known whether the backups there can be restored.",
                "backups",
                5,
            ),
        ],
    )


def certificate_alerts(ends: Mapping[str, int]) -> Group:
    """Return when the certificates of servers in the cluster end, and the alert that one does soon.

    Args:
        ends: workload to the end of its certificate, in seconds since 1970.
    """
    series = "workload:certificate_end:timestamp_seconds"
    return Group(
        "certificates",
        [
            *(Recording(series, f"vector({end})", {"job": workload}) for workload, end in sorted(ends.items())),
            Alert(
                "CertificateExpires",
                f"{series} - time() < 14 * 86400",
                "warning",
                "The certificate of {{ $labels.job }} ends in {{ $value | humanizeDuration }}",
                "After that nobody trusts it any more: its clients stop working.",
                "vault",
                5,
            ),
        ],
    )
