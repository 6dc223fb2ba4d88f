"""Cases of the rules of what holds data on AWS."""

from __future__ import annotations

from typing import Any

from tests.policies.cases.aws_compute import balancer
from tests.policies.cases.aws_databases import database
from tests.policies.cases.aws_network import VPC, group, ingress_rule, port, subnet
from tests.policies.cases.model import Case, Made, Ref, breaks, keeps

PLAIN = group()
STORE = database(vpcSecurityGroupIds=[Ref("group")])
CLIENTS = "aws-store-known-clients"
PRIVATE = "aws-store-subnets-private"
GATEWAY = Made("aws:ec2/internetGateway:InternetGateway", {"vpcId": Ref("vpc")})
TABLE = Made("aws:ec2/routeTable:RouteTable", {"vpcId": Ref("vpc")})
ROUTE = Made(
    "aws:ec2/route:Route",
    {"routeTableId": Ref("table"), "destinationCidrBlock": "0.0.0.0/0", "gatewayId": Ref("gateway")},
)
JOIN = Made(
    "aws:ec2/routeTableAssociation:RouteTableAssociation",
    {"subnetId": Ref("subnet"), "routeTableId": Ref("table")},
)
SUBNETS = Made("aws:rds/subnetGroup:SubnetGroup", {"subnetIds": [Ref("subnet"), Ref("other")]})
PLACED = database(dbSubnetGroupName=Ref("subnets", "name"))


def cache(**properties: Any) -> Made:
    return Made(
        "aws:elasticache/replicationGroup:ReplicationGroup",
        {
            "description": "x",
            "engine": "valkey",
            "nodeType": "cache.m7g.large",
            "numCacheClusters": 2,
            "atRestEncryptionEnabled": True,
            "transitEncryptionEnabled": True,
            "transitEncryptionMode": "required",
            "userGroupIds": ["users"],
            "automaticFailoverEnabled": True,
            "snapshotRetentionLimit": 7,
            **properties,
        },
    )


def broker(**properties: Any) -> Made:
    return Made(
        "aws:mq/broker:Broker",
        {
            "engineType": "RabbitMQ",
            "engineVersion": "4.2",
            "hostInstanceType": "mq.m7g.large",
            "deploymentMode": "CLUSTER_MULTI_AZ",
            "publiclyAccessible": False,
            "autoMinorVersionUpgrade": True,
            "logs": {"general": True},
            "users": [{"username": "app", "password": "correct-horse-battery"}],
            **properties,
        },
    )


ACTIVE = {
    "engineType": "ActiveMQ",
    "engineVersion": "5.18",
    "hostInstanceType": "mq.m5.large",
    "deploymentMode": "ACTIVE_STANDBY_MULTI_AZ",
}


def from_group(client: str) -> Made:
    made = ingress_rule(None, 5432)
    properties = {key: value for key, value in made.properties.items() if key != "cidrIpv4"}
    return Made(made.type, {**properties, "referencedSecurityGroupId": Ref(client)})


def store_rule(name: str, good: Made, *bad: Made) -> list[Case]:
    return [
        *(breaks(name, f"{number}", store=each) for number, each in enumerate(bad)),
        keeps(name, "good", store=good),
    ]


CASES: tuple[Case, ...] = (
    breaks(CLIENTS, "no group", store=database()),
    breaks(
        CLIENTS, "the world inline", "group", vpc=VPC, group=group(port(5432, cidrBlocks=["0.0.0.0/0"])), store=STORE
    ),
    breaks(CLIENTS, "a network", "rule", vpc=VPC, group=PLAIN, rule=ingress_rule("10.0.0.0/16", 5432), store=STORE),
    breaks(
        CLIENTS,
        "a public load balancer",
        "rule",
        vpc=VPC,
        group=PLAIN,
        client=PLAIN,
        balancer=balancer(securityGroups=[Ref("client")]),
        rule=from_group("client"),
        store=STORE,
    ),
    keeps(CLIENTS, "a group", vpc=VPC, group=PLAIN, client=PLAIN, rule=from_group("client"), store=STORE),
    breaks(
        PRIVATE,
        "route to the gateway",
        "store",
        vpc=VPC,
        gateway=GATEWAY,
        table=TABLE,
        route=ROUTE,
        subnet=subnet(),
        other=subnet(cidrBlock="10.0.1.0/24"),
        join=JOIN,
        subnets=SUBNETS,
        store=PLACED,
    ),
    breaks(
        PRIVATE,
        "route inside the table",
        "store",
        vpc=VPC,
        gateway=GATEWAY,
        table=Made(
            "aws:ec2/routeTable:RouteTable",
            {"vpcId": Ref("vpc"), "routes": [{"cidrBlock": "0.0.0.0/0", "gatewayId": Ref("gateway")}]},
        ),
        subnet=subnet(),
        join=JOIN,
        store=broker(subnetIds=[Ref("subnet")]),
    ),
    keeps(
        PRIVATE,
        "no route",
        vpc=VPC,
        table=TABLE,
        subnet=subnet(),
        other=subnet(cidrBlock="10.0.1.0/24"),
        join=JOIN,
        subnets=SUBNETS,
        store=PLACED,
    ),
    *store_rule("aws-cache-encrypted", cache(), cache(atRestEncryptionEnabled=False)),
    *store_rule(
        "aws-cache-needs-tls",
        cache(),
        cache(transitEncryptionEnabled=False, transitEncryptionMode=None, userGroupIds=None),
        cache(transitEncryptionMode="preferred"),
    ),
    *store_rule("aws-cache-authenticated", cache(), cache(userGroupIds=None)),
    *store_rule("aws-cache-fails-over", cache(), cache(automaticFailoverEnabled=False)),
    *store_rule("aws-cache-backed-up", cache(), cache(snapshotRetentionLimit=0)),
    *store_rule("aws-broker-not-public", broker(), broker(publiclyAccessible=True)),
    *store_rule("aws-broker-logs", broker(), broker(logs={"general": False}), broker(logs=None)),
    *store_rule("aws-broker-minor-upgrades", broker(), broker(autoMinorVersionUpgrade=False, **ACTIVE)),
    *store_rule("aws-broker-in-two-zones", broker(), broker(deploymentMode="SINGLE_INSTANCE")),
)
