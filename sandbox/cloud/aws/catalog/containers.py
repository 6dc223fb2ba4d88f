"""ECS."""

from __future__ import annotations

from typing import Any

from sandbox.cloud.aws.model import AwsError, AwsType, View

CLUSTER = "aws:ecs/cluster:Cluster"
CAPACITY_PROVIDERS = "aws:ecs/clusterCapacityProviders:ClusterCapacityProviders"
CAPACITY_PROVIDER = "aws:ecs/capacityProvider:CapacityProvider"

AWS_CAPACITY = frozenset({"FARGATE", "FARGATE_SPOT"})
"""Capacity providers that every account has."""


def _cluster_outputs(view: View, id: str) -> dict[str, Any]:
    return {"settings": view.value("settings") or [{"name": "containerInsights", "value": "disabled"}]}


def _known_capacity(view: View) -> None:
    named = view.value("capacityProviders") or []
    for name in named:
        if name not in AWS_CAPACITY and view.one(CAPACITY_PROVIDER, name) is None:
            raise AwsError(
                "InvalidParameterException",
                f"The specified capacity provider '{name}' was not found. Specify a valid name or ARN and try again.",
            )
    strategy = view.value("defaultCapacityProviderStrategies") or []
    for part in strategy:
        if part["capacityProvider"] not in named:
            raise AwsError(
                "InvalidParameterException",
                f"The capacity provider {part['capacityProvider']} of the strategy is not one of the cluster's: "
                f"{', '.join(named)}.",
            )
    if len([part for part in strategy if part.get("base")]) > 1:
        raise AwsError(
            "InvalidParameterException", "Only one capacity provider of a strategy may have a base other than 0."
        )


TYPES: dict[str, AwsType] = {
    CLUSTER: AwsType(
        service="ECS",
        noun="Cluster",
        cloudformation="AWS::ECS::Cluster",
        id="arn:{partition}:ecs:{region}:{account}:cluster/{name}",
        arn="ecs:{region}:{account}:cluster/{name}",
        renames={"name": "ClusterName", "settings": "ClusterSettings"},
        computed=_cluster_outputs,
        taken="ClientException",
        taken_text="The cluster {name} already exists",
        missing=("ClusterNotFoundException", "Cluster {id} not found."),
        in_use=(
            "ClusterContainsServicesException",
            "The Cluster cannot be deleted while Services are active.",
        ),
        users=lambda cluster, user: user.type == "aws:ecs/service:Service",
        cascades={CAPACITY_PROVIDERS: "clusterName"},
    ),
    CAPACITY_PROVIDERS: AwsType(
        service="ECS",
        noun="ClusterCapacityProviders",
        label="ECS Cluster Capacity Providers",
        cloudformation="AWS::ECS::ClusterCapacityProviderAssociations",
        id="{clusterName}",
        renames={"clusterName": "Cluster", "defaultCapacityProviderStrategies": "DefaultCapacityProviderStrategy"},
        references={"clusterName": CLUSTER},
        computed=lambda view, id: {
            "capacityProviders": view.inputs.get("capacityProviders") or [],
            "defaultCapacityProviderStrategies": view.inputs.get("defaultCapacityProviderStrategies") or [],
        },
        rules=(_known_capacity,),
        operations=dict.fromkeys(("create", "update", "delete"), "PutClusterCapacityProviders"),
    ),
}
