"""The record of a VPC's traffic."""

from __future__ import annotations

import pulumi
import pulumi_aws as aws

from components.account import AwsAccount
from components.iam import Statement, policy, service_trust
from settings import FlowLogSettings


def record_traffic(
    name: str,
    vpc: aws.ec2.Vpc,
    settings: FlowLogSettings,
    account: AwsAccount,
    key_arn: pulumi.Input[str],
    parent: pulumi.Resource,
) -> None:
    """Send a VPC's flow logs to an encrypted log group, through a role that can do nothing else.

    Source: https://docs.aws.amazon.com/vpc/latest/userguide/flow-logs-iam-role.html. Its policy is narrower than the
    page's example: the role cannot make log groups, so none comes back without key and retention after a deletion.
    """
    own = pulumi.ResourceOptions(parent=parent)
    log_group = aws.cloudwatch.LogGroup(
        f"{name}-flow-logs",
        name=f"/{name}/vpc-flow-logs",
        retention_in_days=settings.retention_days,
        kms_key_id=key_arn,
        opts=own,
    )
    role = aws.iam.Role(
        f"{name}-flow-logs",
        description="Writes the VPC's flow logs",
        assume_role_policy=service_trust(
            "vpc-flow-logs.amazonaws.com", account.account_id, account.arn("ec2", "vpc-flow-log/*")
        ),
        opts=own,
    )
    permissions = aws.iam.RolePolicy(
        f"{name}-flow-logs",
        role=role.id,
        policy=policy(
            Statement(
                sid="WriteRecords",
                actions=["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"],
                resources=[pulumi.Output.concat(log_group.arn, ":*")],
            ),
            Statement(
                sid="FindLogGroups",
                actions=["logs:DescribeLogGroups"],
                # It knows no resource: on log groups it would grant nothing.
                resources=["*"],
            ),
        ),
        opts=own,
    )
    aws.ec2.FlowLog(
        f"{name}-flow-logs",
        vpc_id=vpc.id,
        traffic_type=settings.traffic,
        max_aggregation_interval=settings.aggregation_seconds,
        log_destination_type="cloud-watch-logs",
        log_destination=log_group.arn,
        iam_role_arn=role.arn,
        tags={"Name": name},
        # Delivery that starts before the role may write fails silently and loses the first records.
        opts=pulumi.ResourceOptions(parent=parent, depends_on=[permissions]),
    )
