"""Who may be whom, and do what: the bootstrap on recording mocks."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from bootstrap.inputs import load
from bootstrap.pipelines import subject
from bootstrap.rights import PASSED_TO
from settings import SettingsError
from tests.bootstrap.roles import (
    ENVIRONMENTS,
    ISSUER,
    READING,
    ROLE,
    THROUGH_S3,
    attached,
    boundary,
    bounded,
    config,
    made,
    made_at_google,
    may,
    rights,
    roles,
    state_keys,
    states,
)
from tests.unit.programs import ROOT, shipped
from tests.unit.recording import ACCOUNT_ID

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


def test_each_environment_has_one_role() -> None:
    assert set(roles()) == set(ENVIRONMENTS)


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_a_role_is_taken_by_its_own_environment_of_this_repository_alone(environment: str) -> None:
    [statement] = roles()[environment]["Statement"]
    assert statement["Action"] == ["sts:AssumeRoleWithWebIdentity"]
    assert statement["Condition"] == {
        "StringEquals": {
            f"{ISSUER}:aud": "sts.amazonaws.com",
            f"{ISSUER}:sub": f"repo:auterity/infrastructure:environment:{environment}",
        }
    }


@pytest.mark.parametrize("environment", [each for each in ENVIRONMENTS if "-" in each])
def test_whoever_looks_only_reads(environment: str) -> None:
    allowed = {a for each in rights(environment) if each["Effect"] == "Allow" for a in each["Action"]}
    reads = {"kms:Decrypt", "s3:GetBucketLocation", "s3:GetObject", "s3:ListBucket"}
    assert allowed - {"secretsmanager:GetSecretValue"} == reads
    [document] = attached(environment)
    looks = [action for statement in json.loads(document)["Statement"] for action in statement["Action"]]
    assert [each for each in looks if not each.partition(":")[2].startswith(READING)] == []


@pytest.mark.parametrize("environment", ["preview-dev", "preview-prod"])
def test_a_pull_request_reads_no_secret(environment: str) -> None:
    assert not any("secretsmanager:GetSecretValue" in each["Action"] for each in rights(environment))


@pytest.mark.parametrize("stack", ["dev", "prod"])
def test_a_deployment_changes_the_roles_of_its_stack_and_not_its_own(stack: str) -> None:
    changed = [
        resource
        for each in rights(stack)
        if each["Effect"] == "Allow" and any(action.startswith("iam:") for action in each["Action"])
        for resource in each["Resource"]
    ]
    assert set(changed) == {
        f"arn:aws:iam::{ACCOUNT_ID}:role/auterity-{stack}-*",
        f"arn:aws:iam::{ACCOUNT_ID}:role/aws-service-role/*",
    }


@pytest.mark.parametrize("action", ["CreateRole", "PutRolePolicy", "AttachRolePolicy", "PutRolePermissionsBoundary"])
def test_a_deployment_makes_no_role_without_the_boundary(action: str) -> None:
    assert may("prod", f"iam:{action}", ROLE, iam__PermissionsBoundary=boundary())
    assert not may("prod", f"iam:{action}", ROLE)
    other = f"arn:aws:iam::{ACCOUNT_ID}:policy/Administrators"
    assert not may("prod", f"iam:{action}", ROLE, iam__PermissionsBoundary=other)


@pytest.mark.parametrize(
    ("action", "resource"),
    [
        ("iam:DeleteRolePermissionsBoundary", ROLE),
        ("iam:CreatePolicyVersion", f"arn:aws:iam::{ACCOUNT_ID}:policy/auterity-boundary"),
        ("iam:DeletePolicy", f"arn:aws:iam::{ACCOUNT_ID}:policy/auterity-boundary"),
        ("iam:CreateUser", f"arn:aws:iam::{ACCOUNT_ID}:user/somebody"),
        ("iam:PutRolePolicy", f"arn:aws:iam::{ACCOUNT_ID}:role/pipeline-prod"),
        ("iam:UpdateAssumeRolePolicy", f"arn:aws:iam::{ACCOUNT_ID}:role/pipeline-prod"),
        ("iam:PutRolePolicy", f"arn:aws:iam::{ACCOUNT_ID}:role/auterity-dev-app"),
    ],
)
def test_a_deployment_does_not_get_out_of_its_rights(action: str, resource: str) -> None:
    assert not may("prod", action, resource, iam__PermissionsBoundary=boundary())


def test_a_role_is_handed_to_the_services_of_the_platform_alone() -> None:
    trusted = {
        statement["Principal"]["Service"]
        for stack in ("dev", "prod")
        for role in shipped(stack).of_type("aws:iam/role:Role")
        for statement in json.loads(role.inputs["assumeRolePolicy"])["Statement"]
    }
    assert trusted == set(PASSED_TO)
    assert all(may("prod", "iam:PassRole", ROLE, iam__PassedToService=each) for each in trusted)
    assert not may("prod", "iam:PassRole", ROLE, iam__PassedToService="lambda.amazonaws.com")


@pytest.mark.parametrize("stack", ["dev", "prod"])
def test_every_role_of_a_stack_has_the_boundary(stack: str) -> None:
    roles = shipped(stack).of_type("aws:iam/role:Role")
    assert len(roles) > 10
    made_by_bootstrap = next(each for each in made().of_type("aws:iam/policy:Policy") if "boundary" in each.name)
    arn = f"arn:aws:iam::{ACCOUNT_ID}:policy/{made_by_bootstrap.inputs['name']}"
    assert {each.inputs.get("permissionsBoundary") for each in roles} == {arn}


def test_the_boundary_leaves_the_stacks_roles_all_that_they_have() -> None:
    granted = {
        (action, resource)
        for stack in ("dev", "prod")
        for each in shipped(stack).of_type("aws:iam/rolePolicy:RolePolicy")
        for statement in json.loads(each.inputs["policy"])["Statement"]
        for action in statement["Action"]
        for resource in statement["Resource"]
    }
    assert len(granted) > 50
    assert [each for each in sorted(granted) if not bounded(*each)] == []
    # And what AWS's policy for nodes of EKS has beside it.
    assert bounded("iam:CreateInstanceProfile", f"arn:aws:iam::{ACCOUNT_ID}:instance-profile/eks")


@pytest.mark.parametrize(
    ("action", "resource"),
    [
        ("iam:CreateRole", ROLE),
        ("iam:PutRolePolicy", ROLE),
        ("iam:CreateAccessKey", f"arn:aws:iam::{ACCOUNT_ID}:user/somebody"),
        ("sts:AssumeRole", f"arn:aws:iam::{ACCOUNT_ID}:role/pipeline-prod"),
        ("organizations:LeaveOrganization", "*"),
    ],
)
def test_a_role_that_a_deployment_makes_is_no_administrator(action: str, resource: str) -> None:
    assert not bounded(action, resource)


def test_each_stack_has_a_key_of_its_own_for_its_secrets() -> None:
    assert len(set(state_keys().values())) == 3


@pytest.mark.parametrize("key", ["dev", "prod", "objects"])
def test_no_role_of_a_stack_reaches_a_state_or_a_key_of_the_states(key: str) -> None:
    assert not bounded("s3:GetObject", f"{states()}/.pulumi/stacks/auterity/prod.json")
    assert not bounded("kms:Decrypt", state_keys()[key])
    assert not bounded("kms:ScheduleKeyDeletion", state_keys()[key])
    assert bounded("kms:Decrypt", f"arn:aws:kms:us-east-1:{ACCOUNT_ID}:key/another")


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_a_pipeline_opens_the_secrets_of_its_own_stack_alone(environment: str) -> None:
    keys, own = state_keys(), environment.rpartition("-")[2]
    other = "dev" if own == "prod" else "prod"
    assert may(environment, "kms:Decrypt", keys[own])
    assert may(environment, "kms:Encrypt", keys[own]) == (environment == own)
    # Through whatever service it calls.
    through = ["", "s3.us-east-1.amazonaws.com", "ec2.us-east-1.amazonaws.com"]
    assert not any(may(environment, "kms:Decrypt", keys[other], kms__ViaService=each) for each in through)


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_a_pipeline_uses_the_key_of_the_objects_by_reading_or_writing_one(environment: str) -> None:
    key = state_keys()["objects"]
    assert may(environment, "kms:Decrypt", key, **THROUGH_S3)
    assert not may(environment, "kms:Decrypt", key)
    assert may(environment, "kms:GenerateDataKey", key, **THROUGH_S3) == ("-" not in environment)


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_a_pipeline_opens_the_state_of_its_own_stack_alone(environment: str) -> None:
    bucket = states()
    own = environment.rpartition("-")[2]
    other = "dev" if own == "prod" else "prod"
    for file in (
        "stacks/auterity/{}.json",
        "history/auterity/{0}/{0}-1.history.json",
        "backups/auterity/{0}/{0}.1.json",
    ):
        assert may(environment, "s3:GetObject", f"{bucket}/.pulumi/{file.format(own)}")
        assert not may(environment, "s3:GetObject", f"{bucket}/.pulumi/{file.format(other)}")
        assert not may(environment, "s3:PutObject", f"{bucket}/.pulumi/{file.format(other)}")
    assert not may(environment, "s3:GetObject", f"{bucket}/.pulumi/stacks/auterity-bootstrap/account.json")
    assert may(environment, "s3:GetObject", f"{bucket}/.pulumi/meta.yaml")


@pytest.mark.parametrize(
    "action", ["ScheduleKeyDeletion", "PutKeyPolicy", "DisableKey", "CreateGrant", "CreateAlias", "TagResource"]
)
def test_a_deployment_does_not_change_the_keys_of_the_states(action: str) -> None:
    assert not any(may("prod", f"kms:{action}", key) for key in state_keys().values())
    assert may("prod", f"kms:{action}", f"arn:aws:kms:us-east-1:{ACCOUNT_ID}:key/of-the-stack")


@pytest.mark.parametrize("named", ["auterity/infrastructure", "auterity@1234/infrastructure@5678"])
def test_a_repository_is_named_as_its_tokens_name_it(named: str) -> None:
    assert load(config(repository=named)).repository == named
    assert subject(named, "deploy", "prod") == f"repo:{named}:environment:prod"


def test_nothing_is_allowed_on_all_resources() -> None:
    wide = [
        (environment, each["Sid"])
        for environment in ENVIRONMENTS
        for each in rights(environment)
        if each["Effect"] == "Allow" and "*" in each["Resource"]
    ]
    assert wide == []


@pytest.mark.parametrize("environment", [each for each in ENVIRONMENTS if not each.startswith("preview-")])
def test_keys_are_used_by_what_holds_from_the_first_call(environment: str) -> None:
    [keys] = [each for each in rights(environment) if each["Sid"] == "KeysOfServices"]
    # Aliases and tags count up to five minutes later (KMS developer guide, 'ABAC for AWS KMS').
    assert list(keys["Condition"]) == ["StringLike"]
    assert list(keys["Condition"]["StringLike"]) == ["kms:ViaService"]
    assert keys["Resource"] == [f"arn:aws:kms:*:{ACCOUNT_ID}:key/*"]


def test_whoever_looks_for_drift_opens_what_secrets_manager_keeps_alone() -> None:
    [keys] = [each for each in rights("drift-prod") if each["Sid"] == "KeysOfServices"]
    assert keys["Action"] == ["kms:Decrypt"]
    assert keys["Condition"]["StringLike"]["kms:ViaService"] == ["secretsmanager.*.amazonaws.com"]


def test_the_states_and_their_key_are_protected() -> None:
    kept = [*made().of_type("aws:s3/bucket:Bucket"), *made().of_type("aws:kms/key:Key")]
    assert len(kept) == 5
    assert all(each.protect for each in kept)


def test_google_takes_the_same_subjects() -> None:
    provider = made_at_google().only("gcp:iam/workloadIdentityPoolProvider:WorkloadIdentityPoolProvider")
    subjects = re.findall(r"assertion\.sub == '([^']+)'", provider.inputs["attributeCondition"])
    assert set(subjects) == {f"repo:auterity/infrastructure:environment:{each}" for each in ENVIRONMENTS}
    members = [each.inputs["member"] for each in made_at_google().of_type("gcp:serviceaccount/iAMMember:IAMMember")]
    assert {each.rpartition("/subject/")[2] for each in members} == set(subjects)


def test_reads_of_backups_and_their_key_at_google_are_logged() -> None:
    logged = made_at_google().of_type("gcp:projects/iAMAuditConfig:IAMAuditConfig")
    assert {each.inputs["service"] for each in logged} == {"storage.googleapis.com", "cloudkms.googleapis.com"}
    for each in logged:
        kinds = {config["logType"] for config in each.inputs["auditLogConfigs"]}
        assert kinds == {"ADMIN_READ", "DATA_READ", "DATA_WRITE"}
    assert {each.inputs["project"] for each in logged} == {"auterity-backups"}


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_every_environment_of_a_workflow_has_a_role(path: Path) -> None:
    for job in yaml.safe_load(path.read_text())["jobs"].values():
        named = re.sub(r"\$\{\{.*?\}\}", "prod", str(job.get("environment", "prod")))
        assert named in ENVIRONMENTS


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("repository", "no-owner"),
        ("repository", "owner@1/name"),
        ("stacks", []),
        ("stacks", ["preview-dev"]),
        ("account_id", "12"),
        ("region", "here"),
    ],
)
def test_a_wrong_input_is_named(key: str, value: Any) -> None:
    with pytest.raises(SettingsError, match=f"auterity-bootstrap:{key}"):
        load(config(**{key: value}))


def test_an_unknown_key_is_named() -> None:
    with pytest.raises(SettingsError, match=r"bootstrap:repositry: no such setting; did you mean repository\?"):
        load(config(repositry="x"))


DEFAULT_SECONDS = 3600
"""For how long aws-actions/configure-aws-credentials asks for credentials of a role that it takes by GitHub's token."""


def sessions() -> dict[str, tuple[int, int, str]]:
    """Return seconds of each job, of its credentials, and the job's environment, of all jobs that take a role."""
    found = {}
    for path in WORKFLOWS:
        for name, job in yaml.safe_load(path.read_text())["jobs"].items():
            for step in job.get("steps", ()):
                if "configure-aws-credentials@" in step.get("uses", ""):
                    seconds = int(step["with"].get("role-duration-seconds", DEFAULT_SECONDS))
                    where = re.sub(r"\$\{\{.*?\}\}", "prod", str(job["environment"]))
                    found[f"{path.stem}/{name}"] = (60 * int(job["timeout-minutes"]), seconds, where)
    return found


@pytest.mark.parametrize("job", sessions())
def test_credentials_outlive_the_job_and_a_role_gives_them_for_so_long(job: str) -> None:
    works, lasts, where = sessions()[job]
    longest = {each.inputs["name"]: each.inputs["maxSessionDuration"] for each in made().of_type("aws:iam/role:Role")}
    assert works < lasts <= longest[f"pipeline-{where}"]
