"""Databases: closed, encrypted, kept."""

from __future__ import annotations

from collections.abc import Iterator

from policies.aws.types import (
    ALARM,
    BACKUP_REPLICATION,
    BACKUP_SELECTION,
    CLUSTER_INSTANCE,
    CLUSTER_PARAMETER_GROUP,
    DATABASE,
    DATABASE_CLUSTER,
    DATABASE_PROXY,
    PARAMETER_GROUP,
)
from policies.resources import Resource, Stack
from policies.rules import (
    DURABILITY,
    Finding,
    each_rule,
    is_given,
    is_true,
    not_false,
    not_true,
    of_each,
    property_rule,
    resource_rule,
    stack_rule,
    unless,
)

LEAST_BACKUP_DAYS = 7
FORCED_TLS = {"rds.force_ssl": ("1", "on", "true"), "require_secure_transport": ("1", "on", "true")}
"""The parameters that refuse plain connections (PostgreSQL and SQL Server; MySQL and MariaDB), and their values."""


database_not_public = property_rule(
    "aws-database-not-public",
    "No database has a public address",
    "CIS AWS 3.0 2.3.3",
    "FSBP RDS.2",
    types=DATABASE + CLUSTER_INSTANCE,
    path="publiclyAccessible",
    holds=not_true,
    mend="set it to false",
)


@resource_rule(
    "aws-database-encrypted",
    "Databases are encrypted where they lie",
    "CIS AWS 3.0 2.3.1",
    "FSBP RDS.3, RDS.27",
    types=DATABASE + DATABASE_CLUSTER,
)
def database_encrypted(resource: Resource) -> Iterator[Finding]:
    # A copy or a member of a cluster is encrypted as its source is.
    if not any(resource[key].given for key in ("replicateSourceDb", "clusterIdentifier", "snapshotIdentifier")):
        encrypted = resource["storageEncrypted"]
        yield from unless(encrypted.flag is True, resource, encrypted, "set it to true and give kmsKeyId")


@resource_rule(
    "aws-database-in-two-zones",
    "Databases have a standby in another zone",
    "FSBP RDS.5",
    types=DATABASE,
    levels=DURABILITY,
)
def database_in_two_zones(resource: Resource) -> Iterator[Finding]:
    if not resource["replicateSourceDb"].given:
        zones = resource["multiAz"]
        yield from unless(zones.flag is True, resource, zones, "set it to true")


@resource_rule(
    "aws-database-deletion-protected",
    "A database is not deleted by mistake, nor without a last snapshot",
    "FSBP RDS.7, RDS.8",
    types=DATABASE + DATABASE_CLUSTER,
    levels=DURABILITY,
)
def database_deletion_protected(resource: Resource) -> Iterator[Finding]:
    protection, skipped = resource["deletionProtection"], resource["skipFinalSnapshot"]
    yield from unless(protection.flag is True, resource, protection, "set it to true")
    yield from unless(skipped.flag is not True, resource, skipped, "set it to false and give finalSnapshotIdentifier")


@resource_rule(
    "aws-database-backed-up",
    f"Databases keep at least {LEAST_BACKUP_DAYS} days of automated backups",
    "FSBP RDS.11",
    types=DATABASE + DATABASE_CLUSTER,
    levels=DURABILITY,
)
def database_backed_up(resource: Resource) -> Iterator[Finding]:
    if not resource["replicateSourceDb"].given:
        days = resource["backupRetentionPeriod"]
        yield from unless((days.number or 0) >= LEAST_BACKUP_DAYS, resource, days, f"set {LEAST_BACKUP_DAYS} or more")


database_logs_exported = property_rule(
    "aws-database-logs-exported",
    "Databases send their logs to CloudWatch",
    "FSBP RDS.9, RDS.34, RDS.36, RDS.37",
    types=DATABASE + DATABASE_CLUSTER,
    path="enabledCloudwatchLogsExports",
    holds=is_given,
    mend='name the logs, such as "postgresql"',
)

database_minor_upgrades = property_rule(
    "aws-database-minor-upgrades",
    "Databases take minor releases by themselves",
    "CIS AWS 3.0 2.3.2",
    "FSBP RDS.13, RDS.35",
    types=DATABASE + CLUSTER_INSTANCE,
    path="autoMinorVersionUpgrade",
    holds=not_false,
    mend="set it to true",
)

proxy_needs_tls = property_rule(
    "aws-database-proxy-needs-tls",
    "Database proxies refuse plain connections",
    "FSBP RDS.43",
    types=DATABASE_PROXY,
    path="requireTls",
    holds=is_true,
    mend="set it to true",
)


@each_rule(
    "aws-database-forces-tls",
    "Databases refuse plain connections",
    "FSBP RDS.38, RDS.39",
    of=DATABASE + DATABASE_CLUSTER,
    beside=PARAMETER_GROUP + CLUSTER_PARAMETER_GROUP,
)
def database_forces_tls(stack: Stack, database: Resource) -> Iterator[Finding]:
    if database["replicateSourceDb"].given or database["engine"].text.startswith(("oracle", "db2")):
        return
    whole = database.type in DATABASE_CLUSTER
    key = "dbClusterParameterGroupName" if whole else "parameterGroupName"
    groups = stack.targets(database, key, CLUSTER_PARAMETER_GROUP if whole else PARAMETER_GROUP)
    yield from unless(bool(groups), database, database[key], "name a parameter group of this stack that forces TLS")
    for group in groups:
        yield from unless(
            any(
                entry["value"].text.lower() in FORCED_TLS.get(entry["name"].text, ())
                or (entry["value"].raw in (1, True) and entry["name"].text in FORCED_TLS)
                for entry in group["parameters"].items
            ),
            group,
            "parameters",
            "set rds.force_ssl (MySQL: require_secure_transport) to 1",
            f"do not force TLS on {database.name}",
        )


@stack_rule(
    "aws-database-alarmed",
    "An alarm watches each database",
    "CIS AWS 3.0 4",
    "Well-Architected OPS08",
    types=DATABASE + DATABASE_CLUSTER + ALARM,
    levels=DURABILITY,
)
def database_alarmed(stack: Stack) -> Iterator[Finding]:
    yield from of_each(
        stack.of(DATABASE + DATABASE_CLUSTER),
        lambda database: unless(
            bool(stack.companions(database, ALARM, "dimensions")),
            database,
            "alarm",
            "add an aws.cloudwatch.MetricAlarm whose dimensions name it",
        ),
    )


@each_rule(
    "aws-database-backups-elsewhere",
    "The backups of each database are copied away from its Region or kept by AWS Backup",
    "FSBP RDS.26",
    of=DATABASE,
    beside=BACKUP_REPLICATION + BACKUP_SELECTION,
    levels=DURABILITY,
)
def database_backups_elsewhere(stack: Stack, database: Resource) -> Iterator[Finding]:
    if database["replicateSourceDb"].given:
        return
    copied = stack.companions(database, BACKUP_REPLICATION, "sourceDbInstanceArn")
    kept = copied or stack.companions(database, BACKUP_SELECTION, "resources")
    yield from unless(
        bool(kept), database, "copy of its backups", "add an aws.rds.InstanceAutomatedBackupsReplication of it"
    )
