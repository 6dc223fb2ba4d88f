"""RabbitMQ on Amazon MQ."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import pulumi
import pulumi_aws as aws

from components.account import AwsAccount
from components.encryption import EncryptionKey, EncryptionKeyArgs
from components.secrets import Login, SecretReference, StoredLogin
from components.security_group import let_in, listening_group
from settings.messaging import MessagingSettings

PORT = 5671
"""TCP port of AMQP over TLS, the only protocol port that clients are let in to."""

CONSOLE_PORT = 443
"""TCP port of the console and of the management API."""

USERNAME = "auterity"
"""Name of the broker's first user, its administrator; Amazon MQ makes one user and refuses ``guest``."""

APP_USERNAME = "app"
"""Name of the app's user, who administers nothing; with each other password another user takes turns with it."""

DEPLOYMENT_MODES = {"single": "SINGLE_INSTANCE", "cluster": "CLUSTER_MULTI_AZ"}
"""Amazon MQ's names of the deployments."""

DAYS = {
    "mon": "MONDAY",
    "tue": "TUESDAY",
    "wed": "WEDNESDAY",
    "thu": "THURSDAY",
    "fri": "FRIDAY",
    "sat": "SATURDAY",
    "sun": "SUNDAY",
}
"""Amazon MQ's names of the days."""


@dataclass(frozen=True)
class RabbitBrokerArgs:
    """What the broker needs to know.

    Attributes:
        settings: the stack's ``messaging`` section.
        account: the account it lives in.
        vpc_id: VPC of the subnets.
        subnet_ids: zone letter to subnet id, of the private tier; a single broker uses the first zone alone.
        login: what was made of `RabbitBroker.login`.
        clients: who may connect: a name for each source, to the id of its security group.
        administrators: who may ask the management API, in the same shape.
    """

    settings: MessagingSettings
    account: AwsAccount
    vpc_id: pulumi.Input[str]
    subnet_ids: Mapping[str, pulumi.Input[str]]
    login: StoredLogin
    clients: Mapping[str, pulumi.Input[str]]
    administrators: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)


class RabbitBroker(pulumi.ComponentResource):
    """A RabbitMQ broker without a public address: one node, or three in three zones with quorum queues."""

    endpoint: pulumi.Output[str]
    """Where clients connect, ``amqps://host:5671``."""

    host: pulumi.Output[str]
    """Host name of `endpoint`."""

    port: pulumi.Output[int]
    """TCP port of `endpoint`."""

    console_url: pulumi.Output[str]
    """Management console and API, open to ``administrators`` alone."""

    username: str
    """Name of the broker's administrator."""

    secret: SecretReference
    """Where the administrator's name and password are."""

    broker_name: pulumi.Output[str]
    """Name of the broker, the ``Broker`` of its metrics."""

    security_group_id: pulumi.Output[str]
    """Security group of the broker."""

    key_arn: pulumi.Output[str]
    """ARN of the KMS key of its storage."""

    def __init__(self, name: str, args: RabbitBrokerArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("auterity:messaging:RabbitBroker", name, None, opts)
        settings, own = args.settings, pulumi.ResourceOptions(parent=self)
        key = EncryptionKey(f"{name}-messaging", EncryptionKeyArgs(args.account, purpose="messages at rest"), own)
        security_group = listening_group(
            f"{name}-rabbitmq", "RabbitMQ of the platform", args.vpc_id, "AMQP over TLS", PORT, args.clients, self
        )
        for who, group_id in args.administrators.items():
            rule = f"{name}-rabbitmq-console-from-{who}"
            let_in(rule, security_group.id, group_id, CONSOLE_PORT, f"RabbitMQ's management API from {who}", own)
        configuration = aws.mq.Configuration(
            f"{name}-rabbitmq",
            description="Configuration of the platform's broker",
            engine_type="RabbitMQ",
            engine_version=settings.engine_version,
            data=f"consumer_timeout = {settings.consumer_timeout_ms}\nheartbeat = {settings.heartbeat_seconds}\n",
            opts=own,
        )
        zones = sorted(args.subnet_ids)
        day, time = settings.maintenance_start.split(":", 1)
        broker = aws.mq.Broker(
            f"{name}-rabbitmq",
            engine_type="RabbitMQ",
            engine_version=settings.engine_version,
            # Amazon MQ refuses RabbitMQ brokers that keep their patches back.
            auto_minor_version_upgrade=True,
            deployment_mode=DEPLOYMENT_MODES[settings.deployment],
            host_instance_type=settings.instance_type,
            publicly_accessible=False,
            subnet_ids=[args.subnet_ids[zone] for zone in (zones if settings.deployment == "cluster" else zones[:1])],
            security_groups=[security_group.id],
            encryption_options=aws.mq.BrokerEncryptionOptionsArgs(kms_key_id=key.arn, use_aws_owned_key=False),
            configuration=aws.mq.BrokerConfigurationArgs(id=configuration.id, revision=configuration.latest_revision),
            users=[aws.mq.BrokerUserArgs(username=args.login.username, password=args.login.passwords[0])],
            # Not even as false: Amazon MQ refuses any word on audit logs for RabbitMQ.
            logs=aws.mq.BrokerLogsArgs(general=True),
            maintenance_window_start_time=aws.mq.BrokerMaintenanceWindowStartTimeArgs(
                day_of_week=DAYS[day], time_of_day=time, time_zone="UTC"
            ),
            apply_immediately=settings.apply_immediately,
            opts=pulumi.ResourceOptions(
                parent=self,
                protect=settings.deletion_protection,
                additional_secret_outputs=["users"],
                # AWS has no call that changes a RabbitMQ user: a new password is set in the broker itself.
                ignore_changes=["users"],
            ),
        )
        instance = broker.instances[0]

        self.endpoint = instance.endpoints[0]
        self.host = self.endpoint.apply(lambda endpoint: urlsplit(endpoint).hostname or "")
        self.port = self.endpoint.apply(lambda endpoint: urlsplit(endpoint).port or PORT)
        self.console_url = instance.console_url
        self.username = args.login.username
        self.secret = args.login.reference
        self.broker_name = broker.broker_name
        self.security_group_id = security_group.id
        self.key_arn = key.arn
        self.register_outputs(
            {
                "endpoint": self.endpoint,
                "host": self.host,
                "port": self.port,
                "console_url": self.console_url,
                "username": self.username,
                "secret_arn": self.secret.arn,
                "broker_name": self.broker_name,
                "security_group_id": self.security_group_id,
                "key_arn": self.key_arn,
            }
        )

    @staticmethod
    def login(settings: MessagingSettings) -> Login:
        """Return the login that the broker wants made for its administrator."""
        return Login(USERNAME, settings.password_version)
