"""What users rely on of the backups' targets and jobs."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest

import operations
from operations.backup.plan import Plan
from sandbox.toolchain.backup_binaries import restic_version
from settings import SettingsError, load
from tests.unit.programs import stack_config, with_section
from tests.unit.recording import Recording

CRON = "kubernetes:batch/v1:CronJob"
POLICY = "aws:s3/bucketPolicy:BucketPolicy"
INGRESS = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
GRANT = "gcp:storage/bucketIAMMember:BucketIAMMember"
SECTION: dict[str, Any] = {
    "s3": {"lock_days": 14},
    "gcs": {"customer_key": True},
    "aws_backup": {"vault_lock": {}},
    "rabbitmq_definitions": True,
}


@cache
def backed_up(stack: str = "prod") -> Recording:
    section = SECTION if stack == "prod" else {"s3": {}}
    return with_section(stack, "backup", **section)


def cron(name: str) -> dict[str, Any]:
    [found] = [each for each in backed_up().of_type(CRON) if each.inputs["metadata"]["name"] == name]
    spec: dict[str, Any] = found.inputs["spec"]
    return spec


def pod(name: str) -> dict[str, Any]:
    spec: dict[str, Any] = cron(name)["jobTemplate"]["spec"]["template"]["spec"]
    return spec


def allowed(role: str) -> dict[str, list[str]]:
    """Return action to resources of a role's rights in AWS."""
    text = backed_up().named(f"auterity-prod-backup-{role}", "aws:iam/rolePolicy:RolePolicy").inputs["policy"]
    found: dict[str, list[str]] = {}
    for statement in json.loads(text)["Statement"]:
        for action in statement["Action"]:
            found.setdefault(action, []).extend(statement.get("Resource", []))
    return found


def plan() -> Plan:
    name, kind = "auterity-prod-backup", "kubernetes:core/v1:ConfigMap"
    return Plan.model_validate_json(backed_up().named(name, kind).inputs["data"]["plan.yaml"])


def test_databases_are_dumped_each_night_at_two_in_a_time_zone_that_is_said() -> None:
    assert (cron("auterity-backup")["schedule"], cron("auterity-backup")["timeZone"]) == ("0 2 * * *", "Etc/UTC")


@pytest.mark.parametrize("name", ["auterity-backup", "auterity-backup-prune", "auterity-drill"])
def test_no_job_runs_twice_at_a_time(name: str) -> None:
    assert cron(name)["concurrencyPolicy"] == "Forbid"


def test_an_attempt_after_a_failure_goes_on_with_the_same_run() -> None:
    assert cron("auterity-backup")["jobTemplate"]["spec"]["backoffLimit"] > 0
    [container] = pod("auterity-backup")["containers"]
    assert container["args"] == ["backup", "run", "--id", "$(RUN)"]
    [source] = [each["valueFrom"] for each in container["env"] if each["name"] == "RUN"]
    assert source["fieldRef"]["fieldPath"] == "metadata.labels['batch.kubernetes.io/job-name']"


def test_the_operators_command_takes_the_plan_that_the_jobs_are_given() -> None:
    assert [target.repository.partition(":")[0] for target in plan().targets] == ["s3", "gs"]
    assert plan().server.sslmode == "verify-full"
    assert [database.name for database in plan().server.databases] == ["auterity", "kong"]


def test_seven_days_four_weeks_and_six_months_are_kept() -> None:
    kept = plan().retention
    assert (kept.daily, kept.weekly, kept.monthly) == (7, 4, 6)


def test_the_job_that_writes_deletes_nothing_but_its_own_marks() -> None:
    assert {resource.rpartition("/platform/")[2] for resource in allowed("write")["s3:DeleteObject"]} == {"locks/*"}


def test_the_job_that_rehearses_changes_nothing() -> None:
    assert set(allowed("read")) == {"s3:GetObject", "s3:GetBucketLocation", "s3:ListBucket", "kms:Decrypt"}


def test_no_job_removes_history() -> None:
    for role in ("write", "prune", "read"):
        assert not [action for action in allowed(role) if "Version" in action or "Bypass" in action or "*" in action]


def test_nobody_at_all_removes_history_from_the_bucket_in_production() -> None:
    text = backed_up().named("auterity-prod-backups", POLICY).inputs["policy"]
    [denied] = [each for each in json.loads(text)["Statement"] if each["Sid"] == "DenyRemovingHistory"]
    assert denied["Effect"] == "Deny"
    assert "s3:DeleteObjectVersion" in denied["Action"]


def test_the_bucket_is_in_another_region_by_a_provider_of_its_own() -> None:
    bucket = backed_up().named("auterity-prod-backups", "aws:s3/bucket:Bucket")
    assert "aws-backups" in bucket.provider
    assert backed_up().named("aws-backups", "pulumi:providers:aws").inputs["region"] == "us-west-2"


def test_versions_are_locked_for_as_long_as_the_settings_say() -> None:
    lock = backed_up().only("aws:s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration")
    assert lock.inputs["rule"]["defaultRetention"] == {"mode": "GOVERNANCE", "days": 14}


def test_the_bucket_at_google_is_closed_and_keeps_what_is_deleted() -> None:
    bucket = backed_up().only("gcp:storage/bucket:Bucket").inputs
    assert (bucket["name"], bucket["project"]) == ("auterity-dr", "auterity-prod")
    assert bucket["uniformBucketLevelAccess"] is True
    assert bucket["publicAccessPrevention"] == "enforced"
    assert bucket["versioning"] == {"enabled": True}
    assert bucket["softDeletePolicy"]["retentionDurationSeconds"] == 30 * 24 * 3600


def test_google_trusts_three_service_accounts_of_the_cluster_and_nobody_else() -> None:
    provider = backed_up().only("gcp:iam/workloadIdentityPoolProvider:WorkloadIdentityPoolProvider").inputs
    assert provider["attributeCondition"].count("assertion.sub == 'system:serviceaccount:auterity:") == 3
    assert all("/subject/system:serviceaccount:" in grant.inputs["member"] for grant in backed_up().of_type(GRANT))


def test_whoever_writes_to_google_deletes_nothing_but_its_own_marks() -> None:
    granted = [g.inputs for g in backed_up().of_type(GRANT) if g.inputs["member"].endswith(":auterity-backup")]
    deleting = [grant for grant in granted if grant["role"] == "roles/storage.objectUser"]
    assert [grant["condition"]["expression"] for grant in deleting] == [
        'resource.name.startsWith("projects/_/buckets/auterity-dr/objects/platform/locks/")'
    ]


def test_no_long_lived_key_is_made() -> None:
    kinds = {resource.type for resource in backed_up().resources}
    assert not kinds & {"gcp:serviceaccount/key:Key", "gcp:storage/hmacKey:HmacKey", "aws:iam/accessKey:AccessKey"}


@pytest.mark.parametrize("name", ["auterity-backup-prune", "auterity-drill"])
def test_who_has_no_business_in_the_database_has_no_login(name: str) -> None:
    assert not [volume for volume in pod(name)["volumes"] if volume["name"].startswith("login-")]


def test_a_drill_restores_into_a_server_of_its_own() -> None:
    [server] = pod("auterity-drill")["initContainers"]
    assert server["restartPolicy"] == "Always"
    [container] = pod("auterity-drill")["containers"]
    assert container["args"][:4] == ["backup", "drill", "--host", "127.0.0.1"]


def test_a_restore_waits_for_people() -> None:
    assert cron("auterity-restore")["suspend"] is True
    assert cron("auterity-restore")["jobTemplate"]["spec"]["backoffLimit"] == 0


def test_a_restore_in_the_cluster_is_by_a_role_of_its_own_that_no_other_job_knows() -> None:
    stack = with_section("dev", "database", mode="in_cluster")
    jobs = {each.inputs["metadata"]["name"]: each for each in stack.of_type(CRON)}
    pods = {name: each.inputs["spec"]["jobTemplate"]["spec"]["template"]["spec"] for name, each in jobs.items()}
    [container] = pods["auterity-restore"]["containers"]
    assert container["args"][4:7] == ["--no-roles", "--user", "restorer"]
    knowing = [name for name, spec in pods.items() if "login-restorer" in {each["name"] for each in spec["volumes"]}]
    assert knowing == ["auterity-restore"]


def test_vault_is_backed_up_by_the_nightly_job_alone_once_that_is_wanted() -> None:
    stack = with_section("dev", "backup", s3={}, vault_snapshots=True)
    text = stack.named("auterity-dev-backup", "kubernetes:core/v1:ConfigMap").inputs["data"]["plan.yaml"]
    found = Plan.model_validate_json(text).vault
    assert found is not None
    assert (found.url, found.role) == ("https://auterity-vault-ready.auterity.svc:8200", "auterity-backup")
    mounting = [
        each.inputs["metadata"]["name"]
        for each in stack.of_type(CRON)
        for volume in each.inputs["spec"]["jobTemplate"]["spec"]["template"]["spec"]["volumes"]
        if volume["name"] == "vault"
    ]
    assert mounting == ["auterity-backup"]
    assert plan().vault is None


def test_definitions_of_the_managed_broker_are_backed_up_by_the_nightly_job_alone_once_that_is_wanted() -> None:
    found = plan().rabbitmq
    assert found is not None
    assert (found.url, str(found.password_file)) == ("https://broker.test", "/run/secrets/rabbitmq/rabbitmq")
    mounting = [
        each.inputs["metadata"]["name"]
        for each in backed_up().of_type(CRON)
        for volume in each.inputs["spec"]["jobTemplate"]["spec"]["template"]["spec"]["volumes"]
        if volume["name"] == "rabbitmq"
    ]
    assert mounting == ["auterity-backup"]
    rule = backed_up().named("auterity-prod-rabbitmq-console-from-kubernetes", INGRESS)
    assert (rule.inputs["fromPort"], rule.inputs["toPort"]) == (443, 443)


def test_backups_leave_the_broker_s_administrator_alone_where_its_definitions_are_not_wanted() -> None:
    stack = with_section("prod", "backup", **{**SECTION, "rabbitmq_definitions": False})
    text = stack.named("auterity-prod-backup", "kubernetes:core/v1:ConfigMap").inputs["data"]["plan.yaml"]
    assert Plan.model_validate_json(text).rabbitmq is None
    [mounted] = [each for each in stack.resources if each.name == "auterity-prod-backup-master" and each.custom]
    assert "messaging" not in mounted.inputs["spec"]["parameters"]["objects"]


def test_databases_are_read_by_a_role_that_writes_nothing_and_restored_by_one_that_no_other_job_knows() -> None:
    assert {database.user for database in plan().server.databases} == {"backup"}
    [container] = pod("auterity-restore")["containers"]
    assert container["args"][4:7] == ["--no-roles", "--user", "restorer"]
    names = ("auterity-backup", "auterity-backup-prune", "auterity-drill", "auterity-restore")
    knowing = [name for name in names if "login-restorer" in {each["name"] for each in pod(name)["volumes"]}]
    assert knowing == ["auterity-restore"]


def test_settings_are_read_from_any_directory(tmp_path: Path) -> None:
    code = f"import sys; sys.path.insert(0, {str(Path(__file__).parents[2])!r}); import settings"
    subprocess.run([sys.executable, "-I", "-c", code], cwd=tmp_path, check=True, timeout=60)


def test_definitions_need_a_managed_broker() -> None:
    wanted = {**stack_config("dev"), "auterity:backup": json.dumps({"s3": {}, "rabbitmq_definitions": True})}
    with pytest.raises(SettingsError, match=r"backup\.rabbitmq_definitions"):
        load(wanted)


def test_snapshots_of_vault_need_a_vault() -> None:
    without = {key: value for key, value in stack_config("dev").items() if key != "auterity:vault"}
    wanted = {**without, "auterity:backup": json.dumps({"s3": {}, "vault_snapshots": True})}
    with pytest.raises(SettingsError, match=r"backup\.vault_snapshots"):
        load(wanted)


def test_no_password_is_in_a_config_map_an_argument_or_the_environment() -> None:
    for each in backed_up().of_type("kubernetes:batch/v1:CronJob"):
        spec = each.inputs["spec"]["jobTemplate"]["spec"]["template"]["spec"]
        for container in [*spec["containers"], *spec.get("initContainers", [])]:
            named = {variable["name"] for variable in container.get("env", [])}
            assert not {name for name in named if "PASSWORD" in name and not name.endswith("_FILE")}


def test_recovery_points_live_as_long_as_the_dumps_and_are_copied() -> None:
    rules = {rule["ruleName"]: rule for rule in backed_up().only("aws:backup/plan:Plan").inputs["rules"]}
    assert {kind: rule["lifecycle"]["deleteAfter"] for kind, rule in rules.items()} == {
        "daily": 7,
        "weekly": 28,
        "monthly": 186,
    }
    assert {rule["schedule"] for rule in rules.values()} == {
        "cron(0 8 * * ? *)",
        "cron(0 8 ? * 1 *)",
        "cron(0 8 1 * ? *)",
    }
    assert {(rule["scheduleExpressionTimezone"], rule["startWindow"]) for rule in rules.values()} == {("Etc/UTC", 60)}
    assert all(rule["copyActions"] for rule in rules.values())


@pytest.mark.parametrize(
    ("time", "window"), [("02:00", "backup"), ("01:01", "backup"), ("04:59", "backup"), ("06:30", "maintenance")]
)
def test_recovery_points_are_made_an_hour_away_from_what_rds_does_by_itself(time: str, window: str) -> None:
    section = {"s3": {}, "gcs": {}, "aws_backup": {"time": time}}
    with pytest.raises(
        SettingsError, match=rf'1 problem(.|\n)*backup\.aws_backup\.time: "{time}" given; .*{window}_window'
    ):
        load({**stack_config("prod"), "auterity:backup": json.dumps(section)})


@pytest.mark.parametrize("time", ["01:00", "07:00", "23:59"])
def test_an_hour_away_from_the_windows_of_rds_is_far_enough(time: str) -> None:
    section = {"s3": {}, "gcs": {}, "aws_backup": {"time": time}}
    load({**stack_config("prod"), "auterity:backup": json.dumps(section)})


def test_point_in_time_recovery_stays_on() -> None:
    assert backed_up().only("aws:rds/instance:Instance").inputs["backupRetentionPeriod"] >= 7


def test_both_vaults_are_locked_where_the_settings_say_so() -> None:
    locks = backed_up().of_type("aws:backup/vaultLockConfiguration:VaultLockConfiguration")
    assert [lock.inputs["minRetentionDays"] for lock in locks] == [7, 7]


def test_the_jobs_image_has_no_finding_and_the_release_of_restic_that_is_tried() -> None:
    dockerfile = Path(operations.__file__).with_name("Dockerfile")
    hadolint = Path(sys.executable).with_name("hadolint")
    found = subprocess.run([hadolint, dockerfile], capture_output=True, text=True, check=False)
    assert (found.returncode, found.stdout) == (0, "")
    text = dockerfile.read_text()
    assert f"FROM restic/restic:{restic_version()} " in text
    assert re.findall(r"^USER (.*)$", text, re.MULTILINE)[-1:] == ["10001:10001"]


def test_production_must_have_a_copy_outside_of_the_account() -> None:
    with pytest.raises(SettingsError, match="s3 and gcs in prod"):
        load({**stack_config("prod"), "auterity:backup": json.dumps({"s3": {}})})


def test_backups_are_in_another_region_than_what_they_are_of() -> None:
    with pytest.raises(SettingsError, match=r"backup\.s3\.region"):
        load({**stack_config("dev"), "auterity:backup": json.dumps({"s3": {"region": "us-east-1"}})})
