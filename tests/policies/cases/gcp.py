"""Cases of the rules of Google Cloud."""

from __future__ import annotations

from typing import Any

from tests.policies.cases.aws_compute import pair
from tests.policies.cases.model import Case, Later, Made, breaks, keeps

ACCOUNT = "serviceAccount:app@some-project.iam.gserviceaccount.com"
POOL = "principalSet://iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/aws"


def bucket(**properties: Any) -> Made:
    good = {
        "location": "US",
        "uniformBucketLevelAccess": True,
        "publicAccessPrevention": "enforced",
        "versioning": {"enabled": True},
    }
    return Made("gcp:storage/bucket:Bucket", {**good, **properties})


def reader(member: Any) -> Made:
    return Made(
        "gcp:storage/bucketIAMMember:BucketIAMMember",
        {"bucket": "some-bucket", "role": "roles/storage.objectViewer", "member": member},
    )


def project(role: str, member: str = ACCOUNT) -> Made:
    return Made("gcp:projects/iAMMember:IAMMember", {"project": "some-project", "role": role, "member": member})


def provider(**properties: Any) -> Made:
    return Made(
        "gcp:iam/workloadIdentityPoolProvider:WorkloadIdentityPoolProvider",
        {
            "workloadIdentityPoolId": "amazon",
            "workloadIdentityPoolProviderId": "amazon",
            "aws": {"accountId": "123456789012"},
            "attributeMapping": {"google.subject": "assertion.arn"},
            **properties,
        },
    )


def key(**properties: Any) -> Made:
    ring = "projects/some-project/locations/us/keyRings/ring"
    return Made("gcp:kms/cryptoKey:CryptoKey", {"keyRing": ring, **properties})


PUBLIC = "gcp-no-public-members"
KEYS = "gcp-no-service-account-keys"


def audit(*kinds: str, **extra: Any) -> Made:
    configs = [{"logType": kind, **extra} for kind in kinds]
    return Made(
        "gcp:projects/iAMAuditConfig:IAMAuditConfig",
        {"project": "some-project", "service": "storage.googleapis.com", "auditLogConfigs": configs},
    )


CASES: tuple[Case, ...] = (
    *pair(
        "gcp-reads-logged",
        audit("ADMIN_READ", "DATA_READ", "DATA_WRITE"),
        audit("DATA_WRITE"),
        audit("DATA_READ"),
        audit("DATA_READ", "DATA_WRITE", exemptedMembers=["user:somebody@example.com"]),
    ),
    *pair("gcp-bucket-uniform-access", bucket(), bucket(uniformBucketLevelAccess=False)),
    *pair(
        "gcp-bucket-public-access-prevented",
        bucket(),
        bucket(publicAccessPrevention="inherited"),
        bucket(publicAccessPrevention=None),
    ),
    *pair("gcp-bucket-keeps-versions", bucket(), bucket(versioning={"enabled": False})),
    *pair(PUBLIC, reader(ACCOUNT), reader("allUsers"), reader("allAuthenticatedUsers")),
    breaks(PUBLIC, "later", open=("member",), member=reader(Later("allUsers"))),
    breaks(KEYS, "a key", key=Made("gcp:serviceaccount/key:Key", {"serviceAccountId": "app"})),
    keeps(KEYS, "an account", account=Made("gcp:serviceaccount/account:Account", {"accountId": "some-app"})),
    *pair(
        "gcp-no-admin-service-accounts",
        project("roles/logging.logWriter"),
        project("roles/owner"),
        project("roles/storage.admin"),
    ),
    keeps("gcp-no-admin-service-accounts", "a group", group=project("roles/owner", "group:platform@example.com")),
    *pair("gcp-workload-identity-condition", provider(attributeCondition="assertion.account == '1'"), provider()),
    *pair("gcp-workload-identity-narrow", reader(f"{POOL}/attribute.aws_role/writer"), reader(f"{POOL}/*")),
    *pair("gcp-key-rotated", key(rotationPeriod="7776000s"), key(rotationPeriod="31536000s"), key()),
)
