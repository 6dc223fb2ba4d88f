"""Alerts of what the request path stands on: gateway, app, database, cache, queue, Vault."""

from __future__ import annotations

from components.observability.rules.model import Alert, Group


def gateway_alerts() -> Group:
    """Return the alerts of Kong (https://developer.konghq.com/plugins/prometheus/)."""
    requests, failed = (f"sum by (job) (rate(kong_http_requests_total{which}[5m]))" for which in ("", '{code=~"5.."}'))
    return Group(
        "gateway",
        [
            Alert(
                "GatewayErrors",
                f"{failed} / {requests} > 0.05",
                "critical",
                "The gateway answers {{ $value | humanizePercentage }} of the requests with an error",
                "More than 5 % of what comes in fails, whether the app or the gateway itself is the reason.",
                "gateway",
                5,
            ),
            Alert(
                "GatewayDatabaseUnreachable",
                "kong_datastore_reachable == 0",
                "warning",
                "{{ $labels.instance }} does not reach the gateway's database",
                "Requests go on with the configuration that it knows; changes do not arrive, and no copy can start.",
                "gateway",
                5,
            ),
            Alert(
                "GatewayMemoryFull",
                "kong_memory_lua_shared_dict_bytes / kong_memory_lua_shared_dict_total_bytes > 0.9",
                "warning",
                "{{ $labels.shared_dict }} of {{ $labels.instance }} is {{ $value | humanizePercentage }} full",
                "What does not fit is dropped: counters of the limits, health of targets, cached entities.",
                "gateway",
                15,
            ),
        ],
    )


def app_alerts() -> Group:
    """Return the alerts of the app's own connections."""
    asked, sent = "cache_requests_total", "events_published_total"
    return Group(
        "app",
        [
            Alert(
                "AppWaitsForConnections",
                "sum by (job) (database_pool_waiting_requests) > 0",
                "warning",
                "{{ $value }} requests wait for a connection to the database",
                "The pools of all pods are in use: requests get slower, then fail.",
                "app",
                5,
            ),
            Alert(
                "AppCacheFails",
                f'sum by (job) (rate({asked}{{result="error"}}[5m])) / sum by (job) (rate({asked}[5m])) > 0.1',
                "warning",
                "{{ $value | humanizePercentage }} of the look-ups in the cache fail",
                "Orders are read from the database instead, which gets the load of both.",
                "app",
                10,
            ),
            Alert(
                "AppEventsNotPublished",
                f'sum by (job) (rate({sent}{{result="error"}}[5m])) > 0',
                "warning",
                "Events do not reach the queue",
                "They stay owed in the database and are sent later; who waits for them waits.",
                "app",
                10,
            ),
        ],
    )


def database_alerts() -> Group:
    """Return the alerts of PostgreSQL (https://github.com/prometheus-community/postgres_exporter)."""
    used = "sum by (job, instance) (pg_stat_activity_count) / on (job, instance) "
    return Group(
        "database",
        [
            Alert(
                "DatabaseDown",
                "pg_up == 0",
                "critical",
                "PostgreSQL on {{ $labels.instance }} does not answer",
                "Nothing can be ordered or read that the cache does not hold.",
                "database",
                1,
            ),
            Alert(
                "DatabaseConnectionsFull",
                f"{used}max by (job, instance) (pg_settings_max_connections) > 0.8",
                "warning",
                "{{ $value | humanizePercentage }} of the connections to PostgreSQL are taken",
                "When all are, further clients are refused.",
                "database",
                10,
            ),
            Alert(
                "DatabaseDeadlocks",
                "sum by (job, instance, datname) (increase(pg_stat_database_deadlocks[10m])) > 0",
                "warning",
                "Transactions in {{ $labels.datname }} lock each other out",
                "PostgreSQL ends one of each pair, and its request fails.",
                "database",
            ),
            Alert(
                "DatabaseLongTransaction",
                'max by (job, instance, datname) (pg_stat_activity_max_tx_duration{state!="idle"}) > 1800',
                "warning",
                "A transaction in {{ $labels.datname }} is open for {{ $value | humanizeDuration }}",
                "It keeps locks, and keeps vacuum from cleaning up: tables grow and get slow.",
                "database",
                5,
            ),
            Alert(
                "DatabaseReplicaBehind",
                "pg_replication_lag_seconds > 30",
                "warning",
                "{{ $labels.instance }} is {{ $value | humanizeDuration }} behind",
                "What is read there is old, and as much would be lost if it took over.",
                "database",
                5,
            ),
        ],
    )


def cache_alerts() -> Group:
    """Return the alerts of Valkey (https://github.com/oliver006/redis_exporter)."""
    return Group(
        "cache",
        [
            Alert(
                "CacheDown",
                "redis_up == 0",
                "warning",
                "The cache on {{ $labels.instance }} does not answer",
                "Everything is read from the database; requests get slower.",
                "cache",
                2,
            ),
            Alert(
                "CacheEvicts",
                "rate(redis_evicted_keys_total[5m]) > 10",
                "warning",
                "The cache throws {{ $value | humanize }} keys a second away",
                "It is too small for what is in use, and answers less than it could.",
                "cache",
                15,
            ),
            Alert(
                "CacheRefusesConnections",
                "increase(redis_rejected_connections_total[5m]) > 0",
                "warning",
                "The cache refuses connections",
                "All connections that it may have are taken.",
                "cache",
            ),
            Alert(
                "CacheNotWritten",
                "redis_aof_last_write_status == 0",
                "warning",
                "The cache cannot write its log",
                "It refuses changes until it can; most often the volume is full.",
                "cache",
                5,
            ),
        ],
    )


def queue_alerts(nodes: int) -> Group:
    """Return the alerts of RabbitMQ with `nodes` nodes (https://www.rabbitmq.com/docs/prometheus); 0 for none."""
    return Group(
        "queue",
        [
            *_queue_nodes(nodes),
            Alert(
                "QueueMemoryAlarm",
                "max by (job, instance) (rabbitmq_alarms_memory_used_watermark) == 1",
                "critical",
                "RabbitMQ on {{ $labels.instance }} is out of memory",
                "It takes nothing from publishers until it has delivered some.",
                "queue",
                1,
            ),
            Alert(
                "QueueDiskAlarm",
                "max by (job, instance) (rabbitmq_alarms_free_disk_space_watermark) == 1",
                "critical",
                "RabbitMQ on {{ $labels.instance }} is out of disk space",
                "It takes nothing from publishers until there is room.",
                "queue",
                1,
            ),
            Alert(
                "QueueDepth",
                "sum by (job) (rabbitmq_queue_messages_ready) > 10000",
                "warning",
                "{{ $value | humanize }} messages wait",
                "Consumers are missing, or slower than what comes in.",
                "queue",
                15,
            ),
        ],
    )


def _queue_nodes(nodes: int) -> list[Alert]:
    if not nodes:
        return []
    return [
        Alert(
            "QueueNodeMissing",
            f'count by (job) (up{{job="auterity-queue"}} == 1) < {nodes}',
            "critical" if nodes > 1 else "warning",
            f"{{{{ $value }}}} of {nodes} nodes of RabbitMQ are there",
            "Quorum queues go on while most of their nodes do; one more and they stop.",
            "queue",
            5,
        )
    ]


def vault_alerts() -> Group:
    """Return the alerts of Vault (https://developer.hashicorp.com/vault/docs/internals/telemetry/metrics)."""
    return Group(
        "vault",
        [
            Alert(
                "VaultSealed",
                "vault_core_unsealed == 0",
                "critical",
                "Vault on {{ $labels.instance }} is sealed",
                "It hands out no secret.",
                "vault",
                2,
            ),
            Alert(
                "VaultWithoutLeader",
                "sum by (job) (vault_core_active) < 1",
                "critical",
                "No node of Vault is active",
                "Nobody gets a secret, nor renews one.",
                "vault",
                2,
            ),
        ],
    )
