"""How long AWS typically takes to make things, as an infrastructure tool sees it, with where that is known from."""

from __future__ import annotations

from dataclasses import dataclass

DATE = "2026-11-23"
"""Day on which the numbers were gathered."""

_LOGS = "public `terraform apply` logs on GitHub"
_PROVIDER = "https://github.com/hashicorp/terraform-provider-aws"


@dataclass(frozen=True)
class CreationTime:
    """Seconds from the request until the resource is ready, and the source of the number."""

    seconds: float
    source: str


ANY_OTHER = CreationTime(1, f"one or two API calls; 0 to 2 s for routes, groups, roles and associations in {_LOGS}")
"""What every type of the `aws` package takes that the table does not name."""

CREATION_TIMES = {
    "aws:ec2/vpc:Vpc": CreationTime(12, f"with DNS host names: 11 to 15 s, n = 6, {_LOGS}"),
    "aws:ec2/securityGroup:SecurityGroup": CreationTime(
        2, "1 to 3 s, https://github.com/hashicorp-education/learn-terraform-variables/pull/6"
    ),
    "aws:ec2/natGateway:NatGateway": CreationTime(115, f"1 min 27 s to 2 min 1 s, median of n = 8, {_LOGS}"),
    "aws:ec2/vpcEndpoint:VpcEndpoint": CreationTime(
        60, f"interface endpoint; 70 s with its VPC made and removed, {_PROVIDER}/pull/46800"
    ),
    "aws:kms/key:Key": CreationTime(10, f"1 to 16 s, n = 3, {_LOGS}"),
    "aws:rds/instance:Instance": CreationTime(
        840,
        f"production instance 14 min 2 s; 5 to 17 min, n = 7, {_LOGS}; Multi-AZ 15 to 20 min in 2014, "
        "https://github.com/hashicorp/terraform/issues/498",
    ),
    "aws:rds/instanceAutomatedBackupsReplication:InstanceAutomatedBackupsReplication": CreationTime(
        300,
        f"estimate: the first snapshot is copied to the other Region; a small instance and its replication together "
        f"are made and removed in 652 s, {_PROVIDER}/pull/23297",
    ),
    "aws:rds/proxy:Proxy": CreationTime(
        180, "over 2 min 30 s, https://github.com/turbot/steampipe-plugin-aws/pull/1414"
    ),
    "aws:ecs/cluster:Cluster": CreationTime(11, f"10 to 12 s, n = 5, {_LOGS}"),
    "aws:ecs/service:Service": CreationTime(74, f"until steady: 1 min 14 s, n = 1, {_LOGS}; 0 to 2 s without waiting"),
    "aws:lb/loadBalancer:LoadBalancer": CreationTime(160, f"2 min 15 s to 3 min 10 s, median of n = 8, {_LOGS}"),
    "aws:elasticache/replicationGroup:ReplicationGroup": CreationTime(
        480, f"5 min 58 s to 9 min 15 s, median of n = 4, {_LOGS}"
    ),
    "aws:mq/broker:Broker": CreationTime(600, f"RabbitMQ cluster; made and removed in 669 s, {_PROVIDER}/pull/39024"),
    "aws:eks/cluster:Cluster": CreationTime(610, f"8 min 23 s to 11 min 23 s, median of n = 10, {_LOGS}"),
    "aws:acm/certificateValidation:CertificateValidation": CreationTime(120, "estimate: DNS validation takes minutes"),
    "aws:route53/record:Record": CreationTime(35, "estimate: the change is awaited until it is in sync"),
}


def creation_time(type: str) -> float:
    """Return the seconds that a resource type takes; nothing outside AWS takes any."""
    if type in CREATION_TIMES:
        return CREATION_TIMES[type].seconds
    return ANY_OTHER.seconds if type.startswith("aws:") else 0.0
