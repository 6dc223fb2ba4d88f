"""RDS Proxy: one pool of connections for many clients."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from pydantic import Field

from settings.aws import LogRetentionDays
from settings.base import Problem, Settings


class DatabaseProxySettings(Settings):
    """RDS Proxy in front of the database."""

    max_connections_percent: Annotated[int, Field(ge=1, le=100)] = 90
    """Part of the database's connections that the proxy may open; the rest is left for operators."""

    max_idle_connections_percent: Annotated[int, Field(ge=0, le=100)] = 50
    """Part of the database's connections that the proxy keeps open while nobody uses them."""

    borrow_timeout_seconds: Annotated[int, Field(ge=0, le=300)] = 10
    """Seconds that a client waits for a connection when all are in use."""

    idle_client_seconds: Annotated[int, Field(ge=1, le=28_800)] = 1800
    """Seconds after which the connection of a silent client is closed."""

    let_master_in: bool = False
    """Let the master user through, too: for the deployment by which a released app moves to a role of its own, and
    not after it.
    """

    log_retention_days: LogRetentionDays = 90
    """Days that CloudWatch keeps the proxy's log."""

    def problems(self) -> Iterator[Problem]:
        if self.max_idle_connections_percent > self.max_connections_percent:
            yield Problem(
                "max_idle_connections_percent",
                self.max_idle_connections_percent,
                f"at most max_connections_percent ({self.max_connections_percent})",
            )
