"""Who may do what: policies parsed as IAM reads them, keys, trust."""

from __future__ import annotations

from collections.abc import Iterator

from policies.aws.documents import Statement, known_resources, open_to_anybody, statements
from policies.aws.types import (
    BUCKET_POLICY,
    GROUP_POLICY,
    KEY,
    POLICY,
    POLICY_ATTACHMENT,
    RESOURCE_POLICY,
    ROLE,
    ROLE_POLICY,
    USER_POLICY,
)
from policies.resources import Resource
from policies.rules import Finding, Violation, resource_rule, unless
from policies.values import Value, each

IDENTITY_POLICIES = ROLE + ROLE_POLICY + POLICY + USER_POLICY + GROUP_POLICY
TOO_MUCH = ("AdministratorAccess", "PowerUserAccess", "IAMFullAccess", "AmazonS3FullAccess", "SecretsManagerReadWrite")
"""Policies of AWS's own that give far more than a workload can need."""

LATE = ("aws:resourcetag/", "kms:resourcealiases")
"""Conditions on a key that hold only some time after it was made."""

DECRYPTING = ("kms:decrypt", "kms:reencryptfrom")


def identity_documents(resource: Resource) -> list[Value]:
    """List the documents that say what an identity may do."""
    if resource.type in ROLE:
        return [inline["policy"] for inline in resource["inlinePolicies"].items]
    return [resource["policy"]]


def statements_of(resource: Resource) -> Iterator[Statement]:
    for document in identity_documents(resource):
        yield from statements(document)


@resource_rule(
    "aws-iam-no-wildcard-actions",
    "No identity may do everything, of all services or of one",
    "CIS AWS 3.0 1.16",
    "FSBP IAM.1, IAM.21",
    types=IDENTITY_POLICIES,
)
def iam_no_wildcard_actions(resource: Resource) -> Iterator[Finding]:
    def check(statement: Statement) -> Iterator[Violation]:
        if not statement.allows:
            return
        wide = [action for action in statement.actions if action == "*" or action.endswith(":*")]
        mend = "list the actions that are needed"
        yield from unless(not wide, resource, statement.value["Action"], mend, f"allows {', '.join(wide)}")
        all_but = statement.value["NotAction"]
        yield from unless(not all_but.given, resource, all_but, mend, "allows everything else")

    yield from each(statements_of(resource), check)


@resource_rule(
    "aws-iam-no-administrators",
    "No identity of the program is given a policy for administrators",
    "CIS AWS 3.0 1.16",
    "FSBP IAM.1",
    types=ROLE + POLICY_ATTACHMENT,
)
def iam_no_administrators(resource: Resource) -> Iterator[Finding]:
    given = resource["managedPolicyArns"].items if resource.type in ROLE else [resource["policyArn"]]
    yield from each(
        given,
        lambda arn: unless(
            not arn.text.endswith(tuple(f"/{name}" for name in TOO_MUCH)),
            resource,
            arn,
            "attach a policy that lists what is needed",
        ),
    )


@resource_rule(
    "aws-iam-no-decrypt-on-all-keys",
    "No identity may decrypt with every key",
    "FSBP KMS.1, KMS.2",
    types=IDENTITY_POLICIES,
)
def iam_no_decrypt_on_all_keys(resource: Resource) -> Iterator[Finding]:
    def check(statement: Statement) -> Iterator[Violation]:
        if not statement.allows or not any(statement.grants(action) for action in DECRYPTING):
            return
        wide = [name for name in known_resources(statement) if name == "*" or name.endswith((":key/*", ":*"))]
        mend = "name the keys by their ARNs"
        yield from unless(not wide, resource, statement.value["Resource"], mend, f"is {', '.join(wide)}")

    yield from each(statements_of(resource), check)


@resource_rule(
    "aws-iam-no-keys-by-alias-or-tag",
    "No identity is allowed a key by its aliases or tags, which count up to five minutes after they are set",
    "KMS developer guide, ABAC for AWS KMS",
    types=IDENTITY_POLICIES,
)
def iam_no_keys_by_alias_or_tag(resource: Resource) -> Iterator[Finding]:
    def check(statement: Statement) -> Iterator[Violation]:
        late = sorted(key for key in statement.condition_keys if key.startswith(LATE))
        if late and statement.allows and any(action.startswith("kms:") for action in statement.actions):
            mend = "name the key's ARN, or by kms:ViaService the service that it is used through"
            yield Violation(resource, statement.value.path, f"allows keys by {', '.join(late)}", mend)

    yield from each(statements_of(resource), check)


@resource_rule(
    "aws-iam-trust-pinned",
    "A role is assumed by whom it names: federated ones by subject and audience",
    "FSBP IAM.1",
    "AWS IAM best practices",
    types=ROLE,
)
def iam_trust_pinned(resource: Resource) -> Iterator[Finding]:
    def check(statement: Statement) -> Iterator[Violation]:
        if not statement.allows:
            return
        if statement.grants("sts:assumerolewithwebidentity"):
            for key in ("sub", "aud"):
                values = [
                    value
                    for keys in statement.conditions.values()
                    for name, many in keys.items()
                    if name.endswith(f":{key}")
                    for value in many.one_or_many
                ]
                yield from unless(
                    bool(values) and all(value.text.strip("*") for value in values),
                    resource,
                    statement.value["Condition"],
                    f"add a StringEquals condition on the issuer's {key}",
                    f"leaves the token's {key} open",
                )
        elif open_to_anybody([statement]):
            yield from unless(
                False, resource, statement.value["Principal"], "name the account, role or service", "is everybody"
            )

    yield from each(statements(resource["assumeRolePolicy"]), check)


@resource_rule(
    "aws-key-rotated",
    "Symmetric KMS keys are rotated",
    "CIS AWS 3.0 3.6",
    "FSBP KMS.4",
    types=("aws:kms/key:Key",),
)
def key_rotated(resource: Resource) -> Iterator[Finding]:
    spec, usage = resource["customerMasterKeySpec"].text, resource["keyUsage"].text
    if spec in ("", "SYMMETRIC_DEFAULT") and usage in ("", "ENCRYPT_DECRYPT"):
        rotation = resource["enableKeyRotation"]
        yield from unless(rotation.flag is True, resource, rotation, "set it to true")


@resource_rule(
    "aws-resource-policy-not-public",
    "No key, bucket, topic, queue, secret or repository is open to everybody",
    "FSBP KMS.5, S3.2, S3.3, SNS.4, SQS.3",
    types=KEY + BUCKET_POLICY + RESOURCE_POLICY,
)
def resource_policy_not_public(resource: Resource) -> Iterator[Finding]:
    def check(statement: Statement) -> Iterator[Violation]:
        yield from unless(
            not open_to_anybody([statement]),
            resource,
            statement.value["Principal"],
            "name who may, or add a condition on aws:SourceAccount or aws:PrincipalOrgID",
            "is everybody",
        )

    yield from each(statements(resource["policy"]), check)
