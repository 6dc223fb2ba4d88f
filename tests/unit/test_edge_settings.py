"""What the settings of the public edge accept and refuse."""

from __future__ import annotations

import pytest

from settings.edge import EdgeSettings

CERTIFICATE_ARN = "arn:aws:acm:us-east-1:123456789012:certificate/12345678-1234-1234-1234-123456789012"
PROVEN = {"domain": "api.example.com", "hosted_zone_id": "Z0123456789"}


def test_an_edge_needs_a_certificate_or_a_zone_to_prove_one_in() -> None:
    with pytest.raises(ValueError, match=r"certificate_arn: None given, allowed: set, or hosted_zone_id"):
        EdgeSettings.model_validate({"domain": "api.example.com"})


@pytest.mark.parametrize("more", [{"hosted_zone_id": "Z0123456789"}, {"certificate_arn": CERTIFICATE_ARN}])
def test_either_a_zone_or_a_certificate_is_enough(more: dict[str, str]) -> None:
    assert EdgeSettings.model_validate({"domain": "api.example.com", **more}).names == ("api.example.com",)


def test_a_zone_beside_a_certificate_is_for_the_records() -> None:
    section = {**PROVEN, "certificate_arn": CERTIFICATE_ARN, "subject_alternative_names": ["www.example.com"]}
    assert EdgeSettings.model_validate(section).names == ("api.example.com", "www.example.com")


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("domain", "API.example.com"),
        ("domain", "example"),
        ("domain", "*.example.com"),
        ("domain", f"{'a' * 63}.example.com"),
        ("hosted_zone_id", "example.com"),
        ("certificate_arn", "arn:aws:iam::123456789012:server-certificate/old"),
        ("subject_alternative_names", ["api.example.com"]),
        ("subject_alternative_names", ["a.*.example.com"]),
        ("subject_alternative_names", [f"{letter}.example.com" for letter in "abcdefghij"]),
        ("tls_policy", "ELBSecurityPolicy-2016-08"),
        ("hsts_max_age_seconds", -1),
        ("allowed_cidrs", []),
        ("allowed_cidrs", ["2001:db8::/32"]),
        ("allowed_cidrs", ["192.0.2.1/24"]),
        ("allowed_cidrs", ["192.0.2.0/24", "192.0.2.0/24"]),
        ("hidden_paths", ["metrics"]),
        ("hidden_paths", ["/metrics/"]),
        ("hidden_paths", ["/metrics*"]),
        ("hidden_paths", ["/a" * 64]),
        ("idle_timeout_seconds", 0),
        ("desync_mitigation", "monitor"),
        ("slow_start_seconds", 29),
        ("slow_start_seconds", 60),
        ("deregistration_delay_seconds", 3601),
        ("health_check", {"interval_seconds": 5, "timeout_seconds": 5}),
        ("access_logs", {"retention_days": 0}),
        ("waf", {"managed_rules": []}),
        ("waf", {"managed_rules": ["AWSManagedRulesBotControlRuleSet"]}),
        ("waf", {"managed_rules": ["AWSManagedRulesSQLiRuleSet"] * 2}),
        ("waf", {"count_groups": ["AWSManagedRulesPHPRuleSet"]}),
        ("waf", {"count_rules": {"AWSManagedRulesPHPRuleSet": ["x"]}}),
        (
            "waf",
            {
                "count_groups": ["AWSManagedRulesSQLiRuleSet"],
                "count_rules": {"AWSManagedRulesSQLiRuleSet": ["SQLi_BODY"]},
            },
        ),
        ("waf", {"rate_limit": 9}),
        ("waf", {"rate_window_seconds": 90}),
    ],
)
def test_a_setting_that_aws_refuses_is_refused(key: str, value: object) -> None:
    with pytest.raises(ValueError, match=key):
        EdgeSettings.model_validate({**PROVEN, key: value})


def test_names_beside_a_certificate_without_a_zone_would_be_held_by_nothing() -> None:
    with pytest.raises(ValueError, match="subject_alternative_names"):
        EdgeSettings.model_validate(
            {
                "domain": "api.example.com",
                "certificate_arn": CERTIFICATE_ARN,
                "subject_alternative_names": ["www.example.com"],
            }
        )


def test_slow_start_goes_with_round_robin() -> None:
    section = {**PROVEN, "balancing": "round_robin", "slow_start_seconds": 60}
    assert EdgeSettings.model_validate(section).slow_start_seconds == 60


@pytest.mark.parametrize(("key", "value"), [("deletion_protection", False), ("access_logs", {"force_destroy": True})])
def test_production_cannot_switch_off_what_protects_the_edge(key: str, value: object) -> None:
    EdgeSettings.model_validate({**PROVEN, key: value}, context={"environment": "dev"})
    with pytest.raises(ValueError, match="in prod"):
        EdgeSettings.model_validate({**PROVEN, key: value}, context={"environment": "prod"})
