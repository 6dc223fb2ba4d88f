"""The data services, the cluster, and the backups."""

from __future__ import annotations

from components.observability.dashboards.model import Dashboard, Graph, Number, Query


def _rate(series: str, by: str = "job, instance") -> str:
    return f"sum by ({by}) (rate({series}[5m]))"


def database() -> Dashboard:
    """Show PostgreSQL in the cluster; CloudWatch shows what runs on RDS."""
    stat = "pg_stat_database"
    return Dashboard(
        "database",
        "Database",
        [
            (
                "PostgreSQL",
                [
                    Number("Answers", "bool_yes_no", Query("min(pg_up)"), bad_below=1),
                    Graph(
                        "Connections",
                        "short",
                        [
                            Query("sum by (job, state) (pg_stat_activity_count)", "{{state}}"),
                            Query("max by (job) (pg_settings_max_connections)", "most"),
                        ],
                        width=10,
                    ),
                    Graph(
                        "Transactions",
                        "ops",
                        [
                            Query(_rate(f"{stat}_xact_commit", "job, datname"), "{{datname}}"),
                            Query(_rate(f"{stat}_xact_rollback", "job, datname"), "{{datname}}, undone"),
                        ],
                        width=10,
                    ),
                    Graph(
                        "Found in memory",
                        "percentunit",
                        [
                            Query(
                                f"{_rate(f'{stat}_blks_hit', 'job, datname')} / "
                                f"({_rate(f'{stat}_blks_hit', 'job, datname')} "
                                f"+ {_rate(f'{stat}_blks_read', 'job, datname')})",
                                "{{datname}}",
                            )
                        ],
                    ),
                    Graph(
                        "Longest transaction",
                        "s",
                        [Query("max by (job, datname) (pg_stat_activity_max_tx_duration)", "{{datname}}")],
                        limit=1800,
                    ),
                    Graph("Size", "bytes", [Query("sum by (job, datname) (pg_database_size_bytes)", "{{datname}}")]),
                    Graph("Deadlocks", "ops", [Query(_rate(f"{stat}_deadlocks", "job, datname"), "{{datname}}")]),
                ],
            )
        ],
    )


def cache() -> Dashboard:
    """Show the cache in the cluster; CloudWatch shows what runs on ElastiCache."""
    return Dashboard(
        "cache",
        "Cache",
        [
            (
                "Valkey",
                [
                    Number("Answers", "bool_yes_no", Query("min(redis_up)"), bad_below=1),
                    Graph(
                        "Commands", "ops", [Query(_rate("redis_commands_processed_total"), "{{instance}}")], width=10
                    ),
                    Graph(
                        "Found",
                        "percentunit",
                        [
                            Query(
                                f"{_rate('redis_keyspace_hits_total')} / ({_rate('redis_keyspace_hits_total')} "
                                f"+ {_rate('redis_keyspace_misses_total')})",
                                "{{instance}}",
                            )
                        ],
                        width=10,
                    ),
                    Graph(
                        "Memory",
                        "bytes",
                        [
                            Query("redis_memory_used_bytes", "{{instance}}"),
                            Query("redis_memory_max_bytes", "{{instance}}, most"),
                        ],
                    ),
                    Graph("Thrown away", "ops", [Query(_rate("redis_evicted_keys_total"), "{{instance}}")]),
                    Graph("Clients", "short", [Query("redis_connected_clients", "{{instance}}")]),
                ],
            )
        ],
    )


def queue() -> Dashboard:
    """Show RabbitMQ in the cluster; CloudWatch shows what runs on Amazon MQ."""
    return Dashboard(
        "queue",
        "Queue",
        [
            (
                "RabbitMQ",
                [
                    Number("Nodes", "short", Query('sum(up{job="auterity-queue"})'), bad_below=1),
                    Graph(
                        "Messages",
                        "short",
                        [
                            Query("sum by (job) (rabbitmq_queue_messages_ready)", "waiting"),
                            Query("sum by (job) (rabbitmq_queue_messages_unacked)", "at a consumer"),
                        ],
                        width=10,
                    ),
                    Graph(
                        "Through",
                        "ops",
                        [
                            Query(_rate("rabbitmq_global_messages_received_total", "job"), "in"),
                            Query(_rate("rabbitmq_global_messages_delivered_total", "job"), "out"),
                        ],
                        width=10,
                    ),
                    Graph(
                        "Memory",
                        "bytes",
                        [
                            Query("rabbitmq_process_resident_memory_bytes", "{{instance}}"),
                            Query("rabbitmq_resident_memory_limit_bytes", "{{instance}}, most"),
                        ],
                    ),
                    Graph("Free disk", "bytes", [Query("rabbitmq_disk_space_available_bytes", "{{instance}}")]),
                    Graph("Connections", "short", [Query("rabbitmq_connections", "{{instance}}")]),
                ],
            )
        ],
    )


def vault() -> Dashboard:
    """Show Vault."""
    return Dashboard(
        "vault",
        "Vault",
        [
            (
                "Vault",
                [
                    Number("Open", "short", Query("sum(vault_core_unsealed)"), bad_below=1),
                    Number("Active", "short", Query("sum(vault_core_active)"), bad_below=1),
                    Graph("Requests", "ops", [Query(_rate("vault_core_handle_request_count"), "{{instance}}")]),
                    Graph("Leases", "short", [Query("sum by (job) (vault_expire_num_leases)", "{{job}}")]),
                ],
            )
        ],
    )


def kubernetes() -> Dashboard:
    """Show what runs in the cluster, and on what."""
    space = 'namespace=~"auterity.*"'
    volume = "kubelet_volume_stats"
    return Dashboard(
        "kubernetes",
        "Kubernetes",
        [
            (
                "Workloads",
                [
                    Graph(
                        "Copies that are missing",
                        "short",
                        [
                            Query(
                                "kube_deployment_spec_replicas - kube_deployment_status_replicas_available",
                                "{{deployment}}",
                            ),
                            Query(
                                "kube_statefulset_replicas - kube_statefulset_status_replicas_ready", "{{statefulset}}"
                            ),
                        ],
                        limit=1,
                    ),
                    Graph(
                        "Restarts, 1 h",
                        "short",
                        [Query("sum by (pod) (increase(kube_pod_container_status_restarts_total[1h])) > 0", "{{pod}}")],
                        limit=3,
                    ),
                    Graph(
                        "Autoscalers",
                        "short",
                        [
                            Query(
                                "kube_horizontalpodautoscaler_status_current_replicas",
                                "{{horizontalpodautoscaler}}",
                            ),
                            Query(
                                "kube_horizontalpodautoscaler_spec_max_replicas",
                                "{{horizontalpodautoscaler}}, most",
                            ),
                        ],
                    ),
                    Graph(
                        "CPU",
                        "short",
                        [Query(f"sum by (pod) (rate(container_cpu_usage_seconds_total{{{space}}}[5m]))", "{{pod}}")],
                        width=12,
                    ),
                    Graph(
                        "Memory",
                        "bytes",
                        [Query(f"sum by (pod) (container_memory_working_set_bytes{{{space}}})", "{{pod}}")],
                        width=12,
                    ),
                ],
            ),
            (
                "Nodes",
                [
                    Graph(
                        "CPU in use",
                        "percentunit",
                        [Query('1 - avg by (node) (rate(node_cpu_seconds_total{mode="idle"}[5m]))', "{{node}}")],
                        limit=0.9,
                    ),
                    Graph(
                        "Memory in use",
                        "percentunit",
                        [Query("1 - node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes", "{{node}}")],
                        limit=0.9,
                    ),
                    Graph(
                        "Volumes in use",
                        "percentunit",
                        [
                            Query(
                                f"1 - {volume}_available_bytes / {volume}_capacity_bytes",
                                "{{namespace}}/{{persistentvolumeclaim}}",
                            )
                        ],
                        limit=0.9,
                    ),
                ],
            ),
            (
                "API server",
                [
                    Graph(
                        "Requests", "reqps", [Query("sum by (code) (rate(apiserver_request_total[5m]))", "{{code}}")]
                    ),
                    Graph(
                        "Duration, 99th percentile",
                        "s",
                        [
                            Query(
                                "histogram_quantile(0.99, sum by (verb, le) "
                                '(rate(apiserver_request_duration_seconds_bucket{verb!~"WATCH|CONNECT"}[5m])))',
                                "{{verb}}",
                            )
                        ],
                    ),
                ],
            ),
        ],
    )


def backups() -> Dashboard:
    """Show when the last good backup was, whether one runs, and what rehearsed restores have shown."""
    which = '{cronjob=~"auterity-backup.*"}'
    jobs = '{job_name=~"auterity-backup.*"}'
    return Dashboard(
        "backups",
        "Backups",
        [
            (
                "Nightly runs",
                [
                    Graph(
                        "Since the last good run",
                        "s",
                        [Query(f"time() - kube_cronjob_status_last_successful_time{which}", "{{cronjob}}")],
                        width=12,
                        limit=26 * 3600,
                    ),
                    Graph(
                        "Duration",
                        "s",
                        [
                            Query(
                                f"kube_job_status_completion_time{jobs} - kube_job_status_start_time{jobs}",
                                "{{job_name}}",
                            )
                        ],
                        width=12,
                    ),
                    Graph(
                        "Runs that failed", "short", [Query(f"kube_job_status_failed{jobs}", "{{job_name}}")], width=12
                    ),
                ],
            ),
            (
                "Targets",
                [
                    Graph(
                        "Since the last complete backup",
                        "s",
                        [Query("time() - auterity_backup_last_success_timestamp_seconds", "{{target}}")],
                        width=12,
                        limit=26 * 3600,
                    ),
                    Graph(
                        "Dumps, and what they added",
                        "bytes",
                        [
                            Query("auterity_backup_size_bytes", "{{target}}"),
                            Query("auterity_backup_added_bytes", "{{target}}, added"),
                        ],
                        width=12,
                    ),
                    Graph(
                        "Phases of the last run",
                        "s",
                        [Query("auterity_backup_phase_seconds", "{{target}}, {{phase}}")],
                        width=24,
                    ),
                ],
            ),
            (
                "Rehearsed restores",
                [
                    Graph(
                        "Since the last good one",
                        "s",
                        [Query("time() - auterity_drill_last_success_timestamp_seconds", "{{target}}")],
                        width=12,
                        limit=35 * 86400,
                    ),
                    Graph(
                        "What would be lost (RPO), and how long it would take (RTO)",
                        "s",
                        [
                            Query("auterity_drill_rpo_seconds", "{{target}}, RPO"),
                            Query("auterity_drill_rto_seconds", "{{target}}, RTO"),
                        ],
                        width=12,
                    ),
                ],
            ),
        ],
    )
