"""Alarms that say that a new revision of the app does not work."""

from __future__ import annotations

import pulumi
import pulumi_aws as aws

from components.service.args import ServedBy
from settings import AppSettings

FEWEST_REQUESTS = 20
"""Requests per minute below which a share of errors means nothing: one failure of few is no trend."""


def rollback_alarms(
    name: str,
    settings: AppSettings,
    served_by: ServedBy,
    topic_arn: pulumi.Input[str] | None,
    parent: pulumi.Resource,
) -> list[aws.cloudwatch.MetricAlarm]:
    """Watch the share of errors and the slowest hundredth of requests, as the load balancer sees the app."""
    own = pulumi.ResourceOptions(parent=parent)
    dimensions = {
        "LoadBalancer": served_by.load_balancer_arn_suffix,
        "TargetGroup": served_by.target_group_arn_suffix,
    }

    def count(query: str, metric: str) -> aws.cloudwatch.MetricAlarmMetricQueryArgs:
        return aws.cloudwatch.MetricAlarmMetricQueryArgs(
            id=query,
            metric=aws.cloudwatch.MetricAlarmMetricQueryMetricArgs(
                namespace="AWS/ApplicationELB", metric_name=metric, dimensions=dimensions, period=60, stat="Sum"
            ),
        )

    errors = aws.cloudwatch.MetricAlarm(
        f"{name}-app-errors",
        alarm_description=f"The app answers {settings.rollback_error_percent} % of requests or more with 5xx",
        metric_queries=[
            aws.cloudwatch.MetricAlarmMetricQueryArgs(
                id="share",
                expression=f"IF(requests >= {FEWEST_REQUESTS}, 100 * FILL(errors, 0) / requests, 0)",
                label="Share of 5xx in per cent",
                return_data=True,
            ),
            count("errors", "HTTPCode_Target_5XX_Count"),
            count("requests", "RequestCount"),
        ],
        comparison_operator="GreaterThanOrEqualToThreshold",
        threshold=settings.rollback_error_percent,
        evaluation_periods=3,
        datapoints_to_alarm=2,
        treat_missing_data="notBreaching",
        alarm_actions=[topic_arn] if topic_arn is not None else None,
        ok_actions=[topic_arn] if topic_arn is not None else None,
        opts=own,
    )
    latency = aws.cloudwatch.MetricAlarm(
        f"{name}-app-latency",
        alarm_description=f"One request in a hundred takes {settings.rollback_latency_ms} ms or longer",
        namespace="AWS/ApplicationELB",
        metric_name="TargetResponseTime",
        dimensions=dimensions,
        extended_statistic="p99",
        # A percentile of few requests is their slowest one.
        evaluate_low_sample_count_percentiles="ignore",
        period=60,
        comparison_operator="GreaterThanOrEqualToThreshold",
        threshold=settings.rollback_latency_ms / 1000,
        evaluation_periods=3,
        datapoints_to_alarm=3,
        treat_missing_data="notBreaching",
        alarm_actions=[topic_arn] if topic_arn is not None else None,
        ok_actions=[topic_arn] if topic_arn is not None else None,
        opts=own,
    )
    return [errors, latency]
