"""What users rely on of the managed cache."""

from __future__ import annotations

from typing import Any

import pulumi
import pulumi_aws as aws
import pulumi_random as random
import pytest

from components.account import AwsAccount
from components.cache import USERNAME, ManagedCache, ManagedCacheArgs
from components.secrets import Secrets, SecretsArgs
from settings.cache import CacheSettings
from settings.secrets import SecretsSettings
from tests.unit.recording import REGION, Recording, record

CACHE = "aws:elasticache/replicationGroup:ReplicationGroup"
INGRESS = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
LOG_GROUP = "aws:cloudwatch/logGroup:LogGroup"
PARAMETERS = "aws:elasticache/parameterGroup:ParameterGroup"
USER = "aws:elasticache/user:User"


def cache(name: str = "auterity-test", clients: dict[str, str] | None = None, **settings: Any) -> Recording:
    def build() -> None:
        provider = aws.Provider("aws", region=REGION)
        account = AwsAccount.of(provider, REGION)
        options = pulumi.ResourceOptions(providers=[provider, random.Provider("random")])
        section = CacheSettings(**settings)
        logins = {"cache": ManagedCache.login(section)}
        secrets = Secrets(name, SecretsArgs(SecretsSettings(), account, logins), options)
        ManagedCache(
            name,
            ManagedCacheArgs(
                section,
                account,
                vpc_id="vpc-1",
                subnet_ids={"a": "subnet-a", "b": "subnet-b"},
                log_key_arn="arn:aws:kms:us-east-1:123456789012:key/logs",
                login=secrets.logins["cache"],
                clients=clients or {},
            ),
            options,
        )

    return record(build)


def test_the_cache_is_encrypted_at_rest_with_a_key_of_its_own() -> None:
    recording = cache()
    inputs = recording.only(CACHE).inputs
    assert inputs["atRestEncryptionEnabled"] is True
    assert inputs["kmsKeyId"].endswith(recording.named("auterity-test-cache", "aws:kms/key:Key").name)


def test_no_client_gets_in_without_tls() -> None:
    inputs = cache().only(CACHE).inputs
    assert inputs["transitEncryptionEnabled"] is True
    assert inputs["transitEncryptionMode"] == "required"


def test_the_default_user_may_do_nothing() -> None:
    recording = cache()
    default = recording.named("auterity-test-default", USER).inputs
    assert default["userName"] == "default"
    assert default["accessString"].startswith("off ")
    assert default["accessString"].endswith(" -@all")
    assert "noPasswordRequired" not in default


def test_the_workloads_user_has_no_dangerous_command() -> None:
    app = cache().named("auterity-test-app", USER).inputs
    assert app["userName"] == USERNAME
    assert "-@dangerous" in app["accessString"].split()


def test_the_user_group_of_the_cache_holds_exactly_these_two_users() -> None:
    recording = cache()
    group = recording.only("aws:elasticache/userGroup:UserGroup").inputs
    assert recording.only(CACHE).inputs["userGroupIds"] == [group["userGroupId"]]
    assert sorted(group["userIds"]) == ["auterity-test-app", "auterity-test-default"]


def test_passwords_are_secret_and_none_is_an_auth_token() -> None:
    recording = cache()
    assert all("passwords" in user.secret_inputs for user in recording.of_type(USER))
    assert "authToken" not in recording.only(CACHE).inputs


def test_while_a_password_is_rotated_the_new_and_the_old_one_are_valid() -> None:
    passwords = cache(password_version=3).named("auterity-test-app", USER).inputs["passwords"]
    assert passwords == [
        "value-of-auterity-test-cache-password-v3",
        "value-of-auterity-test-cache-password-v2",
    ]


def test_a_replica_takes_over_in_another_zone() -> None:
    inputs = cache(replicas=2).only(CACHE).inputs
    assert inputs["numCacheClusters"] == 3
    assert inputs["automaticFailoverEnabled"] is True
    assert inputs["multiAzEnabled"] is True


def test_without_replicas_nothing_can_take_over() -> None:
    inputs = cache(replicas=0).only(CACHE).inputs
    assert inputs["numCacheClusters"] == 1
    assert inputs["automaticFailoverEnabled"] is False
    assert inputs["multiAzEnabled"] is False


@pytest.mark.parametrize(("version", "family"), [("7.2", "valkey7"), ("8.2", "valkey8"), ("9.1", "valkey9")])
def test_the_parameter_family_follows_the_engine(version: str, family: str) -> None:
    recording = cache(engine_version=version)
    assert recording.only(PARAMETERS).inputs["family"] == family
    assert recording.only(CACHE).inputs["engineVersion"] == version
    assert recording.only(CACHE).inputs["engine"] == "valkey"


def test_what_gives_way_in_a_full_cache_is_a_setting() -> None:
    parameters = cache(eviction="noeviction", parameters={"timeout": "300"}).only(PARAMETERS).inputs["parameters"]
    assert {p["name"]: p["value"] for p in parameters} == {"maxmemory-policy": "noeviction", "timeout": "300"}


def test_both_logs_are_kept_under_a_key_for_a_while() -> None:
    recording = cache(log_retention_days=30)
    groups = {group.inputs["name"]: group.inputs for group in recording.of_type(LOG_GROUP)}
    delivered = {d["logType"]: d["destination"] for d in recording.only(CACHE).inputs["logDeliveryConfigurations"]}
    assert delivered == {
        "slow-log": "/aws/elasticache/auterity-test/slow-log",
        "engine-log": "/aws/elasticache/auterity-test/engine-log",
    }
    for name in delivered.values():
        assert groups[name]["retentionInDays"] == 30
        assert groups[name]["kmsKeyId"].endswith("key/logs")


def test_nobody_reaches_the_cache_unless_named() -> None:
    assert cache().of_type(INGRESS) == []


def test_each_client_gets_port_6379_from_its_security_group_and_no_address_does() -> None:
    rules = {rule.name: rule.inputs for rule in cache(clients={"ecs": "sg-ecs", "eks": "sg-eks"}).of_type(INGRESS)}
    assert sorted(rules) == ["auterity-test-cache-from-ecs", "auterity-test-cache-from-eks"]
    for rule in rules.values():
        assert (rule["fromPort"], rule["toPort"], rule["ipProtocol"]) == (6379, 6379, "tcp")
        assert rule["referencedSecurityGroupId"] in ("sg-ecs", "sg-eks")
        assert not {"cidrIpv4", "cidrIpv6"} & set(rule)


def test_the_final_snapshot_has_a_name_of_this_cache_alone() -> None:
    inputs = cache().only(CACHE).inputs
    assert inputs["finalSnapshotIdentifier"] == f"{inputs['replicationGroupId']}-final"
    assert inputs["replicationGroupId"] == "auterity-test-0a1b2c3d"


def test_a_cache_without_snapshots_takes_none_at_all() -> None:
    inputs = cache(snapshot_retention_days=0, final_snapshot=False).only(CACHE).inputs
    assert inputs["snapshotRetentionLimit"] == 0
    assert "snapshotWindow" not in inputs
    assert "finalSnapshotIdentifier" not in inputs


@pytest.mark.parametrize(
    ("type_", "key"),
    [
        (CACHE, "replicationGroupId"),
        (USER, "userId"),
        ("aws:elasticache/userGroup:UserGroup", "userGroupId"),
    ],
)
def test_ids_fit_elasticaches_40_characters_in_a_stack_with_a_long_name(type_: str, key: str) -> None:
    for resource in cache(name="auterity-production-eu-central").of_type(type_):
        assert len(resource.inputs[key]) <= 40


def test_the_component_says_where_to_connect_and_where_the_password_is() -> None:
    outputs = cache().only("auterity:cache:ManagedCache").outputs
    assert outputs is not None
    assert outputs["address"] == "cache.test"
    assert outputs["reader_address"] == "cache-readers.test"
    assert outputs["port"] == 6379
    assert outputs["secret_arn"].endswith("auterity-test-cache")


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("engine_version", "7.1"),
        ("node_type", "db.r7g.large"),
        ("node_type", "cache.r6gd.xlarge"),
        ("replicas", 6),
        ("eviction", "lru"),
        ("parameters", {"maxmemory-policy": "noeviction"}),
        ("snapshot_retention_days", 36),
        ("snapshot_window", "03:00-03:30"),
        ("maintenance_window", "sun:06:00-sun:06:30"),
        ("maintenance_window", "sun:03:30-sun:04:30"),
        ("password_version", 0),
    ],
)
def test_a_setting_that_elasticache_refuses_is_refused(key: str, value: object) -> None:
    with pytest.raises(ValueError, match=key):
        CacheSettings.model_validate({key: value})


@pytest.mark.parametrize(("key", "value"), [("replicas", 0), ("snapshot_retention_days", 0), ("final_snapshot", False)])
def test_production_cannot_switch_off_what_protects_the_cache(key: str, value: object) -> None:
    with pytest.raises(ValueError, match="in prod"):
        CacheSettings.model_validate({key: value}, context={"environment": "prod"})
