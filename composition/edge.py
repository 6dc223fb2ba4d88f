"""How requests reach the runtimes, each with its share."""

from __future__ import annotations

import pulumi

from components.access import WorkloadAccess
from components.cluster import EksCluster
from components.edge import Backend, Edge, EdgeArgs
from components.network import Vpc
from components.workload.gateway_configuration import PROXY_PORT
from composition.ground import Ground
from settings import AppSettings, EdgeSettings, StackSettings


def make_edge(
    ground: Ground,
    settings: StackSettings,
    edge: EdgeSettings,
    app: AppSettings,
    vpc: Vpc,
    access: WorkloadAccess | None,
    cluster: EksCluster | None,
) -> Edge:
    """Open the app to the internet, wherever it runs: its tasks on ECS, and the gateway's pods in the cluster."""
    backends: dict[str, Backend] = {}
    if access:
        backends["ecs"] = Backend(
            weight=settings.runtimes.ecs,
            port=app.port,
            target_type="ip",
            security_group_id=access.security_group_id,
            health_path=app.health_path,
        )
    if cluster and settings.gateway:
        backends["kubernetes"] = Backend(
            weight=settings.runtimes.kubernetes,
            port=PROXY_PORT,
            target_type="ip",
            security_group_id=cluster.security_group_id,
            health_path=app.health_path,
            cluster_name=cluster.cluster_name,
        )
    made = Edge(
        ground.name,
        EdgeArgs(
            edge,
            ground.account,
            vpc_id=vpc.vpc_id,
            subnet_ids=vpc.public_subnet_ids,
            log_key_arn=ground.log_key_arn,
            backends=backends,
        ),
        ground.opts,
    )
    pulumi.export("url", made.url)
    return made
