"""The platform's public edge: load balancer, TLS, DNS and web application firewall."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Network
from typing import Annotated, Literal

from pydantic import Field

from settings.aws import LogRetentionDays
from settings.base import NUMBER, Problem, Settings, in_production

_LABEL = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"

DomainName = Annotated[
    str, Field(pattern=rf"^{_LABEL}(\.{_LABEL})+$", max_length=64, examples=["api.auterity.example.com"])
]
"""A full host name in lower case; 64 characters are the limit of a certificate's first name (ACM user guide,
'Certificate characteristics').
"""

AlternativeName = Annotated[str, Field(pattern=rf"^(\*\.)?{_LABEL}(\.{_LABEL})+$", max_length=253)]
"""A further host name of a certificate; ``*.`` in front stands for one label."""

ManagedRuleGroup = Literal[
    "AWSManagedRulesAdminProtectionRuleSet",
    "AWSManagedRulesAmazonIpReputationList",
    "AWSManagedRulesAnonymousIpList",
    "AWSManagedRulesCommonRuleSet",
    "AWSManagedRulesKnownBadInputsRuleSet",
    "AWSManagedRulesLinuxRuleSet",
    "AWSManagedRulesPHPRuleSet",
    "AWSManagedRulesSQLiRuleSet",
    "AWSManagedRulesUnixRuleSet",
    "AWSManagedRulesWindowsRuleSet",
    "AWSManagedRulesWordPressRuleSet",
]
"""Rule groups that AWS maintains at no extra price (AWS WAF developer guide, 'AWS Managed Rules rule groups list')."""

HiddenPath = Annotated[str, Field(pattern=r"^(/[A-Za-z0-9_.-]+)+$", examples=["/metrics"])]
"""A path with a slash in front and none at the end."""

LONGEST_PATTERN = 128
"""Characters of a listener rule's regular expression (Elastic Load Balancing API, PathPatternConditionConfig)."""


def hidden_pattern(paths: tuple[str, ...]) -> str:
    """Write the regular expression of the paths and all below them, also behind doubled slashes."""
    alternatives = "|".join(path[1:].replace(".", r"\.") for path in paths)
    return rf"^/+({alternatives})(/.*)?$"


class HealthCheckSettings(Settings):
    """When a target counts as healthy; where it is asked is the target's own matter."""

    interval_seconds: Annotated[int, Field(ge=5, le=300)] = 10
    """Seconds between two checks of a target, 5 to 300."""

    timeout_seconds: Annotated[int, Field(ge=2, le=120)] = 5
    """Seconds after which an answer that did not come is a failed check, 2 to 120; less than `interval_seconds`."""

    healthy_threshold: Annotated[int, Field(ge=2, le=10)] = 2
    """Good checks in a row that make a target healthy, 2 to 10."""

    unhealthy_threshold: Annotated[int, Field(ge=2, le=10)] = 3
    """Failed checks in a row that make a target unhealthy, 2 to 10."""

    @property
    def notice_seconds(self) -> int:
        """Seconds after which a check of a target that comes or goes has ended: a new one needs a single good check
        (Elastic Load Balancing guide, 'Health checks for your target groups').
        """
        return self.interval_seconds + self.timeout_seconds

    def problems(self) -> Iterator[Problem]:
        if self.timeout_seconds >= self.interval_seconds:
            yield Problem(
                "timeout_seconds", self.timeout_seconds, f"less than interval_seconds ({self.interval_seconds})"
            )


class AccessLogSettings(Settings):
    """The load balancer's record of every request and every connection, in a bucket."""

    retention_days: Annotated[int, Field(ge=1, le=3650)] = 365
    """Days that records are kept."""

    force_destroy: Annotated[bool, in_production(False, "the record of who asked for what outlives the edge")] = False
    """Delete the records together with the edge; else a bucket that holds records cannot be deleted."""


class WafSettings(Settings):
    """The web application firewall in front of the load balancer."""

    managed_rules: tuple[ManagedRuleGroup, ...] = (
        "AWSManagedRulesAmazonIpReputationList",
        "AWSManagedRulesCommonRuleSet",
        "AWSManagedRulesKnownBadInputsRuleSet",
        "AWSManagedRulesSQLiRuleSet",
    )
    """Rule groups of AWS that a request is held against, in this order."""

    count_groups: tuple[ManagedRuleGroup, ...] = ()
    """Those of `managed_rules` that only count what they would block, to try them on real traffic."""

    count_rules: dict[
        ManagedRuleGroup, tuple[Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]+$", max_length=128)], ...]
    ] = {}
    """Single rules of a group that only count, by group, such as ``SizeRestrictions_BODY`` of
    ``AWSManagedRulesCommonRuleSet``, which blocks bodies over 8 KB.
    """

    rate_limit: Annotated[int, Field(ge=10, le=2_000_000_000)] = 2000
    """Requests of one client address within `rate_window_seconds`; more are answered with 429 until it asks less. The
    default is that of AWS's blanket rule (AWS Security Blog, 'The three most important AWS WAF rate-based rules').
    """

    rate_window_seconds: Annotated[Literal[60, 120, 300, 600], NUMBER] = 300
    """Seconds over which requests are counted."""

    log_allowed: bool = False
    """Record allowed requests too; the access logs hold them already."""

    log_retention_days: LogRetentionDays = 90
    """Days that CloudWatch keeps the firewall's log."""

    def problems(self) -> Iterator[Problem]:
        if not self.managed_rules:
            yield Problem("managed_rules", [], "at least one rule group")
        if len(set(self.managed_rules)) < len(self.managed_rules):
            yield Problem("managed_rules", list(self.managed_rules), "each rule group once")
        used = ", ".join(self.managed_rules)
        for group in sorted(set(self.count_groups) - set(self.managed_rules)):
            yield Problem("count_groups", group, f"rule groups of managed_rules ({used})")
        for group, rules in sorted(self.count_rules.items()):
            if group not in self.managed_rules:
                yield Problem(f"count_rules.{group}", list(rules), f"rule groups of managed_rules ({used})")
            elif group in self.count_groups:
                yield Problem(f"count_rules.{group}", list(rules), "groups that count_groups does not name as a whole")


class EdgeSettings(Settings):
    """How the platform meets the internet."""

    domain: DomainName
    """Host name under which clients reach the platform."""

    subject_alternative_names: Annotated[tuple[AlternativeName, ...], Field(max_length=9)] = ()
    """Further host names, in the same hosted zone: of the certificate (ten with `domain`, ACM's quota) and in DNS."""

    hosted_zone_id: Annotated[str, Field(pattern=r"^Z[A-Z0-9]{1,31}$", examples=["Z0123456789ABCDEFGHIJ"])] | None = (
        None
    )
    """Route 53 hosted zone that holds the names: it gets their records, and those that prove them to ACM. Unset where
    DNS is somebody else's, who then points `domain` to the load balancer.
    """

    certificate_arn: (
        Annotated[
            str,
            Field(
                pattern=r"^arn:aws(-[a-z]+)*:acm:[a-z0-9-]+:[0-9]{12}:certificate/[0-9a-f-]{36}$",
                examples=["arn:aws:acm:us-east-1:123456789012:certificate/12345678-1234-1234-1234-123456789012"],
            ),
        ]
        | None
    ) = None
    """Issued certificate of `domain` in the stack's Region; unset: one is requested and proven in `hosted_zone_id`."""

    tls_policy: Literal[
        "ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09",
        "ELBSecurityPolicy-TLS13-1-3-PQ-2025-09",
        "ELBSecurityPolicy-TLS13-1-2-Res-2021-06",
        "ELBSecurityPolicy-TLS13-1-3-2021-06",
    ] = "ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09"
    """TLS versions and ciphers: 1.2 and 1.3, or 1.3 alone; with (``PQ``) or without post-quantum key exchange. All have
    forward secrecy. The default is what AWS recommends (Elastic Load Balancing guide, 'Security policies').
    """

    hsts_max_age_seconds: Annotated[int, Field(ge=0, le=63_072_000)] = 31_536_000
    """Seconds for which browsers refuse plain HTTP to `domain` (RFC 6797); 0 makes them forget it."""

    allowed_cidrs: Annotated[tuple[IPv4Network, ...], Field(min_length=1, max_length=30)] = (IPv4Network("0.0.0.0/0"),)
    """Client addresses, as IPv4 blocks. At most 30: each takes two of a security group's 60 rules (VPC quotas)."""

    hidden_paths: tuple[HiddenPath, ...] = ("/metrics", "/readyz")
    """Paths that clients get 404 for, with all below them: they are for the platform itself."""

    idle_timeout_seconds: Annotated[int, Field(ge=1, le=4000)] = 60
    """Seconds after which an idle connection is closed, 1 to 4000. Targets must keep theirs open for longer: one that
    closes first turns a request that is on its way into a 502.
    """

    desync_mitigation: Literal["defensive", "strictest"] = "defensive"
    """What becomes of requests that two servers could read in two ways (HTTP desync): let through on a connection of
    their own, or refused (FSBP ELB.12).
    """

    balancing: Literal["least_outstanding_requests", "round_robin"] = "least_outstanding_requests"
    """Which target gets the next request."""

    slow_start_seconds: Annotated[int, Field(ge=0, le=900)] = 0
    """Seconds over which a new target comes up to its full share, 30 to 900, with ``round_robin`` alone; 0: at once."""

    deregistration_delay_seconds: Annotated[int, Field(ge=0, le=3600)] = 60
    """Seconds that a target which goes may take for the requests it has."""

    health_check: HealthCheckSettings = HealthCheckSettings()
    """When a target counts as healthy."""

    access_logs: AccessLogSettings = AccessLogSettings()
    """Record of requests and connections."""

    waf: WafSettings = WafSettings()
    """Web application firewall."""

    deletion_protection: Annotated[
        bool, in_production(True, "a deleted load balancer takes the platform off the internet (FSBP ELB.6)")
    ] = True
    """Refuse to delete the load balancer."""

    @property
    def names(self) -> tuple[str, ...]:
        """All host names, `domain` first, each once."""
        return tuple(dict.fromkeys((self.domain, *self.subject_alternative_names)))

    def problems(self) -> Iterator[Problem]:
        if self.certificate_arn is None and self.hosted_zone_id is None:
            yield Problem(
                "certificate_arn", None, "set, or hosted_zone_id, in which a new certificate is proven: TLS is a must"
            )
        if self.subject_alternative_names and self.certificate_arn is not None and self.hosted_zone_id is None:
            yield Problem(
                "subject_alternative_names",
                list(self.subject_alternative_names),
                "unset beside certificate_arn without hosted_zone_id: neither certificate nor DNS would hold them",
            )
        if len(self.names) < 1 + len(self.subject_alternative_names):
            yield Problem(
                "subject_alternative_names",
                list(self.subject_alternative_names),
                f"each name once, without domain ({self.domain})",
            )
        for block in sorted({block for block in self.allowed_cidrs if self.allowed_cidrs.count(block) > 1}):
            yield Problem("allowed_cidrs", str(block), "each block once")
        if self.hidden_paths and len(hidden_pattern(self.hidden_paths)) > LONGEST_PATTERN:
            yield Problem(
                "hidden_paths",
                list(self.hidden_paths),
                f"paths whose regular expression has at most {LONGEST_PATTERN} characters "
                f"(these: {len(hidden_pattern(self.hidden_paths))})",
            )
        if self.slow_start_seconds and self.slow_start_seconds < 30:
            yield Problem("slow_start_seconds", self.slow_start_seconds, "0, or 30 to 900")
        if self.slow_start_seconds and self.balancing != "round_robin":
            yield Problem("slow_start_seconds", self.slow_start_seconds, f"0 with balancing {self.balancing}")
