"""RDS Proxy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sandbox.cloud.aws.catalog.databases import INSTANCE
from sandbox.cloud.aws.catalog.network import SUBNET
from sandbox.cloud.aws.model import AwsError, AwsType, View, stable_hex
from sandbox.cloud.property_values import UNKNOWN
from sandbox.cloud.sdk_types import Problem

PROXY = "aws:rds/proxy:Proxy"
TARGET_GROUP = "aws:rds/proxyDefaultTargetGroup:ProxyDefaultTargetGroup"
TARGET = "aws:rds/proxyTarget:ProxyTarget"

_FAMILIES = {"postgres": "POSTGRESQL", "mysql": "MYSQL", "mariadb": "MYSQL"}


def _proxy_rules(view: View) -> None:
    subnets = [subnet for id in view.value("vpcSubnetIds") or () if (subnet := view.one(SUBNET, id))]
    if len({subnet.outputs["availabilityZone"] for subnet in subnets}) < 2:
        raise AwsError("InvalidSubnet", "The subnets of a proxy must span at least two Availability Zones.")
    if len({subnet.outputs["vpcId"] for subnet in subnets}) > 1:
        raise AwsError("InvalidSubnet", "The subnets of a proxy must be in one VPC.")


def _proxy_problems(inputs: Mapping[str, Any]) -> list[Problem]:
    if not inputs.get("auths") and inputs.get("defaultAuthScheme", "NONE") == "NONE":
        return [Problem("auths", "at least one secret to sign in with, or defaultAuthScheme IAM_AUTH, must be given")]
    return []


def _proxy_outputs(view: View, id: str) -> dict[str, Any]:
    return {
        "endpoint": f"{id}.proxy-c{stable_hex(view.region, 11)}.{view.region}.rds.amazonaws.com",
        "vpcSecurityGroupIds": view.value("vpcSecurityGroupIds") or [],
        "auths": view.value("auths") or [],
    }


def _pool_problems(inputs: Mapping[str, Any]) -> list[Problem]:
    """Judge a pool (https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_ConnectionPoolConfiguration.html)."""
    pool = inputs.get("connectionPoolConfig")
    if not isinstance(pool, dict):
        return []
    found = []
    bounds = {
        "maxConnectionsPercent": (1, 100),
        "maxIdleConnectionsPercent": (0, 100),
        "connectionBorrowTimeout": (0, 300),
    }
    for name, (low, high) in bounds.items():
        value = pool.get(name)
        if value not in (None, UNKNOWN) and not low <= int(value) <= high:
            found.append(Problem(f"connectionPoolConfig.{name}", f"expected {low} to {high}, got {value}"))
    idle, most = pool.get("maxIdleConnectionsPercent"), pool.get("maxConnectionsPercent", 100)
    if isinstance(idle, int) and isinstance(most, int) and idle > most:
        found.append(Problem("connectionPoolConfig.maxIdleConnectionsPercent", f"expected at most {most}, got {idle}"))
    return found


def _target_rules(view: View) -> None:
    proxy = view.one(PROXY, view.inputs["dbProxyName"])
    instance = view.one(INSTANCE, str(view.inputs.get("dbInstanceIdentifier") or "")) or next(
        (i for i in view.store.identified(str(view.inputs.get("dbInstanceIdentifier"))) if i.type == INSTANCE), None
    )
    if proxy and instance and _FAMILIES.get(instance.outputs["engine"]) != proxy.outputs["engineFamily"]:
        raise AwsError(
            "InvalidParameterValue",
            f"A proxy for {proxy.outputs['engineFamily']} cannot target {instance.outputs['engine']}",
        )


def _target_outputs(view: View, id: str) -> dict[str, Any]:
    name = str(view.value("dbInstanceIdentifier") or "")
    instance = next((i for i in view.store.identified(name) if i.type == INSTANCE and i.region == view.region), None)
    return {
        "endpoint": instance.outputs["address"] if instance else "",
        "port": instance.outputs["port"] if instance else 0,
        "rdsResourceId": name,
        "targetArn": "",
        "trackedClusterId": "",
        "type": "RDS_INSTANCE",
    }


_ABSENT = ("DBProxyNotFoundFault", "The specified proxy name doesn't correspond to a proxy: {id}")

TYPES: dict[str, AwsType] = {
    PROXY: AwsType(
        service="RDS",
        noun="DBProxy",
        label="RDS DB Proxy",
        cloudformation="AWS::RDS::DBProxy",
        id="{name}",
        arn="rds:{region}:{account}:db-proxy:prx-{hex}",
        renames={"name": "DBProxyName", "auths": "Auth"},
        name_limit=63,
        lowercase=True,
        defaults={"debugLogging": False, "idleClientTimeout": 1800, "requireTls": False, "defaultAuthScheme": "NONE"},
        computed=_proxy_outputs,
        taken="DBProxyAlreadyExistsFault",
        taken_text="Cannot create the DB proxy because a DB proxy with the name {name} already exists.",
        missing=_ABSENT,
        rules=(_proxy_rules,),
        value_rules=(_proxy_problems,),
        cascades={TARGET_GROUP: "dbProxyName", TARGET: "dbProxyName"},
    ),
    TARGET_GROUP: AwsType(
        service="RDS",
        noun="DBProxyTargetGroup",
        label="RDS DB Proxy Default Target Group",
        cloudformation=None,
        id="{dbProxyName}",
        arn="rds:{region}:{account}:target-group:prx-tg-{hex}",
        references={"dbProxyName": PROXY},
        computed=lambda view, id: {
            "name": "default",
            "connectionPoolConfig": {
                "connectionBorrowTimeout": 120,
                "maxConnectionsPercent": 100,
                "maxIdleConnectionsPercent": 50,
                **dict(view.value("connectionPoolConfig") or {}),
            },
        },
        value_rules=(_pool_problems,),
        replaces=frozenset({"dbProxyName"}),
        autoname="",
        operations={"create": "ModifyDBProxyTargetGroup"},
    ),
    TARGET: AwsType(
        service="RDS",
        noun="DBProxyTargets",
        label="RDS DB Proxy Target",
        cloudformation=None,
        id="{dbProxyName}/{targetGroupName}/RDS_INSTANCE/{dbInstanceIdentifier}",
        references={"dbProxyName": PROXY, "dbInstanceIdentifier": INSTANCE},
        rules=(_target_rules,),
        computed=_target_outputs,
        replaces=frozenset({"dbProxyName", "targetGroupName", "dbInstanceIdentifier", "dbClusterIdentifier"}),
        operations={"create": "RegisterDBProxyTargets", "delete": "DeregisterDBProxyTargets"},
    ),
}
