"""How many tasks run as the load changes."""

from __future__ import annotations

import pulumi
import pulumi_aws as aws
from pulumi_aws.appautoscaling import (
    PolicyTargetTrackingScalingPolicyConfigurationArgs as Configuration,
)
from pulumi_aws.appautoscaling import (
    PolicyTargetTrackingScalingPolicyConfigurationPredefinedMetricSpecificationArgs as Metric,
)

from components.service.args import ServedBy
from settings import AppScaling


def scale(
    name: str,
    settings: AppScaling,
    cluster_name: pulumi.Input[str],
    service: aws.ecs.Service,
    served_by: ServedBy | None,
    parent: pulumi.Resource,
) -> None:
    """Track CPU use, and requests for each task where the settings say so; the larger number of tasks wins."""
    own = pulumi.ResourceOptions(parent=parent)
    target = aws.appautoscaling.Target(
        f"{name}-app",
        service_namespace="ecs",
        scalable_dimension="ecs:service:DesiredCount",
        resource_id=pulumi.Output.concat("service/", cluster_name, "/", service.name),
        min_capacity=settings.minimum,
        max_capacity=settings.maximum,
        opts=own,
    )
    goals: dict[str, tuple[float, Metric]] = {
        "cpu": (settings.cpu_percent, Metric(predefined_metric_type="ECSServiceAverageCPUUtilization"))
    }
    if settings.requests_per_copy is not None and served_by is not None:
        label = pulumi.Output.concat(served_by.load_balancer_arn_suffix, "/", served_by.target_group_arn_suffix)
        goals["requests"] = (
            settings.requests_per_copy,
            Metric(predefined_metric_type="ALBRequestCountPerTarget", resource_label=label),
        )
    for goal, (value, metric) in goals.items():
        aws.appautoscaling.Policy(
            f"{name}-app-{goal}",
            policy_type="TargetTrackingScaling",
            service_namespace=target.service_namespace,
            scalable_dimension=target.scalable_dimension,
            resource_id=target.resource_id,
            target_tracking_scaling_policy_configuration=Configuration(
                target_value=value,
                predefined_metric_specification=metric,
                scale_out_cooldown=settings.scale_out_seconds,
                scale_in_cooldown=settings.scale_in_seconds,
            ),
            opts=own,
        )
