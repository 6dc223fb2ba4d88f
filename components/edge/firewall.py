"""The web application firewall in front of the load balancer."""

from __future__ import annotations

import pulumi
import pulumi_aws as aws

from settings.edge import ManagedRuleGroup, WafSettings

SECRET_HEADERS = ("authorization", "cookie")
"""Headers that sign a client in: logs and samples show none of them."""

TOO_MANY_REQUESTS = 429
"""Status for a client over the rate limit (RFC 6585, section 4); what else is blocked gets 403."""

NOTABLE_ACTIONS = ("BLOCK", "COUNT", "EXCLUDED_AS_COUNT")
"""Actions that are recorded: `COUNT` and `EXCLUDED_AS_COUNT` are those of a rule that is on trial."""


def web_acl(name: str, settings: WafSettings, parent: pulumi.Resource) -> aws.wafv2.WebAcl:
    """Make the rules: the rate limit first, which costs an attacker most, then AWS's groups in the settings' order."""
    return aws.wafv2.WebAcl(
        f"{name}-edge",
        description="Public edge of the platform",
        scope="REGIONAL",
        default_action=aws.wafv2.WebAclDefaultActionArgs(allow=aws.wafv2.WebAclDefaultActionAllowArgs()),
        rules=[
            _rate_limit(name, settings),
            *(_managed(name, group, place, settings) for place, group in enumerate(settings.managed_rules, 1)),
        ],
        visibility_config=aws.wafv2.WebAclVisibilityConfigArgs(
            cloudwatch_metrics_enabled=True, metric_name=metric_name(name), sampled_requests_enabled=True
        ),
        # Redaction in the logging configuration alone leaves the samples as they are.
        data_protection_config=aws.wafv2.WebAclDataProtectionConfigArgs(
            data_protections=[
                aws.wafv2.WebAclDataProtectionConfigDataProtectionArgs(
                    action="SUBSTITUTION",
                    field=aws.wafv2.WebAclDataProtectionConfigDataProtectionFieldArgs(
                        field_type="SINGLE_HEADER", field_keys=list(SECRET_HEADERS)
                    ),
                ),
                aws.wafv2.WebAclDataProtectionConfigDataProtectionArgs(
                    action="SUBSTITUTION",
                    field=aws.wafv2.WebAclDataProtectionConfigDataProtectionFieldArgs(field_type="SINGLE_COOKIE"),
                ),
            ]
        ),
        opts=pulumi.ResourceOptions(parent=parent),
    )


def metric_name(name: str, rule: str = "") -> str:
    """Return what the firewall's metrics are called: CloudWatch's dimension ``WebACL``, or ``Rule`` of one rule."""
    return f"{name}-edge-{rule}" if rule else f"{name}-edge"


def _rate_limit(name: str, settings: WafSettings) -> aws.wafv2.WebAclRuleArgs:
    return aws.wafv2.WebAclRuleArgs(
        name="rate-limit",
        priority=0,
        statement=aws.wafv2.WebAclRuleStatementArgs(
            rate_based_statement=aws.wafv2.WebAclRuleStatementRateBasedStatementArgs(
                aggregate_key_type="IP",
                limit=settings.rate_limit,
                evaluation_window_sec=settings.rate_window_seconds,
            )
        ),
        action=aws.wafv2.WebAclRuleActionArgs(
            block=aws.wafv2.WebAclRuleActionBlockArgs(
                custom_response=aws.wafv2.WebAclRuleActionBlockCustomResponseArgs(response_code=TOO_MANY_REQUESTS)
            )
        ),
        visibility_config=_visible(metric_name(name, "rate-limit")),
    )


def _managed(name: str, group: ManagedRuleGroup, priority: int, settings: WafSettings) -> aws.wafv2.WebAclRuleArgs:
    counted = [
        aws.wafv2.WebAclRuleStatementManagedRuleGroupStatementRuleActionOverrideArgs(
            name=rule,
            action_to_use=aws.wafv2.WebAclRuleStatementManagedRuleGroupStatementRuleActionOverrideActionToUseArgs(
                count=aws.wafv2.WebAclRuleStatementManagedRuleGroupStatementRuleActionOverrideActionToUseCountArgs()
            ),
        )
        for rule in settings.count_rules.get(group, ())
    ]
    return aws.wafv2.WebAclRuleArgs(
        name=group,
        priority=priority,
        statement=aws.wafv2.WebAclRuleStatementArgs(
            managed_rule_group_statement=aws.wafv2.WebAclRuleStatementManagedRuleGroupStatementArgs(
                vendor_name="AWS", name=group, rule_action_overrides=counted or None
            )
        ),
        override_action=_override(counts=group in settings.count_groups),
        visibility_config=_visible(metric_name(name, group)),
    )


def _override(*, counts: bool) -> aws.wafv2.WebAclRuleOverrideActionArgs:
    if counts:
        count = aws.wafv2.WebAclRuleOverrideActionCountArgs()  # type: ignore[no-untyped-call]
        return aws.wafv2.WebAclRuleOverrideActionArgs(count=count)
    none = aws.wafv2.WebAclRuleOverrideActionNoneArgs()  # type: ignore[no-untyped-call]
    return aws.wafv2.WebAclRuleOverrideActionArgs(none=none)


def _visible(metric: str) -> aws.wafv2.WebAclRuleVisibilityConfigArgs:
    return aws.wafv2.WebAclRuleVisibilityConfigArgs(
        cloudwatch_metrics_enabled=True, metric_name=metric, sampled_requests_enabled=True
    )


def record_requests(
    name: str,
    acl: aws.wafv2.WebAcl,
    settings: WafSettings,
    key_arn: pulumi.Input[str],
    parent: pulumi.Resource,
) -> None:
    """Send the firewall's log to an encrypted log group, without what signs clients in.

    AWS WAF lets itself write there by a resource policy of its own, ``AWSWAF-LOGS``
    (https://docs.aws.amazon.com/waf/latest/developerguide/logging-cw-logs.html).
    """
    own = pulumi.ResourceOptions(parent=parent)
    log_group = aws.cloudwatch.LogGroup(
        f"{name}-edge-waf",
        # AWS WAF takes no other beginning.
        name=f"aws-waf-logs-{name}",
        retention_in_days=settings.log_retention_days,
        kms_key_id=key_arn,
        opts=own,
    )
    aws.wafv2.WebAclLoggingConfiguration(
        f"{name}-edge",
        resource_arn=acl.arn,
        log_destination_configs=[log_group.arn],
        logging_filter=None if settings.log_allowed else _notable(),
        redacted_fields=[
            aws.wafv2.WebAclLoggingConfigurationRedactedFieldArgs(
                single_header=aws.wafv2.WebAclLoggingConfigurationRedactedFieldSingleHeaderArgs(name=header)
            )
            for header in SECRET_HEADERS
        ],
        opts=own,
    )


def _notable() -> aws.wafv2.WebAclLoggingConfigurationLoggingFilterArgs:
    condition = aws.wafv2.WebAclLoggingConfigurationLoggingFilterFilterConditionArgs
    action = aws.wafv2.WebAclLoggingConfigurationLoggingFilterFilterConditionActionConditionArgs
    return aws.wafv2.WebAclLoggingConfigurationLoggingFilterArgs(
        default_behavior="DROP",
        filters=[
            aws.wafv2.WebAclLoggingConfigurationLoggingFilterFilterArgs(
                behavior="KEEP",
                requirement="MEETS_ANY",
                conditions=[condition(action_condition=action(action=notable)) for notable in NOTABLE_ACTIONS],
            )
        ],
    )
