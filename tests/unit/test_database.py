"""What users rely on of the database component."""

from __future__ import annotations

import json
from typing import Any

import pulumi
import pulumi_aws as aws
import pulumi_random as random
import pytest

from components.account import AwsAccount
from components.database import RdsPostgres, RdsPostgresArgs
from settings import BackupReplicaSettings, DatabaseSettings
from settings.database import PLATFORM_PARAMETERS
from tests.unit.recording import REGION, Recording, record

INSTANCE = "aws:rds/instance:Instance"
INGRESS = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
REPLICATION = "aws:rds/instanceAutomatedBackupsReplication:InstanceAutomatedBackupsReplication"
LOG_GROUP = "aws:cloudwatch/logGroup:LogGroup"


def database(clients: dict[str, str] | None = None, **settings: Any) -> Recording:
    def build() -> None:
        provider = aws.Provider("aws", region=REGION)
        RdsPostgres(
            "auterity-test",
            RdsPostgresArgs(
                DatabaseSettings(**settings),
                AwsAccount.of(provider, REGION),
                vpc_id="vpc-1",
                subnet_ids={"a": "subnet-a", "b": "subnet-b"},
                log_key_arn="arn:aws:kms:us-east-1:123456789012:key/logs",
                clients=clients or {},
            ),
            pulumi.ResourceOptions(providers=[provider, random.Provider("random")]),
        )

    return record(build)


def parameters(recording: Recording) -> dict[str, dict[str, str]]:
    group = recording.only("aws:rds/parameterGroup:ParameterGroup")
    return {parameter["name"]: parameter for parameter in group.inputs["parameters"]}


def test_the_instance_is_encrypted_with_a_key_of_its_own() -> None:
    recording = database()
    key = recording.named("auterity-test-database", "aws:kms/key:Key")
    instance = recording.only(INSTANCE).inputs
    arns = {instance["kmsKeyId"], instance["performanceInsightsKmsKeyId"], instance["masterUserSecretKmsKeyId"]}
    assert instance["storageEncrypted"] is True
    assert len(arns) == 1
    assert next(iter(arns)).endswith(key.name)


def test_the_master_password_is_made_by_rds_and_appears_nowhere() -> None:
    recording = database()
    assert recording.only(INSTANCE).inputs["manageMasterUserPassword"] is True
    named = [key for r in recording.resources for key in r.inputs if key.lower() in ("password", "passwordwo")]
    assert named == []
    assert recording.of_type("random:index/randomPassword:RandomPassword") == []


def test_nobody_reaches_the_database_unless_named() -> None:
    assert database().of_type(INGRESS) == []


def test_each_client_gets_port_5432_from_its_security_group_and_no_address_does() -> None:
    rules = {rule.name: rule.inputs for rule in database(clients={"app": "sg-app", "jobs": "sg-jobs"}).of_type(INGRESS)}
    assert sorted(rules) == ["auterity-test-postgres-from-app", "auterity-test-postgres-from-jobs"]
    for rule in rules.values():
        assert (rule["fromPort"], rule["toPort"], rule["ipProtocol"]) == (5432, 5432, "tcp")
        assert rule["referencedSecurityGroupId"] in ("sg-app", "sg-jobs")
        assert "cidrIpv4" not in rule
        assert "cidrIpv6" not in rule


def test_the_database_opens_no_connections() -> None:
    recording = database(clients={"app": "sg-app"})
    assert recording.of_type("aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule") == []
    assert "egress" not in recording.only("aws:ec2/securityGroup:SecurityGroup").inputs


def test_the_database_has_no_public_address() -> None:
    assert database().only(INSTANCE).inputs["publiclyAccessible"] is False


def test_connections_without_tls_are_refused() -> None:
    assert parameters(database())["rds.force_ssl"]["value"] == "1"


def test_slow_statements_are_logged_from_the_setting_on() -> None:
    assert parameters(database(slow_query_ms=250))["log_min_duration_statement"]["value"] == "250"


def test_the_parameters_that_settings_reserve_are_those_that_the_component_sets() -> None:
    assert set(parameters(database())) == set(PLATFORM_PARAMETERS)


def test_further_parameters_wait_for_a_reboot_which_aws_takes_for_any() -> None:
    assert parameters(database(parameters={"max_connections": "200"}))["max_connections"] == {
        "name": "max_connections",
        "value": "200",
        "applyMethod": "pending-reboot",
    }


def test_every_exported_log_has_a_group_with_retention_and_key_before_the_instance_logs() -> None:
    recording = database(log_retention_days=30)
    instance = recording.only(INSTANCE)
    groups = recording.of_type(LOG_GROUP)
    exported = {group.inputs["name"].rpartition("/")[2] for group in groups}
    assert exported == set(instance.inputs["enabledCloudwatchLogsExports"])
    for group in groups:
        assert group.inputs["retentionInDays"] == 30
        assert group.inputs["kmsKeyId"].endswith("key/logs")
        assert group.urn in instance.depends_on
        assert instance.inputs["identifier"] in group.inputs["name"]


def test_a_protected_database_is_kept_by_aws_by_the_engine_and_by_a_final_snapshot() -> None:
    instance = database(deletion_protection=True).only(INSTANCE)
    assert instance.protect
    assert instance.inputs["deletionProtection"] is True
    assert instance.inputs["skipFinalSnapshot"] is False
    assert instance.inputs["deleteAutomatedBackups"] is False


def test_an_unprotected_database_can_be_destroyed_at_once() -> None:
    instance = database(deletion_protection=False).only(INSTANCE)
    assert not instance.protect
    assert instance.inputs["deletionProtection"] is False
    assert instance.inputs["skipFinalSnapshot"] is True


def test_the_final_snapshot_is_named_after_the_one_life_of_the_instance() -> None:
    recording = database()
    instance = recording.only(INSTANCE).inputs
    life = recording.only("random:index/randomId:RandomId")
    assert instance["finalSnapshotIdentifier"] == f"{instance['identifier']}-final"
    assert set(life.inputs["keepers"]) == {"database", "username", "key"}


def test_no_copy_of_the_backups_leaves_the_region_unless_asked() -> None:
    recording = database()
    assert recording.of_type(REPLICATION) == []
    assert len(recording.of_type("aws:kms/key:Key")) == 1


def test_copies_of_the_backups_are_kept_in_the_other_region_under_a_key_of_that_region() -> None:
    recording = database(backup_replica=BackupReplicaSettings(region="us-west-2", retention_days=21))
    replication = recording.only(REPLICATION).inputs
    key = recording.named("auterity-test-database-replica", "aws:kms/key:Key")
    assert (replication["region"], replication["retentionPeriod"]) == ("us-west-2", 21)
    assert key.inputs["region"] == "us-west-2"
    assert replication["kmsKeyId"].endswith(key.name)


def test_without_enhanced_monitoring_there_is_no_role_for_it() -> None:
    recording = database(monitoring_interval_seconds=0)
    assert recording.of_type("aws:iam/role:Role") == []
    assert "monitoringRoleArn" not in recording.only(INSTANCE).inputs


def test_the_monitoring_role_is_taken_only_for_this_accounts_database() -> None:
    trust = json.loads(database().only("aws:iam/role:Role").inputs["assumeRolePolicy"])
    [statement] = trust["Statement"]
    assert statement["Condition"] == {
        "StringEquals": {"aws:SourceAccount": "123456789012"},
        "ArnLike": {"aws:SourceArn": "arn:aws:rds:us-east-1:123456789012:db:auterity-test-*"},
    }


@pytest.mark.parametrize(("mode", "days"), [("standard", 7), ("advanced", 465)])
def test_the_history_of_database_insights_follows_from_its_mode(mode: str, days: int) -> None:
    instance = database(database_insights=mode).only(INSTANCE).inputs
    assert (instance["databaseInsightsMode"], instance["performanceInsightsRetentionPeriod"]) == (mode, days)


def test_iops_and_throughput_are_left_to_aws_unless_set() -> None:
    assert {"iops", "storageThroughput"} & set(database().only(INSTANCE).inputs) == set()


def test_nothing_that_the_component_gives_out_is_a_secret() -> None:
    component = database().only("auterity:database:RdsPostgres")
    assert component.secret_outputs == frozenset()
    assert "password" not in json.dumps(component.outputs).lower()
