"""What the pages about security and disasters claim is what settings, rules and benchmarks say."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import yaml

from bootstrap.state import OLD_STATES_DAYS
from components.backup.recovery_points import DAYS
from components.observability.rules.cluster import DRILL_DAYS, backup_alerts
from policies.catalogue import RULES
from settings import StackSettings, load

ROOT = Path(__file__).parents[2]
SECURITY = (ROOT / "docs/security.md").read_text()
DISASTERS = (ROOT / "docs/disaster-recovery.md").read_text()
BENCHMARKS = (ROOT / "docs/benchmarks.md").read_text()


@pytest.fixture(scope="module")
def prod() -> StackSettings:
    config = yaml.safe_load((ROOT / "Pulumi.prod.yaml").read_text())["config"]
    return load({key: value if isinstance(value, str) else json.dumps(value) for key, value in config.items()})


def row(beginning: str) -> str:
    """Return the line of a table of the page about disasters."""
    found = [line for line in DISASTERS.splitlines() if line.startswith(f"| {beginning}")]
    assert len(found) == 1, (beginning, found)
    return found[0]


def test_every_rule_that_the_security_model_leans_on_is_one_of_the_pack() -> None:
    named = set(re.findall(r"`((?:aws|gcp|kubernetes|databases)-[a-z0-9-]+)`", SECURITY))
    assert len(named) > 30
    assert named - {rule.name for rule in RULES} == set()


def test_the_database_reaches_back_as_far_as_its_automated_backups(prod: StackSettings) -> None:
    assert prod.database
    assert prod.database.backup_replica
    kept, copied = prod.database.backup_retention_days, prod.database.backup_replica.retention_days
    for beginning in ("rows, by mistake", "the database, its automated"):
        assert f"up to {kept} days back" in row(beginning)
    assert f"{prod.database.backup_replica.region}, up to {copied} days back" in row("the Region")
    assert f"| {kept} days |" in row("RDS' automated backups")
    assert f"| {copied} days | {prod.database.backup_replica.region} |" in row("their copies")


def test_dumps_and_recovery_points_are_kept_for_as_long_as_the_settings_say(prod: StackSettings) -> None:
    assert prod.backup
    assert prod.backup.s3
    assert prod.backup.gcs
    retention = prod.backup.retention
    kept = f"| {retention.daily} days, {retention.weekly} weeks, {retention.monthly} months |"
    at = {"0 2 * * *": "02:00 UTC"}[prod.backup.schedule]
    s3, gcs = row("dumps of all databases"), row("the same | 02:00")
    points = row("recovery points")
    assert kept in s3
    assert kept in gcs
    assert all(f"| {at} |" in line for line in (s3, gcs))
    assert prod.backup.aws_backup
    assert f"| {prod.backup.aws_backup.time} UTC |" in points
    assert f"S3 in {prod.backup.s3.region}" in s3
    assert f"Object Lock for {prod.backup.s3.lock_days} days" in s3
    assert f"versions for {prod.backup.s3.old_version_days} days" in s3
    assert f"project {prod.backup.gcs.project}" in gcs
    assert f"soft delete for {prod.backup.gcs.soft_delete_days} days" in gcs
    ages = [f"{DAYS[kind] * getattr(retention, kind)} days" for kind in ("daily", "weekly", "monthly")]
    assert f"| {', '.join(ages)} |" in points


def test_what_is_kept_of_other_things_is_what_the_settings_say(prod: StackSettings) -> None:
    assert prod.storage
    assert prod.cache
    assert prod.backup
    assert f"nothing for {prod.storage.old_version_days} days" in row("an object of the app")
    assert f"kept for {prod.cache.snapshot_retention_days} days" in row("the cache")
    assert f"nothing for {OLD_STATES_DAYS} days" in row("the state of a stack")
    assert not prod.backup.vault_snapshots, "the page says that there are none"


def test_a_missing_night_and_a_missing_drill_are_noticed_when_the_alerts_say(prod: StackSettings) -> None:
    assert prod.backup
    assert "> 26 * 3600" in {alert.name: alert.expr for alert in backup_alerts().alerts()}["BackupTooOld"]
    assert "26 hours" in row("notice that a night is missing")
    assert prod.backup.drill_schedule == "0 7 1 * *"
    assert f"after {DRILL_DAYS} days" in row("restore of the newest dump")


def test_times_are_those_of_the_benchmarks() -> None:
    chain = re.search(r"Critical path, (\d+) s at AWS", BENCHMARKS)
    instance = re.search(r"^\| `aws:rds/instance:Instance` *\| (\d+) ", BENCHMARKS, re.MULTILINE)
    restored = [line.split("|") for line in BENCHMARKS.splitlines() if line.startswith("| restore ")][-1]
    assert chain
    assert instance
    assert f"| {int(chain[1]):,} s," in row("make the whole stack")
    assert f"| {instance[1]} s |" in row("make a database instance")
    size, seconds = float(restored[2]) / 1024, float(restored[6])
    assert f"a dump of {size:.1f} GiB | {seconds:.0f} s |" in row("restore and compare")


def test_every_page_about_a_loss_is_led_to() -> None:
    pages = {page.name for page in (ROOT / "docs/runbooks").glob("*-lost.md")} | {"wrong-rows-deleted.md"}
    assert {page for page in pages if f"runbooks/{page}" not in DISASTERS} == set()
