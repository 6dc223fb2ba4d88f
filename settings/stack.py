"""One stack's settings, whole."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field

from settings.alarms import AlarmsSettings
from settings.app import AppSettings, Runtimes
from settings.authorities import regional
from settings.aws import AwsSettings
from settings.backup import AwsBackupSettings, BackupSettings
from settings.base import Problem, Settings
from settings.cache import CacheSettings
from settings.database import DatabaseSettings
from settings.database_proxy import DatabaseProxySettings
from settings.ecs import EcsSettings
from settings.edge import EdgeSettings
from settings.gateway import GatewaySettings
from settings.image import ImageSettings
from settings.kubernetes import KubernetesSettings
from settings.load_balancer import LoadBalancerSettings
from settings.messaging import MessagingSettings
from settings.network import NetworkSettings
from settings.observability import ObservabilitySettings
from settings.registry import RegistrySettings
from settings.secrets import SecretsSettings
from settings.storage import StorageSettings
from settings.vault import VaultSettings
from settings.windows import minutes_apart

Environment = Literal["local", "dev", "prod"]
TagKey = Annotated[str, Field(min_length=1, max_length=128, pattern=r"^[A-Za-z0-9 _.:/=+@-]+$")]
TagValue = Annotated[str, Field(max_length=256, pattern=r"^[A-Za-z0-9 _.:/=+@-]*$")]

STANDARD_TAGS = ("Project", "Environment", "Stack", "Owner", "ManagedBy")
"""Tags that every taggable resource of a stack carries."""

OWN_TAGS = ("Name", "Purpose", "eks:eks-cluster-name", "kubernetes.io/role/elb", "kubernetes.io/role/internal-elb")
"""Tags that single resources carry besides."""

MOST_TAGS = 40
"""Further tags of a stack: AWS allows 50 on a resource, and leaves ten to the standard ones and the resources' own."""


CLOUD_SECTIONS = ("network", "database_proxy", "ecs", "storage", "edge", "alarms", "backup")
"""Sections that need an AWS account."""

APART_MINUTES = 60
"""Minutes between AWS Backup and a window of RDS, in which the job would fail."""

NEEDS = {
    "database_proxy": ("database",),
    "storage": ("network",),
    "app": ("image",),
    "gateway": ("kubernetes", "app", "database"),
    "load_balancer": ("gateway",),
    "registry": ("kubernetes",),
    "vault": ("kubernetes", "app"),
    "edge": ("network", "app"),
    "observability": ("kubernetes", "app"),
    "backup": ("kubernetes", "app", "database"),
}
"""A section to those that must be set beside it."""


class StackSettings(Settings):
    """Everything that differs between one stack of the platform and another.

    A section that is absent is not provisioned. Components receive the sections that they need, never the whole.
    """

    environment: Environment
    """What the stack is for; ``prod`` enforces the rules that a production stack must not switch off."""

    owner: Annotated[str, Field(min_length=1, max_length=256, pattern=r"^[A-Za-z0-9 _.:/=+@-]+$")] = "platform"
    """Team that answers for the stack, in the tag ``Owner``."""

    tags: Annotated[dict[TagKey, TagValue], Field(max_length=MOST_TAGS)] = {}
    """Further tags on every resource, such as a cost centre. No two keys may differ in case alone, which IAM does not
    tell apart.
    """

    aws: AwsSettings | None = None
    """AWS account and Region; absent for a stack without a cloud."""

    network: NetworkSettings | None = None
    """VPC."""

    database: DatabaseSettings | None = None
    """PostgreSQL, on RDS or in the cluster."""

    database_proxy: DatabaseProxySettings | None = None
    """RDS Proxy, through which the app then reaches the database."""

    ecs: EcsSettings | None = None
    """ECS cluster."""

    kubernetes: KubernetesSettings | None = None
    """Kubernetes cluster."""

    cache: CacheSettings | None = None
    """Cache, on ElastiCache or in the cluster."""

    messaging: MessagingSettings | None = None
    """RabbitMQ, on Amazon MQ or in the cluster."""

    secrets: SecretsSettings = SecretsSettings()
    """How the passwords that the stack makes are kept."""

    storage: StorageSettings | None = None
    """Object storage of the app."""

    registry: RegistrySettings | None = None
    """Where the images of others come from; absent: from their makers' registries, without signing in."""

    image: ImageSettings | None = None
    """Image of the app."""

    app: AppSettings | None = None
    """The app itself."""

    runtimes: Runtimes = Runtimes()
    """Which runtime serves which share of the requests: a fail-over is one number changed."""

    gateway: GatewaySettings | None = None
    """Kong before the app in the cluster."""

    vault: VaultSettings | None = None
    """Secrets manager of the workloads, in the cluster."""

    load_balancer: LoadBalancerSettings | None = None
    """nginx before the gateway, where no cloud has a load balancer."""

    edge: EdgeSettings | None = None
    """Public load balancer, TLS, DNS and web application firewall."""

    alarms: AlarmsSettings | None = None
    """Alarms of what runs on AWS."""

    observability: ObservabilitySettings | None = None
    """Metrics, alerts, logs and dashboards of what runs in the cluster."""

    backup: BackupSettings | None = None
    """Backups of the databases."""

    def problems(self) -> Iterator[Problem]:
        yield from self._missing_parts()
        if self.aws is None:
            for section in CLOUD_SECTIONS:
                if getattr(self, section) is not None:
                    yield Problem(section, "set", "unset in a stack without `aws`")
        if self.aws is not None and self.load_balancer is not None:
            yield Problem("load_balancer", "set", "unset in a stack with `aws`, whose `edge` it would stand beside")
        if self.environment == "prod" and self.aws is not None:
            for section in ("network", "database", "edge", "alarms"):
                if getattr(self, section) is None:
                    yield Problem(section, None, "set in prod")
            if self.kubernetes is not None and self.observability is None:
                yield Problem("observability", None, "set in prod where `kubernetes` is")
            if self.alarms is not None and not self.alarms.subscriptions:
                yield Problem("alarms.subscriptions", {}, "at least one in prod, where somebody must hear of alarms")
        if self.environment != "local" and self.aws is None:
            yield Problem("aws", None, f"set in {self.environment}")
        if self.environment == "local" and self.aws is not None:
            yield Problem("aws", "set", "unset in local, which has no cloud")
        eks = self.kubernetes.eks if self.kubernetes else None
        if eks is not None and self.aws is None:
            yield Problem("kubernetes.eks", "set", "unset in a stack without `aws`; `existing` finds any cluster")
        if eks is not None and self.network is None:
            yield Problem("network", None, "set where `kubernetes.eks` is")
        if eks is not None and eks.private_only and self.network is not None and not self.network.existing:
            yield Problem(
                "kubernetes.eks.private_only",
                True,
                "false where the stack makes its VPC (`network.existing` unset): whoever deploys it is not inside yet; "
                "public_access_cidrs names their address",
            )
        if eks is not None and self.network is not None:
            existing = self.network.existing
            zones = tuple(existing.subnets.private) if existing else self.network.zones
            for zone in eks.control_plane_zones:
                if zone not in zones:
                    yield Problem(
                        "kubernetes.eks.control_plane_zones", zone, f"zones with private subnets: {', '.join(zones)}"
                    )
        block = self.network.cidr if self.network and not self.network.existing else None
        if eks is not None and block is not None and eks.service_cidr.overlaps(block):
            yield Problem(
                "kubernetes.eks.service_cidr", str(eks.service_cidr), f"a block apart from the VPC's ({block})"
            )
        public = self.network.existing.subnets.public if self.network and self.network.existing else None
        if self.edge is not None and public is not None and len(public) < 2:
            yield Problem(
                "network.existing.subnets.public",
                sorted(public),
                "subnets in at least two availability zones where `edge` is set",
            )
        certificate = self.edge.certificate_arn if self.edge else None
        if certificate and self.aws is not None and certificate.split(":")[3] != self.aws.region:
            yield Problem("edge.certificate_arn", certificate, f"one of the stack's own Region ({self.aws.region})")
        if self.registry is not None and self.registry.pull_through_cache is not None and eks is None:
            yield Problem("registry.pull_through_cache", "set", "unset without `kubernetes.eks`")
        if self.app is not None:
            yield from self._app_problems()
        if self.observability is not None:
            yield from self._observability_problems(self.observability)
        for section, managed in self._stores():
            if managed and self.aws is None:
                yield Problem(f"{section}.mode", "managed", "in_cluster in a stack without `aws`")
            if not managed and self.kubernetes is None:
                yield Problem(f"{section}.mode", "in_cluster", "managed in a stack without `kubernetes`")
        if self.database_proxy is not None and self.database is not None and not self.database.managed:
            yield Problem("database_proxy", "set", "unset where the database is in the cluster")
        replica = self.database.backup_replica if self.database else None
        if replica is not None and self.aws is not None and replica.region == self.aws.region:
            yield Problem(
                "database.backup_replica.region",
                replica.region,
                f"a Region other than the stack's own ({self.aws.region})",
            )
        if self.backup is not None and self.aws is not None:
            yield from self._backup_problems(self.backup, self.aws)
        on_eks = self.kubernetes is not None and self.kubernetes.eks is not None
        if self.environment == "prod" and self.database is not None and on_eks and self.backup is None:
            yield Problem("backup", None, "set in prod, because snapshots go with the account that holds them")
        if self.environment == "prod" and self.database is not None and replica is None:
            yield Problem(
                "database.backup_replica", None, "set in prod, because a lost Region must not take its backups along"
            )
        for key in sorted(key for key in self.tags if key.lower().startswith("aws:")):
            yield Problem(f"tags.{key}", self.tags[key], "keys that do not start with aws:, which AWS keeps for itself")
        yield from self._tag_problems()

    def _tag_problems(self) -> Iterator[Problem]:
        standard = {key.lower() for key in STANDARD_TAGS}
        known = {key.lower(): key for key in OWN_TAGS}
        for key, value in sorted(self.tags.items()):
            first = known.setdefault(key.lower(), key)
            if key.lower() in standard:
                keys = ", ".join(STANDARD_TAGS)
                yield Problem(
                    f"tags.{key}", value, f"keys other than {keys}, in any case, which every stack sets itself"
                )
            elif first != key:
                yield Problem(
                    f"tags.{key}", value, f"keys that differ in more than case ({first}): IAM takes them for one"
                )

    def _app_problems(self) -> Iterator[Problem]:
        if self.runtimes.kubernetes > 0 and self.kubernetes is None:
            yield Problem("runtimes.kubernetes", self.runtimes.kubernetes, "0 in a stack without `kubernetes`")
        if self.edge is not None and self.runtimes.kubernetes > 0 and self.gateway is None:
            yield Problem("gateway", None, "set where the edge sends requests to the cluster (`runtimes.kubernetes`)")
        on_rds = self.database is not None and self.database.managed
        if self.aws is not None and self.gateway is not None and on_rds and self.aws.region not in regional():
            allowed = f"a Region whose authorities are in settings/rds-authorities.pem: {', '.join(sorted(regional()))}"
            yield Problem("aws.region", self.aws.region, allowed)
        if self.edge is not None and self.gateway is not None and self.gateway.copies > 1:
            given, least = self.gateway.update_delay_seconds, self.edge.health_check.notice_seconds
            if given is not None and given < least:
                allowed = f"at least {least}, or the edge has no target while copies of the gateway are replaced"
                yield Problem("gateway.update_delay_seconds", given, allowed)
        if self.runtimes.ecs > 0 and (self.ecs is None or self.network is None):
            yield Problem("runtimes.ecs", self.runtimes.ecs, "0 in a stack without `ecs` and `network`")
        if self.aws is None and self.image and self.image.build and not self.image.build.published_in:
            allowed = "with published_in in a stack without `aws`, which has no registry to push to; or `reference`"
            yield Problem("image.build", "set", allowed)

    def _observability_problems(self, observability: ObservabilitySettings) -> Iterator[Problem]:
        if observability.logs.object_storage and self.aws is None:
            yield Problem("observability.logs.object_storage", True, "false in a stack without `aws`")
        if self.environment == "prod":
            for role in ("critical", "watchdog"):
                if getattr(observability.alerting, role) is None:
                    yield Problem(
                        f"observability.alerting.{role}", None, "set in prod, where somebody must hear of alerts"
                    )

    def _backup_problems(self, backup: BackupSettings, where: AwsSettings) -> Iterator[Problem]:
        if backup.s3 is not None and backup.s3.region == where.region:
            yield Problem("backup.s3.region", backup.s3.region, f"a Region other than the stack's own ({where.region})")
        if self.environment == "prod" and (backup.s3 is None or backup.gcs is None):
            yield Problem("backup", "one cloud", "s3 and gcs in prod, so that a lost account leaves a backup")
        if self.kubernetes is not None and self.kubernetes.eks is None:
            yield Problem("backup", "set", "unset without `kubernetes.eks`, by which the jobs sign in to the clouds")
        if backup.aws_backup is not None and self.database is not None and not self.database.managed:
            yield Problem("backup.aws_backup", "set", "unset where the database is in the cluster")
        if backup.aws_backup is not None and self.database is not None and self.database.managed:
            yield from self._recovery_point_problems(backup.aws_backup, self.database)
        if backup.vault_snapshots and self.vault is None:
            yield Problem("backup.vault_snapshots", True, "false in a stack without `vault`")
        if backup.rabbitmq_definitions and not (self.messaging and self.messaging.managed):
            yield Problem("backup.rabbitmq_definitions", True, "false in a stack without `messaging` on Amazon MQ")

    def _recovery_point_problems(self, wanted: AwsBackupSettings, database: DatabaseSettings) -> Iterator[Problem]:
        """Keep AWS Backup away from what RDS does by itself, which comes first: its job fails there
        (https://repost.aws/knowledge-center/backup-coordinates-pitr).
        """
        for key in ("backup_window", "maintenance_window"):
            window = getattr(database, key)
            if minutes_apart(wanted.window, window) < APART_MINUTES:
                yield Problem(
                    "backup.aws_backup.time",
                    wanted.time,
                    f"a time that is, with the hour in which the job may begin ({wanted.window}), at least "
                    f"{APART_MINUTES} minutes away from database.{key} ({window})",
                )
                return

    def _stores(self) -> list[tuple[str, bool]]:
        """List the stores that AWS or the cluster can run, each with whether it is AWS."""
        parts = (("database", self.database), ("cache", self.cache), ("messaging", self.messaging))
        return [(section, part.managed) for section, part in parts if part is not None]

    def _missing_parts(self) -> Iterator[Problem]:
        missing: dict[str, list[str]] = {}
        in_vpc = [(section, ("network",)) for section, managed in self._stores() if managed and self.aws is not None]
        for section, needed in (*in_vpc, *NEEDS.items()):
            if getattr(self, section) is not None:
                for other in needed:
                    if getattr(self, other) is None:
                        missing.setdefault(other, []).append(f"`{section}`")
        for other, sections in missing.items():
            yield Problem(other, None, f"set where {' and '.join(sections)} {'is' if len(sections) == 1 else 'are'}")
