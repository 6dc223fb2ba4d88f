"""What users rely on of the ECS cluster."""

from __future__ import annotations

from typing import Any

import pulumi
import pulumi_aws as aws
import pytest

from components.account import AwsAccount
from components.ecs import EcsCluster, EcsClusterArgs, strategy
from settings import EcsSettings, FargateCapacity
from tests.unit.recording import REGION, Recording, record


def cluster(**settings: Any) -> Recording:
    def build() -> None:
        provider = aws.Provider("aws", region=REGION)
        EcsCluster(
            "auterity-test",
            EcsClusterArgs(EcsSettings(**settings), AwsAccount.of(provider, REGION), "arn:aws:kms:::key/logs"),
            pulumi.ResourceOptions(provider=provider),
        )

    return record(build)


@pytest.mark.parametrize("value", ["disabled", "enabled", "enhanced"])
def test_container_insights_is_what_the_setting_says(value: str) -> None:
    inputs = cluster(container_insights=value).only("aws:ecs/cluster:Cluster").inputs
    assert inputs["settings"] == [{"name": "containerInsights", "value": value}]


def test_sessions_are_encrypted_and_leave_an_audit_log() -> None:
    recording = cluster(exec_log_retention_days=90)
    group = recording.only("aws:cloudwatch/logGroup:LogGroup").inputs
    session = recording.only("aws:ecs/cluster:Cluster").inputs["configuration"]["executeCommandConfiguration"]
    assert session["logging"] == "OVERRIDE"
    assert session["kmsKeyId"] == "arn:aws:kms:::key/logs"
    assert session["logConfiguration"] == {
        "cloudWatchEncryptionEnabled": True,
        "cloudWatchLogGroupName": group["name"],
    }
    assert (group["retentionInDays"], group["kmsKeyId"]) == (90, "arn:aws:kms:::key/logs")


def test_both_kinds_of_fargate_can_be_asked_for() -> None:
    providers = cluster().only("aws:ecs/clusterCapacityProviders:ClusterCapacityProviders").inputs
    assert providers["capacityProviders"] == ["FARGATE", "FARGATE_SPOT"]


def test_a_provider_without_a_share_is_left_out_of_the_default_strategy() -> None:
    shares = strategy(FargateCapacity(on_demand_weight=0, spot_weight=1))
    assert [share.provider for share in shares] == ["FARGATE_SPOT"]


def test_only_one_provider_has_a_base_which_is_all_that_ecs_takes() -> None:
    shares = strategy(FargateCapacity(on_demand_base=2, on_demand_weight=1, spot_weight=3))
    assert [(share.provider, share.base, share.weight) for share in shares] == [
        ("FARGATE", 2, 1),
        ("FARGATE_SPOT", 0, 3),
    ]
