"""The Auterity platform: one stack's settings, made into its components in the order in which data flows."""
# ruff: noqa: E402 - what is said of garbage holds for the modules that are loaded, too

import gc

# The program makes one graph of objects and ends: to search it for cycles takes a tenth of the time and frees nothing.
gc.disable()

import asyncio
import sys

import pulumi

from components.access import WorkloadAccess, WorkloadAccessArgs
from components.image import existing_image
from composition.app import build_image, serve_on_ecs
from composition.cluster import find_cluster, make_eks_cluster
from composition.edge import make_edge
from composition.eks import Surroundings, run_on_eks
from composition.ground import lay_ground, make_ecs_cluster, make_network, stack_prefix
from composition.stores import make_stores
from composition.watch import watch
from composition.workload import run_workload
from settings import AwsSettings, ExistingClusterSettings, SettingsError, StackSettings, load

ERROR_SHOWN = 32
"""Exit code by which the language host knows that the error was shown, and adds none of its own."""


def stack_settings() -> StackSettings:
    """Read the whole configuration of the stack, or stop with every wrong key before anything is registered."""
    config = pulumi.runtime.get_config_env()
    secret_keys = pulumi.runtime.get_config_secret_keys_env()
    try:
        return load(config, secret_keys)
    except SettingsError as error:
        pulumi.log.error(str(error))
        sys.exit(ERROR_SHOWN)


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
        if cluster:
            service = serve_on_ecs(ground, settings.app, image, vpc, access, stores, cluster, edge)
        if kubernetes:
            around = Surroundings(ground, kubernetes, vpc, stores, edge, image.reference, access, cluster)
            run_on_eks(around, settings, settings.app)
    if settings.alarms:
        watch(ground, settings, settings.alarms, vpc, stores, cluster, service, edge)


def cluster_platform(settings: StackSettings, where: ExistingClusterSettings) -> None:
    """Compose what runs in a cluster that somebody else made."""
    name = stack_prefix()
    cluster = find_cluster(name, where)
    if settings.app and settings.image and settings.runtimes.kubernetes:
        image = existing_image(settings.image, settings.app.architecture)
        run_workload(name, settings, settings.app, image, cluster.provider)


async def main() -> None:
    """Bring up whatever the stack's settings name."""
    settings = stack_settings()
    pulumi.export("environment", settings.environment)
    if settings.aws:
        aws_platform(settings, settings.aws)
    if settings.kubernetes and settings.kubernetes.existing:
        cluster_platform(settings, settings.kubernetes.existing)
    # One turn of the event loop starts the registrations. The SDK then awaits those one by one, instead of all of their
    # outputs anew whenever any one is done.
    await asyncio.sleep(0)


pulumi.run(main)
