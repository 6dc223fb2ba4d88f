"""What a stack's settings accept, and what their one error says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from sandbox.cloud.aws.schemas import regions
from settings import AwsSettings, DatabaseSettings, EcsSettings, NetworkSettings, SettingsError, load
from settings.schema import SCHEMA_FILE, render, stack_file_schema

ROOT = Path(__file__).parents[2]
STACK_FILES = sorted(ROOT.glob("Pulumi.*.yaml"))


def config(**sections: Any) -> dict[str, str]:
    """Write sections as the engine hands them over: text as it is, structures as JSON."""
    return {
        f"auterity:{key}": value if isinstance(value, str) else json.dumps(value) for key, value in sections.items()
    }


PRODUCTION: dict[str, Any] = {
    "aws": {},
    "network": {},
    "database": {"backup_replica": {}},
    "ecs": {},
    "image": {"reference": "app:1.4.2"},
    "app": {},
    "edge": {"domain": "auterity.example.com", "hosted_zone_id": "Z0123456789ABCDEFGHIJ"},
    "alarms": {"subscriptions": {"on-call": {"protocol": "email", "endpoint": "on-call@example.com"}}},
}
"""The sections that a production stack has to have, with the keys that have no default."""


def errors(**sections: Any) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        load(config(**sections))
    return caught.value.lines


def stack_file(path: Path) -> dict[str, str]:
    document = yaml.safe_load(path.read_text())["config"]
    return {key: value if isinstance(value, str) else json.dumps(value) for key, value in document.items()}


@pytest.mark.parametrize("path", STACK_FILES, ids=lambda path: path.stem)
def test_every_shipped_stack_file_is_right(path: Path) -> None:
    assert load(stack_file(path)).environment in path.name


@pytest.mark.parametrize("path", STACK_FILES, ids=lambda path: path.stem)
def test_every_shipped_stack_file_fits_the_json_schema_that_it_points_at(path: Path) -> None:
    first_line = path.read_text().splitlines()[0]
    assert first_line == f"# yaml-language-server: $schema={SCHEMA_FILE.relative_to(ROOT)}"
    jsonschema.validate(yaml.safe_load(path.read_text()), stack_file_schema())


def test_the_written_json_schema_is_the_one_that_the_models_give() -> None:
    assert SCHEMA_FILE.read_text() == render(), "run `make schema`"


def test_every_setting_says_what_it_is_for() -> None:
    undescribed = [
        f"{name}.{key}"
        for name, definition in stack_file_schema()["$defs"].items()
        for key, schema in definition["properties"].items()
        if not schema.get("description")
    ]
    assert undescribed == []


def test_every_wrong_key_is_named_at_once() -> None:
    lines = errors(environment="dev", aws={}, network={"az_count": 9, "nat": "perhaps", "zones": 3}, databse={})
    assert [line.split(":")[1] for line in lines] == ["network.az_count", "network.nat", "network.zones", "databse"]


def test_an_error_says_what_was_given_and_what_is_allowed() -> None:
    [line] = errors(environment="dev", aws={}, network={"nat": "perhaps"})
    assert line == "auterity:network.nat: \"perhaps\" given; allowed: 'none', 'single' or 'per_az'"


def test_an_unknown_key_is_answered_with_the_nearest_known_one() -> None:
    [line] = errors(environment="dev", aws={}, network={"az_counts": 2})
    assert "did you mean az_count?" in line


def test_a_key_of_another_namespace_is_refused_because_nothing_would_read_it() -> None:
    with pytest.raises(SettingsError, match="aws:region: not read by this project"):
        load({**config(environment="local"), "aws:region": "eu-west-1"})


def test_the_engines_own_keys_are_left_alone() -> None:
    assert load({**config(environment="local"), "pulumi:disable-default-providers": '["*"]'}).environment == "local"


def test_a_secret_value_is_not_shown_in_the_error() -> None:
    with pytest.raises(SettingsError) as caught:
        load(config(environment="local", owner="hunter2?!"), secret_keys={"auterity:owner"})
    assert "hunter2" not in str(caught.value)
    assert "auterity:owner" in str(caught.value)


def test_a_missing_environment_is_named() -> None:
    assert errors() == ["auterity:environment: not set; it has no default"]


@pytest.mark.parametrize(
    ("section", "wrong"),
    [
        ("network", {"nat": "single"}),
        ("network", {"nat": "none"}),
        ("network", {"flow_logs": {"enabled": False}}),
        ("database", {"multi_az": False}),
        ("database", {"deletion_protection": False}),
        ("database", {"backup_retention_days": 0}),
        ("database", {"backup_retention_days": 6}),
    ],
    ids=str,
)
def test_production_cannot_switch_off_what_keeps_it_safe(section: str, wrong: dict[str, Any]) -> None:
    sections: dict[str, dict[str, Any]] = {"network": {}, "database": {"backup_replica": {}}}
    sections[section].update(wrong)
    [key] = wrong
    assert any(
        line.startswith(f"auterity:{section}.{key}") and "in prod" in line
        for line in errors(environment="prod", aws={}, **sections)
    )


@pytest.mark.parametrize("wrong", [{"nat": "single"}, {"flow_logs": {"enabled": False}}], ids=str)
def test_dev_may_switch_off_what_costs(wrong: dict[str, Any]) -> None:
    assert load(config(environment="dev", aws={}, network=wrong)).network is not None


def test_the_defaults_are_those_of_production() -> None:
    settings = load(config(environment="prod", **PRODUCTION))
    assert settings.database == DatabaseSettings(
        backup_replica=settings.database.backup_replica if settings.database else None
    )
    assert settings.network == NetworkSettings()
    assert settings.ecs == EcsSettings()


def test_production_without_a_second_region_for_its_backups_is_refused() -> None:
    [line] = errors(environment="prod", **{**PRODUCTION, "database": {}})
    assert line.startswith("auterity:database.backup_replica: null given")


def test_backups_cannot_be_replicated_to_the_stacks_own_region() -> None:
    [line] = errors(environment="prod", **{**PRODUCTION, "aws": {"region": "us-west-2"}})
    assert line.startswith("auterity:database.backup_replica.region")


@pytest.mark.parametrize("section", ["network", "database", "edge", "alarms"])
def test_production_is_refused_without_a_part_that_it_has_to_have(section: str) -> None:
    found = errors(environment="prod", **{key: value for key, value in PRODUCTION.items() if key != section})
    assert f"auterity:{section}: null given; allowed: set in prod" in found


def test_an_alarm_of_production_reaches_somebody() -> None:
    [line] = errors(environment="prod", **{**PRODUCTION, "alarms": {}})
    assert line.startswith("auterity:alarms.subscriptions: {} given")


def test_what_a_section_needs_is_asked_for_once_with_all_who_need_it() -> None:
    [line] = errors(environment="dev", aws={}, database={}, storage={})
    assert line == "auterity:network: null given; allowed: set where `database` and `storage` are"


def test_a_certificate_of_another_region_is_refused() -> None:
    arn = "arn:aws:acm:eu-west-1:123456789012:certificate/12345678-1234-1234-1234-123456789012"
    [line] = errors(environment="prod", **{**PRODUCTION, "edge": {"domain": "a.example.com", "certificate_arn": arn}})
    assert line.startswith("auterity:edge.certificate_arn")


@pytest.mark.parametrize(
    ("app", "key"),
    [
        ({"cpu_units": 2048, "memory_mib": 2048}, "memory_mib"),
        ({"cpu_units": 256, "memory_mib": 1536}, "memory_mib"),
        ({"copies": 20}, "copies"),
        ({"scaling": {"minimum": 5, "maximum": 4}}, "scaling.minimum"),
        ({"scaling": {"minimum": 1}}, "scaling.minimum"),
        ({"environment": {"STRIPE_API_KEY": "x"}}, "environment.STRIPE_API_KEY"),
    ],
    ids=str,
)
def test_an_app_that_could_not_run_is_refused_by_its_key(app: dict[str, Any], key: str) -> None:
    found = errors(environment="prod", **{**PRODUCTION, "app": app})
    assert [line.split(":")[1].split(" ")[0] for line in found] == [f"app.{key}"]


def test_a_value_that_looks_like_a_secret_is_not_shown() -> None:
    app = {"environment": {"STRIPE_API_KEY": "sk-live-1"}}
    assert "sk-live-1" not in "".join(errors(environment="prod", **{**PRODUCTION, "app": app}))


@pytest.mark.parametrize("shares", [{"ecs": 50}, {"ecs": 50, "kubernetes": 60}], ids=str)
def test_shares_of_requests_that_do_not_sum_to_all_are_refused(shares: dict[str, int]) -> None:
    assert errors(environment="prod", **PRODUCTION, runtimes=shares)[0].startswith("auterity:runtimes")


def test_a_cloud_section_without_a_cloud_is_refused() -> None:
    assert [line.split(" ")[0] for line in errors(environment="local", network={})] == ["auterity:network:"]


@pytest.mark.parametrize("cidr", ["10.0.0.0/15", "10.0.0.0/23", "8.8.0.0/16", "10.0.0.1/16", "fd00::/16", "x"])
def test_a_block_that_a_vpc_cannot_use_is_refused(cidr: str) -> None:
    assert errors(environment="dev", aws={}, network={"cidr": cidr})[0].startswith("auterity:network.cidr")


def test_keys_of_a_new_vpc_beside_an_adopted_one_are_refused() -> None:
    subnets = {"a": "subnet-0123456789abcdef0", "b": "subnet-0123456789abcdef1"}
    existing = {"vpc_id": "vpc-0123456789abcdef0", "subnets": {"private": subnets, "database": subnets}}
    assert errors(environment="dev", aws={}, network={"existing": existing, "nat": "none"})[0].startswith(
        "auterity:network.nat"
    )


def test_an_address_for_a_zone_without_nat_gateway_is_refused() -> None:
    given = {"nat": "single", "nat_allocation_ids": {"b": "eipalloc-0123456789abcdef0"}}
    assert errors(environment="dev", aws={}, network=given)[0].startswith("auterity:network.nat_allocation_ids.b")


def test_tags_that_the_stack_sets_itself_cannot_be_set() -> None:
    assert errors(environment="local", tags={"Owner": "me"})[0].startswith("auterity:tags.Owner")


def test_settings_cannot_be_changed_once_they_are_read() -> None:
    settings = load(config(environment="local"))
    with pytest.raises(ValueError, match="frozen"):
        settings.environment = "prod"


def test_a_load_balancer_in_the_cluster_is_for_stacks_without_a_cloud() -> None:
    config = stack_file(next(path for path in STACK_FILES if "dev" in path.name))
    with pytest.raises(SettingsError) as caught:
        load({**config, "auterity:load_balancer": "{}"})
    [line] = caught.value.lines
    assert line.startswith('auterity:load_balancer: "set" given; allowed: unset in a stack with `aws`')


@pytest.mark.parametrize("name", ["admin", "rdsadmin", "rds_superuser", "user", "pg_monitor", "public", "order"])
def test_a_master_name_that_rds_reserves_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=r"username: .* neither PostgreSQL nor RDS reserves"):
        DatabaseSettings(username=name)


@pytest.mark.parametrize("name", ["user", "table", "template1", "rdsadmin"])
def test_a_first_database_that_postgresql_cannot_name_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=r"name: .* no reserved word of PostgreSQL"):
        DatabaseSettings(name=name)


@pytest.mark.parametrize("region", ["cn-north-1", "us-gov-west-1", "us-iso-east-1", "eu-isoe-west-1", "eusc-de-east-1"])
def test_a_region_of_another_partition_is_refused(region: str) -> None:
    told = errors(environment="dev", aws={"region": region}, database={"backup_replica": {"region": region}})
    assert {line.split()[0].rstrip(":") for line in told} >= {
        "auterity:aws.region",
        "auterity:database.backup_replica.region",
    }


def test_every_region_of_the_partition_is_accepted() -> None:
    # Those that AWS' own schemas, as cfn-lint has them, are published for.
    others = ("cn-", "us-gov-", "us-iso", "eu-iso", "eusc-")
    partition = [region for region in regions() if not region.startswith(others)]
    assert [AwsSettings(region=region).region for region in partition] == partition


def test_more_tags_than_a_resource_may_have_are_refused() -> None:
    told = errors(environment="local", tags={f"key{number}": "" for number in range(41)})
    assert [line for line in told if "auterity:tags" in line and "40" in line]


@pytest.mark.parametrize("tags", [{"owner": "me"}, {"STACK": "x"}, {"team": "a", "Team": "b"}, {"name": "x"}])
def test_tags_that_iam_takes_for_one_are_refused(tags: dict[str, str]) -> None:
    assert [line for line in errors(environment="local", tags=tags) if "case" in line]


def test_a_region_whose_database_the_gateway_could_not_tell_from_another_is_refused() -> None:
    lines = errors(environment="prod", **{**PRODUCTION, "aws": {"region": "mx-central-1"}, "gateway": {}})
    assert [line for line in lines if "aws.region" in line and "rds-authorities.pem" in line]


def test_a_role_in_the_cluster_leaves_room_for_the_name_that_takes_turns_with_it() -> None:
    lines = errors(environment="dev", database={"mode": "in_cluster", "username": "a" * 54}, aws={}, kubernetes={})
    assert [line for line in lines if "database.username" in line and "53" in line]


def test_a_gateway_replaced_faster_than_the_edge_checks_is_refused() -> None:
    lines = errors(environment="prod", **{**PRODUCTION, "gateway": {"update_delay_seconds": 14}})
    assert [line for line in lines if "gateway.update_delay_seconds" in line and "at least 15" in line]


EKS = {"administrators": ["arn:aws:iam::123456789012:role/platform-engineers"]}


def test_a_stack_that_makes_its_vpc_is_not_deployed_from_inside_of_it() -> None:
    [line] = errors(environment="dev", aws={}, network={}, kubernetes={"eks": {**EKS, "private_only": True}})
    assert "kubernetes.eks.private_only: true given; allowed: false where the stack makes its VPC" in line


def test_a_control_plane_in_a_zone_without_a_subnet_is_refused() -> None:
    eks = {**EKS, "public_access_cidrs": ["198.51.100.7/32"], "control_plane_zones": ["a", "d"]}
    [line] = errors(environment="dev", aws={}, network={}, kubernetes={"eks": eks})
    assert line.endswith('eks.control_plane_zones: "d" given; allowed: zones with private subnets: a, b, c')
