"""Cases of the rules of AWS's databases."""

from __future__ import annotations

from typing import Any

from tests.policies.cases.model import Case, Later, Made, Ref, breaks, keeps

GOOD: dict[str, Any] = {
    "engine": "postgres",
    "engineVersion": "15",
    "instanceClass": "db.m7g.large",
    "allocatedStorage": 100,
    "username": "master",
    "manageMasterUserPassword": True,
    "storageEncrypted": True,
    "multiAz": True,
    "deletionProtection": True,
    "finalSnapshotIdentifier": "last",
    "backupRetentionPeriod": 14,
    "enabledCloudwatchLogsExports": ["postgresql"],
    "autoMinorVersionUpgrade": True,
    "publiclyAccessible": False,
}


def database(**properties: Any) -> Made:
    changed = {**GOOD, **properties}
    return Made("aws:rds/instance:Instance", {key: value for key, value in changed.items() if value is not None})


def cluster(**properties: Any) -> Made:
    return Made(
        "aws:rds/cluster:Cluster",
        {
            "engine": "aurora-postgresql",
            "masterUsername": "master",
            "manageMasterUserPassword": True,
            "storageEncrypted": True,
            **properties,
        },
    )


def parameters(*given: tuple[str, str]) -> Made:
    listed = [{"name": name, "value": value} for name, value in given]
    return Made("aws:rds/parameterGroup:ParameterGroup", {"family": "postgres15", "parameters": listed})


def rule(name: str, *wrong: dict[str, Any]) -> list[Case]:
    """Each of some changes breaks a rule; a good database keeps it."""
    return [
        *(breaks(name, f"{number}", database=database(**each)) for number, each in enumerate(wrong)),
        keeps(name, "good", database=database()),
    ]


def proxy(**properties: Any) -> Made:
    return Made(
        "aws:rds/proxy:Proxy",
        {
            "engineFamily": "POSTGRESQL",
            "roleArn": "arn:aws:iam::123456789012:role/proxy",
            "vpcSubnetIds": ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"],
            "auths": [{"authScheme": "SECRETS", "secretArn": "arn:aws:secretsmanager:us-east-1:123456789012:secret:x"}],
            **properties,
        },
    )


ALARM = Made(
    "aws:cloudwatch/metricAlarm:MetricAlarm",
    {
        "comparisonOperator": "GreaterThanThreshold",
        "evaluationPeriods": 1,
        "metricName": "CPUUtilization",
        "namespace": "AWS/RDS",
        "period": 60,
        "statistic": "Average",
        "threshold": 80,
        "dimensions": {"DBInstanceIdentifier": Ref("database", "identifier")},
    },
)
COPY = Made(
    "aws:rds/instanceAutomatedBackupsReplication:InstanceAutomatedBackupsReplication",
    {"sourceDbInstanceArn": Ref("database", "arn"), "retentionPeriod": 14},
)
ALARMED = "aws-database-alarmed"
ELSEWHERE = "aws-database-backups-elsewhere"
TLS = "aws-database-forces-tls"
NAMED = database(parameterGroupName=Ref("parameters", "name"))

CASES: tuple[Case, ...] = (
    *rule("aws-database-not-public", {"publiclyAccessible": True}),
    breaks("aws-database-not-public", "later", open=("database",), database=database(publiclyAccessible=Later(True))),
    *rule("aws-database-encrypted", {"storageEncrypted": False}, {"storageEncrypted": None}),
    breaks("aws-database-encrypted", "cluster", cluster=cluster(storageEncrypted=False)),
    *rule("aws-database-in-two-zones", {"multiAz": False}, {"multiAz": None}),
    *rule(
        "aws-database-deletion-protected",
        {"deletionProtection": False},
        {"skipFinalSnapshot": True, "finalSnapshotIdentifier": None},
    ),
    *rule("aws-database-backed-up", {"backupRetentionPeriod": 0}, {"backupRetentionPeriod": 6}),
    *rule("aws-database-logs-exported", {"enabledCloudwatchLogsExports": []}, {"enabledCloudwatchLogsExports": None}),
    *rule("aws-database-minor-upgrades", {"autoMinorVersionUpgrade": False}),
    breaks(TLS, "group of its own, which says nothing", database=database()),
    breaks(TLS, "allowed", "parameters", parameters=parameters(("rds.force_ssl", "0")), database=NAMED),
    keeps(TLS, "forced", parameters=parameters(("work_mem", "65536"), ("rds.force_ssl", "1")), database=NAMED),
    breaks("aws-database-proxy-needs-tls", "off", proxy=proxy(requireTls=False)),
    keeps("aws-database-proxy-needs-tls", "on", proxy=proxy(requireTls=True)),
    breaks(ALARMED, "one of two", "bare", database=database(), bare=database(), alarm=ALARM),
    keeps(ALARMED, "watched", database=database(), alarm=ALARM),
    breaks(ELSEWHERE, "one of two", "bare", database=database(), bare=database(), copy=COPY),
    keeps(ELSEWHERE, "copied", database=database(), copy=COPY),
)
