"""Where the platform's databases are backed up to, and by which jobs."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import pulumi
import pulumi_aws as aws
import pulumi_gcp as gcp

from components.backup import (
    BackupSchedule,
    BackupScheduleArgs,
    GcsTarget,
    GcsTargetArgs,
    RecoveryPoints,
    RecoveryPointsArgs,
    S3Target,
    S3TargetArgs,
    Target,
)
from components.backup.job_plan import Database, RabbitmqSource, VaultSource
from components.backup.names import ACCOUNTS, BACKUP, DRILL, PRUNE, RESTORE
from components.backup.target import ROLES
from components.cluster import EksCluster, PodIdentity, PodIdentityArgs
from components.iam import Statement
from components.image import AppImage, AppImageArgs
from components.observability.names import PUSHGATEWAY_PORT
from components.secrets import SecretKey, may_read
from components.workload import DatabaseRoles, Endpoint, Flow, MountedSecrets, MountedSecretsArgs, Vault
from components.workload import gateway as the_gateway
from components.workload.database_configuration import PORT, RESTORER
from components.workload.pods import from_secret
from components.workload.vault_configuration import PORT as VAULT_PORT
from composition.endpoints import ANYWHERE, DATABASE, IDENTITY, NAMESPACE, PUSHGATEWAY, VAULT
from composition.ground import Ground, stack_tags
from composition.stores import Stores
from composition.workload import ClusterStores, Floor
from settings import BackupSettings, StackSettings

JOBS = {name: Endpoint(NAMESPACE, name) for name in (BACKUP, PRUNE, DRILL, RESTORE)}
"""Name of a job to its pods."""

AUTHORITIES = "/etc/ssl/rds/global-bundle.pem"
"""File in the jobs' image with the authorities of Amazon RDS."""

BROKER_FILE = "rabbitmq"
"""File with the password of the broker's administrator."""

COPIES_REGION = "us-west-2"
"""Where recovery points are copied to in a stack without backups in S3."""


def backup_flows(settings: StackSettings, network: Endpoint) -> list[Flow]:
    """List the connections of the jobs: clouds and identity for all, the database for those that dump or restore.

    Args:
        settings: the stack's.
        network: the VPC, in which RDS has its address.
    """
    if not settings.backup or not settings.database:
        return []
    server = network if settings.database.managed else DATABASE
    flows = [
        flow
        for name, pods in JOBS.items()
        for flow in (
            Flow(f"{name.removeprefix('auterity-')}-clouds", pods, ANYWHERE, (("TCP", 443),)),
            Flow(f"{name.removeprefix('auterity-')}-identity", pods, IDENTITY, (("TCP", 80),)),
        )
    ]
    readers = (BACKUP, RESTORE)
    flows += [
        Flow(f"{name.removeprefix('auterity-')}-database", JOBS[name], server, (("TCP", PORT),)) for name in readers
    ]
    if settings.vault and settings.backup.vault_snapshots:
        flows.append(Flow("backup-vault", JOBS[BACKUP], VAULT, (("TCP", VAULT_PORT),)))
    if settings.observability:
        flows += [
            Flow(f"{name.removeprefix('auterity-')}-figures", JOBS[name], PUSHGATEWAY, (("TCP", PUSHGATEWAY_PORT),))
            for name in (BACKUP, DRILL)
        ]
    return flows


def back_up(
    ground: Ground,
    cluster: EksCluster,
    floor: Floor,
    settings: StackSettings,
    stores: Stores,
    inside: ClusterStores,
    roles: DatabaseRoles | None = None,
    push_url: pulumi.Input[str] | None = None,
    vault: Vault | None = None,
) -> None:
    """Make the targets that the settings want, and the jobs that fill, tidy and rehearse them.

    Args:
        ground: providers, account, prefix of names.
        cluster: the cluster in which the jobs run.
        floor: what workloads stand on.
        settings: the stack's.
        stores: the stores that AWS manages.
        inside: the stores in the cluster.
        roles: what makes the roles on RDS, where the database is there.
        push_url: where the jobs push their figures; None where nothing watches.
        vault: the secrets manager, if there is one.
    """
    backup, wanted, app = settings.backup, settings.database, settings.app
    if not backup or not wanted or not app:
        return
    name = ground.name
    elsewhere = _provider(ground, settings, backup)
    s3 = _s3(ground, backup, elsewhere)
    targets = [s3.target] if s3 else []
    if backup.gcs:
        google = pulumi.ResourceOptions(providers=[gcp.Provider("google", project=backup.gcs.project)])
        made = GcsTarget(name, GcsTargetArgs(backup.gcs, cluster.issuer, NAMESPACE, ACCOUNTS), google)
        targets.append(made.target)
        pulumi.export("backup_bucket_gcs", made.bucket)
    if backup.aws_backup and stores.database:
        args = RecoveryPointsArgs(
            backup.aws_backup,
            backup.retention,
            account=ground.account,
            resources={"database": stores.database.instance_arn},
            copies=elsewhere,
        )
        RecoveryPoints(name, args, ground.opts)
    if targets:
        made_of = AppImageArgs(backup.image, ground.account, app.architecture, workload="operations")
        image = AppImage(f"{name}-backup", made_of, ground.opts).reference
        source = VaultSource(vault.host, vault.port, vault.authority) if vault and backup.vault_snapshots else None
        schedule = _schedule(
            ground,
            cluster,
            floor,
            backup,
            [wanted.name, *([the_gateway.DATABASE] if settings.gateway else [])],
            stores,
            inside,
            roles,
            s3,
            targets,
            image,
            push_url,
            source,
        )
        # What opens the repositories must outlive the stack: it is kept outside as well.
        pulumi.export("backup_key", schedule.key)


def _provider(ground: Ground, settings: StackSettings, backup: BackupSettings) -> aws.Provider:
    where = settings.aws
    return aws.Provider(
        "aws-backups",
        region=backup.s3.region if backup.s3 else COPIES_REGION,
        allowed_account_ids=[where.account_id] if where and where.account_id else None,
        default_tags=aws.ProviderDefaultTagsArgs(tags=stack_tags(settings)),
    )


def _s3(ground: Ground, backup: BackupSettings, provider: aws.Provider) -> S3Target | None:
    if not backup.s3:
        return None
    account = dataclasses.replace(ground.account, region=backup.s3.region)
    made = S3Target(ground.name, S3TargetArgs(backup.s3, account), pulumi.ResourceOptions(providers=[provider]))
    pulumi.export("backup_bucket_s3", made.bucket)
    return made


def _fetched(stores: Stores, inside: ClusterStores, backup: BackupSettings) -> dict[str, SecretKey]:
    """Name the files that a run fetches from Secrets Manager, to what each holds."""
    files: dict[str, SecretKey] = {}
    if stores.database and not inside.database:
        files["password"] = SecretKey(stores.backup_roles[0].reference, "password")
    if stores.broker and backup.rabbitmq_definitions:
        files[BROKER_FILE] = SecretKey(stores.broker.secret, "password")
    return files


def _schedule(
    ground: Ground,
    cluster: EksCluster,
    floor: Floor,
    backup: BackupSettings,
    names: Sequence[str],
    stores: Stores,
    inside: ClusterStores,
    roles: DatabaseRoles | None,
    s3: S3Target | None,
    targets: list[Target],
    image: pulumi.Output[str],
    push_url: pulumi.Input[str] | None,
    vault: VaultSource | None,
) -> BackupSchedule:
    """Run the jobs, each with no more rights than its work takes."""
    name, account = ground.name, ground.account
    databases: dict[str, Database] = {}
    reads: list[Statement] = []
    after: list[pulumi.Resource] = []
    host: pulumi.Input[str] = ""
    restorer: Database | None = None
    fetched = _fetched(stores, inside, backup)
    mounted: MountedSecrets | None = None
    if fetched:
        secrets = [key.secret for key in fetched.values()]
        describe = Statement(
            sid="Describe", actions=["secretsmanager:DescribeSecret"], resources=[each.arn for each in secrets]
        )
        reads = [*may_read(account, *secrets), describe]
        mounts = MountedSecretsArgs(BACKUP, floor.normal, account.region, fetched)
        mounted = MountedSecrets(f"{name}-backup-master", mounts, floor.opts)
        after.append(mounted)
    rabbitmq: RabbitmqSource | None = None
    if mounted and stores.broker and BROKER_FILE in fetched:
        volume = mounted.volume("rabbitmq")
        rabbitmq = RabbitmqSource(stores.broker.console_url, stores.broker.username, volume, BROKER_FILE)
    if inside.database:
        host = inside.database.host
        logins = inside.database.logins
        databases = {
            each: Database(login.username, from_secret(f"login-{each}", login.secret)) for each, login in logins.items()
        }
        if login := inside.database.restorer:
            restorer = Database(login.username, from_secret(f"login-{RESTORER}", login.secret))
        after.append(inside.database)
    elif stores.database and mounted and roles:
        host, reader = stores.database.address, stores.backup_roles[0].username
        databases = {each: Database(reader, mounted.volume(f"login-{each}")) for each in names}
        if roles.restorer:
            login = roles.restorer
            restorer = Database(login.username, from_secret(f"login-{RESTORER}", login.secret))
        after.append(roles.made)
    for role in ROLES:
        statements = [*(s3.may(role) if s3 else []), *(reads if role == "write" else [])]
        if statements:
            args = PodIdentityArgs(account, cluster.cluster_name, NAMESPACE, ACCOUNTS[role], statements)
            after.append(PodIdentity(f"{name}-backup-{role}", args, ground.opts))
    return BackupSchedule(
        name,
        BackupScheduleArgs(
            backup,
            floor.normal,
            image=image,
            host=host,
            port=PORT,
            databases=databases,
            restorer=restorer,
            targets=targets,
            vault=vault,
            rabbitmq=rabbitmq,
            authorities=None if inside.database else AUTHORITIES,
            push_url=push_url,
            after=after,
        ),
        floor.opts,
    )
