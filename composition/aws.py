"""A stack on AWS: its components in the order in which data flows."""

from __future__ import annotations

import pulumi

from components.access import WorkloadAccess, WorkloadAccessArgs
from composition.app import build_image, serve_on_ecs
from composition.cluster import make_eks_cluster
from composition.edge import make_edge
from composition.eks import Surroundings, run_on_eks
from composition.ground import lay_ground, make_ecs_cluster, make_network
from composition.stores import make_stores
from composition.watch import watch
from settings import AwsSettings, StackSettings


def aws_platform(settings: StackSettings, where: AwsSettings) -> None:
    """Compose what runs on AWS, and export where to find it."""
    ground = lay_ground(settings, where)
    cluster = make_ecs_cluster(ground, settings.ecs) if settings.ecs else None
    if not settings.network:
        return
    vpc = make_network(ground, settings.network)
    eks = settings.kubernetes.eks if settings.kubernetes else None
    kubernetes = make_eks_cluster(ground, eks, vpc) if eks else None
    access = WorkloadAccess(ground.name, WorkloadAccessArgs(vpc.vpc_id), ground.opts)
    stores = make_stores(ground, settings, vpc, access, kubernetes)
    service, edge = None, None
    if settings.app and settings.image:
        image = build_image(ground, settings.image, settings.app)
        if settings.edge:
            edge = make_edge(
                ground, settings, settings.edge, settings.app, vpc, access if cluster else None, kubernetes
            )
        # In the cluster are the Jobs that make the app's logins, by which its tasks on ECS sign in as well.
        logins: list[pulumi.Resource] = []
        if kubernetes:
            around = Surroundings(ground, kubernetes, vpc, stores, edge, image.reference, access, cluster)
            logins = run_on_eks(around, settings, settings.app)
        if cluster:
            service = serve_on_ecs(
                ground, settings.app, image, vpc, access, stores, cluster, edge, settings.edge, logins
            )
    if settings.alarms:
        watch(ground, settings, settings.alarms, vpc, stores, cluster, service, edge)
