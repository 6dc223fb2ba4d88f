"""Who may be whom, and do what: the bootstrap on recording mocks."""

from __future__ import annotations

import json
import re
import runpy
from fnmatch import fnmatchcase
from functools import cache
from importlib.resources import files as files_of
from pathlib import Path
from typing import Any

import pytest
import yaml

from bootstrap.inputs import load
from bootstrap.pipelines import subject
from bootstrap.rights import CHANGES, PASSED_TO
from sandbox.cloud.aws.access import allows
from sandbox.cloud.aws.catalog import CATALOG
from settings import SettingsError
from tests.unit.programs import ROOT, shipped
from tests.unit.recording import ACCOUNT_ID, Recording, record

ISSUER = "token.actions.githubusercontent.com"
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


def config(**changes: Any) -> dict[str, str]:
    document = yaml.safe_load((ROOT / "bootstrap" / "Pulumi.account.yaml").read_text())["config"]
    given = {**document, **{f"auterity-bootstrap:{key}": value for key, value in changes.items()}}
    return {key: value if isinstance(value, str) else json.dumps(value) for key, value in given.items()}


@cache
def made() -> Recording:
    program = str(ROOT / "bootstrap" / "__main__.py")
    return record(lambda: runpy.run_path(program, run_name="__main__"), stack="account", config=config())


def roles() -> dict[str, dict[str, Any]]:
    """Return the trust policy of each environment's role."""
    found = {r.inputs["name"]: json.loads(r.inputs["assumeRolePolicy"]) for r in made().of_type("aws:iam/role:Role")}
    return {name.removeprefix("pipeline-"): document for name, document in found.items()}


def rights(environment: str) -> list[dict[str, Any]]:
    """Return the statements of the policies inside a role."""
    name = f"pipeline-{environment}"
    return [
        statement
        for each in made().of_type("aws:iam/rolePolicy:RolePolicy")
        if each.name in (name, f"{name}-keys")
        for statement in json.loads(each.inputs["policy"])["Statement"]
    ]


ENVIRONMENTS = ("dev", "prod", "preview-dev", "preview-prod", "drift-dev", "drift-prod")


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
    attached = made().of_type("aws:iam/rolePolicyAttachment:RolePolicyAttachment")
    own = [a.inputs["policyArn"] for a in attached if a.name.startswith(f"pipeline-{environment}-")]
    assert own == ["arn:aws:iam::aws:policy/ReadOnlyAccess"]


@pytest.mark.parametrize("environment", ["preview-dev", "preview-prod"])
def test_a_pull_request_reads_no_secret(environment: str) -> None:
    assert not any("secretsmanager:GetSecretValue" in each["Action"] for each in rights(environment))


@pytest.mark.parametrize("environment", [each for each in ENVIRONMENTS if "-" in each])
def test_whoever_looks_reads_no_object_of_a_stack(environment: str) -> None:
    [denied] = [each for each in rights(environment) if each["Sid"] == "NoObjects"]
    assert (denied["Effect"], denied["Action"]) == ("Deny", ["s3:GetObject*"])
    assert denied["Resource"] == ["arn:aws:s3:::auterity-dev-*/*", "arn:aws:s3:::auterity-prod-*/*"]


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


def boundary() -> str:
    """Return the ARN of the boundary, as the rights of a deployment name it."""
    [bound] = [each for each in rights("prod") if each["Sid"] == "BoundRoles"]
    return str(bound["Condition"]["StringEquals"]["iam:PermissionsBoundary"])


ROLE = f"arn:aws:iam::{ACCOUNT_ID}:role/auterity-prod-anything"


def may(environment: str, action: str, resource: str, **context: str) -> bool:
    """Ask IAM's rules whether a pipeline may do something."""
    inside = [json.dumps({"Statement": rights(environment)})]
    changes = [each.inputs["policy"] for each in made().of_type("aws:iam/policy:Policy") if "changes" in each.name]
    known = {key.replace("__", ":"): value for key, value in context.items()}
    return allows([*inside, *(changes if "-" not in environment else [])], action, resource, known)


def bounded(action: str, resource: str) -> bool:
    """Ask IAM's rules whether a role of the platform can be given a right."""
    [boundary] = [each.inputs["policy"] for each in made().of_type("aws:iam/policy:Policy") if "boundary" in each.name]
    return bool(allows([boundary], action, resource, {}))


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


def states() -> tuple[str, str]:
    """Return the ARNs of the bucket of the states and of its key, as the pipelines' rights have them."""
    [listed] = {each["Resource"][0] for each in rights("prod") if each["Sid"] == "ListStates"}
    [key] = {each["Resource"][0] for each in rights("prod") if each["Sid"] == "UseStateKey"}
    return listed, key


def test_no_role_of_a_stack_reaches_a_state_or_the_key_of_the_states() -> None:
    bucket, key = states()
    assert not bounded("s3:GetObject", f"{bucket}/.pulumi/stacks/auterity/prod.json")
    assert not bounded("kms:Decrypt", key)
    assert bounded("kms:Decrypt", f"arn:aws:kms:us-east-1:{ACCOUNT_ID}:key/another")


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_a_pipeline_opens_the_state_of_its_own_stack_alone(environment: str) -> None:
    bucket, _ = states()
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
def test_a_deployment_does_not_change_the_key_of_the_states(action: str) -> None:
    _, key = states()
    assert not may("prod", f"kms:{action}", key)
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
    assert len(kept) == 3
    assert all(each.protect for each in kept)


def test_google_takes_the_same_subjects() -> None:
    provider = made().only("gcp:iam/workloadIdentityPoolProvider:WorkloadIdentityPoolProvider")
    subjects = re.findall(r"assertion\.sub == '([^']+)'", provider.inputs["attributeCondition"])
    assert set(subjects) == {f"repo:auterity/infrastructure:environment:{each}" for each in ENVIRONMENTS}
    members = [each.inputs["member"] for each in made().of_type("gcp:serviceaccount/iAMMember:IAMMember")]
    assert {each.rpartition("/subject/")[2] for each in members} == set(subjects)


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_every_environment_of_a_workflow_has_a_role(path: Path) -> None:
    for job in yaml.safe_load(path.read_text())["jobs"].values():
        named = re.sub(r"\$\{\{.*?\}\}", "prod", str(job.get("environment", "prod")))
        assert named in ENVIRONMENTS


ELSEWHERE = {
    "Amplify, API Gateway, AppSync, Cognito and others take a web ACL, too; this platform's is a load balancer's": (
        "acm-pca:*", "amplify:*", "apigateway:*", "apprunner:*", "appsync:*", "bedrock-agentcore:*", "cognito-idp:*",
        "ec2:*VerifiedAccess*", "elasticloadbalancing:*WebACL*",
    ),
    "features that no component uses": (
        "ec2:AcceptAddressTransfer", "ecs:*AccountSetting*", "eks:ActivateCertificateAuthority", "firehose:*",
        "lambda:*", "payments:*", "ram:*", "s3:*Metadata*Table*", "s3:DeleteBucket?*",
        "s3:DeleteObject", "s3:REST.PUT.OBJECT", "s3:Put*Analytics*",
        "s3:Put*IntelligentTiering*", "s3:Put*Inventory*", "s3:Put*Metrics*", "s3:PutObject*", "s3:PutReplication*",
        "s3tables:*", "secretsmanager:Re*Region*", "vpc-lattice:*", "vpce:*",
        "iam:*InstanceProfile", "iam:*PermissionsBoundary", "kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey",
    ),
}  # fmt: skip
"""Why what a schema lists is not allowed by the table of rights."""

READING = ("Describe", "Get", "List")


def needed() -> set[str]:
    """Return the actions by which AWS's own schemas make, change and delete the types of the shipped stacks."""
    data = files_of("cfnlint") / "data" / "schemas"
    files = json.loads((data / "providers" / "us-east-1.json").read_text())
    types = {each.type for stack in ("dev", "prod") for each in shipped(stack).resources}
    found = set()
    for kind in filter(None, (CATALOG[each].cloudformation for each in types if each in CATALOG)):
        handlers = json.loads((data / "resources" / f"{files[kind]}.json").read_text()).get("handlers", {})
        for handler in ("create", "update", "delete"):
            found |= set(handlers.get(handler, {}).get("permissions", ()))
    return {action for action in found if not action.partition(":")[2].startswith(READING)}


def test_a_deployment_may_do_what_the_types_of_the_stacks_need() -> None:
    allowed = [f"{service}:{each}" for service, actions in CHANGES.items() for each in actions]
    allowed += [each for statement in rights("prod") if statement["Effect"] == "Allow" for each in statement["Action"]]
    known = [*allowed, *(each for patterns in ELSEWHERE.values() for each in patterns)]
    assert len(needed()) > 200
    assert sorted(each for each in needed() if not any(fnmatchcase(each, one) for one in known)) == []


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
