"""What to watch of each thing that runs on AWS.

Which metrics, and from which figures on, follows CloudWatch's recommended alarms where no setting says otherwise
(https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Best_Practice_Recommended_Alarms_AWS_Services.html).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pulumi

from components.alarms.alarm import Alarm, Metric
from settings.alarms import AlarmsSettings

MIB = 1024**2
GIB = 1024**3


RECOVERY_POINT_HOURS = 27
"""Hours after which a day's recovery point is missing: a job may begin an hour after its time, and take an hour longer
than the day before.
"""

BURSTABLE = "db.t"
"""How the names of classes begin that have CPU credits."""


def database_alarms(
    settings: AlarmsSettings, identifier: pulumi.Input[str], allocated_storage_gib: int, instance_class: str
) -> Sequence[Alarm]:
    """Watch an RDS instance.

    Source of the metrics: RDS user guide, 'Amazon CloudWatch metrics for Amazon RDS'.

    Args:
        settings: the stack's ``alarms`` section.
        identifier: the instance's ``DBInstanceIdentifier``.
        allocated_storage_gib: storage that it was made with, in GiB.
        instance_class: such as ``db.t4g.medium``; a burstable one is watched for its CPU credits, too.
    """

    def metric(name: str, statistic: str = "Average") -> dict[str, Metric]:
        return {"m1": Metric("AWS/RDS", name, {"DBInstanceIdentifier": identifier}, statistic)}

    group = "Database"
    credits = (
        Alarm(
            "database-credits",
            group,
            "The database has used up its CPU credits: further use is charged. Take a class that is not burstable.",
            metric("CPUCreditBalance", "Minimum"),
            settings.database_cpu_credits,
            "below",
        ),
    )
    return (
        *(credits if instance_class.startswith(BURSTABLE) else ()),
        Alarm(
            "database-transaction-ids",
            group,
            "Transaction ids run out, and PostgreSQL will refuse writes. Look for old transactions, prepared ones and "
            "replication slots that keep vacuum from freezing rows.",
            metric("MaximumUsedTransactionIDs", "Maximum"),
            settings.database_transaction_ids,
        ),
        Alarm(
            "database-cpu",
            group,
            "The database is short of CPU. Database Insights shows which statements take it.",
            metric("CPUUtilization"),
            settings.database_cpu_percent,
            # A database that says nothing is down, or gone.
            missing="breaching",
        ),
        Alarm(
            "database-storage",
            group,
            "The database's disk fills up, and storage did not grow: at its maximum, or grown less than 6 hours ago.",
            metric("FreeStorageSpace", "Minimum"),
            allocated_storage_gib * GIB * settings.database_free_storage_percent / 100,
            "below",
        ),
        Alarm(
            "database-memory",
            group,
            "The database is short of memory. Look for many connections or large sorts; then a larger class.",
            metric("FreeableMemory", "Minimum"),
            settings.database_free_memory_mib * MIB,
            "below",
        ),
        Alarm(
            "database-connections",
            group,
            "Connections run out. Look for clients that do not give theirs back; then RDS Proxy or a larger class.",
            metric("DatabaseConnections", "Maximum"),
            settings.database_connections,
        ),
        Alarm(
            "database-reads",
            group,
            "The database's disk reads slowly. Look at IOPS and throughput against what the storage is given.",
            metric("ReadLatency"),
            settings.database_latency_ms / 1000,
        ),
        Alarm(
            "database-writes",
            group,
            "The database's disk writes slowly. Look at IOPS and throughput against what the storage is given.",
            metric("WriteLatency"),
            settings.database_latency_ms / 1000,
        ),
    )


def proxy_alarms(settings: AlarmsSettings, proxy_name: pulumi.Input[str]) -> Sequence[Alarm]:
    """Watch an RDS Proxy.

    Source of the metrics: RDS user guide, 'Monitoring RDS Proxy metrics with Amazon CloudWatch'.

    Args:
        settings: the stack's ``alarms`` section.
        proxy_name: the ``ProxyName`` of its metrics.
    """

    def metric(name: str, statistic: str = "Average") -> dict[str, Metric]:
        return {"m1": Metric("AWS/RDS", name, {"ProxyName": proxy_name}, statistic)}

    return (
        Alarm(
            "proxy-borrowing",
            "Database",
            "Clients wait for connections of the pool. Look for long transactions and pinned sessions; then more "
            "connections (`database_proxy`) or a larger class.",
            metric("DatabaseConnectionsBorrowLatency"),
            # CloudWatch tells microseconds.
            settings.database_proxy_borrow_ms * 1000,
        ),
        Alarm(
            "proxy-failures",
            "Database",
            "The pool cannot open connections to the database. Look at its log, the secret, and the database's limits.",
            metric("DatabaseConnectionsSetupFailed", "Sum"),
            1,
        ),
    )


def cache_alarms(settings: AlarmsSettings, replication_group_id: pulumi.Input[str], nodes: int) -> Sequence[Alarm]:
    """Watch every node of an ElastiCache replication group.

    Args:
        settings: the stack's ``alarms`` section.
        replication_group_id: its id; nodes are this with ``-001``, ``-002``, …
        nodes: how many there are, the primary and its replicas.
    """
    found = []
    for number in range(1, nodes + 1):
        node = f"{number:03}"
        cluster_id = pulumi.Output.concat(replication_group_id, "-", node)

        def metric(name: str, statistic: str = "Average", id: pulumi.Output[str] = cluster_id) -> dict[str, Metric]:
            return {"m1": Metric("AWS/ElastiCache", name, {"CacheClusterId": id}, statistic)}

        found += [
            Alarm(
                f"cache-cpu-node{node}",
                "Cache",
                "The cache's one thread for commands is busy. Look for slow commands in the slow log.",
                metric("EngineCPUUtilization"),
                settings.cache_cpu_percent,
                period=60,
                points=5,
                of=5,
                missing="breaching",
            ),
            Alarm(
                f"cache-memory-node{node}",
                "Cache",
                "The cache is full and will evict, or refuse writes without an eviction policy.",
                metric("DatabaseMemoryUsagePercentage", "Maximum"),
                settings.cache_memory_percent,
            ),
            Alarm(
                f"cache-evictions-node{node}",
                "Cache",
                "The cache drops keys to make room, and its clients miss them. Take larger nodes, or shorter lives.",
                metric("Evictions", "Sum"),
                settings.cache_evictions,
            ),
        ]
        if nodes > 1:
            # Any node may become the primary, which tells no lag.
            found.append(
                Alarm(
                    f"cache-lag-node{node}",
                    "Cache",
                    "A replica of the cache is behind: a fail-over would lose writes. Look at writes and network.",
                    metric("ReplicationLag", "Maximum"),
                    settings.cache_replication_lag_seconds,
                )
            )
    return tuple(found)


def broker_alarms(settings: AlarmsSettings, broker_name: pulumi.Input[str]) -> Sequence[Alarm]:
    """Watch an Amazon MQ broker of RabbitMQ.

    Args:
        settings: the stack's ``alarms`` section.
        broker_name: the ``Broker`` of its metrics.
    """

    def metric(name: str, statistic: str = "Maximum") -> Metric:
        return Metric("AWS/AmazonMQ", name, {"Broker": broker_name}, statistic)

    return (
        Alarm(
            "queue-messages",
            "Queue",
            "Messages pile up. Look whether the consumers run, and whether they fail.",
            {"m1": metric("MessageCount")},
            settings.queue_messages,
        ),
        Alarm(
            "queue-cpu",
            "Queue",
            "The broker is short of CPU. Look for many connections that open and close, and for large messages.",
            {"m1": metric("SystemCpuUtilization", "Average")},
            settings.queue_cpu_percent,
        ),
        Alarm(
            "queue-memory",
            "Queue",
            "RabbitMQ nears its memory limit, where it blocks all publishers. Drain queues, or take a larger instance.",
            {"used": metric("RabbitMQMemUsed"), "most": metric("RabbitMQMemLimit", "Minimum")},
            90,
            expression="100 * used / most",
            missing="breaching",
        ),
        Alarm(
            "queue-disk",
            "Queue",
            "RabbitMQ nears its disk limit, where it blocks all publishers. Drain queues.",
            {"free": metric("RabbitMQDiskFree", "Minimum"), "least": metric("RabbitMQDiskFreeLimit")},
            2,
            "below",
            expression="free / least",
        ),
    )


def edge_alarms(
    settings: AlarmsSettings,
    load_balancer: pulumi.Input[str],
    target_groups: Mapping[str, pulumi.Input[str]],
) -> Sequence[Alarm]:
    """Watch a load balancer and what is behind it.

    Args:
        settings: the stack's ``alarms`` section.
        load_balancer: the ``LoadBalancer`` of its metrics.
        target_groups: name of a runtime to the ``TargetGroup`` of its metrics.
    """
    here = {"LoadBalancer": load_balancer}

    def count(name: str) -> Metric:
        return Metric("AWS/ApplicationELB", name, here, "Sum")

    group = "Edge"
    whole = (
        Alarm(
            "edge-errors",
            group,
            "Requests fail. Errors of the targets are the app's: look at its logs. Those of the load balancer itself "
            "are targets that are gone, slow or refuse: look at their health.",
            {
                "own": count("HTTPCode_ELB_5XX_Count"),
                "theirs": count("HTTPCode_Target_5XX_Count"),
                "requests": count("RequestCount"),
            },
            settings.edge_error_percent,
            expression="IF(requests >= 100, 100 * (FILL(own, 0) + FILL(theirs, 0)) / requests, 0)",
            period=60,
            points=3,
            of=5,
        ),
        Alarm(
            "edge-latency",
            group,
            "One request in a hundred is slow. Look at the database, the cache, and the app's CPU.",
            {"m1": Metric("AWS/ApplicationELB", "TargetResponseTime", here, "p99")},
            settings.edge_latency_ms / 1000,
            period=60,
            points=5,
            of=5,
        ),
        Alarm(
            "edge-rejected",
            group,
            "The load balancer turns connections away: it is at its limit, or under attack.",
            {"m1": count("RejectedConnectionCount")},
            1,
            period=60,
            points=1,
            of=1,
        ),
    )
    per_runtime = tuple(
        Alarm(
            f"edge-unhealthy-{runtime}",
            group,
            f"Targets on {runtime} do not pass their health check. Look at their logs and events.",
            {"m1": Metric("AWS/ApplicationELB", "UnHealthyHostCount", {**here, "TargetGroup": suffix}, "Maximum")},
            1,
            period=60,
            points=5,
            of=5,
        )
        for runtime, suffix in target_groups.items()
    )
    return (*whole, *per_runtime)


def certificate_alarms(settings: AlarmsSettings, certificate_arn: pulumi.Input[str]) -> Sequence[Alarm]:
    """Watch a certificate of ACM, which tells its days once a day."""
    return (
        Alarm(
            "edge-certificate",
            "Edge",
            "The certificate ends soon and was not renewed. Look whether its records still stand in DNS.",
            {"m1": Metric("AWS/CertificateManager", "DaysToExpiry", {"CertificateArn": certificate_arn}, "Minimum")},
            settings.certificate_days,
            "below",
            period=86_400,
            points=1,
            of=1,
        ),
    )


def app_alarms(
    settings: AlarmsSettings, cluster_name: pulumi.Input[str], service_name: pulumi.Input[str], most: int
) -> Sequence[Alarm]:
    """Watch the app's service on ECS.

    The number of tasks is that of tasks which reported their CPU use, so it needs no Container Insights.

    Args:
        settings: the stack's ``alarms`` section.
        cluster_name: the ``ClusterName`` of its metrics.
        service_name: the ``ServiceName`` of its metrics.
        most: tasks beyond which autoscaling does not go.
    """

    def metric(name: str, statistic: str = "Average") -> Metric:
        return Metric("AWS/ECS", name, {"ClusterName": cluster_name, "ServiceName": service_name}, statistic)

    return (
        Alarm(
            "app-memory",
            "App",
            "The app's tasks are short of memory and will be killed. Look for a leak since the last deployment.",
            {"m1": metric("MemoryUtilization")},
            settings.app_memory_percent,
            period=60,
            points=5,
            of=5,
        ),
        Alarm(
            "app-gone",
            "App",
            "No task of the app runs. Look at the service's events.",
            {"m1": metric("CPUUtilization", "SampleCount")},
            0,
            "below",
            period=60,
            points=3,
            of=3,
            missing="breaching",
        ),
        Alarm(
            "app-at-maximum",
            "App",
            f"The app runs {most} tasks, its maximum, and cannot scale further. Look at its load; raise the maximum.",
            {"m1": metric("CPUUtilization", "SampleCount")},
            most,
            period=60,
            points=15,
            of=15,
        ),
    )


def nat_alarms(nat_ids: Mapping[str, pulumi.Input[str]]) -> Sequence[Alarm]:
    """Watch the NAT gateways: zone letter to id."""
    return tuple(
        Alarm(
            f"nat-{key}-{zone}",
            "Network",
            says,
            {"m1": Metric("AWS/NATGateway", name, {"NatGatewayId": nat_id}, "Sum")},
            1,
            points=3,
            of=3,
        )
        for zone, nat_id in nat_ids.items()
        for key, name, says in (
            (
                "ports",
                "ErrorPortAllocation",
                "A NAT gateway has no ports left for one destination: connections to the internet fail.",
            ),
            ("drops", "PacketsDropCount", "A NAT gateway drops packets: AWS has a problem, or it is overloaded."),
        )
    )


def recovery_point_alarms(vault: str, copies: str) -> Sequence[Alarm]:
    """Watch AWS Backup.

    It tells jobs when there are some, and those that copy under the name of the vault that they copy to
    (https://docs.aws.amazon.com/aws-backup/latest/devguide/cloudwatch.html). A job that is late or was cancelled has
    done nothing that could be told: hence the alarms for what is missing.

    Args:
        vault: name of the vault.
        copies: name of the vault in the other Region.
    """

    def jobs(name: str, of: str) -> dict[str, Metric]:
        return {"m1": Metric("AWS/Backup", f"NumberOf{name}", {"BackupVaultName": of}, "Sum")}

    group, failed = "Recovery points", "Its message tells why: aws backup list-backup-jobs; list-copy-jobs for a copy."
    return (
        *(
            Alarm(key, group, says, jobs(name, of), 1, period=3600, points=1, of=1)
            for key, name, of, says in (
                ("recovery-points-failed", "BackupJobsFailed", vault, f"AWS Backup could not back up. {failed}"),
                ("recovery-points-expired", "BackupJobsExpired", vault, f"AWS Backup did not begin in time. {failed}"),
                ("recovery-copies-failed", "CopyJobsFailed", copies, f"A recovery point was not copied. {failed}"),
            )
        ),
        *(
            Alarm(
                key,
                group,
                says,
                jobs(name, of),
                0,
                "below",
                period=3600,
                points=RECOVERY_POINT_HOURS,
                of=RECOVERY_POINT_HOURS,
                missing="breaching",
            )
            for key, name, of, says in (
                ("recovery-points-missing", "BackupJobsCompleted", vault, f"No recovery point for a day. {failed}"),
                ("recovery-copies-missing", "CopyJobsCompleted", copies, f"No copy of one for a day. {failed}"),
            )
        ),
    )
