"""Application Auto Scaling."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sandbox.cloud.aws.catalog.containers import SERVICE
from sandbox.cloud.aws.model import ACCOUNT, AwsError, AwsType, View
from sandbox.cloud.sdk_types import Problem

TARGET = "aws:appautoscaling/target:Target"
POLICY = "aws:appautoscaling/policy:Policy"

_WHAT = ("serviceNamespace", "resourceId", "scalableDimension")


def _bounds(inputs: Mapping[str, Any]) -> list[Problem]:
    low, high = inputs.get("minCapacity"), inputs.get("maxCapacity")
    if isinstance(low, int) and isinstance(high, int) and low > high:
        text = f"ValidationException: Maximum capacity cannot be less than minimum capacity ({low}), got {high}"
        return [Problem("maxCapacity", text)]
    return []


def _service_exists(view: View) -> None:
    if view.inputs["serviceNamespace"] != "ecs":
        return
    _, _, name = str(view.inputs["resourceId"]).partition("service/")
    if not any(str(service.outputs["arn"]).endswith(f":service/{name}") for service in view.all(SERVICE)):
        raise AwsError("ValidationException", f"ECS service doesn't exist: service/{name}")


def _target_exists(view: View) -> None:
    for target in view.all(TARGET):
        if all(target.outputs[name] == view.inputs[name] for name in _WHAT):
            return
    raise AwsError(
        "ObjectNotFoundException",
        f"No scalable target registered for service namespace: {view.inputs['serviceNamespace']}, resource ID: "
        f"{view.inputs['resourceId']}, scalable dimension: {view.inputs['scalableDimension']}",
    )


def _policy_problems(inputs: Mapping[str, Any]) -> list[Problem]:
    kind = inputs.get("policyType", "StepScaling")
    needed = {
        "TargetTrackingScaling": "targetTrackingScalingPolicyConfiguration",
        "StepScaling": "stepScalingPolicyConfiguration",
        "PredictiveScaling": "predictiveScalingPolicyConfiguration",
    }
    if isinstance(kind, str) and kind not in needed:
        return [Problem("policyType", f"expected one of {', '.join(needed)}, got {kind!r}")]
    if isinstance(kind, str) and not inputs.get(needed[kind]):
        return [Problem(needed[kind], f"required for the policy type {kind}")]
    return []


_NO_ROLE = (
    f"arn:aws:iam::{ACCOUNT}:role/aws-service-role/ecs.application-autoscaling.amazonaws.com/"
    "AWSServiceRoleForApplicationAutoScaling_ECSService"
)

TYPES: dict[str, AwsType] = {
    TARGET: AwsType(
        service="Application Auto Scaling",
        noun="ScalableTarget",
        label="Application AutoScaling Target",
        cloudformation="AWS::ApplicationAutoScaling::ScalableTarget",
        id="{resourceId}",
        arn="application-autoscaling:{region}:{account}:scalable-target/{hex}",
        computed=lambda view, id: {"roleArn": view.value("roleArn") or _NO_ROLE},
        rules=(_service_exists,),
        value_rules=(_bounds,),
        operations={"create": "RegisterScalableTarget", "update": "RegisterScalableTarget"},
    ),
    POLICY: AwsType(
        service="Application Auto Scaling",
        noun="ScalingPolicy",
        label="Application AutoScaling Policy",
        cloudformation="AWS::ApplicationAutoScaling::ScalingPolicy",
        id="{name}",
        arn="autoscaling:{region}:{account}:scalingPolicy:{uuid}:resource/{serviceNamespace}/{resourceId}:policyName/{name}",
        renames={"name": "PolicyName"},
        defaults={"policyType": "StepScaling"},
        computed=lambda view, id: {"alarmArns": []},
        names=("name", *_WHAT),
        rules=(_target_exists,),
        value_rules=(_policy_problems,),
        operations={"create": "PutScalingPolicy", "update": "PutScalingPolicy"},
    ),
}
