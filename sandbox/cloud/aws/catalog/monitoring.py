"""CloudWatch: logs, alarms and dashboards."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from sandbox.cloud.aws.model import ACCOUNT, AwsError, AwsType, View
from sandbox.cloud.sdk_types import Problem

LOG_GROUP = "aws:cloudwatch/logGroup:LogGroup"
METRIC_ALARM = "aws:cloudwatch/metricAlarm:MetricAlarm"
COMPOSITE_ALARM = "aws:cloudwatch/compositeAlarm:CompositeAlarm"
DASHBOARD = "aws:cloudwatch/dashboard:Dashboard"

HOUR, DAY, WEEK = 3600, 86_400, 7 * 86_400


def _unprotected(view: View) -> None:
    if view.old("deletionProtectionEnabled"):
        raise AwsError(
            "ValidationException", "Log group has deletion protection enabled; disable it before deleting the group."
        )


def _alarm_problems(inputs: Mapping[str, Any]) -> list[Problem]:
    """Judge an alarm (https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html)."""
    found = []
    period = inputs.get("period")
    if isinstance(period, int) and period not in (10, 20, 30) and (period < 60 or period % 60):
        found.append(Problem("period", f"expected 10, 20, 30 or a multiple of 60 seconds, got {period}"))
    needed, of = inputs.get("datapointsToAlarm"), inputs.get("evaluationPeriods")
    if isinstance(needed, int) and isinstance(of, int) and needed > of:
        found.append(Problem("datapointsToAlarm", f"expected at most evaluationPeriods ({of}), got {needed}"))
    periods = [
        period,
        *(query["metric"].get("period") for query in inputs.get("metricQueries") or [] if query.get("metric")),
    ]
    for each in periods:
        if isinstance(each, int) and isinstance(of, int) and each * of > (most := WEEK if each >= HOUR else DAY):
            found.append(Problem("evaluationPeriods", f"expected at most {most} seconds in all, got {of} times {each}"))
    if inputs.get("metricName"):
        missing = [name for name in ("namespace", "period") if not inputs.get(name)]
        found += [Problem(name, "required together with metricName") for name in missing]
    return found


def _dashboard_problems(inputs: Mapping[str, Any]) -> list[Problem]:
    body, name = inputs.get("dashboardBody"), inputs.get("dashboardName")
    found = []
    if isinstance(name, str) and not re.fullmatch(r"[\w-]{1,255}", name, re.ASCII):
        found.append(Problem("dashboardName", f"only letters, digits, - and _ are allowed: {name!r}"))
    if isinstance(body, str):
        try:
            widgets = json.loads(body)["widgets"]
        except (ValueError, KeyError, TypeError) as error:
            return [
                *found,
                Problem("dashboardBody", f"InvalidParameterInput: the dashboard's body is invalid: {error!r}"),
            ]
        for number, widget in enumerate(widgets):
            if missing := {"type", "properties"} - set(widget):
                text = f"InvalidParameterInput: /widgets/{number} lacks {', '.join(sorted(missing))}"
                found.append(Problem("dashboardBody", text))
    return found


_NAMED_ALARM = re.compile(r"(?:ALARM|OK|INSUFFICIENT_DATA)\s*\(\s*[\"']?([^\"')]+?)[\"']?\s*\)")


def _alarms_exist(view: View) -> None:
    for word in _NAMED_ALARM.findall(str(view.value("alarmRule"))):
        found = [*view.store.identified(word), *view.store.find(word)]
        if not any(alarm.type in (METRIC_ALARM, COMPOSITE_ALARM) and alarm.region == view.region for alarm in found):
            raise AwsError("ValidationError", f"Could not find alarms [{word}] which are referenced in the alarm rule")


TYPES: dict[str, AwsType] = {
    LOG_GROUP: AwsType(
        service="CloudWatch Logs",
        noun="LogGroup",
        label="CloudWatch Logs Log Group",
        cloudformation="AWS::Logs::LogGroup",
        id="{name}",
        arn="logs:{region}:{account}:log-group:{name}",
        renames={"name": "LogGroupName"},
        name_limit=512,
        defaults={
            "logGroupClass": "STANDARD",
            "retentionInDays": 0,
            "skipDestroy": False,
            "deletionProtectionEnabled": False,
        },
        taken_text="The specified log group already exists",
        missing=("ResourceNotFoundException", "The specified log group does not exist: {id}"),
        deletion_rules=(_unprotected,),
        replaces=frozenset({"logGroupClass"}),
        operations={"update": "PutRetentionPolicy"},
    ),
    METRIC_ALARM: AwsType(
        service="CloudWatch",
        noun="MetricAlarm",
        label="CloudWatch Metric Alarm",
        cloudformation="AWS::CloudWatch::Alarm",
        id="{name}",
        arn="cloudwatch:{region}:{account}:alarm:{name}",
        renames={
            "name": "AlarmName",
            "metricQueries": "Metrics",
            "dimensions": None,
            "evaluateLowSampleCountPercentiles": "EvaluateLowSampleCountPercentile",
        },
        defaults={"actionsEnabled": True, "treatMissingData": "missing"},
        computed=lambda view, id: {
            "evaluateLowSampleCountPercentiles": view.value("evaluateLowSampleCountPercentiles") or ""
        },
        missing=("ResourceNotFound", "Alarm {id} does not exist"),
        value_rules=(_alarm_problems,),
        operations={"create": "PutMetricAlarm", "update": "PutMetricAlarm", "delete": "DeleteAlarms"},
    ),
    COMPOSITE_ALARM: AwsType(
        service="CloudWatch",
        noun="CompositeAlarm",
        label="CloudWatch Composite Alarm",
        cloudformation="AWS::CloudWatch::CompositeAlarm",
        id="{alarmName}",
        arn="cloudwatch:{region}:{account}:alarm:{alarmName}",
        renames={"actionsSuppressor": None},
        defaults={"actionsEnabled": True},
        rules=(_alarms_exist,),
        operations={"create": "PutCompositeAlarm", "update": "PutCompositeAlarm", "delete": "DeleteAlarms"},
    ),
    DASHBOARD: AwsType(
        service="CloudWatch",
        noun="Dashboard",
        label="CloudWatch Dashboard",
        cloudformation=None,
        id="{dashboardName}",
        computed=lambda view, id: {"dashboardArn": f"arn:aws:cloudwatch::{ACCOUNT}:dashboard/{id}"},
        documents=frozenset({"dashboardBody"}),
        value_rules=(_dashboard_problems,),
        replaces=frozenset({"dashboardName"}),
        operations={"create": "PutDashboard", "update": "PutDashboard", "delete": "DeleteDashboards"},
    ),
}
