"""Who hears of alarms, and from which figures on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field

from settings.base import Problem, Settings

Percent = Annotated[int, Field(ge=1, le=100)]


class Subscription(Settings):
    """Somebody who hears of every alarm."""

    protocol: Literal["email", "https"]
    """How SNS tells them. An e-mail address is asked for confirmation first; an ``https`` endpoint confirms itself."""

    endpoint: Annotated[str, Field(min_length=3, max_length=2048)]
    """E-mail address, or URL without a secret in it: this file and the state would show it."""

    def problems(self) -> Iterator[Problem]:
        fits = "@" in self.endpoint if self.protocol == "email" else self.endpoint.startswith("https://")
        if not fits:
            wanted = "an e-mail address" if self.protocol == "email" else "a URL that begins with https://"
            yield Problem("endpoint", self.endpoint, f"{wanted} beside protocol {self.protocol}")


class AlarmsSettings(Settings):
    """Alarms of what runs on AWS, all to one topic."""

    subscriptions: dict[Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,31}$")], Subscription] = {}
    """Who hears of alarms: a name of your own to how they are told."""

    database_cpu_percent: Percent = 90
    """CPU use of the database over 15 minutes."""

    database_free_storage_percent: Percent = 10
    """Free part of the storage that the database was given; storage grows by itself before that."""

    database_free_memory_mib: Annotated[int, Field(ge=1)] = 256
    """Free memory of the database in MiB."""

    database_connections: Annotated[int, Field(ge=1, le=262_143)] = 300
    """Open connections. PostgreSQL on RDS admits memory / 9531392 bytes of them: 405 on 4 GiB, 1706 on 16 GiB."""

    database_latency_ms: Annotated[int, Field(ge=1)] = 20
    """Average time of a read or a write of the database's disk, in milliseconds."""

    database_transaction_ids: Annotated[int, Field(ge=200_000_000, le=2_000_000_000)] = 1_000_000_000
    """Transaction ids in use since the oldest row that was not frozen. PostgreSQL refuses writes near 2,147 million,
    and vacuums by itself from 200 million on (``autovacuum_freeze_max_age``).
    """

    database_cpu_credits: Annotated[int, Field(ge=1)] = 30
    """CPU credits left to a database of a burstable class (``db.t…``); without any, further use is charged."""

    database_proxy_borrow_ms: Annotated[int, Field(ge=1)] = 100
    """Average time, in milliseconds, that a client waits for a connection of the pool."""

    cache_cpu_percent: Percent = 90
    """CPU use of the cache's engine, which has one thread for commands."""

    cache_memory_percent: Percent = 90
    """Part of a cache node's memory that is in use."""

    cache_evictions: Annotated[int, Field(ge=1)] = 1000
    """Keys that a cache node drops within 5 minutes to make room."""

    cache_replication_lag_seconds: Annotated[int, Field(ge=1)] = 10
    """Seconds that a replica of the cache is behind: what a fail-over loses."""

    queue_cpu_percent: Percent = 90
    """CPU use of the broker over 15 minutes."""

    queue_messages: Annotated[int, Field(ge=1)] = 10_000
    """Messages that wait in all queues."""

    edge_error_percent: Percent = 1
    """Part of all requests that is answered with 5xx."""

    edge_latency_ms: Annotated[int, Field(ge=1)] = 1000
    """99th percentile of the time that the app takes to answer, in milliseconds."""

    app_memory_percent: Percent = 90
    """Part of their memory that the app's tasks use."""

    certificate_days: Annotated[int, Field(ge=1, le=45)] = 30
    """Days before a certificate ends; ACM renews its own 60 days before (ACM user guide, 'Managed renewal')."""
