"""RDS."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from sandbox.cloud.aws import schemas
from sandbox.cloud.aws.catalog.identity import ROLE
from sandbox.cloud.aws.catalog.network import SUBNET
from sandbox.cloud.aws.model import ACCOUNT, AwsError, AwsType, View, fresh_uuid, hexadecimal, stable_hex, upper
from sandbox.cloud.property_values import UNKNOWN
from sandbox.cloud.sdk_types import Problem
from sandbox.cloud.store import Resource

INSTANCE = "aws:rds/instance:Instance"
SUBNET_GROUP = "aws:rds/subnetGroup:SubnetGroup"
PARAMETER_GROUP = "aws:rds/parameterGroup:ParameterGroup"
BACKUPS_REPLICATION = "aws:rds/instanceAutomatedBackupsReplication:InstanceAutomatedBackupsReplication"
SNAPSHOT = "aws:rds/snapshot:Snapshot"
SECRET = "aws:secretsmanager/secret:Secret"  # noqa: S105 (a type token)

PORTS = {"postgres": 5432, "mysql": 3306, "mariadb": 3306}
LICENSES = {"postgres": "postgresql-license", "mysql": "general-public-license", "mariadb": "general-public-license"}

# What the catalogue of engines and instance classes allows


def _engine_problems(inputs: Mapping[str, Any]) -> list[Problem]:
    engine, version, size = (inputs.get(name) for name in ("engine", "engineVersion", "instanceClass"))
    if UNKNOWN in (engine, version, size) or engine is None or inputs.get("replicateSourceDb"):
        return []
    return list(_judged(str(engine), str(version or ""), str(size), inputs.get("region") or "us-east-1"))


@cache
def _judged(engine: str, version: str, size: str, region: str) -> tuple[Problem, ...]:
    asked: dict[str, Any] = {"Engine": engine, "DBInstanceClass": size}
    if version:
        asked["EngineVersion"] = version
    for error in schemas.extension("aws_rds_dbinstance/engine_version").iter_errors(asked):
        if list(error.absolute_path) == ["Engine"]:
            return (Problem("engine", f"InvalidParameterValue: Invalid DB engine: {engine}; {error.message}"),)
        near = sorted(
            (str(v) for v in error.validator_value if str(v).split(".")[0] == version.split(".")[0]), key=_version_key
        )
        told = f"there are {', '.join(near)}" if near else f"{engine} has no version {version.split('.')[0]}"
        return (
            Problem(
                "engineVersion", f"InvalidParameterCombination: Cannot find version {version} for {engine}; {told}"
            ),
        )
    asked["LicenseModel"] = LICENSES.get(engine)
    for name, place in (("dbinstanceclass_enum", region), ("db_instance_class", None)):
        for _ in schemas.extension(f"aws_rds_dbinstance/{name}", place).iter_errors(asked):
            return (
                Problem(
                    "instanceClass",
                    "InvalidParameterCombination: RDS does not support creating a DB instance with the following "
                    f"combination: DBInstanceClass={size}, Engine={engine}, EngineVersion={version or 'default'}, "
                    f"LicenseModel={LICENSES.get(engine, 'license-included')}, in {region}",
                ),
            )
    return ()


def _version_key(version: str) -> list[int]:
    return [int(part) for part in re.findall(r"\d+", version)]


@cache
def _families() -> frozenset[str]:
    """List the parameter group families of the engines whose family is engine and major version."""
    families = set()
    for rule in schemas.extension_content("aws_rds_dbinstance/engine_version")["allOf"]:
        engine = rule["if"]["properties"]["Engine"].get("const")
        for version in rule["then"]["properties"].get("EngineVersion", {}).get("enum", ()):
            if engine in PORTS:
                families.add(_family(engine, str(version)))
    return frozenset(families)


def _family(engine: str, version: str) -> str:
    parts = version.split(".")
    one_part = engine == "postgres" and int(parts[0]) >= 10
    return f"{engine}{parts[0] if one_part else '.'.join(parts[:2])}"


# What the API says of combinations

_WEEKLY = re.compile(r"(mon|tue|wed|thu|fri|sat|sun):([01]\d|2[0-3]):[0-5]\d", re.IGNORECASE)
_DAILY = re.compile(r"([01]\d|2[0-3]):[0-5]\d-([01]\d|2[0-3]):[0-5]\d")
_LOGS = {
    "postgres": {"postgresql", "upgrade", "iam-db-auth-error"},
    "mysql": {"audit", "error", "general", "slowquery", "iam-db-auth-error"},
    "mariadb": {"audit", "error", "general", "slowquery", "iam-db-auth-error"},
}
"""Log types that each engine exports (https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/
API_CreateDBInstance.html, EnableCloudwatchLogsExports).
"""
_RESERVED_USERS = {
    "postgres": re.compile(r"admin|user|public|none|all|default|pg_\w*|rds\w*"),
    "mysql": re.compile("rdsadmin"),
    "mariadb": re.compile("rdsadmin"),
}
"""Names of users that an engine reserves; of PostgreSQL's own reserved words those that somebody may think of."""


def _instance_problems(inputs: Mapping[str, Any]) -> list[Problem]:
    return [problem for problem in _instance_judgements(inputs) if problem]


def _instance_judgements(inputs: Mapping[str, Any]) -> Iterator[Problem]:
    get = inputs.get
    copy = get("replicateSourceDb") or get("snapshotIdentifier") or get("restoreToPointInTime")
    password = [name for name in ("password", "passwordWo", "manageMasterUserPassword") if get(name)]
    if len(password) > 1:
        yield Problem(password[0], f"conflicts with {password[1]}: give one of them")
    if not copy:
        for name in ("engine", "username", "allocatedStorage"):
            if not get(name):
                yield Problem(name, f"{name} must be given for an instance that is no replica, snapshot or restore")
        if not password:
            yield Problem("password", "one of password, passwordWo, manageMasterUserPassword must be given")
    if not get("skipFinalSnapshot") and not get("finalSnapshotIdentifier"):
        # The provider itself says so only at deletion; the engine's plan is the better place to learn it.
        yield Problem("finalSnapshotIdentifier", "required where skipFinalSnapshot is not true")
    if get("kmsKeyId") and get("storageEncrypted") is None and not copy:
        yield Problem("kmsKeyId", "KmsKeyId is given, but storageEncrypted is not true")
    retention = get("backupRetentionPeriod")
    if isinstance(retention, int) and not 0 <= retention <= 35:
        yield Problem(
            "backupRetentionPeriod",
            f"InvalidParameterValue: Invalid backup retention period: {retention}. Must be between 0 and 35.",
        )
    interval = get("monitoringInterval")
    if isinstance(interval, int) and interval not in (0, 1, 5, 10, 15, 30, 60):
        yield Problem("monitoringInterval", f"expected one of 0, 1, 5, 10, 15, 30, 60 (seconds), got {interval}")
    if interval and not get("monitoringRoleArn"):
        yield Problem(
            "monitoringRoleArn",
            "InvalidParameterCombination: A MonitoringRoleARN value is required if you "
            "specify a MonitoringInterval value other than 0.",
        )
    if get("databaseInsightsMode") == "advanced":
        if get("performanceInsightsEnabled") is not True:
            yield Problem("databaseInsightsMode", "advanced needs performanceInsightsEnabled")
        kept = get("performanceInsightsRetentionPeriod")
        if isinstance(kept, int) and kept < 465:
            yield Problem(
                "performanceInsightsRetentionPeriod", f"advanced Database Insights keeps at least 465 days, not {kept}"
            )
    yield from _storage_problems(inputs)
    exports = get("enabledCloudwatchLogsExports")
    allowed = _LOGS.get(str(get("engine")))
    if allowed and isinstance(exports, list):
        for index, log in enumerate(exports):
            if isinstance(log, str) and log not in allowed:
                yield Problem(
                    f"enabledCloudwatchLogsExports[{index}]",
                    f"{log!r} is not a log of {get('engine')}: {', '.join(sorted(allowed))}",
                )
    reserved, master = _RESERVED_USERS.get(str(get("engine"))), get("username")
    if reserved and isinstance(master, str) and reserved.fullmatch(master):
        yield Problem("username", f"MasterUsername {master} cannot be used as it is a reserved word used by the engine")
    window, backup = get("maintenanceWindow"), get("backupWindow")
    if isinstance(window, str) and not all(_WEEKLY.fullmatch(end) for end in window.split("-")):
        yield Problem("maintenanceWindow", f"{window!r} is not of the form ddd:hh24:mi-ddd:hh24:mi")
    if isinstance(backup, str) and not _DAILY.fullmatch(backup):
        yield Problem("backupWindow", f"{backup!r} is not of the form hh24:mi-hh24:mi")


def _storage_problems(inputs: Mapping[str, Any]) -> Iterator[Problem]:
    """Judge sizes and performance of storage (https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/CHAP_Storage.html)."""
    kind, size, most = (inputs.get(name) for name in ("storageType", "allocatedStorage", "maxAllocatedStorage"))
    if not isinstance(size, int):
        return
    if kind in ("gp2", "gp3") and not 20 <= size <= 65536:
        yield Problem(
            "allocatedStorage",
            f"Invalid storage size for storage type {kind}: {size} (20 to 65536 GiB)",
        )
    if kind in ("io1", "io2") and not 100 <= size <= 65536:
        yield Problem(
            "allocatedStorage",
            f"Invalid storage size for storage type {kind}: {size} (100 to 65536 GiB)",
        )
    if isinstance(most, int) and most and most < size * 1.1:
        yield Problem(
            "maxAllocatedStorage",
            f"InvalidParameterCombination: Max storage size must be greater than storage size by at least 10 %: "
            f"{most} GiB over {size} GiB",
        )
    engine = inputs.get("engine")
    for name in ("iops", "storageThroughput"):
        if kind == "gp3" and engine in PORTS and inputs.get(name) and size < 400:
            yield Problem(
                name,
                "InvalidParameterCombination: You can't specify IOPS or storage throughput for engine "
                f"{engine} and a storage size less than 400.",
            )
    if kind in ("io1", "io2") and not inputs.get("iops"):
        yield Problem("iops", f"storage type {kind} needs iops")


def _instance_rules(view: View) -> None:
    group = view.one(SUBNET_GROUP, view.inputs.get("dbSubnetGroupName", ""))
    vpc = group.outputs["vpcId"] if group else None
    for id in view.inputs.get("vpcSecurityGroupIds") or ():
        security = next(iter(view.store.find(id)), None)
        if security and vpc and security.outputs.get("vpcId") != vpc:
            raise AwsError(
                "InvalidVPCNetworkStateFault",
                f"The DB instance and EC2 security group are in different VPCs. The DB instance is in {vpc} and the "
                f"EC2 security group is in {security.outputs.get('vpcId')}",
            )
    parameters = view.one(PARAMETER_GROUP, view.inputs.get("parameterGroupName", ""))
    engine, version = view.value("engine"), view.value("engineVersion")
    if parameters and engine in PORTS and version and parameters.outputs["family"] != _family(engine, str(version)):
        raise AwsError(
            "InvalidParameterCombination",
            f"The Parameter Group {parameters.id} with DBParameterGroupFamily {parameters.outputs['family']} cannot be "
            f"used for this instance. Please use a Parameter Group with DBParameterGroupFamily "
            f"{_family(engine, str(version))}",
        )
    if view.existing is None:
        return
    shrunk = (view.old("allocatedStorage") or 0) > (view.value("allocatedStorage") or 0)
    if shrunk:
        raise AwsError(
            "InvalidParameterCombination",
            f"Invalid storage size: {view.existing.id} cannot shrink from {view.old('allocatedStorage')} "
            f"to {view.value('allocatedStorage')} GiB",
        )
    old_version = str(view.old("engineVersionActual") or "")
    if version and old_version and _version_key(str(version))[:1] < _version_key(old_version)[:1]:
        raise AwsError("InvalidParameterCombination", f"Cannot upgrade {engine} from {old_version} to {version}")
    if (
        version
        and old_version
        and _version_key(str(version))[:1] > _version_key(old_version)[:1]
        and not view.inputs.get("allowMajorVersionUpgrade")
    ):
        raise AwsError(
            "InvalidParameterCombination",
            "The AllowMajorVersionUpgrade flag must be present when upgrading to a new major version.",
        )
    if _is_copied_first(view):
        _blue_green_rules(view)


def _replica_rules(view: View) -> None:
    """Refuse what RDS does not copy (RDS user guide, 'Password management with Amazon RDS and AWS Secrets Manager')."""
    source = view.one(INSTANCE, str(view.inputs.get("replicateSourceDb") or ""))
    if source and view.existing is None and source.outputs.get("masterUserSecrets"):
        raise AwsError(
            "InvalidDBInstanceState",
            f"You can't create a read replica of {source.id}, whose master password RDS manages in Secrets Manager.",
        )


def _is_copied_first(view: View) -> bool:
    """Say whether the provider makes this change by a blue/green deployment: of what a copy can have otherwise."""
    wanted = view.inputs.get("blueGreenUpdate") or {}
    changed = any(
        name in view.inputs and view.old(name) is not None and view.inputs[name] != view.old(name)
        for name in ("engineVersion", "instanceClass", "parameterGroupName")
    )
    return bool(view.existing and wanted.get("enabled") and changed)


def _blue_green_rules(view: View) -> None:
    """Refuse what RDS does not copy (RDS user guide, 'Limitations and considerations for blue/green deployments')."""
    if view.old("masterUserSecrets"):
        raise AwsError(
            "InvalidDBInstanceState",
            "You can't create a blue/green deployment of an instance whose master user password is managed in Secrets "
            "Manager.",
        )
    if not view.old("backupRetentionPeriod"):
        raise AwsError("SourceDatabaseNotSupportedFault", "Automated backups are not enabled on the source instance.")
    group = view.one(PARAMETER_GROUP, str(view.old("parameterGroupName") or ""))
    parameters = group.outputs.get("parameters") or [] if group else []
    in_step = any(each.get("name") == "rds.logical_replication" and each.get("value") == "1" for each in parameters)
    if not in_step:
        raise AwsError(
            "SourceDatabaseNotSupportedFault",
            "Logical replication must be enabled in the source's parameter group (rds.logical_replication = 1).",
        )


def _instance_outputs(view: View, id: str) -> dict[str, Any]:
    engine = str(view.value("engine") or "postgres")
    name = view.value("identifier")
    port = view.value("port") or PORTS.get(engine, 5432)
    address = f"{name}.c{stable_hex(view.region, 11)}.{view.region}.rds.amazonaws.com"
    group = view.value("dbSubnetGroupName") or "default"
    zones = _zones(view, group)
    replica = view.one(INSTANCE, str(view.inputs.get("replicateSourceDb") or ""))
    outputs: dict[str, Any] = {
        "address": address,
        "endpoint": f"{address}:{port}",
        "port": port,
        "hostedZoneId": "Z2R2ITUGPM61AM" if view.region == "us-east-1" else f"Z{stable_hex(view.region, 13).upper()}",
        # After a blue/green deployment another instance has the name and the address.
        "resourceId": f"db-{upper(26)}"
        if _is_copied_first(view)
        else view.kept("resourceId", lambda: f"db-{upper(26)}"),
        "status": "available",
        "engineVersionActual": str(view.value("engineVersion") or view.old("engineVersionActual") or ""),
        "identifier": name,
        "licenseModel": view.value("licenseModel") or LICENSES.get(engine, "license-included"),
        "dbSubnetGroupName": group,
        "parameterGroupName": view.value("parameterGroupName")
        or f"default.{_family(engine, str(view.value('engineVersion') or '15'))}",
        "optionGroupName": view.value("optionGroupName")
        or f"default:{engine}-{str(view.value('engineVersion') or '15').split('.')[0]}",
        "availabilityZone": view.value("availabilityZone") or zones[0],
        "backupWindow": view.value("backupWindow") or "07:00-07:30",
        "maintenanceWindow": view.value("maintenanceWindow") or "sun:08:00-sun:08:30",
        "caCertIdentifier": view.value("caCertIdentifier") or "rds-ca-rsa2048-g1",
        "storageType": view.value("storageType") or "gp2",
        "iops": view.value("iops") or (3000 if view.value("storageType") == "gp3" else 0),
        "storageThroughput": view.value("storageThroughput") or (125 if view.value("storageType") == "gp3" else 0),
        "networkType": view.value("networkType") or "IPV4",
        "engineLifecycleSupport": view.value("engineLifecycleSupport") or "open-source-rds-extended-support",
        "databaseInsightsMode": view.value("databaseInsightsMode") or "standard",
        "backupTarget": view.value("backupTarget") or "region",
        "masterUserSecrets": _secrets(view),
        "vpcSecurityGroupIds": view.value("vpcSecurityGroupIds") or [],
        "enabledCloudwatchLogsExports": view.value("enabledCloudwatchLogsExports") or [],
        "replicas": view.old("replicas") or [],
        "listenerEndpoints": [],
        "latestRestorableTime": "",
        "snapshotIdentifier": view.value("snapshotIdentifier") or "",
    }
    if replica is not None:
        outputs |= {"engine": replica.outputs["engine"], "username": replica.outputs.get("username")}
    return outputs


def _zones(view: View, group: str) -> list[str]:
    found = view.one(SUBNET_GROUP, group)
    subnets = [view.one(SUBNET, id) for id in found.outputs["subnetIds"]] if found else []
    zones = sorted({subnet.outputs["availabilityZone"] for subnet in subnets if subnet is not None})
    return zones or list(schemas.availability_zones(view.region))


def _secrets(view: View) -> list[dict[str, Any]]:
    # Left out, it is false to the provider, which sends what it finds changed.
    if not view.inputs.get("manageMasterUserPassword"):
        return []
    held = view.old("masterUserSecrets") or []
    if held:
        return list(held)
    key = view.inputs.get("masterUserSecretKmsKeyId")
    aws_key = f"arn:aws:kms:{view.region}:{ACCOUNT}:key/{fresh_uuid()}"
    name = f"rds!db-{fresh_uuid()}-{hexadecimal(6)}"
    return [
        {
            "kmsKeyId": key or aws_key,
            "secretArn": f"arn:aws:secretsmanager:{view.region}:{ACCOUNT}:secret:{name}",
            "secretStatus": "active",
        }
    ]


def _instance_companions(view: View, instance: Resource) -> Iterator[Resource]:
    """Make the secret that RDS manages; its value is nobody's, so there is none."""
    for secret in instance.outputs["masterUserSecrets"]:
        arn = secret["secretArn"]
        name = arn.rpartition(":")[2].rpartition("-")[0]
        outputs = {"arn": arn, "name": name, "kmsKeyId": secret["kmsKeyId"], "region": instance.region, "tags": {}}
        yield Resource("aws", ACCOUNT, instance.region, SECRET, arn, "", {}, outputs)


def _deletable(view: View) -> None:
    instance = view.existing
    if instance is None:
        return
    if instance.outputs.get("deletionProtection"):
        raise AwsError(
            "InvalidParameterCombination",
            "Cannot delete protected DB Instance, please disable deletion protection and try again.",
        )
    if instance.outputs.get("skipFinalSnapshot"):
        return
    name = instance.outputs.get("finalSnapshotIdentifier")
    if not name:
        raise AwsError(
            "InvalidParameterCombination",
            "FinalDBSnapshotIdentifier is required when a final snapshot is to be taken (skipFinalSnapshot is false).",
        )
    if view.one(SNAPSHOT, name) is not None:
        raise AwsError(
            "DBSnapshotAlreadyExists",
            f"Cannot create the snapshot because a snapshot with the identifier {name} already exists.",
        )
    outputs = {
        "dbSnapshotIdentifier": name,
        "dbSnapshotArn": f"arn:aws:rds:{instance.region}:{ACCOUNT}:snapshot:{name}",
        "engine": instance.outputs.get("engine"),
        "snapshotType": "manual",
        "region": instance.region,
    }
    view.store.put(Resource("aws", ACCOUNT, instance.region, SNAPSHOT, name, "", {}, outputs))


# Groups


def _spans_two_zones(view: View) -> None:
    subnets = [view.one(SUBNET, id) for id in view.value("subnetIds")]
    known = [subnet for subnet in subnets if subnet is not None]
    if len({subnet.outputs["vpcId"] for subnet in known}) > 1:
        raise AwsError("InvalidSubnet", "The subnets of a DB subnet group must be in one VPC.")
    zones = {subnet.outputs["availabilityZone"] for subnet in known}
    if len(zones) < 2:
        raise AwsError(
            "DBSubnetGroupDoesNotCoverEnoughAZs",
            "The DB subnet group doesn't meet Availability Zone (AZ) coverage requirement. Current AZ coverage: "
            f"{', '.join(sorted(zones))}. Add subnets to cover at least 2 AZs.",
        )


def _subnet_group_outputs(view: View, id: str) -> dict[str, Any]:
    subnet = view.one(SUBNET, (view.value("subnetIds") or [""])[0])
    return {"vpcId": subnet.outputs["vpcId"] if subnet else "", "supportedNetworkTypes": ["IPV4"]}


def _group_name(inputs: Mapping[str, Any]) -> list[Problem]:
    name = inputs.get("name")
    if isinstance(name, str) and name != name.lower():
        return [
            Problem(
                "name",
                f"only lowercase letters, digits, hyphens, underscores, periods and spaces are allowed: {name!r}",
            )
        ]
    if name == "default":
        return [Problem("name", 'name "default" is reserved')]
    return []


def _known_family(inputs: Mapping[str, Any]) -> list[Problem]:
    family = inputs.get("family")
    engine = re.match(r"[a-z-]+", family) if isinstance(family, str) else None
    if engine is None or engine[0] not in PORTS or family in _families():
        return []
    same = sorted((f for f in _families() if f.startswith(engine[0])), key=_version_key)
    return [
        Problem(
            "family",
            f"InvalidParameterValue: ParameterGroupFamily {family} is not a valid parameter group family; there are "
            f"{', '.join(same)}",
        )
    ]


def _apply_methods(inputs: Mapping[str, Any]) -> list[Problem]:
    found = []
    names: set[Any] = set()
    parameters = inputs.get("parameters")
    for index, parameter in enumerate(parameters if isinstance(parameters, list) else ()):
        if not isinstance(parameter, dict):
            continue
        method, name = parameter.get("applyMethod", "immediate"), parameter.get("name")
        path = f"parameters[{index}]"
        if method is not UNKNOWN and method not in ("immediate", "pending-reboot"):
            found.append(Problem(f"{path}.applyMethod", f"expected one of immediate, pending-reboot, got {method!r}"))
        if name in _STATIC_PARAMETERS and method == "immediate":
            found.append(
                Problem(
                    f"{path}.applyMethod",
                    f"InvalidParameterCombination: cannot use immediate apply method for static parameter {name}",
                )
            )
        if name in names:
            found.append(Problem(f"{path}.name", f"{name} is set twice"))
        names.add(name)
    return found


_STATIC_PARAMETERS = frozenset(
    {"shared_preload_libraries", "max_connections", "shared_buffers", "wal_buffers", "rds.logical_replication"}
)
"""Static parameters of PostgreSQL that programs commonly set (https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/
Appendix.PostgreSQL.CommonDBATasks.Parameters.html).
"""


def _replication_rules(view: View) -> None:
    source = next((r for r in view.store.identified(view.inputs["sourceDbInstanceArn"]) if r.type == INSTANCE), None)
    if source is None:
        return
    if source.region == view.region:
        raise AwsError("InvalidParameterValue", "Automated backups are replicated to another Region than the source's.")
    if not source.outputs.get("backupRetentionPeriod"):
        raise AwsError("InvalidDBInstanceState", f"Automated backups are not enabled on {source.id}.")
    if source.outputs.get("storageEncrypted") and not view.inputs.get("kmsKeyId"):
        raise AwsError("InvalidParameterCombination", "KmsKeyId is required for the copies of an encrypted instance.")
    key = str(view.inputs.get("kmsKeyId", ""))
    if key.startswith("arn:") and key.split(":")[3] != view.region:
        raise AwsError("KMSKeyNotAccessibleFault", f"The KMS key {key} is not in {view.region}.")
    for other in view.all(BACKUPS_REPLICATION):
        if other.outputs["sourceDbInstanceArn"] == view.inputs["sourceDbInstanceArn"]:
            raise AwsError("InvalidDBInstanceState", f"The automated backups of {source.id} are already replicated.")


TYPES: dict[str, AwsType] = {
    INSTANCE: AwsType(
        service="RDS",
        noun="DBInstance",
        label="RDS DB Instance",
        cloudformation="AWS::RDS::DBInstance",
        id="db-{capitals}",
        arn="rds:{region}:{account}:db:{identifier}",
        renames={
            "identifier": "DBInstanceIdentifier",
            "instanceClass": "DBInstanceClass",
            "dbSubnetGroupName": "DBSubnetGroupName",
            "parameterGroupName": "DBParameterGroupName",
            "username": "MasterUsername",
            "password": "MasterUserPassword",
            "backupWindow": "PreferredBackupWindow",
            "maintenanceWindow": "PreferredMaintenanceWindow",
            "iamDatabaseAuthenticationEnabled": "EnableIAMDatabaseAuthentication",
            "performanceInsightsEnabled": "EnablePerformanceInsights",
            "enabledCloudwatchLogsExports": "EnableCloudwatchLogsExports",
            "caCertIdentifier": "CACertificateIdentifier",
            "vpcSecurityGroupIds": "VPCSecurityGroups",
            "replicateSourceDb": "SourceDBInstanceIdentifier",
            "masterUserSecretKmsKeyId": "MasterUserSecret/KmsKeyId",
            "snapshotIdentifier": "DBSnapshotIdentifier",
            "restoreToPointInTime": None,
            "s3Import": None,
        },
        autoname="identifier",
        lowercase=True,
        name_limit=63,
        defaults={
            "allowMajorVersionUpgrade": False,
            "applyImmediately": False,
            "autoMinorVersionUpgrade": True,
            "backupRetentionPeriod": 0,
            "copyTagsToSnapshot": False,
            "customerOwnedIpEnabled": False,
            "dedicatedLogVolume": False,
            "deleteAutomatedBackups": True,
            "deletionProtection": False,
            "iamDatabaseAuthenticationEnabled": False,
            "maxAllocatedStorage": 0,
            "monitoringInterval": 0,
            "multiAz": False,
            "performanceInsightsEnabled": False,
            "publiclyAccessible": False,
            "skipFinalSnapshot": False,
            "storageEncrypted": False,
        },
        computed=_instance_outputs,
        companions=_instance_companions,
        taken="DBInstanceAlreadyExists",
        taken_text="DB instance already exists",
        missing=("DBInstanceNotFound", "DBInstance {id} not found."),
        references={
            "dbSubnetGroupName": SUBNET_GROUP,
            "parameterGroupName": PARAMETER_GROUP,
            "monitoringRoleArn": ROLE,
        },
        rules=(_instance_rules, _replica_rules),
        value_rules=(_engine_problems, _instance_problems),
        deletion_rules=(_deletable,),
        cascades={BACKUPS_REPLICATION: "sourceDbInstanceArn"},
        # RDS user guide, 'Settings for DB instances'; of an engine's version that waits the provider tells the new one.
        waits=frozenset(
            {
                "allocatedStorage",
                "caCertIdentifier",
                "dbSubnetGroupName",
                "iamDatabaseAuthenticationEnabled",
                "identifier",
                "instanceClass",
                "iops",
                "multiAz",
                "storageThroughput",
                "storageType",
            }
        ),
        # ModifyDBInstance renames an instance and moves it to another subnet group.
        in_place=frozenset({"identifier", "identifierPrefix", "dbSubnetGroupName"}),
        replaces=frozenset(
            {"availabilityZone", "backupTarget", "engine", "snapshotIdentifier", "restoreToPointInTime", "s3Import"}
        ),
        write_only=frozenset(
            {
                "password",
                "passwordWo",
                "passwordWoVersion",
                "applyImmediately",
                "allowMajorVersionUpgrade",
                "blueGreenUpdate",
                "skipFinalSnapshot",
                "finalSnapshotIdentifier",
                "deleteAutomatedBackups",
            }
        ),
    ),
    SUBNET_GROUP: AwsType(
        service="RDS",
        noun="DBSubnetGroup",
        label="RDS DB Subnet Group",
        cloudformation="AWS::RDS::DBSubnetGroup",
        id="{name}",
        arn="rds:{region}:{account}:subgrp:{name}",
        renames={"name": "DBSubnetGroupName", "description": "DBSubnetGroupDescription"},
        lowercase=True,
        defaults={"description": "Managed by Pulumi"},
        computed=_subnet_group_outputs,
        taken="DBSubnetGroupAlreadyExists",
        taken_text="The DB subnet group '{name}' already exists.",
        missing=("DBSubnetGroupNotFoundFault", "DB subnet group '{id}' does not exist."),
        rules=(_spans_two_zones,),
        value_rules=(_group_name,),
        in_use=(
            "InvalidDBSubnetGroupStateFault",
            "Cannot delete the subnet group '{id}' because at least one database instance: {users} is still using it.",
        ),
    ),
    PARAMETER_GROUP: AwsType(
        service="RDS",
        noun="DBParameterGroup",
        label="RDS DB Parameter Group",
        cloudformation="AWS::RDS::DBParameterGroup",
        id="{name}",
        arn="rds:{region}:{account}:pg:{name}",
        renames={"name": "DBParameterGroupName", "parameters": None},
        lowercase=True,
        defaults={"description": "Managed by Pulumi", "skipDestroy": False},
        computed=lambda view, id: {"parameters": view.inputs.get("parameters") or []},
        taken="DBParameterGroupAlreadyExists",
        taken_text="Parameter group {name} already exists",
        missing=("DBParameterGroupNotFound", "DBParameterGroup not found: {id}"),
        value_rules=(_known_family, _apply_methods, _group_name),
        in_use=(
            "InvalidDBParameterGroupState",
            "One or more database instances are still members of this parameter group {id}, so it cannot be deleted",
        ),
    ),
    BACKUPS_REPLICATION: AwsType(
        service="RDS",
        noun="DBInstanceAutomatedBackupsReplication",
        label="RDS DB Instance Automated Backup Replication",
        cloudformation=None,
        id="arn:{partition}:rds:{region}:{account}:auto-backup:ab-{hex}",
        defaults={"retentionPeriod": 7},
        references={"sourceDbInstanceArn": INSTANCE},
        rules=(_replication_rules,),
        value_rules=(
            lambda inputs: (
                [Problem("retentionPeriod", f"expected 1 to 35 days, got {inputs['retentionPeriod']}")]
                if isinstance(inputs.get("retentionPeriod"), int) and not 1 <= inputs["retentionPeriod"] <= 35
                else []
            ),
        ),
        replaces=frozenset({"sourceDbInstanceArn", "kmsKeyId", "retentionPeriod", "preSignedUrl"}),
        operations={
            "create": "StartDBInstanceAutomatedBackupsReplication",
            "delete": "StopDBInstanceAutomatedBackupsReplication",
        },
    ),
}
