"""Alarms and their dashboard, made of the same data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

import pulumi
import pulumi_aws as aws
from pulumi_aws.cloudwatch import MetricAlarmMetricQueryArgs as Query
from pulumi_aws.cloudwatch import MetricAlarmMetricQueryMetricArgs as QueryMetric

from components.account import AwsAccount
from components.alarms.alarm import Alarm, Metric

DATABASE_EVENTS = ("availability", "deletion", "failover", "failure", "low storage", "recovery")
"""What RDS tells of an instance (RDS user guide, 'Amazon RDS event categories'); the rest is routine."""

WIDTH, HEIGHT, ACROSS = 8, 6, 3
"""Size of a graph in the dashboard's grid of 24 columns, and graphs in a row."""


@dataclass(frozen=True)
class AlarmsArgs:
    """What to watch and who hears of it.

    Attributes:
        account: the account it lives in.
        topic_arn: SNS topic of all alarms.
        watched: the alarms; no two of one key.
        database_identifier: RDS instance whose events are told too; None for no instance.
    """

    account: AwsAccount
    topic_arn: pulumi.Input[str]
    watched: Sequence[Alarm]
    database_identifier: pulumi.Input[str] | None = None


class Alarms(pulumi.ComponentResource):
    """CloudWatch alarms that tell one topic when they begin and when they end, and a dashboard that shows them all."""

    alarm_names: dict[str, pulumi.Output[str]]
    """Key of an alarm to its name in CloudWatch."""

    dashboard_name: pulumi.Output[str]
    """Name of the dashboard."""

    def __init__(self, name: str, args: AlarmsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("auterity:alarms:Alarms", name, None, opts)
        self.alarm_names = {alarm.key: self._alarm(name, alarm, args.topic_arn).name for alarm in args.watched}
        if args.database_identifier is not None:
            aws.rds.EventSubscription(
                f"{name}-database",
                sns_topic=args.topic_arn,
                source_type="db-instance",
                source_ids=[args.database_identifier],
                event_categories=list(DATABASE_EVENTS),
                opts=pulumi.ResourceOptions(parent=self),
            )
        dashboard = aws.cloudwatch.Dashboard(
            name,
            dashboard_name=name,
            dashboard_body=pulumi.Output.json_dumps({"widgets": widgets(args.watched, args.account.region)}),
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.dashboard_name = dashboard.dashboard_name
        self.register_outputs({"alarm_names": self.alarm_names, "dashboard_name": self.dashboard_name})

    def _alarm(self, name: str, alarm: Alarm, topic_arn: pulumi.Input[str]) -> aws.cloudwatch.MetricAlarm:
        queries = [_query(id, metric, alarm) for id, metric in alarm.metrics.items()]
        if alarm.expression is not None:
            queries.insert(0, Query(id="watched", expression=alarm.expression, label=alarm.key, return_data=True))
        return aws.cloudwatch.MetricAlarm(
            f"{name}-{alarm.key}",
            alarm_description=alarm.says,
            metric_queries=queries,
            comparison_operator=alarm.operator,
            threshold=alarm.threshold,
            evaluation_periods=alarm.of,
            datapoints_to_alarm=alarm.points,
            treat_missing_data=alarm.missing,
            alarm_actions=[topic_arn],
            ok_actions=[topic_arn],
            opts=pulumi.ResourceOptions(parent=self),
        )


def _query(id: str, metric: Metric, alarm: Alarm) -> Query:
    return Query(
        id=id,
        return_data=alarm.expression is None,
        metric=QueryMetric(
            namespace=metric.namespace,
            metric_name=metric.name,
            dimensions=metric.dimensions,
            stat=metric.statistic,
            period=alarm.period,
        ),
    )


def widgets(watched: Sequence[Alarm], region: str) -> list[dict[str, object]]:
    """Lay out a heading for each group of alarms, and a graph with the threshold for each alarm.

    Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html.
    """
    found: list[dict[str, object]] = []
    y = 0
    for group, alarms in groupby(watched, key=lambda alarm: alarm.group):
        found.append(
            {"type": "text", "x": 0, "y": y, "width": 24, "height": 1, "properties": {"markdown": f"# {group}"}}
        )
        y += 1
        row = list(alarms)
        for place, alarm in enumerate(row):
            found.append(
                {
                    "type": "metric",
                    "x": place % ACROSS * WIDTH,
                    "y": y + place // ACROSS * HEIGHT,
                    "width": WIDTH,
                    "height": HEIGHT,
                    "properties": _graph(alarm, region),
                }
            )
        y += -(-len(row) // ACROSS) * HEIGHT
    return found


def _graph(alarm: Alarm, region: str) -> dict[str, object]:
    lines: list[list[object]] = []
    if alarm.expression is not None:
        lines.append([{"id": "watched", "expression": alarm.expression, "label": alarm.key}])
    for id, metric in alarm.metrics.items():
        place = [part for dimension in metric.dimensions.items() for part in dimension]
        style = {"id": id, "stat": metric.statistic, "visible": alarm.expression is None}
        lines.append([metric.namespace, metric.name, *place, style])
    return {
        "title": alarm.key,
        "region": region,
        "period": alarm.period,
        "metrics": lines,
        "annotations": {"horizontal": [{"label": "alarm", "value": alarm.threshold}]},
    }
