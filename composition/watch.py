"""What of the stack is watched, and on which dashboard."""

from __future__ import annotations

import pulumi

from components.alarms import Alarm, Alarms, AlarmsArgs
from components.alarms.watch import (
    app_alarms,
    broker_alarms,
    cache_alarms,
    certificate_alarms,
    database_alarms,
    edge_alarms,
    nat_alarms,
    proxy_alarms,
    recovery_point_alarms,
)
from components.backup.recovery_points import copies_name, vault_name
from components.ecs import EcsCluster
from components.edge import Edge
from components.network import Vpc
from components.service import EcsService
from composition.ground import Ground
from composition.stores import Stores
from settings import AlarmsSettings, StackSettings


def watch(
    ground: Ground,
    settings: StackSettings,
    alarms: AlarmsSettings,
    vpc: Vpc,
    stores: Stores,
    cluster: EcsCluster | None,
    service: EcsService | None,
    edge: Edge | None,
) -> None:
    """Make the alarms of all that the stack runs on AWS."""
    watched: list[Alarm] = []
    if edge:
        watched += edge_alarms(alarms, edge.load_balancer_arn_suffix, edge.target_group_arn_suffixes)
        watched += certificate_alarms(alarms, edge.certificate_arn)
    if settings.app and cluster and service:
        watched += app_alarms(alarms, cluster.name, service.service_name, settings.app.scaling.maximum)
    if settings.database and stores.database:
        watched += database_alarms(
            alarms,
            stores.database.identifier,
            settings.database.allocated_storage_gib,
            settings.database.instance_class,
        )
    if stores.proxy:
        watched += proxy_alarms(alarms, stores.proxy.proxy_name)
    if settings.cache and stores.cache:
        watched += cache_alarms(alarms, stores.cache.replication_group_id, 1 + settings.cache.replicas)
    if stores.broker:
        watched += broker_alarms(alarms, stores.broker.broker_name)
    if settings.backup and settings.backup.aws_backup and stores.database:
        watched += recovery_point_alarms(vault_name(ground.name), copies_name(ground.name))
    watched += nat_alarms(vpc.nat_gateway_ids)
    if not watched or ground.alarm_topic_arn is None:
        return
    made = Alarms(
        ground.name,
        AlarmsArgs(
            ground.account,
            ground.alarm_topic_arn,
            watched,
            database_identifier=stores.database.identifier if stores.database else None,
        ),
        ground.opts,
    )
    pulumi.export("dashboard", made.dashboard_name)
