"""PostgreSQL on Amazon RDS."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws
import pulumi_random as random

from components.account import AwsAccount
from components.encryption import EncryptionKey, EncryptionKeyArgs
from components.iam import service_trust
from components.secrets import SecretReference, StoredLogin
from components.security_group import listening_group
from settings import DatabaseSettings

PORT = 5432
"""TCP port of PostgreSQL."""

LOGS = ("postgresql", "upgrade")
"""Logs that RDS for PostgreSQL can send to CloudWatch (RDS user guide, 'Publishing PostgreSQL logs')."""

CERTIFICATE_AUTHORITY = "rds-ca-rsa2048-g1"
"""Authority that signs the server's certificate; valid until 2061 (RDS user guide, 'Using SSL/TLS')."""


@dataclass(frozen=True)
class RdsPostgresArgs:
    """What the database needs to know.

    Attributes:
        settings: the stack's ``database`` section.
        account: the account it lives in.
        vpc_id: VPC of the subnets.
        subnet_ids: zone letter to subnet id, in at least two zones, without a route to the internet.
        log_key_arn: ARN of the KMS key that encrypts log groups.
        clients: who may connect: a name for each source, to the id of its security group.
        master: login of the master user where the stack makes its password; None where RDS does.
    """

    settings: DatabaseSettings
    account: AwsAccount
    vpc_id: pulumi.Input[str]
    subnet_ids: Mapping[str, pulumi.Input[str]]
    log_key_arn: pulumi.Input[str]
    clients: Mapping[str, pulumi.Input[str]]
    master: StoredLogin | None = None


class RdsPostgres(pulumi.ComponentResource):
    """A PostgreSQL instance: encrypted, private, forced to TLS, observed, and recoverable to any second.

    RDS makes the master password, keeps it in Secrets Manager and rotates it, and no program or state sees it; or the
    stack makes it, where a feature of RDS asks for that.
    """

    address: pulumi.Output[str]
    """Host name."""

    port: pulumi.Output[int]
    """TCP port."""

    endpoint: pulumi.Output[str]
    """Host name and port, ``host:port``."""

    database_name: pulumi.Output[str]
    """Name of the database that was made first."""

    username: pulumi.Output[str]
    """Name of the master user."""

    master_secret: SecretReference
    """Where the master user's name and password are, as JSON."""

    instance_arn: pulumi.Output[str]
    """ARN of the instance."""

    identifier: pulumi.Output[str]
    """Identifier of the instance, the ``DBInstanceIdentifier`` of its metrics."""

    resource_id: pulumi.Output[str]
    """The instance's ``db-…`` id, by which IAM policies let users connect."""

    security_group_id: pulumi.Output[str]
    """Security group of the instance."""

    key_arn: pulumi.Output[str]
    """ARN of the KMS key of storage, insights and the secret that RDS manages."""

    def __init__(self, name: str, args: RdsPostgresArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("auterity:database:RdsPostgres", name, None, opts)
        settings, own = args.settings, pulumi.ResourceOptions(parent=self)
        key = EncryptionKey(
            f"{name}-database", EncryptionKeyArgs(args.account, purpose="the database and its master secret"), own
        )
        # One suffix for each instance that ever lives: a replacement gets names of its own, and so does the final
        # snapshot, which outlives its instance and whose name AWS accepts once.
        life = random.RandomId(
            f"{name}-postgres",
            byte_length=4,
            keepers={"database": settings.name, "username": settings.username, "key": key.arn},
            opts=own,
        )
        identifier = pulumi.Output.concat(name, "-", life.hex)
        security_group = listening_group(
            f"{name}-postgres", "PostgreSQL of the platform", args.vpc_id, "PostgreSQL", PORT, args.clients, self
        )
        log_groups = [
            aws.cloudwatch.LogGroup(
                f"{name}-{log}-log",
                name=pulumi.Output.concat("/aws/rds/instance/", identifier, "/", log),
                retention_in_days=settings.log_retention_days,
                kms_key_id=args.log_key_arn,
                opts=own,
            )
            for log in LOGS
        ]
        instance = aws.rds.Instance(
            f"{name}-postgres",
            identifier=identifier,
            engine="postgres",
            engine_version=settings.engine_version,
            auto_minor_version_upgrade=True,
            allow_major_version_upgrade=settings.upgrade is not None,
            blue_green_update=aws.rds.InstanceBlueGreenUpdateArgs(enabled=True)
            if settings.upgrade == "blue_green"
            else None,
            instance_class=settings.instance_class,
            db_name=settings.name,
            port=PORT,
            username=settings.username,
            manage_master_user_password=None if args.master else True,
            master_user_secret_kms_key_id=None if args.master else key.arn,
            password=args.master.passwords[0] if args.master else None,
            iam_database_authentication_enabled=True,
            multi_az=settings.multi_az,
            storage_type="gp3",
            allocated_storage=settings.allocated_storage_gib,
            max_allocated_storage=settings.max_allocated_storage_gib,
            iops=settings.iops,
            storage_throughput=settings.storage_throughput_mibps,
            storage_encrypted=True,
            kms_key_id=key.arn,
            db_subnet_group_name=aws.rds.SubnetGroup(
                f"{name}-postgres",
                description="Subnets of the platform's database",
                subnet_ids=list(args.subnet_ids.values()),
                opts=own,
            ).name,
            vpc_security_group_ids=[security_group.id],
            publicly_accessible=False,
            ca_cert_identifier=CERTIFICATE_AUTHORITY,
            parameter_group_name=self._parameter_group(name, settings).name,
            enabled_cloudwatch_logs_exports=list(LOGS),
            database_insights_mode=settings.database_insights,
            performance_insights_enabled=True,
            performance_insights_kms_key_id=key.arn,
            performance_insights_retention_period=settings.insights_retention_days,
            monitoring_interval=settings.monitoring_interval_seconds,
            monitoring_role_arn=self._monitoring_role(name, args) if settings.monitoring_interval_seconds else None,
            backup_retention_period=settings.backup_retention_days,
            backup_window=settings.backup_window,
            maintenance_window=settings.maintenance_window,
            copy_tags_to_snapshot=True,
            delete_automated_backups=not settings.deletion_protection,
            deletion_protection=settings.deletion_protection,
            skip_final_snapshot=not settings.deletion_protection,
            final_snapshot_identifier=pulumi.Output.concat(identifier, "-final"),
            apply_immediately=settings.apply_immediately,
            # RDS would make the log groups itself, without retention or key, if it logged before they are there.
            opts=pulumi.ResourceOptions(parent=self, protect=settings.deletion_protection, depends_on=log_groups),
        )
        if settings.backup_replica is not None:
            replica = settings.backup_replica
            replica_key = EncryptionKey(
                f"{name}-database-replica",
                EncryptionKeyArgs(args.account, purpose="copies of the database's backups", region=replica.region),
                own,
            )
            aws.rds.InstanceAutomatedBackupsReplication(
                f"{name}-postgres",
                source_db_instance_arn=instance.arn,
                kms_key_id=replica_key.arn,
                retention_period=replica.retention_days,
                region=replica.region,
                opts=own,
            )

        self.address = instance.address
        self.port = instance.port
        self.endpoint = instance.endpoint
        self.database_name = instance.db_name
        self.username = instance.username
        managed = instance.master_user_secrets.apply(lambda secrets: (secrets[0].secret_arn or "") if secrets else "")
        self.master_secret = args.master.reference if args.master else SecretReference(managed, key.arn)
        self.instance_arn = instance.arn
        self.identifier = instance.identifier
        self.resource_id = instance.resource_id
        self.security_group_id = security_group.id
        self.key_arn = key.arn
        self.register_outputs(
            {
                "address": self.address,
                "port": self.port,
                "endpoint": self.endpoint,
                "database_name": self.database_name,
                "username": self.username,
                "master_secret_arn": self.master_secret.arn,
                "instance_arn": self.instance_arn,
                "identifier": self.identifier,
                "resource_id": self.resource_id,
                "security_group_id": self.security_group_id,
                "key_arn": self.key_arn,
            }
        )

    def _parameter_group(self, name: str, settings: DatabaseSettings) -> aws.rds.ParameterGroup:
        """Force TLS, log what an investigation asks for, and keep statement statistics."""
        ours = {
            "log_connections": "1",
            "log_disconnections": "1",
            "log_lock_waits": "1",
            "log_statement": "ddl",
            "log_min_duration_statement": str(settings.slow_query_ms),
        }
        parameters = [
            aws.rds.ParameterGroupParameterArgs(name=key, value=value, apply_method="immediate")
            for key, value in sorted(ours.items())
        ] + [
            # AWS refuses `immediate` for a static parameter and takes `pending-reboot` for any.
            aws.rds.ParameterGroupParameterArgs(name=key, value=value, apply_method="pending-reboot")
            for key, value in sorted(
                {
                    "rds.force_ssl": "1",
                    "shared_preload_libraries": "pg_stat_statements",
                    **settings.parameters,
                }.items()
            )
        ]
        return aws.rds.ParameterGroup(
            f"{name}-postgres",
            family=f"postgres{settings.engine_version}",
            description="Parameters of the platform's database",
            parameters=parameters,
            opts=pulumi.ResourceOptions(parent=self),
        )

    def _monitoring_role(self, name: str, args: RdsPostgresArgs) -> pulumi.Output[str]:
        """Let RDS send Enhanced Monitoring samples to CloudWatch Logs, on behalf of this database alone."""
        own = pulumi.ResourceOptions(parent=self)
        role = aws.iam.Role(
            f"{name}-rds-monitoring",
            description="Enhanced Monitoring of the platform's database",
            assume_role_policy=service_trust(
                "monitoring.rds.amazonaws.com", args.account.account_id, args.account.arn("rds", f"db:{name}-*")
            ),
            opts=own,
        )
        attachment = aws.iam.RolePolicyAttachment(
            f"{name}-rds-monitoring",
            role=role.name,
            policy_arn=pulumi.Output.format(
                "arn:{0}:iam::aws:policy/service-role/AmazonRDSEnhancedMonitoringRole", args.account.partition
            ),
            opts=own,
        )
        # By way of the attachment: RDS refuses a role that cannot do its work yet.
        return pulumi.Output.all(role.arn, attachment.id).apply(lambda values: str(values[0]))
