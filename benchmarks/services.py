"""A Pulumi program of its own: a network and as many services as the stack asks for, on the platform's components."""

from __future__ import annotations

import asyncio
import json

import pulumi
import pulumi_aws as aws
import pulumi_random as random

from components.access import WorkloadAccess, WorkloadAccessArgs
from components.account import AwsAccount
from components.database import RdsPostgres, RdsPostgresArgs
from components.ecs import EcsCluster, EcsClusterArgs
from components.encryption import EncryptionKey, EncryptionKeyArgs, log_groups_may_use
from components.network import Vpc, VpcArgs
from components.service import EcsService, EcsServiceArgs
from composition.naming import stack_prefix
from settings import PROJECT, StackSettings, load

NAMESPACE = "benchmark"
"""Of the configuration key ``services``, the number of services; all other keys are the platform's."""

IMAGE = "registry.example.com/app:1.0.0"
"""Image of every service: one that exists, so that nothing is built."""


def service(
    name: str, settings: StackSettings, account: AwsAccount, key: EncryptionKey, vpc: Vpc, opts: pulumi.ResourceOptions
) -> None:
    """Make one service: tasks, a cluster and a database of its own."""
    assert settings.ecs
    assert settings.database
    assert settings.app
    cluster = EcsCluster(name, EcsClusterArgs(settings.ecs, account, key.arn), opts)
    access = WorkloadAccess(name, WorkloadAccessArgs(vpc.vpc_id), opts)
    EcsService(
        name,
        EcsServiceArgs(
            settings.app,
            account,
            cluster,
            subnet_ids=vpc.private_subnet_ids,
            security_group_id=access.security_group_id,
            log_key_arn=key.arn,
            image=IMAGE,
            after=[vpc],
        ),
        opts,
    )
    RdsPostgres(
        name,
        RdsPostgresArgs(
            settings.database,
            account,
            vpc_id=vpc.vpc_id,
            subnet_ids=vpc.database_subnet_ids,
            log_key_arn=key.arn,
            clients={"ecs": access.security_group_id},
        ),
        opts,
    )


async def program() -> None:
    """Make what the stack's configuration says."""
    config = pulumi.runtime.get_config_env()
    platform = {key: value for key, value in config.items() if not key.startswith(f"{NAMESPACE}:")}
    exists = {"reference": IMAGE}
    platform[f"{PROJECT}:image"] = json.dumps(exists)
    if backup := platform.get(f"{PROJECT}:backup"):
        platform[f"{PROJECT}:backup"] = json.dumps({**json.loads(backup), "image": exists})
    settings = load(platform)
    assert settings.aws
    assert settings.network
    provider = aws.Provider("aws", region=settings.aws.region)
    account = AwsAccount.of(provider, settings.aws.region)
    opts = pulumi.ResourceOptions(providers=[provider, random.Provider("random")])
    name = stack_prefix()
    key = EncryptionKey(
        f"{name}-logs",
        EncryptionKeyArgs(account, purpose="the platform's log groups", services=[log_groups_may_use(account)]),
        opts,
    )
    vpc = Vpc(name, VpcArgs(settings.network, account, key.arn), opts)
    for number in range(pulumi.Config(NAMESPACE).require_int("services")):
        service(f"{name}-{number:02}", settings, account, key, vpc, opts)
    # One turn of the event loop starts the registrations. The SDK then awaits those one by one, instead of all
    # thousands of their outputs anew whenever any one is done.
    await asyncio.sleep(0)
