"""The record of every request and connection."""

from __future__ import annotations

import pulumi

from components.account import AwsAccount
from components.bucket import PrivateBucket, PrivateBucketArgs
from components.iam import Statement
from settings.edge import AccessLogSettings

REQUESTS, CONNECTIONS = "requests", "connections"
"""Prefixes of the two logs in their bucket."""


def log_bucket(name: str, account: AwsAccount, settings: AccessLogSettings, parent: pulumi.Resource) -> PrivateBucket:
    """Make the bucket of both logs; Elastic Load Balancing writes with Amazon S3's keys alone.

    Source: https://docs.aws.amazon.com/elasticloadbalancing/latest/application/enable-access-logging.html, and the
    like page for connection logs. The account in the path is what keeps other accounts' load balancers out.
    """

    def statements(arn: pulumi.Output[str]) -> list[Statement]:
        return [
            Statement(
                sid="LoadBalancerLogs",
                actions=["s3:PutObject"],
                resources=[
                    pulumi.Output.concat(arn, "/", prefix, "/AWSLogs/", account.account_id, "/*")
                    for prefix in (REQUESTS, CONNECTIONS)
                ],
                principal={"Service": "logdelivery.elasticloadbalancing.amazonaws.com"},
            )
        ]

    return PrivateBucket(
        f"{name}-edge-logs",
        PrivateBucketArgs(
            account,
            purpose="Access and connection logs of the public load balancer",
            expire_after_days=settings.retention_days,
            statements=statements,
            force_destroy=settings.force_destroy,
        ),
        pulumi.ResourceOptions(parent=parent),
    )
