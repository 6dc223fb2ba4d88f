"""What each type of resource is charged for."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from operations.cost.prices import Usage


@dataclass(frozen=True)
class Resource:
    """A resource of a stack.

    Attributes:
        urn: its URN.
        type: its type token.
        parent: URN of its parent; empty for none.
        inputs: what the program asked for; a value that is not known yet may be anything.
    """

    urn: str
    type: str
    parent: str
    inputs: Mapping[str, Any]

    @property
    def name(self) -> str:
        """The logical name."""
        return self.urn.rpartition("::")[2]


@dataclass(frozen=True)
class Charge:
    """Something that is paid for.

    Attributes:
        price: its name in the table.
        quantity: how many units, at all times or in a month.
    """

    price: str
    quantity: float = 1


@dataclass(frozen=True)
class Around:
    """What a charge depends on besides its resource.

    Attributes:
        usage: how much is used.
        tasks: family of a task definition to how many tasks of it run.
        nodes: whether the stack pays for the nodes of its cluster.
    """

    usage: Usage
    tasks: Mapping[str, float]
    nodes: bool


Charging = Callable[[Resource, Around], Iterator[Charge]]

VCPUS = {"medium": 2, "large": 2, "xlarge": 4, "2xlarge": 8, "4xlarge": 16, "8xlarge": 32, "12xlarge": 48}
"""Size of an RDS instance to its vCPUs, from knowledge; smaller ones have two."""

PROXY_VCPUS = 2
"""Fewest vCPUs that a proxy is charged for; from knowledge, not looked up."""

BROKER_GB = 200
"""Storage of a broker's node on Amazon MQ in GB; from knowledge, and not told by type in Amazon MQ's guide."""

GIB_FOR_CPU = 4
"""GiB of memory that come with a vCPU of a general node."""


def _database(made: Resource, _: Around) -> Iterator[Charge]:
    instance = str(made.inputs.get("instanceClass"))
    copies = 2 if made.inputs.get("multiAz") else 1
    yield Charge(f"rds.{instance}", copies)
    yield Charge("rds.gp3", copies * number(made.inputs.get("allocatedStorage")))
    if made.inputs.get("databaseInsightsMode") == "advanced":
        yield Charge("rds.insights.advanced", copies * VCPUS.get(instance.rpartition(".")[2], 2))


def _cache(made: Resource, _: Around) -> Iterator[Charge]:
    yield Charge(str(made.inputs.get("nodeType")), number(made.inputs.get("numCacheClusters"), 1))


def _broker(made: Resource, _: Around) -> Iterator[Charge]:
    nodes = 3 if made.inputs.get("deploymentMode") == "CLUSTER_MULTI_AZ" else 1
    yield Charge(str(made.inputs.get("hostInstanceType")), nodes)
    yield Charge("mq.storage", nodes * BROKER_GB)


def _tasks(made: Resource, around: Around) -> Iterator[Charge]:
    count = around.tasks.get(made.urn, 0)
    platform = made.inputs.get("runtimePlatform") or {}
    kind = "arm64" if str(platform.get("cpuArchitecture", "")).upper() == "ARM64" else "x86_64"
    yield Charge(f"fargate.{kind}.cpu", count * number(made.inputs.get("cpu")) / 1024)
    yield Charge(f"fargate.{kind}.memory", count * number(made.inputs.get("memory")) / 1024)


def _endpoint(made: Resource, _: Around) -> Iterator[Charge]:
    if made.inputs.get("vpcEndpointType") == "Interface":
        yield Charge("vpc.endpoint", len(made.inputs.get("subnetIds") or [None]))


def _acl(made: Resource, around: Around) -> Iterator[Charge]:
    yield Charge("waf.acl")
    yield Charge("waf.rule", len(made.inputs.get("rules") or ()))
    yield Charge("waf.requests", around.usage.waf_million_requests)


def _workload(made: Resource, around: Around) -> Iterator[Charge]:
    """Charge a node for what pods ask of it, as if nodes were packed without gaps."""
    if not around.nodes:
        return
    spec = made.inputs.get("spec") or {}
    copies = number(spec.get("replicas"), 1)
    containers = ((spec.get("template") or {}).get("spec") or {}).get("containers") or ()
    asked = [((each.get("resources") or {}).get("requests") or {}) for each in containers]
    cpu = sum(amount(each.get("cpu")) for each in asked)
    gib = sum(amount(each.get("memory")) for each in asked) / 2**30
    yield Charge("eks.node.cpu", copies * max(cpu, gib / GIB_FOR_CPU))


def _claim(made: Resource, around: Around) -> Iterator[Charge]:
    if around.nodes:
        requests = ((made.inputs.get("spec") or {}).get("resources") or {}).get("requests") or {}
        yield Charge("ebs.gp3", amount(requests.get("storage")) / 2**30)


def _one(price: str) -> Charging:
    return lambda _made, _around: iter([Charge(price)])


def _used(price: str, quantity: Callable[[Usage], float]) -> Charging:
    return lambda _, around: iter([Charge(price, quantity(around.usage))])


def _both(*chargings: Charging) -> Charging:
    return lambda made, around: (charge for each in chargings for charge in each(made, around))


CHARGED: Mapping[str, Charging] = {
    "aws:rds/instance:Instance": _database,
    "aws:rds/instanceAutomatedBackupsReplication:InstanceAutomatedBackupsReplication": _used(
        "rds.backup", lambda usage: usage.backup_gb
    ),
    "aws:rds/proxy:Proxy": lambda _made, _around: iter([Charge("rds.proxy", PROXY_VCPUS)]),
    "aws:elasticache/replicationGroup:ReplicationGroup": _cache,
    "aws:mq/broker:Broker": _broker,
    "aws:ecs/taskDefinition:TaskDefinition": _tasks,
    "aws:eks/cluster:Cluster": _one("eks"),
    "aws:ec2/natGateway:NatGateway": _both(_one("vpc.nat"), _used("vpc.nat.data", lambda usage: usage.nat_gb)),
    "aws:ec2/eip:Eip": _one("vpc.address"),
    "aws:ec2/vpcEndpoint:VpcEndpoint": _endpoint,
    "aws:lb/loadBalancer:LoadBalancer": _both(
        _one("alb"), _used("alb.capacity", lambda usage: usage.load_balancer_capacity_units)
    ),
    "aws:wafv2/webAcl:WebAcl": _acl,
    "aws:kms/key:Key": _one("kms.key"),
    "aws:secretsmanager/secret:Secret": _one("secret"),
    "aws:cloudwatch/metricAlarm:MetricAlarm": _one("cloudwatch.alarm"),
    "aws:cloudwatch/dashboard:Dashboard": _one("cloudwatch.dashboard"),
    "aws:cloudwatch/logGroup:LogGroup": _used("cloudwatch.logs", lambda usage: usage.log_group_gb),
    "aws:ecr/repository:Repository": _used("ecr", lambda usage: usage.image_gb),
    "aws:s3/bucket:Bucket": _used("s3", lambda usage: usage.bucket_gb),
    "aws:backup/vault:Vault": _used("rds.backup", lambda usage: usage.backup_gb),
    "gcp:storage/bucket:Bucket": _used("gcs", lambda usage: usage.bucket_gb),
    "kubernetes:apps/v1:Deployment": _workload,
    "kubernetes:apps/v1:StatefulSet": _workload,
    "kubernetes:core/v1:PersistentVolumeClaim": _claim,
}
"""Type to what it is charged for."""

_QUANTITY = re.compile(r"([0-9.]+)(m|Ki|Mi|Gi|Ti|k|M|G|T)?")
_FACTORS = {"m": 1e-3, "": 1, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12}
_FACTORS |= {"Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40}


def amount(quantity: object) -> float:
    """Read a quantity of Kubernetes (https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/).

    What is none, or not known yet, counts as nothing.
    """
    found = _QUANTITY.fullmatch(str(quantity))
    return float(found[1]) * _FACTORS[found[2] or ""] if found else 0.0


def number(value: object, otherwise: float = 0) -> float:
    """Read a number that may be written as text; what is none, or not known yet, is `otherwise`."""
    try:
        return float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return otherwise
