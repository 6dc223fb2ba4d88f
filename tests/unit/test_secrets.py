"""What users rely on of the stack's own secrets."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pulumi
import pulumi_aws as aws
import pulumi_random as random
import pytest

from components.account import AwsAccount
from components.iam import policy
from components.secrets import Login, SecretReference, Secrets, SecretsArgs, may_read
from settings.secrets import SecretsSettings
from tests.unit.recording import REGION, Recording, record

PASSWORD = "random:index/randomPassword:RandomPassword"
SECRET = "aws:secretsmanager/secret:Secret"
VALUE = "aws:secretsmanager/secretVersion:SecretVersion"


def secrets(logins: Mapping[str, Login], **settings: Any) -> tuple[Recording, Secrets]:
    made: list[Secrets] = []

    def build() -> None:
        provider = aws.Provider("aws", region=REGION)
        made.append(
            Secrets(
                "auterity-test",
                SecretsArgs(SecretsSettings(**settings), AwsAccount.of(provider, REGION), logins),
                pulumi.ResourceOptions(providers=[provider, random.Provider("random")]),
            )
        )

    return record(build), made[0]


def test_a_secret_holds_its_user_name_and_password_as_json() -> None:
    recording, _ = secrets({"cache": Login("app")})
    assert json.loads(recording.only(VALUE).inputs["secretString"]) == {
        "username": "app",
        "password": "value-of-auterity-test-cache-password-v1",
    }


def test_the_value_is_marked_secret_so_that_the_state_encrypts_it() -> None:
    recording, _ = secrets({"cache": Login("app")})
    assert "secretString" in recording.only(VALUE).secret_inputs


def test_the_password_that_servers_get_is_marked_secret() -> None:
    marks: list[bool] = []

    def build() -> None:
        provider = aws.Provider("aws", region=REGION)
        made = Secrets(
            "auterity-test",
            SecretsArgs(SecretsSettings(), AwsAccount.of(provider, REGION), {"cache": Login("app")}),
            pulumi.ResourceOptions(providers=[provider, random.Provider("random")]),
        )

        async def look() -> None:
            marks.append(await made.logins["cache"].passwords[0].is_secret())

        pulumi.export("looked", pulumi.Output.from_input(look()))

    record(build)
    assert marks == [True]


def test_no_output_of_the_component_is_a_password() -> None:
    recording, _ = secrets({"cache": Login("app"), "messaging": Login("auterity", 2)})
    outputs = recording.only("auterity:security:Secrets").outputs
    assert outputs is not None
    assert sorted(outputs) == ["key_arn", "secret_arns"]
    assert "value-of" not in json.dumps(outputs)


def test_each_secret_has_a_stable_name_and_the_components_own_key() -> None:
    recording, _ = secrets({"cache": Login("app"), "messaging": Login("auterity")})
    key = recording.only("aws:kms/key:Key")
    found = {secret.inputs["name"]: secret.inputs["kmsKeyId"] for secret in recording.of_type(SECRET)}
    assert sorted(found) == ["auterity-test/cache", "auterity-test/messaging"]
    assert all(arn.endswith(key.name) for arn in found.values())


def test_a_deleted_secret_can_be_restored_for_as_long_as_the_settings_say() -> None:
    recording, _ = secrets({"cache": Login("app")}, recovery_window_days=7)
    assert recording.only(SECRET).inputs["recoveryWindowInDays"] == 7


def test_a_password_has_no_character_that_a_broker_or_a_url_refuses() -> None:
    recording, _ = secrets({"messaging": Login("auterity")})
    inputs = recording.only(PASSWORD).inputs
    assert inputs["special"] is False
    assert inputs["length"] >= 16


def test_the_first_version_has_one_password() -> None:
    recording, made = secrets({"cache": Login("app")})
    assert [password.name for password in recording.of_type(PASSWORD)] == ["auterity-test-cache-password-v1"]
    assert len(made.logins["cache"].passwords) == 1


@pytest.mark.parametrize("version", [2, 7])
def test_a_rotated_login_stores_the_new_password_and_keeps_the_one_before(version: int) -> None:
    recording, made = secrets({"cache": Login("app", version)})
    assert sorted(password.name for password in recording.of_type(PASSWORD)) == [
        f"auterity-test-cache-password-v{version - 1}",
        f"auterity-test-cache-password-v{version}",
    ]
    stored = json.loads(recording.only(VALUE).inputs["secretString"])
    assert stored["password"] == f"value-of-auterity-test-cache-password-v{version}"
    assert len(made.logins["cache"].passwords) == 2


def statements(*secrets: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []

    def build() -> None:
        account = AwsAccount.of(aws.Provider("aws", region=REGION), REGION)
        references = [
            SecretReference(pulumi.Output.from_input(f"arn:{secret}"), pulumi.Output.from_input("arn:key"))
            for secret in secrets
        ]
        document = policy(*may_read(account, *references))
        pulumi.export("seen", document.apply(lambda text: found.extend(json.loads(text)["Statement"])))

    record(build)
    return found


def test_a_reader_reads_the_named_secrets_alone() -> None:
    read = statements("cache", "messaging")[0]
    assert read["Action"] == ["secretsmanager:GetSecretValue"]
    assert read["Resource"] == ["arn:cache", "arn:messaging"]


def test_a_reader_decrypts_through_secrets_manager_alone() -> None:
    decrypt = statements("cache")[1]
    assert decrypt["Action"] == ["kms:Decrypt"]
    assert decrypt["Resource"] == ["arn:key"]
    assert decrypt["Condition"] == {"StringEquals": {"kms:ViaService": "secretsmanager.us-east-1.amazonaws.com"}}


def test_a_reader_of_nothing_gets_no_permission() -> None:
    assert statements() == []


def test_a_json_key_is_named_as_a_container_definition_does() -> None:
    seen: list[str] = []

    def build() -> None:
        reference = SecretReference(pulumi.Output.from_input("arn:cache"), pulumi.Output.from_input("arn:key"))
        pulumi.export("seen", reference.json_key("password").apply(seen.append))

    record(build)
    assert seen == ["arn:cache:password::"]


@pytest.mark.parametrize("days", [1, 6, 31])
def test_a_recovery_window_that_secrets_manager_refuses_is_refused(days: int) -> None:
    with pytest.raises(ValueError, match="recovery_window_days"):
        SecretsSettings(recovery_window_days=days)


def test_production_cannot_do_without_recovery() -> None:
    with pytest.raises(ValueError, match="7 or more in prod"):
        SecretsSettings.model_validate({"recovery_window_days": 0}, context={"environment": "prod"})
