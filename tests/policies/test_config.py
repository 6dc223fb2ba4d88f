"""The pack's settings: levels by environment, and one error for everything that is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest
from pulumi_policy import EnforcementLevel

from policies.catalogue import RULES
from policies.config import ConfigError, Settings, load
from policies.pack import Pack
from policies.rules import Environment
from tests.policies.harness import TODAY

NAMES = [rule.name for rule in RULES]


def write(directory: Path, text: str) -> Path:
    path = directory / "config.yaml"
    path.write_text(text)
    return path


def level(rule: str, environment: Environment, settings: Settings | None = None) -> EnforcementLevel | None:
    policies = Pack(settings or Settings(), RULES, environment, TODAY).policies()
    return next(policy.enforcement_level for policy in policies if policy.name == rule)


def test_the_shipped_settings_are_right() -> None:
    assert load(rules=NAMES).environment("local") is Environment.LOCAL


def test_an_empty_file_means_the_defaults(tmp_path: Path) -> None:
    assert load(write(tmp_path, ""), NAMES) == Settings()


def test_a_stack_that_nothing_is_said_about_is_production() -> None:
    assert Settings().environment("europe") is Environment.PROD


def test_a_pattern_makes_a_stack_one_for_development(tmp_path: Path) -> None:
    assert load(write(tmp_path, "environments: {dev: [pr-*]}"), NAMES).environment("pr-7") is Environment.DEV


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        (Environment.LOCAL, EnforcementLevel.ADVISORY),
        (Environment.DEV, EnforcementLevel.MANDATORY),
        (Environment.PROD, EnforcementLevel.MANDATORY),
    ],
)
def test_what_attackers_use_is_refused_wherever_others_reach_it(
    environment: Environment, expected: EnforcementLevel
) -> None:
    assert level("aws-database-not-public", environment) is expected


@pytest.mark.parametrize("environment", [Environment.LOCAL, Environment.DEV])
def test_what_keeps_data_is_asked_of_production_alone(environment: Environment) -> None:
    assert level("aws-database-backed-up", environment) is EnforcementLevel.DISABLED
    assert level("aws-database-backed-up", Environment.PROD) is EnforcementLevel.MANDATORY


@pytest.mark.parametrize(("stack", "refused"), [("dev", False), ("prod", True)])
def test_what_is_off_in_a_stack_is_off_where_only_its_resources_say_which_it_is(stack: str, refused: bool) -> None:
    rule = next(rule for rule in RULES if rule.name == "aws-database-backed-up")
    pack = Pack(Settings(), [rule], None, TODAY)
    urn = f"urn:pulumi:{stack}::shop::aws:rds/instance:Instance::database"
    assert (pack.level(rule, urn) is EnforcementLevel.MANDATORY) is refused


def test_the_settings_change_the_level_of_one_rule_in_one_environment(tmp_path: Path) -> None:
    settings = load(write(tmp_path, "levels: {dev: {aws-task-logs: advisory}}"), NAMES)
    assert level("aws-task-logs", Environment.DEV, settings) is EnforcementLevel.ADVISORY
    assert level("aws-task-logs", Environment.PROD, settings) is EnforcementLevel.MANDATORY


EXEMPTION = "{stack: a/b, resource: c, rule: aws-task-logs, reason: because it is so, owner: me, expires: 2027-01-01}"


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("colour: blue", "colour: 'blue' given"),
        ("levels: {dev: {aws-no-such-rule: advisory}}", "levels.dev.aws-no-such-rule: no such rule"),
        ("levels: {dev: {aws-task-logs: perhaps}}", "levels.dev.aws-task-logs: 'perhaps' given"),
        ("levels: {moon: {}}", "'moon' given"),
        (f"exemptions: [{EXEMPTION.replace('aws-task-logs', 'nothing')}]", "exemptions.0.rule: 'nothing' given"),
        (f"exemptions: [{EXEMPTION.replace('because it is so', 'x')}]", "exemptions.0.reason: 'x' given"),
        (f"exemptions: [{EXEMPTION.replace('2027-01-01', 'never')}]", "exemptions.0.expires: 'never' given"),
        ("exemptions: [{stack: a/b}]", "exemptions.0.owner"),
        ("[]", "the file"),
        ("a: b: c", "mapping values are not allowed"),
    ],
)
def test_a_wrong_file_is_one_error_that_names_the_key(text: str, named: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        load(write(tmp_path, text), NAMES)
    assert named in str(caught.value)


def test_a_missing_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nowhere\.yaml"):
        load(tmp_path / "nowhere.yaml", NAMES)
