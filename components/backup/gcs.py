"""Backups in Google Cloud Storage, out of reach of whoever takes over the AWS account."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
import pulumi_gcp as gcp

from components.backup.target import FOLDER, LOCKS, ROLES, Role, Target
from settings.backup import GcsBackupSettings

TOKEN = "/var/run/secrets/google/token"  # noqa: S105 (a path)
"""Where a job finds the token by which it signs in."""

CREDENTIALS = "google.json"
"""File that says how to sign in with it."""

ROTATION_SECONDS = 90 * 24 * 3600
"""Seconds until the next version of the key (CIS GCP 1.10)."""

GRANTS: Mapping[Role, tuple[str, ...]] = {
    "read": ("roles/storage.objectViewer",),
    "write": ("roles/storage.objectViewer", "roles/storage.objectCreator"),
    "prune": ("roles/storage.objectUser",),
}
"""What a role may do with all objects (https://cloud.google.com/storage/docs/access-control/iam-roles). Creating does
not overwrite.
"""


@dataclass(frozen=True)
class GcsTargetArgs:
    """What the target needs to know.

    Attributes:
        settings: the section ``backup.gcs``.
        issuer: URL of the cluster's issuer of service account tokens.
        namespace: namespace of the jobs.
        accounts: role to the name of the service account that has it.
    """

    settings: GcsBackupSettings
    issuer: pulumi.Input[str]
    namespace: str
    accounts: Mapping[Role, str]


class GcsTarget(pulumi.ComponentResource):
    """A bucket with versions and soft delete, reached by the jobs' own service accounts without any key.

    A retention policy of the bucket is left out: it forbids deleting anything that is young, restic's marks too.
    """

    target: Target
    """The target as the jobs see it."""

    bucket: pulumi.Output[str]
    """Name of the bucket."""

    def __init__(self, name: str, args: GcsTargetArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("auterity:backup:GcsTarget", name, None, opts)
        settings, own = args.settings, pulumi.ResourceOptions(parent=self)
        key = self._key(name, settings) if settings.customer_key else None
        rule = gcp.storage.BucketLifecycleRuleArgs
        bucket = gcp.storage.Bucket(
            f"{name}-backups",
            name=settings.bucket,
            project=settings.project,
            location=settings.location,
            uniform_bucket_level_access=True,
            public_access_prevention="enforced",
            versioning=gcp.storage.BucketVersioningArgs(enabled=True),
            soft_delete_policy=gcp.storage.BucketSoftDeletePolicyArgs(
                retention_duration_seconds=settings.soft_delete_days * 24 * 3600
            ),
            lifecycle_rules=[
                # Soft delete keeps what this removes.
                rule(
                    action=gcp.storage.BucketLifecycleRuleActionArgs(type="Delete"),
                    condition=gcp.storage.BucketLifecycleRuleConditionArgs(days_since_noncurrent_time=1),
                ),
                rule(
                    action=gcp.storage.BucketLifecycleRuleActionArgs(type="AbortIncompleteMultipartUpload"),
                    condition=gcp.storage.BucketLifecycleRuleConditionArgs(age=7),
                ),
            ],
            encryption=gcp.storage.BucketEncryptionArgs(default_kms_key_name=key) if key else None,
            force_destroy=settings.force_destroy,
            opts=own,
        )
        pool = gcp.iam.WorkloadIdentityPool(
            f"{name}-backups",
            project=settings.project,
            workload_identity_pool_id=name,
            display_name="Backup jobs",
            opts=own,
        )
        provider = gcp.iam.WorkloadIdentityPoolProvider(
            f"{name}-backups",
            project=settings.project,
            workload_identity_pool_id=pool.workload_identity_pool_id,
            workload_identity_pool_provider_id="cluster",
            oidc=gcp.iam.WorkloadIdentityPoolProviderOidcArgs(issuer_uri=args.issuer),
            attribute_mapping={"google.subject": "assertion.sub"},
            # No other account of the cluster gets as far as being refused by the bucket.
            attribute_condition=" || ".join(
                f"assertion.sub == '{subject(args.namespace, account)}'" for account in args.accounts.values()
            ),
            opts=own,
        )
        granted = [
            grant
            for role in ROLES
            for grant in self._grant(name, role, bucket, pool, subject(args.namespace, args.accounts[role]))
        ]
        self.bucket = bucket.name
        self.target = Target(
            "gcs",
            pulumi.Output.concat("gs:", bucket.name, ":/", FOLDER),
            {"GOOGLE_PROJECT_ID": settings.project},
            files={CREDENTIALS: provider.name.apply(credentials)},
            token_audience=pulumi.Output.concat("https://iam.googleapis.com/", provider.name),
            after=granted,
        )
        self.register_outputs({"bucket": self.bucket})

    def _grant(
        self,
        name: str,
        role: Role,
        bucket: gcp.storage.Bucket,
        pool: gcp.iam.WorkloadIdentityPool,
        who: str,
    ) -> list[pulumi.Resource]:
        member = pulumi.Output.concat("principal://iam.googleapis.com/", pool.name, "/subject/", who)
        own = pulumi.ResourceOptions(parent=self)
        granted: list[pulumi.Resource] = [
            gcp.storage.BucketIAMMember(
                f"{name}-backups-{role}-{granted.rpartition('.')[2]}",
                bucket=bucket.name,
                role=granted,
                member=member,
                opts=own,
            )
            for granted in GRANTS[role]
        ]
        if role == "write":
            locks = bucket.name.apply(lambda made: f"projects/_/buckets/{made}/objects/{LOCKS}")
            granted.append(
                gcp.storage.BucketIAMMember(
                    f"{name}-backups-{role}-locks",
                    bucket=bucket.name,
                    role="roles/storage.objectUser",
                    member=member,
                    condition=gcp.storage.BucketIAMMemberConditionArgs(
                        title="locks", expression=locks.apply(lambda prefix: f'resource.name.startsWith("{prefix}")')
                    ),
                    opts=own,
                )
            )
        return granted

    def _key(self, name: str, settings: GcsBackupSettings) -> pulumi.Output[str]:
        """Make a key that the project's own agent of Cloud Storage may use."""
        own = pulumi.ResourceOptions(parent=self)
        ring = gcp.kms.KeyRing(
            f"{name}-backups", project=settings.project, location=settings.location.lower(), opts=own
        )
        key = gcp.kms.CryptoKey(f"{name}-backups", key_ring=ring.id, rotation_period=f"{ROTATION_SECONDS}s", opts=own)
        agent = gcp.storage.get_project_service_account_output(
            project=settings.project, opts=pulumi.InvokeOutputOptions(parent=self)
        )
        may_use = gcp.kms.CryptoKeyIAMMember(
            f"{name}-backups",
            crypto_key_id=key.id,
            role="roles/cloudkms.cryptoKeyEncrypterDecrypter",
            member=agent.member,
            opts=own,
        )
        # By way of the grant: a bucket whose agent may not use its key is refused.
        return pulumi.Output.all(key.id, may_use.id).apply(lambda values: str(values[0]))


def subject(namespace: str, account: str) -> str:
    """Return the subject of a service account's tokens."""
    return f"system:serviceaccount:{namespace}:{account}"


def credentials(provider: str) -> str:
    """Say how to sign in with a service account's token (https://google.aip.dev/auth/4117); it holds no secret."""
    return json.dumps(
        {
            "type": "external_account",
            "audience": f"//iam.googleapis.com/{provider}",
            "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
            "token_url": "https://sts.googleapis.com/v1/token",
            "credential_source": {"file": TOKEN},
        }
    )
