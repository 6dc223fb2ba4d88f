"""The cache on Amazon ElastiCache."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws
import pulumi_random as random

from components.account import AwsAccount
from components.encryption import EncryptionKey, EncryptionKeyArgs
from components.secrets import Login, SecretReference, StoredLogin
from components.security_group import listening_group
from settings.cache import CacheSettings

PORT = 6379
"""TCP port, TLS only."""

USERNAME = "app"
"""Name of the user as which workloads sign in."""

ENGINE = "valkey"
"""Engine of the cache, its users and their group."""

LOGS = ("slow-log", "engine-log")
"""Logs that ElastiCache delivers to CloudWatch (ElastiCache user guide, 'Log delivery')."""

APPLICATION_ACCESS = "on ~* &* +@all -@dangerous +info"
"""Every key, channel and command, save those that stop, empty, list or reconfigure a server; clients ask for INFO."""

NO_ACCESS = "off ~keys* -@all"
"""Nothing: the user that a client is unless it names another one (ElastiCache user guide, 'Role-Based Access
Control').
"""


@dataclass(frozen=True)
class ManagedCacheArgs:
    """What the cache needs to know.

    Attributes:
        settings: the stack's ``cache`` section.
        account: the account it lives in.
        vpc_id: VPC of the subnets.
        subnet_ids: zone letter to subnet id, of the private tier; at least two where there are replicas.
        log_key_arn: ARN of the KMS key that encrypts log groups.
        login: what was made of `ManagedCache.login`.
        clients: who may connect: a name for each source, to the id of its security group.
    """

    settings: CacheSettings
    account: AwsAccount
    vpc_id: pulumi.Input[str]
    subnet_ids: Mapping[str, pulumi.Input[str]]
    log_key_arn: pulumi.Input[str]
    login: StoredLogin
    clients: Mapping[str, pulumi.Input[str]]


class ManagedCache(pulumi.ComponentResource):
    """A Valkey primary with its replicas: encrypted at rest and on the wire, private, with users and permissions."""

    address: pulumi.Output[str]
    """Host name of the primary, for reads and writes; it follows a fail-over."""

    reader_address: pulumi.Output[str]
    """Host name that spreads connections over the replicas, for reads."""

    port: pulumi.Output[int]
    """TCP port of both; clients speak TLS."""

    username: str
    """Name of the workloads' user."""

    secret: SecretReference
    """Where the workloads' user name and password are."""

    replication_group_id: pulumi.Output[str]
    """Id of the replication group; its nodes, the ``CacheClusterId`` of metrics, are this with ``-001``, ``-002``, …"""

    security_group_id: pulumi.Output[str]
    """Security group of the cache."""

    key_arn: pulumi.Output[str]
    """ARN of the KMS key of memory on disk and snapshots."""

    def __init__(self, name: str, args: ManagedCacheArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("auterity:cache:ManagedCache", name, None, opts)
        settings, own = args.settings, pulumi.ResourceOptions(parent=self)
        key = EncryptionKey(
            f"{name}-cache", EncryptionKeyArgs(args.account, purpose="the cache and its snapshots"), own
        )
        subnet_group = aws.elasticache.SubnetGroup(
            f"{name}-cache",
            description="Subnets of the platform's cache",
            subnet_ids=list(args.subnet_ids.values()),
            opts=own,
        )
        # One suffix for each cache that ever lives: a replacement gets an id of its own, and so does the final
        # snapshot, which outlives its cache and whose name AWS accepts once.
        life = random.RandomId(
            f"{name}-cache",
            byte_length=4,
            keepers={"key": key.arn, "subnets": subnet_group.name},
            opts=own,
        )
        # No more than the stack's name before the suffix: AWS allows 40 characters.
        identifier = pulumi.Output.concat(name, "-", life.hex)
        security_group = listening_group(
            f"{name}-cache", "Cache of the platform", args.vpc_id, "Cache", PORT, args.clients, self
        )
        cache = aws.elasticache.ReplicationGroup(
            f"{name}-cache",
            replication_group_id=identifier,
            description="Cache of the platform",
            engine=ENGINE,
            engine_version=settings.engine_version,
            auto_minor_version_upgrade=True,
            node_type=settings.node_type,
            num_cache_clusters=1 + settings.replicas,
            automatic_failover_enabled=settings.replicas > 0,
            multi_az_enabled=settings.replicas > 0,
            port=PORT,
            subnet_group_name=subnet_group.name,
            security_group_ids=[security_group.id],
            transit_encryption_enabled=True,
            transit_encryption_mode="required",
            at_rest_encryption_enabled=True,
            kms_key_id=key.arn,
            user_group_ids=[self._user_group(name, args.login).user_group_id],
            parameter_group_name=self._parameter_group(name, settings).name,
            snapshot_retention_limit=settings.snapshot_retention_days,
            snapshot_window=settings.snapshot_window if settings.snapshot_retention_days else None,
            final_snapshot_identifier=pulumi.Output.concat(identifier, "-final") if settings.final_snapshot else None,
            maintenance_window=settings.maintenance_window,
            apply_immediately=settings.apply_immediately,
            log_delivery_configurations=[self._log_delivery(name, log, args) for log in LOGS],
            opts=own,
        )

        self.address = cache.primary_endpoint_address
        self.reader_address = cache.reader_endpoint_address
        self.port = cache.port.apply(lambda port: port or PORT)
        self.username = args.login.username
        self.secret = args.login.reference
        self.replication_group_id = cache.replication_group_id
        self.security_group_id = security_group.id
        self.key_arn = key.arn
        self.register_outputs(
            {
                "address": self.address,
                "reader_address": self.reader_address,
                "port": self.port,
                "username": self.username,
                "secret_arn": self.secret.arn,
                "replication_group_id": self.replication_group_id,
                "security_group_id": self.security_group_id,
                "key_arn": self.key_arn,
            }
        )

    @staticmethod
    def login(settings: CacheSettings) -> Login:
        """Return the login that the cache wants made for its workloads."""
        return Login(USERNAME, settings.password_version)

    def _user_group(self, name: str, login: StoredLogin) -> aws.elasticache.UserGroup:
        """Admit the workloads' user, and switch off the one that clients without a user name would be."""
        own = pulumi.ResourceOptions(parent=self)
        users = [
            aws.elasticache.User(
                f"{name}-{user_name}",
                user_id=f"{name}-{user_name}",
                user_name=user_name,
                engine=ENGINE,
                access_string=access,
                passwords=list(login.passwords),
                opts=own,
            )
            for user_name, access in ((login.username, APPLICATION_ACCESS), ("default", NO_ACCESS))
        ]
        return aws.elasticache.UserGroup(
            f"{name}-cache",
            user_group_id=f"{name}-cache",
            engine=ENGINE,
            user_ids=[user.user_id for user in users],
            opts=own,
        )

    def _parameter_group(self, name: str, settings: CacheSettings) -> aws.elasticache.ParameterGroup:
        parameters = {**settings.parameters, "maxmemory-policy": settings.eviction}
        return aws.elasticache.ParameterGroup(
            f"{name}-cache",
            family=f"{ENGINE}{settings.engine_version.split('.')[0]}",
            description="Parameters of the platform's cache",
            parameters=[
                aws.elasticache.ParameterGroupParameterArgs(name=key, value=value)
                for key, value in sorted(parameters.items())
            ],
            opts=pulumi.ResourceOptions(parent=self),
        )

    def _log_delivery(
        self, name: str, log: str, args: ManagedCacheArgs
    ) -> aws.elasticache.ReplicationGroupLogDeliveryConfigurationArgs:
        group = aws.cloudwatch.LogGroup(
            f"{name}-cache-{log}",
            name=f"/aws/elasticache/{name}/{log}",
            retention_in_days=args.settings.log_retention_days,
            kms_key_id=args.log_key_arn,
            opts=pulumi.ResourceOptions(parent=self),
        )
        return aws.elasticache.ReplicationGroupLogDeliveryConfigurationArgs(
            destination=group.name, destination_type="cloudwatch-logs", log_format="json", log_type=log
        )
