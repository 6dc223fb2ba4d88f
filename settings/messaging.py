"""The message broker: RabbitMQ on Amazon MQ, or in the cluster."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field

from settings.base import NUMBER, Problem, Settings, at_least_in_production, in_production
from settings.windows import MomentOfWeek


class ClusterQueueSettings(Settings):
    """The broker where it runs in the Kubernetes cluster."""

    nodes: Annotated[Literal[1, 3], NUMBER, at_least_in_production(3, "a quorum queue of one node is lost with it")] = 3
    """Nodes: three, of which one may be lost, or one."""

    memory_mib: Annotated[int, Field(ge=256, le=262_144)] = 1024
    """Memory of a node in MiB; publishers wait once 60 % of it are taken."""

    cpu_request_millis: Annotated[int, Field(ge=50, le=64_000)] = 250
    """CPU kept free for a node, in milli-CPU."""

    storage_gib: Annotated[int, Field(ge=1, le=16_384)] = 10
    """Volume of a node in GiB. It grows in place, and never shrinks."""


class MessagingSettings(Settings):
    """The platform's RabbitMQ."""

    mode: Literal["managed", "in_cluster"] = "managed"
    """Where the broker runs: on Amazon MQ, or in the Kubernetes cluster. Keys about Amazon MQ alone may stay while the
    broker runs in the cluster.
    """

    in_cluster: ClusterQueueSettings = ClusterQueueSettings()
    """Size of the broker in the cluster."""

    engine_version: Annotated[str, Field(pattern=r"^4\.[0-9]+$", examples=["4.2"])] = "4.2"
    """RabbitMQ release, major and minor; Amazon MQ applies patches itself in the maintenance window."""

    deployment: Annotated[
        Literal["single", "cluster"],
        in_production("cluster", "the loss of one zone would stop every queue (FSBP MQ.6)"),
    ] = "cluster"
    """One node, or three in three zones. Changing it replaces the broker."""

    instance_type: Literal[
        "mq.m7g.medium",
        "mq.m7g.large",
        "mq.m7g.xlarge",
        "mq.m7g.2xl",
        "mq.m7g.4xl",
        "mq.m7g.8xl",
        "mq.m7g.12xl",
        "mq.m7g.16xl",
    ] = "mq.m7g.large"
    """Amazon MQ instance type; RabbitMQ 4 runs on m7g alone (Amazon MQ developer guide, 'RabbitMQ 4')."""

    consumer_timeout_ms: Annotated[int, Field(ge=0, le=2_147_483_647)] = 1_800_000
    """Milliseconds after which a delivery that was not acknowledged closes its channel; 0 for never."""

    heartbeat_seconds: Annotated[int, Field(ge=60, le=3600)] = 60
    """Seconds of silence after which a connection counts as lost, 60 to 3600."""

    password_version: Annotated[int, Field(ge=1)] = 1
    """Which password the administrator has; the next higher number makes a new one. On Amazon MQ people then set it in
    the broker. In the cluster it is the app's: the broker takes it over, and the one before it stays valid.
    """

    app_password_version: Annotated[int, Field(ge=1)] = 1
    """Which password the app has on Amazon MQ; the next higher number makes a new one, for a user of its own, and the
    one before it stays valid: so go up by one, and wait for the app's pods in between.
    """

    maintenance_start: MomentOfWeek = "sun:07:00"
    """When the weekly maintenance window of two hours begins, in UTC."""

    apply_immediately: bool = False
    """Restart the broker for a change at once, instead of in the maintenance window."""

    deletion_protection: Annotated[
        bool, in_production(True, "a deleted broker takes its messages along: Amazon MQ keeps no backup")
    ] = True
    """Mark the broker as protected in Pulumi; Amazon MQ has no protection of its own."""

    @property
    def managed(self) -> bool:
        """Whether the broker runs on Amazon MQ."""
        return self.mode == "managed"

    def problems(self) -> Iterator[Problem]:
        if self.deployment == "cluster" and self.instance_type == "mq.m7g.medium":
            yield Problem(
                "instance_type",
                self.instance_type,
                "mq.m7g.large or larger in a cluster; mq.m7g.medium is meant for tests of a single broker",
            )
