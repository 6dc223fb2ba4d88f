"""ElastiCache."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from sandbox.cloud.aws import schemas
from sandbox.cloud.aws.catalog.network import SUBNET
from sandbox.cloud.aws.model import AwsError, AwsType, View, stable_hex
from sandbox.cloud.property_values import UNKNOWN
from sandbox.cloud.sdk_types import Problem

GROUP = "aws:elasticache/replicationGroup:ReplicationGroup"
PARAMETER_GROUP = "aws:elasticache/parameterGroup:ParameterGroup"
SUBNET_GROUP = "aws:elasticache/subnetGroup:SubnetGroup"
USER = "aws:elasticache/user:User"
USER_GROUP = "aws:elasticache/userGroup:UserGroup"


@cache
def _judged(engine: str, version: str, node: str, region: str) -> tuple[Problem, ...]:
    found = []
    if version:
        # From 6 on, a version may be given as major and minor, or as major alone (ElastiCache fills in the newest).
        asked = {"Engine": engine, "EngineVersion": version}
        for error in schemas.extension("aws_elasticache_cachecluster/engine_version").iter_errors(asked):
            known = [str(v) for v in error.validator_value]
            if error.absolute_path[0] == "Engine" or not any(
                v.startswith(f"{version.removesuffix('.x')}.") for v in known
            ):
                told = f"Specific version selection is not allowed or there is no version {version} of {engine}"
                found.append(
                    Problem("engineVersion", f"InvalidParameterCombination: {told}; there are {', '.join(known)}")
                )
    if node:
        for error in schemas.extension("aws_elasticache_cachecluster/cachenodetype_enum", region).iter_errors(node):
            found.append(Problem("nodeType", f"InvalidParameterValue: no cache node type of {region}: {error.message}"))
    return tuple(found)


def _group_problems(inputs: Mapping[str, Any]) -> list[Problem]:
    get = inputs.get
    found: list[Problem] = []
    known = {name: str(get(name) or "") for name in ("engine", "engineVersion", "nodeType")}
    if UNKNOWN not in (get("engine"), get("engineVersion"), get("nodeType")):
        region = get("region") or "us-east-1"
        found += _judged(known["engine"] or "redis", known["engineVersion"], known["nodeType"], region)
    nodes = get("numCacheClusters")
    if get("automaticFailoverEnabled") is True and isinstance(nodes, int) and nodes < 2:
        found.append(Problem("numCacheClusters", "must be at least 2 if automaticFailoverEnabled is true"))
    if get("multiAzEnabled") is True and get("automaticFailoverEnabled") is not True:
        found.append(Problem("multiAzEnabled", "automaticFailoverEnabled must be true if multiAzEnabled is true"))
    secure = get("transitEncryptionEnabled")
    for name in ("authToken", "userGroupIds"):
        if get(name) and secure not in (True, UNKNOWN):
            found.append(Problem(name, "InvalidParameterCombination: needs transitEncryptionEnabled"))
    if get("authToken") and get("userGroupIds"):
        found.append(Problem("userGroupIds", "InvalidParameterCombination: conflicts with authToken"))
    token = get("authToken")
    if isinstance(token, str) and not 16 <= len(token) <= 128:
        found.append(Problem("authToken", f"expected 16 to 128 characters, got {len(token)}"))
    if isinstance(get("replicationGroupId"), str) and len(get("replicationGroupId", "")) > 40:
        found.append(Problem("replicationGroupId", "expected at most 40 characters"))
    if nodes is not None and (get("numNodeGroups") or get("replicasPerNodeGroup")):
        found.append(Problem("numCacheClusters", "conflicts with numNodeGroups and replicasPerNodeGroup"))
    return found


def _family(engine: str, version: str) -> str:
    parts = version.split(".")
    return f"{engine}{parts[0]}" if int(parts[0]) >= 7 else f"{engine}{parts[0]}.x"


def _group_rules(view: View) -> None:
    parameters = view.one(PARAMETER_GROUP, str(view.inputs.get("parameterGroupName") or ""))
    engine, version = str(view.value("engine") or "redis"), str(view.value("engineVersion") or "")
    if parameters and version and parameters.outputs["family"] != _family(engine, version):
        raise AwsError(
            "InvalidParameterCombination",
            f"Expected a parameter group of family {_family(engine, version)} but found one of family "
            f"{parameters.outputs['family']}",
        )
    for id in view.value("userGroupIds") or ():
        group = view.one(USER_GROUP, id)
        if group and engine == "redis" and group.outputs["engine"] != "redis":
            raise AwsError("InvalidParameterCombination", f"User group {id} is for {group.outputs['engine']}")


def _nodes(view: View) -> int:
    shards = view.value("numNodeGroups")
    if shards:
        return int(shards) * (1 + int(view.value("replicasPerNodeGroup") or 0))
    return int(view.value("numCacheClusters") or 1)


def _group_shape(inputs: dict[str, Any]) -> dict[str, Any]:
    """Put a log's destination where CloudFormation has it: in an object of its kind."""
    shaped = []
    for log in inputs.get("logDeliveryConfigurations") or ():
        if isinstance(log, dict) and "destination" in log:
            kind, key = {
                "cloudwatch-logs": ("CloudWatchLogsDetails", "LogGroup"),
                "kinesis-firehose": ("KinesisFirehoseDetails", "DeliveryStream"),
            }.get(log.get("destinationType", ""), ("CloudWatchLogsDetails", "LogGroup"))
            rest = {name: value for name, value in log.items() if name != "destination"}
            shaped.append({**rest, "destinationDetails": {kind: {key: log["destination"]}}})
        else:
            shaped.append(log)
    return {**inputs, "logDeliveryConfigurations": shaped} if shaped else inputs


def _group_outputs(view: View, id: str) -> dict[str, Any]:
    tail = f"{id}.{stable_hex(view.region, 6)}.{stable_hex(view.region, 4)}.cache.amazonaws.com"
    engine = str(view.value("engine") or "redis")
    version = str(view.value("engineVersion") or "7.1")
    sharded = int(view.value("numNodeGroups") or 1) > 1 or view.value("clusterMode") == "enabled"
    many = _nodes(view) > 1
    return {
        "replicationGroupId": id,
        "engine": engine,
        "engineVersion": version,
        "engineVersionActual": version if version.count(".") == 2 else f"{version}.0",
        "port": view.value("port") or 6379,
        "primaryEndpointAddress": "" if sharded else f"master.{tail}",
        "readerEndpointAddress": "" if sharded else f"replica.{tail}",
        "configurationEndpointAddress": f"clustercfg.{tail}" if sharded else "",
        "clusterEnabled": sharded,
        "clusterMode": view.value("clusterMode") or ("enabled" if sharded else "disabled"),
        "memberClusters": [f"{id}-{number:03d}" for number in range(1, _nodes(view) + 1)],
        "numCacheClusters": _nodes(view),
        "numNodeGroups": view.value("numNodeGroups") or 1,
        "replicasPerNodeGroup": view.value("replicasPerNodeGroup") or (_nodes(view) - 1 if many else 0),
        "parameterGroupName": view.value("parameterGroupName") or f"default.{_family(engine, version)}",
        "maintenanceWindow": view.value("maintenanceWindow") or "sun:08:00-sun:09:00",
        "snapshotWindow": view.value("snapshotWindow") or "05:00-06:00",
        "subnetGroupName": view.value("subnetGroupName") or "default",
        "transitEncryptionMode": view.value("transitEncryptionMode")
        or ("required" if view.value("transitEncryptionEnabled") else ""),
        "ipDiscovery": view.value("ipDiscovery") or "ipv4",
        "networkType": view.value("networkType") or "ipv4",
        "autoMinorVersionUpgrade": view.value("autoMinorVersionUpgrade") in (None, True, "true"),
        "securityGroupIds": view.value("securityGroupIds") or [],
        "userGroupIds": view.value("userGroupIds") or [],
    }


def _user_problems(inputs: Mapping[str, Any]) -> list[Problem]:
    mode = inputs.get("authenticationMode")
    given = [
        name for name in ("passwords", "passwordsWo", "noPasswordRequired", "authenticationMode") if inputs.get(name)
    ]
    if len(given) > 1:
        return [Problem(given[1], f"conflicts with {given[0]}")]
    if not given:
        return [
            Problem(
                "authenticationMode", "InvalidParameterCombination: a password, IAM or noPasswordRequired is wanted"
            )
        ]
    holder = mode if isinstance(mode, dict) else inputs
    passwords = holder.get("passwords")
    found = []
    for index, password in enumerate(passwords if isinstance(passwords, list) else ()):
        if isinstance(password, str) and not 16 <= len(password) <= 128:
            found.append(
                Problem(f"passwords[{index}]", f"a password has 16 to 128 characters, this one has {len(password)}")
            )
    return found


def _default_user(view: View) -> None:
    """A group for Redis has a user of the name default; one for Valkey need not.

    Source: https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/Clusters.RBAC.html.
    """
    users = [view.one(USER, id) for id in view.value("userIds") or ()]
    names = [user.outputs["userName"] for user in users if user is not None]
    if view.value("engine") == "redis" and "default" not in names and "default" not in (view.value("userIds") or ()):
        raise AwsError("DefaultUserRequired", "A user with the name default must be in a user group of Redis OSS.")
    if len(set(names)) < len(names):
        raise AwsError("DuplicateUserName", "Two users of a group have the same name.")


_CACHE = "ElastiCache"

TYPES: dict[str, AwsType] = {
    GROUP: AwsType(
        service=_CACHE,
        noun="ReplicationGroup",
        label="ElastiCache Replication Group",
        cloudformation="AWS::ElastiCache::ReplicationGroup",
        id="{replicationGroupId}",
        arn="elasticache:{region}:{account}:replicationgroup:{id}",
        renames={
            "description": "ReplicationGroupDescription",
            "nodeType": "CacheNodeType",
            "parameterGroupName": "CacheParameterGroupName",
            "subnetGroupName": "CacheSubnetGroupName",
            "securityGroupNames": "CacheSecurityGroupNames",
            "maintenanceWindow": "PreferredMaintenanceWindow",
            "nodeGroupConfigurations": "NodeGroupConfiguration",
        },
        autoname="replicationGroupId",
        lowercase=True,
        name_limit=40,
        defaults={
            "atRestEncryptionEnabled": False,
            "automaticFailoverEnabled": False,
            "multiAzEnabled": False,
            "transitEncryptionEnabled": False,
            "dataTieringEnabled": False,
            "snapshotRetentionLimit": 0,
        },
        adapt=_group_shape,
        computed=_group_outputs,
        taken="ReplicationGroupAlreadyExistsFault",
        taken_text="Replication group {name} already exists",
        missing=("ReplicationGroupNotFoundFault", "Replication group {id} not found"),
        references={
            "subnetGroupName": SUBNET_GROUP,
            "parameterGroupName": PARAMETER_GROUP,
            "userGroupIds": USER_GROUP,
        },
        rules=(_group_rules,),
        value_rules=(_group_problems,),
        write_only=frozenset(
            {"authToken", "authTokenWo", "authTokenUpdateStrategy", "applyImmediately", "finalSnapshotIdentifier"}
        ),
        waits=frozenset({"engineVersion", "nodeType"}),
        # Encryption in transit is switched on and off in place since Redis 7.
        in_place=frozenset({"transitEncryptionEnabled"}),
    ),
    PARAMETER_GROUP: AwsType(
        service=_CACHE,
        noun="CacheParameterGroup",
        label="ElastiCache Parameter Group",
        cloudformation="AWS::ElastiCache::ParameterGroup",
        id="{name}",
        arn="elasticache:{region}:{account}:parametergroup:{name}",
        renames={"name": "CacheParameterGroupName", "family": "CacheParameterGroupFamily", "parameters": None},
        lowercase=True,
        defaults={"description": "Managed by Pulumi"},
        computed=lambda view, id: {"parameters": view.inputs.get("parameters") or []},
        taken="CacheParameterGroupAlreadyExists",
        missing=("CacheParameterGroupNotFound", "CacheParameterGroup {id} not found."),
        in_use=(
            "InvalidCacheParameterGroupState",
            "One or more cache clusters are still members of this parameter group {id}",
        ),
        replaces=frozenset({"description"}),
    ),
    SUBNET_GROUP: AwsType(
        service=_CACHE,
        noun="CacheSubnetGroup",
        label="ElastiCache Subnet Group",
        cloudformation="AWS::ElastiCache::SubnetGroup",
        id="{name}",
        arn="elasticache:{region}:{account}:subnetgroup:{name}",
        renames={"name": "CacheSubnetGroupName"},
        lowercase=True,
        defaults={"description": "Managed by Pulumi"},
        computed=lambda view, id: {
            "vpcId": next((s.outputs["vpcId"] for i in view.value("subnetIds") if (s := view.one(SUBNET, i))), "")
        },
        taken="CacheSubnetGroupAlreadyExists",
        missing=("CacheSubnetGroupNotFoundFault", "Cache Subnet Group {id} does not exist."),
        in_use=("CacheSubnetGroupInUse", "Cache subnet group {id} is currently in use by a cache cluster."),
    ),
    USER: AwsType(
        service=_CACHE,
        noun="User",
        label="ElastiCache User",
        cloudformation="AWS::ElastiCache::User",
        id="{userId}",
        arn="elasticache:{region}:{account}:user:{userId}",
        names=("userId",),
        taken="UserAlreadyExists",
        taken_text="User {name} already exists.",
        missing=("UserNotFound", "User {id} not found."),
        value_rules=(_user_problems,),
        write_only=frozenset({"passwords", "passwordsWo", "authenticationMode", "noPasswordRequired"}),
        defaults={"noPasswordRequired": False},
    ),
    USER_GROUP: AwsType(
        service=_CACHE,
        noun="UserGroup",
        label="ElastiCache User Group",
        cloudformation="AWS::ElastiCache::UserGroup",
        id="{userGroupId}",
        arn="elasticache:{region}:{account}:usergroup:{userGroupId}",
        names=("userGroupId",),
        taken="UserGroupAlreadyExists",
        taken_text="User group {name} already exists.",
        missing=("UserGroupNotFound", "User group {id} not found."),
        references={"userIds": USER},
        rules=(_default_user,),
        in_use=("InvalidUserGroupState", "User group {id} is associated with {users}."),
    ),
}
