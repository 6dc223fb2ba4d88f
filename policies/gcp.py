"""Rules for Google Cloud: buckets, accounts, workload identity, keys."""

from __future__ import annotations

import re
from collections.abc import Iterator

from policies.resources import Resource
from policies.rules import DURABILITY, Finding, is_given, is_true, property_rule, resource_rule, unless
from policies.values import Value, each

BUCKET = ("gcp:storage/bucket:Bucket",)
AUDIT = ("gcp:projects/iAMAuditConfig:IAMAuditConfig",)
GRANTS = ("gcp:*IAMMember", "gcp:*IAMBinding")
PROJECT_GRANTS = (
    "gcp:projects/iAMMember:IAMMember",
    "gcp:projects/iAMBinding:IAMBinding",
    "gcp:folder/iAMMember:IAMMember",
    "gcp:organizations/iAMMember:IAMMember",
)
EVERYBODY = ("allUsers", "allAuthenticatedUsers")
ADMIN_ROLE = re.compile(r"roles/(owner|editor|.*[aA]dmin)")
WHOLE_POOL = re.compile(r"principalSet://iam\.googleapis\.com/.*/workloadIdentityPools/[^/]+/\*")
LONGEST_ROTATION_DAYS = 90


def members(resource: Resource) -> list[Value]:
    """List who is granted a role. Raises UndecidedError."""
    return [resource["member"]] if resource["member"].given else resource["members"].items


bucket_uniform_access = property_rule(
    "gcp-bucket-uniform-access",
    "Access to a bucket is the same for all it holds",
    "CIS GCP 4.0 5.2",
    types=BUCKET,
    path="uniformBucketLevelAccess",
    holds=is_true,
    mend="set it to true",
)

bucket_public_access_prevented = property_rule(
    "gcp-bucket-public-access-prevented",
    "No bucket can be opened to everybody",
    "CIS GCP 4.0 5.1",
    types=BUCKET,
    path="publicAccessPrevention",
    holds=lambda value: value.text == "enforced",
    mend='set it to "enforced"',
)


@resource_rule(
    "gcp-bucket-keeps-versions",
    "Buckets keep versions, or what they hold for a time",
    "CIS GCP 4.0 5.3",
    types=BUCKET,
    levels=DURABILITY,
)
def bucket_keeps_versions(resource: Resource) -> Iterator[Finding]:
    versions = resource.at("versioning.enabled")
    kept = resource["retentionPolicy"].given or is_true(versions)
    yield from unless(kept, resource, versions, "set it to true, or add a retentionPolicy")


@resource_rule(
    "gcp-reads-logged",
    "Where a project says which data accesses it logs, these are reads and writes, of everybody",
    "CIS GCP 4.0 2.1",
    types=AUDIT,
)
def reads_logged(resource: Resource) -> Iterator[Finding]:
    configs = resource["auditLogConfigs"]
    logged = {one["logType"].text for one in configs.items}
    for wanted in ("DATA_READ", "DATA_WRITE"):
        yield from unless(wanted in logged, resource, configs, f'add one whose logType is "{wanted}"')
    yield from each(
        configs.items,
        lambda one: unless(not one["exemptedMembers"].given, resource, one["exemptedMembers"], "exempt nobody"),
    )


@resource_rule(
    "gcp-no-public-members",
    "No role is granted to everybody",
    "CIS GCP 4.0 1.1, 5.1",
    types=GRANTS,
)
def no_public_members(resource: Resource) -> Iterator[Finding]:
    yield from each(
        members(resource), lambda one: unless(one.text not in EVERYBODY, resource, one, "name who needs the role")
    )


@resource_rule(
    "gcp-no-service-account-keys",
    "Service accounts have no keys that a person keeps",
    "CIS GCP 4.0 1.4",
    types=("gcp:serviceaccount/key:Key",),
)
def no_service_account_keys(resource: Resource) -> Iterator[Finding]:
    yield from unless(
        False, resource, "key", "remove it and use workload identity federation", "is kept outside Google Cloud"
    )


@resource_rule(
    "gcp-no-admin-service-accounts",
    "No service account administers a project",
    "CIS GCP 4.0 1.5",
    types=PROJECT_GRANTS,
)
def no_admin_service_accounts(resource: Resource) -> Iterator[Finding]:
    role = resource["role"]
    if ADMIN_ROLE.fullmatch(role.text):
        yield from each(
            members(resource),
            lambda one: unless(
                not one.text.startswith(("serviceAccount:", "principal")), resource, role, "grant a smaller role"
            ),
        )


workload_identity_condition = property_rule(
    "gcp-workload-identity-condition",
    "A provider of workload identity says whose tokens it takes",
    "Google Cloud: Best practices for Workload Identity Federation",
    types=("gcp:iam/workloadIdentityPoolProvider:WorkloadIdentityPoolProvider",),
    path="attributeCondition",
    holds=is_given,
    mend="compare the token's attributes with what is yours",
)


@resource_rule(
    "gcp-workload-identity-narrow",
    "No role is granted to a whole pool of workload identity",
    "Google Cloud: Best practices for Workload Identity Federation",
    types=GRANTS,
)
def workload_identity_narrow(resource: Resource) -> Iterator[Finding]:
    yield from each(
        members(resource),
        lambda one: unless(not WHOLE_POOL.fullmatch(one.text), resource, one, "name a subject or an attribute"),
    )


@resource_rule(
    "gcp-key-rotated",
    f"KMS keys are rotated within {LONGEST_ROTATION_DAYS} days",
    "CIS GCP 4.0 1.10",
    types=("gcp:kms/cryptoKey:CryptoKey",),
)
def key_rotated(resource: Resource) -> Iterator[Finding]:
    if resource["purpose"].text in ("", "ENCRYPT_DECRYPT"):
        period = resource["rotationPeriod"]
        seconds = re.fullmatch(r"(\d{1,12})(\.\d+)?s", period.text)
        holds = seconds is not None and int(seconds[1]) <= LONGEST_ROTATION_DAYS * 86400
        yield from unless(holds, resource, period, f'set it to "{LONGEST_ROTATION_DAYS * 86400}s" or less')
