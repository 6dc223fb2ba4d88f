"""No message of a policy says what a program keeps secret."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pulumi_policy import ResourceValidationArgs, ResourceValidationPolicy
from pulumi_policy.deserialize import SPECIAL_SECRET_SIG, SPECIAL_SIG_KEY, deserialize_properties
from pulumi_policy.proxy import unknown_checking_proxy

from policies.catalogue import RULES
from policies.config import Settings
from policies.pack import Pack
from policies.rules import Environment
from sandbox.workspace import Sandbox
from tests.policies.engine import checkout, preview
from tests.policies.harness import OPTIONS, TODAY, Outcome, hear, urn

SECRET = "correct-horse-battery"


def secret(value: Any) -> dict[str, Any]:
    """Return a value as the engine sends one that is secret."""
    return {SPECIAL_SIG_KEY: SPECIAL_SECRET_SIG, "value": value}


def said(type: str, wire: dict[str, Any]) -> list[str]:
    """Return the messages about one resource, which the pack is shown as the engine shows it."""
    pack = Pack(Settings(), RULES, Environment.PROD, TODAY)
    outcome, name = Outcome(), "thing"
    policies = [each for each in pack.policies() if isinstance(each, ResourceValidationPolicy)]
    for policy in policies:
        if policy.has_remediation():
            props = unknown_checking_proxy(deserialize_properties(wire, True))
            policy.remediate(ResourceValidationArgs(type, props, urn(type, name), name, OPTIONS, None))
    props = unknown_checking_proxy(deserialize_properties(wire))
    for policy in policies:
        hear(policy, ResourceValidationArgs(type, props, urn(type, name), name, OPTIONS, None), outcome)
    return outcome.messages


INSTANCE = "aws:rds/instance:Instance"
POD = "kubernetes:core/v1:Pod"
TASK = "aws:ecs/taskDefinition:TaskDefinition"


@pytest.mark.parametrize(
    ("type", "properties"),
    [
        (POD, {"spec": {"containers": [{"name": "a", "image": secret(f"host/{SECRET}:latest")}]}}),
        (POD, secret({"spec": {"containers": [{"name": "a", "image": f"{SECRET}:latest"}]}})),
        (INSTANCE, {"publiclyAccessible": secret(SECRET), "engine": secret(SECRET)}),
    ],
)
def test_a_message_masks_what_the_program_keeps_secret(type: str, properties: dict[str, Any]) -> None:
    wire = properties if SPECIAL_SIG_KEY not in properties else {"spec": secret(properties["value"]["spec"])}
    messages = said(type, wire)
    assert messages
    assert not any(SECRET in message for message in messages)


def test_a_secret_is_judged_as_any_other_value() -> None:
    wire = {"spec": {"containers": [{"name": "a", "image": secret("host/app:latest")}]}}
    [message] = [each for each in said(POD, wire) if "image" in each and "name a digest" in each]
    assert "image is [secret]" in message


PERIOD = "98765432s"

PROGRAM = f"""
import pulumi
import pulumi_gcp as gcp

provider = gcp.Provider("gcp", project="some-project")
gcp.kms.CryptoKey(
    "thing",
    key_ring="projects/some-project/locations/us/keyRings/ring",
    rotation_period=pulumi.Output.secret("{PERIOD}"),
    opts=pulumi.ResourceOptions(provider=provider),
)
"""


def test_the_engine_passes_no_secret_of_a_foreign_program_on(tmp_path: Path) -> None:
    with Sandbox(tmp_path / "sandbox", checkout=checkout(tmp_path / "checkout", PROGRAM, "prod")) as sandbox:
        heard = preview(sandbox, "prod")
    assert ("gcp-key-rotated", "thing") in heard.violations
    assert "rotationPeriod is [secret]" in heard.error
    assert PERIOD not in heard.error
