"""One stack's settings, whole."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field

from settings.alarms import AlarmsSettings
from settings.app import AppSettings, Runtimes
from settings.aws import AwsSettings
from settings.base import Problem, Settings
from settings.cache import CacheSettings
from settings.database import DatabaseSettings
from settings.database_proxy import DatabaseProxySettings
from settings.ecs import EcsSettings
from settings.edge import EdgeSettings
from settings.image import ImageSettings
from settings.kubernetes import KubernetesSettings
from settings.messaging import MessagingSettings
from settings.network import NetworkSettings
from settings.secrets import SecretsSettings
from settings.storage import StorageSettings

Environment = Literal["local", "dev", "prod"]
TagKey = Annotated[str, Field(min_length=1, max_length=128, pattern=r"^[A-Za-z0-9 _.:/=+@-]+$")]
TagValue = Annotated[str, Field(max_length=256, pattern=r"^[A-Za-z0-9 _.:/=+@-]*$")]

STANDARD_TAGS = ("Project", "Environment", "Stack", "Owner", "ManagedBy")
"""Tags that every taggable resource of a stack carries."""


CLOUD_SECTIONS = ("network", "database", "database_proxy", "ecs", "storage", "edge", "alarms")
"""Sections that need an AWS account."""

NEEDS = {
    "database": ("network",),
    "database_proxy": ("database",),
    "storage": ("network",),
    "app": ("image",),
    "edge": ("network", "app"),
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

    tags: dict[TagKey, TagValue] = {}
    """Further tags on every resource, such as a cost centre."""

    aws: AwsSettings | None = None
    """AWS account and Region; absent for a stack without a cloud."""

    network: NetworkSettings | None = None
    """VPC."""

    database: DatabaseSettings | None = None
    """PostgreSQL on RDS."""

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

    image: ImageSettings | None = None
    """Image of the app."""

    app: AppSettings | None = None
    """The app itself."""

    runtimes: Runtimes = Runtimes()
    """Which runtime serves which share of the requests: a fail-over is one number changed."""

    edge: EdgeSettings | None = None
    """Public load balancer, TLS, DNS and web application firewall."""

    alarms: AlarmsSettings | None = None
    """Alarms of what runs on AWS."""

    def problems(self) -> Iterator[Problem]:
        yield from self._missing_parts()
        if self.aws is None:
            for section in CLOUD_SECTIONS:
                if getattr(self, section) is not None:
                    yield Problem(section, "set", "unset in a stack without `aws`")
        if self.environment == "prod" and self.aws is not None:
            for section in ("network", "database", "edge", "alarms"):
                if getattr(self, section) is None:
                    yield Problem(section, None, "set in prod")
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
        if self.app is not None:
            yield from self._app_problems()
        for section, part in (("cache", self.cache), ("messaging", self.messaging)):
            if part is not None and part.managed and self.network is None:
                yield Problem(f"{section}.mode", "managed", "in_cluster in a stack without `network`")
        replica = self.database.backup_replica if self.database else None
        if replica is not None and self.aws is not None and replica.region == self.aws.region:
            yield Problem(
                "database.backup_replica.region",
                replica.region,
                f"a Region other than the stack's own ({self.aws.region})",
            )
        if self.environment == "prod" and self.database is not None and replica is None:
            yield Problem(
                "database.backup_replica", None, "set in prod, because a lost Region must not take its backups along"
            )
        for key in sorted(key for key in self.tags if key.lower().startswith("aws:")):
            yield Problem(f"tags.{key}", self.tags[key], "keys that do not start with aws:, which AWS keeps for itself")
        for key in sorted(set(self.tags) & set(STANDARD_TAGS)):
            yield Problem(
                f"tags.{key}",
                self.tags[key],
                f"keys other than {', '.join(STANDARD_TAGS)}, which every stack sets itself",
            )

    def _app_problems(self) -> Iterator[Problem]:
        if self.runtimes.kubernetes > 0 and self.kubernetes is None:
            yield Problem("runtimes.kubernetes", self.runtimes.kubernetes, "0 in a stack without `kubernetes`")
        if self.runtimes.ecs > 0 and (self.ecs is None or self.network is None):
            yield Problem("runtimes.ecs", self.runtimes.ecs, "0 in a stack without `ecs` and `network`")
        if self.aws is None and self.image is not None and self.image.build is not None:
            yield Problem("image.build", "set", "unset in a stack without `aws`, which has no registry to push to")

    def _missing_parts(self) -> Iterator[Problem]:
        missing: dict[str, list[str]] = {}
        for section, needed in NEEDS.items():
            if getattr(self, section) is not None:
                for other in needed:
                    if getattr(self, other) is None:
                        missing.setdefault(other, []).append(f"`{section}`")
        for other, sections in missing.items():
            yield Problem(other, None, f"set where {' and '.join(sections)} {'is' if len(sections) == 1 else 'are'}")
