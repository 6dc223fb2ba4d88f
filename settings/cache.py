"""The cache: Valkey on Amazon ElastiCache, or in the cluster."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field

from settings.aws import LogRetentionDays
from settings.base import Problem, Settings, at_least_in_production, in_production
from settings.windows import DailyWindow, WeeklyWindow, minutes, overlap

_DAY_IN_MINUTES = 24 * 60

PLATFORM_PARAMETERS = frozenset({"maxmemory-policy", "cluster-enabled"})
"""Engine parameters that the platform sets itself."""


class ClusterCacheSettings(Settings):
    """The cache where it runs in the Kubernetes cluster."""

    memory_mib: Annotated[int, Field(ge=32, le=262_144)] = 256
    """Memory for data, in MiB; the container gets half as much again."""

    storage_gib: Annotated[int, Field(ge=1, le=16_384)] = 2
    """Volume in GiB. It grows in place, and never shrinks."""

    def problems(self) -> Iterator[Problem]:
        if self.storage_gib * 1024 < self.memory_mib * 3:
            least = -(-self.memory_mib * 3 // 1024)
            yield Problem(
                "storage_gib",
                self.storage_gib,
                f"at least {least}: three times memory_mib, for the log and its rewriting",
            )


class CacheSettings(Settings):
    """The platform's cache, which speaks the protocol of Redis 7."""

    mode: Literal["managed", "in_cluster"] = "managed"
    """Where the cache runs: on Amazon ElastiCache, or in the Kubernetes cluster. Keys about ElastiCache alone may stay
    while the cache runs in the cluster.
    """

    in_cluster: ClusterCacheSettings = ClusterCacheSettings()
    """Size of the cache in the cluster."""

    engine_version: Literal["7.2", "8.0", "8.1", "8.2", "9.0", "9.1"] = "9.1"
    """Valkey release. A higher one upgrades in place, a lower one fails: follow when ElastiCache has applied a minor
    release by itself.
    """

    node_type: Annotated[str, Field(pattern=r"^cache\.[a-z0-9]+\.[a-z0-9]+$", examples=["cache.m7g.large"])] = (
        "cache.m7g.large"
    )
    """ElastiCache node type."""

    replicas: Annotated[
        int,
        Field(ge=0, le=5),
        at_least_in_production(1, "without a replica the loss of a zone empties the cache (FSBP ElastiCache.3)"),
    ] = 1
    """Copies of the primary, 0 to 5, each in another zone as far as there are zones. With one or more, a replica takes
    over when the primary fails.
    """

    eviction: Literal[
        "allkeys-lfu",
        "allkeys-lru",
        "allkeys-random",
        "noeviction",
        "volatile-lfu",
        "volatile-lru",
        "volatile-random",
        "volatile-ttl",
    ] = "allkeys-lru"
    """What gives way when memory is full (``maxmemory-policy``)."""

    parameters: dict[Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]+$")], str] = {}
    """Further engine parameters, by name, such as ``notify-keyspace-events``."""

    password_version: Annotated[int, Field(ge=1)] = 1
    """Which password is in use; the next higher number makes a new one, and the one before it stays valid. Never skip
    one.
    """

    snapshot_retention_days: Annotated[
        int, Field(ge=0, le=35), at_least_in_production(1, "backups are on (FSBP ElastiCache.1)")
    ] = 7
    """Days that the daily snapshot is kept, 0 (none is taken) to 35."""

    snapshot_window: DailyWindow = "03:00-04:00"
    """Daily window in UTC for the snapshot, at least 60 minutes."""

    final_snapshot: Annotated[bool, in_production(True, "what a deleted cache held must be recoverable")] = True
    """Take a snapshot when the cache is deleted."""

    maintenance_window: WeeklyWindow = "sun:06:00-sun:07:00"
    """Weekly window in UTC for maintenance, at least 60 minutes, apart from `snapshot_window`."""

    apply_immediately: bool = False
    """Apply changes at once, with the fail-over that some need, instead of in the maintenance window."""

    log_retention_days: LogRetentionDays = 90
    """Days that CloudWatch keeps the slow log and the engine log."""

    @property
    def managed(self) -> bool:
        """Whether the cache runs on ElastiCache."""
        return self.mode == "managed"

    def problems(self) -> Iterator[Problem]:
        if self.node_type.startswith("cache.r6gd."):
            yield Problem("node_type", self.node_type, "a family other than r6gd, which tiers data to disk")
        if minutes(self.snapshot_window) < 60:
            yield Problem("snapshot_window", self.snapshot_window, "a window of at least 60 minutes")
        if not 60 <= minutes(self.maintenance_window) < _DAY_IN_MINUTES:
            yield Problem(
                "maintenance_window", self.maintenance_window, "a window of at least 60 minutes and less than a day"
            )
        if overlap(self.snapshot_window, self.maintenance_window):
            yield Problem(
                "maintenance_window",
                self.maintenance_window,
                f"a window that does not meet snapshot_window ({self.snapshot_window} daily)",
            )
        for parameter in sorted(PLATFORM_PARAMETERS & set(self.parameters)):
            yield Problem(
                f"parameters.{parameter}",
                self.parameters[parameter],
                "parameters that the platform does not set itself (`eviction` is maxmemory-policy)",
            )
