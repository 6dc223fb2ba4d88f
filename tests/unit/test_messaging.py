"""What users rely on of the managed message broker."""

from __future__ import annotations

from typing import Any

import pulumi
import pulumi_aws as aws
import pulumi_random as random
import pytest

from components.account import AwsAccount
from components.messaging import USERNAME, RabbitBroker, RabbitBrokerArgs
from components.secrets import Secrets, SecretsArgs
from settings.messaging import MessagingSettings
from settings.secrets import SecretsSettings
from tests.unit.recording import REGION, Recording, record

BROKER = "aws:mq/broker:Broker"
INGRESS = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"


def broker(clients: dict[str, str] | None = None, **settings: Any) -> Recording:
    def build() -> None:
        provider = aws.Provider("aws", region=REGION)
        account = AwsAccount.of(provider, REGION)
        options = pulumi.ResourceOptions(providers=[provider, random.Provider("random")])
        section = MessagingSettings(**settings)
        logins = {"messaging": RabbitBroker.login(section)}
        secrets = Secrets("auterity-test", SecretsArgs(SecretsSettings(), account, logins), options)
        RabbitBroker(
            "auterity-test",
            RabbitBrokerArgs(
                section,
                account,
                vpc_id="vpc-1",
                subnet_ids={"b": "subnet-b", "a": "subnet-a", "c": "subnet-c"},
                login=secrets.logins["messaging"],
                clients=clients or {},
            ),
            options,
        )

    return record(build)


def test_the_broker_has_no_public_address() -> None:
    assert broker().only(BROKER).inputs["publiclyAccessible"] is False


def test_a_cluster_stands_in_every_zone() -> None:
    inputs = broker().only(BROKER).inputs
    assert inputs["deploymentMode"] == "CLUSTER_MULTI_AZ"
    assert sorted(inputs["subnetIds"]) == ["subnet-a", "subnet-b", "subnet-c"]


def test_a_single_broker_stands_in_the_first_zone() -> None:
    inputs = broker(deployment="single", instance_type="mq.m7g.medium").only(BROKER).inputs
    assert inputs["deploymentMode"] == "SINGLE_INSTANCE"
    assert inputs["hostInstanceType"] == "mq.m7g.medium"
    assert inputs["subnetIds"] == ["subnet-a"]


def test_messages_are_encrypted_with_a_key_of_their_own() -> None:
    recording = broker()
    options = recording.only(BROKER).inputs["encryptionOptions"]
    assert options["useAwsOwnedKey"] is False
    assert options["kmsKeyId"].endswith(recording.named("auterity-test-messaging", "aws:kms/key:Key").name)


def test_the_broker_takes_patches_itself() -> None:
    assert broker().only(BROKER).inputs["autoMinorVersionUpgrade"] is True


def test_the_one_user_has_the_stored_login_and_it_is_secret() -> None:
    found = broker().only(BROKER)
    assert found.inputs["users"] == [{"username": USERNAME, "password": "value-of-auterity-test-messaging-password-v1"}]
    assert "users" in found.secret_inputs


def test_a_rotated_password_leaves_the_broker_alone_because_aws_cannot_set_it() -> None:
    assert broker(password_version=2).only(BROKER).ignore_changes == ("users",)


def test_general_logs_are_on_and_audit_logs_which_rabbitmq_lacks_are_not_mentioned() -> None:
    assert broker().only(BROKER).inputs["logs"] == {"general": True}


def test_the_configuration_carries_the_time_outs_and_the_broker_uses_its_latest_revision() -> None:
    recording = broker(consumer_timeout_ms=60_000, heartbeat_seconds=120)
    configuration = recording.only("aws:mq/configuration:Configuration")
    assert configuration.inputs["data"].splitlines() == ["consumer_timeout = 60000", "heartbeat = 120"]
    used = recording.only(BROKER).inputs["configuration"]
    assert used == {"id": f"{configuration.name}-id", "revision": 1}


def test_configuration_and_broker_are_of_the_same_release() -> None:
    recording = broker(engine_version="4.3")
    versions = [r.inputs["engineVersion"] for r in recording.resources if "engineVersion" in r.inputs]
    assert versions == ["4.3", "4.3"]


def test_the_maintenance_window_is_told_in_amazon_mqs_words() -> None:
    window = broker(maintenance_start="wed:22:30").only(BROKER).inputs["maintenanceWindowStartTime"]
    assert window == {"dayOfWeek": "WEDNESDAY", "timeOfDay": "22:30", "timeZone": "UTC"}


def test_nobody_reaches_the_broker_unless_named() -> None:
    assert broker().of_type(INGRESS) == []


def test_each_client_gets_amqp_over_tls_from_its_security_group_and_nobody_the_console() -> None:
    rules = broker(clients={"ecs": "sg-ecs", "eks": "sg-eks"}).of_type(INGRESS)
    assert sorted(rule.name for rule in rules) == ["auterity-test-rabbitmq-from-ecs", "auterity-test-rabbitmq-from-eks"]
    for rule in rules:
        assert (rule.inputs["fromPort"], rule.inputs["toPort"], rule.inputs["ipProtocol"]) == (5671, 5671, "tcp")
        assert rule.inputs["referencedSecurityGroupId"] in ("sg-ecs", "sg-eks")
        assert not {"cidrIpv4", "cidrIpv6"} & set(rule.inputs)


@pytest.mark.parametrize("protected", [True, False])
def test_deletion_protection_protects_the_broker_in_pulumi(protected: bool) -> None:
    assert broker(deletion_protection=protected).only(BROKER).protect is protected


def test_the_component_says_where_to_connect_and_where_the_password_is() -> None:
    outputs = broker().only("auterity:messaging:RabbitBroker").outputs
    assert outputs is not None
    assert outputs["endpoint"] == "amqps://broker.test:5671"
    assert (outputs["host"], outputs["port"]) == ("broker.test", 5671)
    assert outputs["secret_arn"].endswith("auterity-test-messaging")


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("engine_version", "3.13"),
        ("deployment", "active_standby"),
        ("instance_type", "mq.m5.large"),
        ("instance_type", "mq.m7g.medium"),
        ("consumer_timeout_ms", 2_147_483_648),
        ("heartbeat_seconds", 30),
        ("maintenance_start", "sunday 07:00"),
        ("password_version", 0),
    ],
)
def test_a_setting_that_amazon_mq_refuses_is_refused(key: str, value: object) -> None:
    with pytest.raises(ValueError, match=key):
        MessagingSettings.model_validate({key: value})


@pytest.mark.parametrize(("key", "value"), [("deployment", "single"), ("deletion_protection", False)])
def test_production_cannot_switch_off_what_protects_the_broker(key: str, value: object) -> None:
    with pytest.raises(ValueError, match="in prod"):
        MessagingSettings.model_validate({key: value}, context={"environment": "prod"})
