"""What watches the platform: objectives, metrics, alerts, logs and dashboards."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import Field

from settings.base import NUMBER, Problem, Settings, at_least_in_production

ReceiverName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,31}$")]
SecretName = Annotated[str, Field(pattern=r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$")]
HttpsUrl = Annotated[str, Field(pattern=r"^https?://[^\s@]+$", max_length=2048)]
Gibibytes = Annotated[int, Field(ge=1, le=16_384)]

BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
"""Upper bounds of the app's histogram of request durations, in seconds: it can answer about no others."""

KIB_PER_SERIES = 8
"""Memory of Prometheus for one series, in KiB, with two hours of its samples and what queries need
(measured: docs/components/observability.md).
"""

PROMETHEUS_BASE_MIB = 192
"""Memory of Prometheus that does not grow with the number of series, in MiB."""


def port_of(url: str) -> int:
    """Return the TCP port that a URL leads to."""
    parts = urlsplit(url)
    return parts.port or (443 if parts.scheme == "https" else 80)


class ObjectivesSettings(Settings):
    """What the request path promises over 30 days."""

    availability_percent: Annotated[float, Field(ge=90, lt=100)] = 99.9
    """Share of requests that are answered without an error of the server."""

    latency_percent: Annotated[float, Field(ge=50, lt=100)] = 99.0
    """Share of requests that are answered within `latency_seconds`."""

    latency_seconds: float = 0.5
    """What is fast enough, in seconds: a bound of the app's histogram."""

    def problems(self) -> Iterator[Problem]:
        if self.latency_seconds not in BUCKETS:
            yield Problem("latency_seconds", self.latency_seconds, f"one of {', '.join(f'{b:g}' for b in BUCKETS)}")


class RemoteWriteSettings(Settings):
    """Where Prometheus sends every sample, too: a store that keeps them for longer."""

    url: HttpsUrl
    """Address of the receiver, without a secret in it."""

    username: Annotated[str, Field(min_length=1, max_length=128)] | None = None
    """Who signs in, with the password ``remote-write`` of `alerting.secret`; nobody by default."""

    @property
    def port(self) -> int:
        """TCP port of the receiver."""
        return port_of(self.url)


class MetricsSettings(Settings):
    """Prometheus."""

    copies: Annotated[
        Literal[1, 2], NUMBER, at_least_in_production(2, "nobody is told of anything while the only one is moved")
    ] = 2
    """Servers, each of which watches everything by itself."""

    series: Annotated[int, Field(ge=5_000, le=10_000_000)] = 50_000
    """Most series that are kept in memory; memory is measured out for so many."""

    retention_days: Annotated[int, Field(ge=1, le=3_650)] = 15
    """Days that samples are kept, unless the volume is full before."""

    storage_gib: Gibibytes = 20
    """Volume of a server in GiB; four fifths of it are for samples. It grows in place, and never shrinks."""

    remote_write: RemoteWriteSettings | None = None
    """Where samples go, too."""

    @property
    def memory_mib(self) -> int:
        """Memory of a server in MiB."""
        return PROMETHEUS_BASE_MIB + self.series * KIB_PER_SERIES // 1024


class ReceiverSettings(Settings):
    """Somebody who hears of alerts, by exactly one way. What is secret of it is in `alerting.secret`."""

    webhook: HttpsUrl | Literal["secret"] | None = None
    """URL that alerts are posted to; ``secret`` where it holds a token."""

    email: Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+$")] | None = None
    """Address that gets mail by `alerting.mail`."""

    slack: Annotated[str, Field(pattern=r"^#[a-z0-9_-]{1,79}$")] | None = None
    """Channel; the webhook of the workspace is secret."""

    pagerduty: Literal["secret"] | None = None
    """The routing key of a service is secret."""

    def ways(self) -> list[str]:
        """List the ways that are set."""
        return [way for way in ("webhook", "email", "slack", "pagerduty") if getattr(self, way) is not None]

    @property
    def needs_secret(self) -> bool:
        """Whether something of it is secret."""
        return self.slack is not None or "secret" in (self.webhook, self.pagerduty)

    def problems(self) -> Iterator[Problem]:
        if len(self.ways()) != 1:
            yield Problem("", self.ways(), "exactly one of webhook, email, slack, pagerduty")


class MailSettings(Settings):
    """The server that sends mail, by TLS."""

    server: Annotated[str, Field(pattern=r"^[a-zA-Z0-9.-]+:[0-9]{1,5}$")]
    """Host and TCP port, such as ``smtp.example.com:587``."""

    sender: Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+$")]
    """Address that mail is from."""

    username: Annotated[str, Field(min_length=1, max_length=128)] | None = None
    """Who signs in, with the password ``mail`` of `alerting.secret`; nobody by default."""


class AlertingSettings(Settings):
    """Alertmanager: who hears of what."""

    copies: Annotated[
        Literal[1, 2, 3], NUMBER, at_least_in_production(2, "an alert must get out while the only one is moved")
    ] = 2
    """Members of the cluster, who tell each other what has been sent."""

    receivers: dict[ReceiverName, ReceiverSettings] = {}
    """Who hears of alerts: a name of your own to the way."""

    critical: ReceiverName | None = None
    """Receiver of what cannot wait until the morning."""

    warning: ReceiverName | None = None
    """Receiver of what can."""

    watchdog: ReceiverName | None = None
    """Receiver that has to hear from Alertmanager every few minutes and raises the alarm if it does not."""

    mail: MailSettings | None = None
    """Server for receivers by e-mail."""

    secret: SecretName | None = None
    """Secret of the namespace ``auterity-observability`` that people make: a receiver's name, ``mail`` or
    ``remote-write`` to what is secret of it.
    """

    def ports(self) -> list[int]:
        """List the TCP ports by which receivers are reached."""
        found = {443} if any(receiver.needs_secret for receiver in self.receivers.values()) else set()
        urls = [r.webhook for r in self.receivers.values() if r.webhook and r.webhook != "secret"]
        found |= {port_of(url) for url in urls}
        return sorted(found | ({int(self.mail.server.rpartition(":")[2])} if self.mail else set()))

    def problems(self) -> Iterator[Problem]:
        for role in ("critical", "warning", "watchdog"):
            name = getattr(self, role)
            if name is not None and name not in self.receivers:
                yield Problem(
                    role, name, f"a name in receivers ({', '.join(sorted(self.receivers)) or 'none is there'})"
                )
        if self.watchdog is not None and self.watchdog in (self.critical, self.warning):
            yield Problem("watchdog", self.watchdog, "a receiver of its own, which takes silence for the alarm")
        used = {self.critical, self.warning, self.watchdog}
        for name in sorted(set(self.receivers) - used):
            yield Problem(f"receivers.{name}", "unused", "receivers that critical, warning or watchdog names")
        if any(receiver.email for receiver in self.receivers.values()) and self.mail is None:
            yield Problem("mail", None, "set where a receiver has `email`")
        secrets = any(receiver.needs_secret for receiver in self.receivers.values())
        if (secrets or (self.mail and self.mail.username)) and self.secret is None:
            yield Problem("secret", None, "the name of a Secret, since something of a receiver or of mail is secret")


class LogsSettings(Settings):
    """Loki, and the collectors that send to it."""

    copies: Annotated[Literal[1, 3, 5], NUMBER] = 1
    """Servers; more than one share their data by object storage and need `object_storage`."""

    replication: Annotated[Literal[1, 2, 3], NUMBER] = 1
    """Servers that hold each line until it is in storage."""

    object_storage: bool = False
    """Keep logs in an S3 bucket of their own instead of on the servers' volumes; needs `aws`."""

    retention_days: Annotated[int, Field(ge=1, le=3_650)] = 30
    """Days that lines are kept."""

    force_destroy: bool = False
    """Let the deletion of the stack delete the logs in `object_storage`."""

    tenant: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,62}$")] = "auterity"
    """Tenant as whom the collectors write and Grafana reads; others see nothing of it."""

    memory_mib: Annotated[int, Field(ge=256, le=262_144)] = 1024
    """Memory of a server in MiB."""

    storage_gib: Gibibytes = 20
    """Volume of a server in GiB: its log of what is not in storage yet, and everything without `object_storage`."""

    megabytes_per_second: Annotated[int, Field(ge=1, le=1000)] = 8
    """Most that all collectors together may send, in MB/s; more is refused and sent again later."""

    def problems(self) -> Iterator[Problem]:
        if self.copies > 1 and not self.object_storage:
            yield Problem("object_storage", False, "true with more than one copy, which share their data by it")
        if self.replication > self.copies:
            yield Problem("replication", self.replication, f"at most copies ({self.copies})")
        if self.copies > 1 and self.replication == 2:
            yield Problem("replication", 2, "1 or 3: of two, both have to answer")


class DashboardsSettings(Settings):
    """Grafana."""

    memory_mib: Annotated[int, Field(ge=128, le=65_536)] = 512
    """Memory in MiB."""

    password_version: Annotated[int, Field(ge=1)] = 1
    """Which password of the administrator is in use; the next higher number makes a new one."""


class ObservabilitySettings(Settings):
    """Prometheus, Alertmanager, Loki and Grafana, in the cluster, over everything that the stack deploys there."""

    objectives: ObjectivesSettings = ObjectivesSettings()
    """What the request path promises."""

    metrics: MetricsSettings = MetricsSettings()
    """Prometheus: how much it watches, and for how long it remembers."""

    alerting: AlertingSettings = AlertingSettings()
    """Alertmanager, and who hears of what."""

    logs: LogsSettings = LogsSettings()
    """Loki and the collectors."""

    dashboards: DashboardsSettings = DashboardsSettings()
    """Grafana, which shows it all."""

    runbooks: HttpsUrl = "https://github.com/auterity/infrastructure/blob/main/docs/runbooks"
    """Address of the directory with the runbooks, to which alerts link."""

    def problems(self) -> Iterator[Problem]:
        writes = self.metrics.remote_write
        if writes is not None and writes.username is not None and self.alerting.secret is None:
            yield Problem("alerting.secret", None, "the name of a Secret with `remote-write`, the password")
