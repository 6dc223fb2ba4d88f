"""The bootstrap on recording mocks, and what its roles may do by IAM's own rules."""

from __future__ import annotations

import json
import runpy
from functools import cache
from typing import Any

import yaml

from sandbox.cloud.aws.access import allows
from tests.unit.programs import ROOT
from tests.unit.recording import ACCOUNT_ID, Recording, record

ISSUER = "token.actions.githubusercontent.com"


def config(**changes: Any) -> dict[str, str]:
    """Return the settings of an account, with both stacks in it, which is where they could reach each other."""
    document = yaml.safe_load((ROOT / "bootstrap" / "Pulumi.account-prod.yaml").read_text())["config"]
    both = {"stacks": ["dev", "prod"], "disposable": ["dev"], **changes}
    return texts({**document, **{f"auterity-bootstrap:{key}": value for key, value in both.items()}})


def texts(given: dict[str, Any]) -> dict[str, str]:
    """Return settings as the engine hands them over."""
    return {key: value if isinstance(value, str) else json.dumps(value) for key, value in given.items()}


@cache
def made_at_google() -> Recording:
    directory = ROOT / "bootstrap" / "google"
    given = texts(yaml.safe_load((directory / "Pulumi.google.yaml").read_text())["config"])
    program = str(directory / "__main__.py")
    return record(lambda: runpy.run_path(program, run_name="__main__"), stack="google", config=given)


@cache
def made() -> Recording:
    program = str(ROOT / "bootstrap" / "__main__.py")
    return record(lambda: runpy.run_path(program, run_name="__main__"), stack="account-prod", config=config())


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


def attached(environment: str) -> list[str]:
    """Return the policies beside a role that it has; all of them are the program's own."""
    own = {each.name: each for each in made().of_type("aws:iam/policy:Policy")}
    found = made().of_type("aws:iam/rolePolicyAttachment:RolePolicyAttachment")
    arns = [a.inputs["policyArn"] for a in found if a.inputs["role"] == f"pipeline-{environment}"]
    return [str(own[arn.rpartition(":")[2]].inputs["policy"]) for arn in arns]


def boundary() -> str:
    """Return the ARN of the boundary, as the rights of a deployment name it."""
    [bound] = [each for each in rights("prod") if each["Sid"] == "BoundRoles"]
    return str(bound["Condition"]["StringEquals"]["iam:PermissionsBoundary"])


ROLE = f"arn:aws:iam::{ACCOUNT_ID}:role/auterity-prod-anything"


def may(environment: str, action: str, resource: str, **context: str) -> bool:
    """Ask IAM's rules whether a pipeline may do something."""
    inside = json.dumps({"Statement": rights(environment)})
    known = {key.replace("__", ":"): value for key, value in context.items()}
    return bool(allows([inside, *attached(environment)], action, resource, known))


def bounded(action: str, resource: str) -> bool:
    """Ask IAM's rules whether a role of the platform can be given a right."""
    [boundary] = [each.inputs["policy"] for each in made().of_type("aws:iam/policy:Policy") if "boundary" in each.name]
    return bool(allows([boundary], action, resource, {}))


THROUGH_S3 = {"kms__ViaService": "s3.us-east-1.amazonaws.com"}


def states() -> str:
    """Return the ARN of the bucket of the states, as the pipelines' rights have it."""
    [listed] = {each["Resource"][0] for each in rights("prod") if each["Sid"] == "ListStates"}
    return str(listed)


def state_keys() -> dict[str, str]:
    """Return the ARNs of the keys: of each stack's secrets, and of all objects."""
    found = {
        stack: each["Resource"][0]
        for stack in ("dev", "prod")
        for each in rights(stack)
        if each["Sid"] == "KeepSecrets"
    }
    [objects] = {each["Resource"][0] for each in rights("prod") if each["Sid"] == "UseObjectsKey"}
    return {**found, "objects": objects}


READING = ("Describe", "Get", "List")
