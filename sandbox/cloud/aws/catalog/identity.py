"""IAM and KMS."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sandbox.cloud.aws.model import ACCOUNT, AwsError, AwsType, View, upper
from sandbox.cloud.property_values import UNKNOWN
from sandbox.cloud.sdk_types import Problem

ROLE = "aws:iam/role:Role"
ROLE_POLICY = "aws:iam/rolePolicy:RolePolicy"
ATTACHMENT = "aws:iam/rolePolicyAttachment:RolePolicyAttachment"
POLICY = "aws:iam/policy:Policy"
INSTANCE_PROFILE = "aws:iam/instanceProfile:InstanceProfile"
OIDC_PROVIDER = "aws:iam/openIdConnectProvider:OpenIdConnectProvider"
KEY = "aws:kms/key:Key"
ALIAS = "aws:kms/alias:Alias"

CREATED = "2026-01-01T00:00:00Z"
"""When everything in the simulated cloud was made: a fixed time keeps outputs comparable."""

GIVEN_ROLES = frozenset({"platform-engineers"})
"""Roles of the account that no stack makes: those of the people who deploy stacks."""

GIVEN_POLICIES = frozenset({"auterity-boundary"})
"""Policies of the account that no stack of the platform makes: what bounds their roles comes with the bootstrap."""


def _length(property: str, most: int, what: str) -> Any:
    def judge(inputs: Mapping[str, Any]) -> list[Problem]:
        value = inputs.get(property)
        if not isinstance(value, str) or len(value) <= most:
            return []
        return [Problem(property, f"LimitExceeded: {what} has at most {most} characters, this one has {len(value)}")]

    return judge


def _https(inputs: Mapping[str, Any]) -> list[Problem]:
    url = inputs.get("url")
    if not isinstance(url, str) or url.startswith("https://"):
        return []
    return [Problem("url", "InvalidInput: the issuer's URL begins with https://")]


def _not_attached(view: View) -> None:
    role = view.existing
    if role is None:
        return
    for user in view.store.mentioning(role.id):
        if user.inputs.get("role") != role.id:
            continue
        if user.type == ROLE_POLICY:
            raise AwsError("DeleteConflict", "Cannot delete entity, must delete policies first.", 409)
        if user.type == ATTACHMENT and not role.outputs.get("forceDetachPolicies"):
            raise AwsError("DeleteConflict", "Cannot delete entity, must detach all policies first.", 409)
        if user.type == INSTANCE_PROFILE:
            raise AwsError(
                "DeleteConflict", "Cannot delete entity, must remove roles from instance profile first.", 409
            )


def _at_most_ten(view: View) -> None:
    """IAM attaches at most 10 managed policies to a role (https://docs.aws.amazon.com/IAM/latest/UserGuide/
    reference_iam-quotas.html).
    """
    attached = [other for other in view.all(ATTACHMENT) if other.outputs["role"] == view.inputs["role"]]
    if len(attached) >= 10:
        raise AwsError("LimitExceeded", "Cannot exceed quota for PoliciesPerRole: 10", 409)


_DEFAULT_KEY_POLICY = (
    '{"Id":"key-default-1","Statement":[{"Action":"kms:*","Effect":"Allow",'
    f'"Principal":{{"AWS":"arn:aws:iam::{ACCOUNT}:root"}},"Resource":"*","Sid":"Enable IAM User Permissions"}}],'
    '"Version":"2012-10-17"}'
)


def _key_outputs(view: View, id: str) -> dict[str, Any]:
    outputs: dict[str, Any] = {"keyId": id, "policy": view.value("policy") or _DEFAULT_KEY_POLICY}
    if view.value("enableKeyRotation"):
        outputs["rotationPeriodInDays"] = view.value("rotationPeriodInDays") or 365
    return outputs


def _alias_outputs(view: View, id: str) -> dict[str, Any]:
    target = view.value("targetKeyId")
    key = next((k for k in view.store.identified(str(target)) if k.type == KEY), None)
    key = key or view.one(KEY, str(target))
    arn = key.outputs["arn"] if key else f"arn:aws:kms:{view.region}:{ACCOUNT}:key/{target}"
    return {"targetKeyArn": arn}


def _alias_name(inputs: Mapping[str, Any]) -> list[Problem]:
    name = inputs.get("name")
    if isinstance(name, str) and name.startswith("alias/aws/"):
        return [Problem("name", "NotAuthorizedException: aliases that begin with alias/aws/ are AWS's own")]
    return []


def _key_rotation(inputs: Mapping[str, Any]) -> list[Problem]:
    spec = inputs.get("customerMasterKeySpec", "SYMMETRIC_DEFAULT")
    if inputs.get("enableKeyRotation") is True and spec is not UNKNOWN and spec != "SYMMETRIC_DEFAULT":
        return [Problem("enableKeyRotation", f"UnsupportedOperationException: a key of {spec} is not rotated")]
    return []


_ABSENT = "NoSuchEntity"

TYPES: dict[str, AwsType] = {
    ROLE: AwsType(
        service="IAM",
        noun="Role",
        cloudformation="AWS::IAM::Role",
        id="{name}",
        arn="iam::{account}:role{path}{name}",
        renames={"name": "RoleName", "assumeRolePolicy": "AssumeRolePolicyDocument", "inlinePolicies": None},
        policies={"assumeRolePolicy": "trust"},
        name_limit=64,
        defaults={"path": "/", "maxSessionDuration": 3600, "forceDetachPolicies": False, "description": ""},
        computed=lambda view, id: {
            "uniqueId": view.kept("uniqueId", lambda: f"AROA{upper(17)}"),
            "createDate": CREATED,
            "managedPolicyArns": view.inputs.get("managedPolicyArns")
            or [a.outputs["policyArn"] for a in view.all(ATTACHMENT) if a.outputs["role"] == id],
            "inlinePolicies": view.inputs.get("inlinePolicies") or [],
        },
        taken="EntityAlreadyExists",
        taken_text="Role with name {name} already exists.",
        missing=(_ABSENT, "The role with name {id} cannot be found."),
        deletion_rules=(_not_attached,),
        value_rules=(
            _length("assumeRolePolicy", 4096, "a trust policy"),
            _length("name", 64, "a role's name"),
            _length("description", 1000, "a role's description"),
        ),
        operations={"update": "UpdateAssumeRolePolicy"},
    ),
    ROLE_POLICY: AwsType(
        service="IAM",
        noun="RolePolicy",
        label="IAM Role Policy",
        cloudformation="AWS::IAM::RolePolicy",
        id="{role}:{name}",
        renames={"name": "PolicyName", "role": "RoleName", "policy": "PolicyDocument"},
        policies={"policy": "identity"},
        name_limit=128,
        names=("name", "role"),
        references={"role": ROLE},
        value_rules=(_length("policy", 10240, "a role's inline policies together"),),
        operations={"create": "PutRolePolicy", "update": "PutRolePolicy"},
        missing=(_ABSENT, "The role policy with name {id} cannot be found."),
    ),
    ATTACHMENT: AwsType(
        service="IAM",
        noun="RolePolicy",
        label="IAM Role Policy Attachment",
        cloudformation=None,
        id="{role}/{policyArn}",
        references={"role": ROLE},
        rules=(_at_most_ten,),
        replaces=frozenset({"role", "policyArn"}),
        operations={"create": "AttachRolePolicy", "delete": "DetachRolePolicy"},
    ),
    POLICY: AwsType(
        service="IAM",
        noun="Policy",
        cloudformation="AWS::IAM::ManagedPolicy",
        id="arn:{partition}:iam::{account}:policy{path}{name}",
        arn="iam::{account}:policy{path}{name}",
        renames={"name": "ManagedPolicyName", "policy": "PolicyDocument"},
        policies={"policy": "identity"},
        name_limit=128,
        defaults={"path": "/", "description": ""},
        computed=lambda view, id: {
            "policyId": view.kept("policyId", lambda: f"ANPA{upper(17)}"),
            "attachmentCount": view.old("attachmentCount") or 0,
        },
        taken="EntityAlreadyExists",
        taken_text="A policy called {name} already exists. Duplicate names are not allowed.",
        missing=(_ABSENT, "Policy {id} was not found."),
        in_use=("DeleteConflict", "Cannot delete a policy attached to entities."),
        value_rules=(_length("policy", 6144, "a managed policy"),),
        operations={"update": "CreatePolicyVersion"},
    ),
    OIDC_PROVIDER: AwsType(
        service="IAM",
        noun="OpenIDConnectProvider",
        label="IAM OIDC Provider",
        cloudformation="AWS::IAM::OIDCProvider",
        id="arn:{partition}:iam::{account}:oidc-provider/{host}",
        words=lambda view: {"host": str(view.value("url")).removeprefix("https://")},
        names=("url",),
        arn="iam::{account}:oidc-provider/{host}",
        renames={"clientIdLists": "ClientIdList", "thumbprintLists": "ThumbprintList"},
        taken="EntityAlreadyExists",
        taken_text="Provider with url {name} already exists.",
        missing=(_ABSENT, "OpenIDConnect Provider not found for arn {id}"),
        value_rules=(_https,),
        operations={"update": "UpdateOpenIDConnectProviderThumbprint"},
    ),
    INSTANCE_PROFILE: AwsType(
        service="IAM",
        noun="InstanceProfile",
        label="IAM Instance Profile",
        cloudformation="AWS::IAM::InstanceProfile",
        id="{name}",
        arn="iam::{account}:instance-profile{path}{name}",
        renames={"name": "InstanceProfileName", "role": None},
        name_limit=128,
        defaults={"path": "/"},
        computed=lambda view, id: {
            "uniqueId": view.kept("uniqueId", lambda: f"AIPA{upper(17)}"),
            "createDate": CREATED,
        },
        references={"role": ROLE},
        taken="EntityAlreadyExists",
        taken_text="Instance Profile {name} already exists.",
        missing=(_ABSENT, "Instance Profile {id} cannot be found."),
    ),
    KEY: AwsType(
        service="KMS",
        noun="Key",
        cloudformation="AWS::KMS::Key",
        id="{uuid}",
        arn="kms:{region}:{account}:key/{id}",
        renames={
            "policy": "KeyPolicy",
            "isEnabled": "Enabled",
            "customerMasterKeySpec": "KeySpec",
            "deletionWindowInDays": "PendingWindowInDays",
        },
        policies={"policy": "resource"},
        defaults={
            "description": "",
            "keyUsage": "ENCRYPT_DECRYPT",
            "customerMasterKeySpec": "SYMMETRIC_DEFAULT",
            "isEnabled": True,
            "enableKeyRotation": False,
            "multiRegion": False,
            "bypassPolicyLockoutSafetyCheck": False,
        },
        computed=_key_outputs,
        value_rules=(_length("policy", 32768, "a key policy"), _key_rotation),
        missing=("NotFoundException", "Key '{id}' does not exist"),
        replaces=frozenset({"customerMasterKeySpec", "keyUsage", "multiRegion", "customKeyStoreId", "xksKeyId"}),
        operations={"update": "PutKeyPolicy", "delete": "ScheduleKeyDeletion"},
        cascades={ALIAS: "targetKeyId"},
    ),
    ALIAS: AwsType(
        service="KMS",
        noun="Alias",
        cloudformation="AWS::KMS::Alias",
        id="{name}",
        arn="kms:{region}:{account}:{name}",
        renames={"name": "AliasName"},
        autoname_start="alias/",
        computed=_alias_outputs,
        references={"targetKeyId": KEY},
        taken="AlreadyExistsException",
        taken_text="An alias with the name {name} already exists",
        missing=("NotFoundException", "Alias {id} is not found."),
        value_rules=(_alias_name,),
        operations={"update": "UpdateAlias"},
    ),
}
