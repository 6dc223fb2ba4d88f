"""What keeps data, and is never deleted along with the setting that asked for it."""

from __future__ import annotations

import pulumi

KEEPS_DATA = frozenset(
    {
        "aws:backup/vault:Vault",
        "aws:cloudwatch/logGroup:LogGroup",
        "aws:ecr/repository:Repository",
        # All that keeps data stands in it, and cannot move to another one.
        "aws:ec2/vpc:Vpc",
        "aws:eks/cluster:Cluster",
        "aws:elasticache/replicationGroup:ReplicationGroup",
        # A key takes along whatever it encrypts, also what outlives its resource: snapshots, volumes, copies.
        "aws:kms/key:Key",
        "aws:mq/broker:Broker",
        "aws:rds/instance:Instance",
        "aws:rds/instanceAutomatedBackupsReplication:InstanceAutomatedBackupsReplication",
        "aws:s3/bucket:Bucket",
        "aws:secretsmanager/secret:Secret",
        "gcp:kms/cryptoKey:CryptoKey",
        "gcp:storage/bucket:Bucket",
        # It takes its volume claims along.
        "kubernetes:core/v1:Namespace",
        "kubernetes:core/v1:PersistentVolumeClaim",
    }
)
"""Type tokens of what keeps data, or the key over it."""


def protect_data() -> None:
    """Protect everything that keeps data, of all that the program registers from now on.

    The engine then refuses a preview that would delete or replace it. Whoever means it says so for each resource, by
    ``pulumi state unprotect``.
    """
    pulumi.runtime.register_stack_transformation(_protected)


def _protected(args: pulumi.ResourceTransformationArgs) -> pulumi.ResourceTransformationResult | None:
    if args.type_ not in KEEPS_DATA:
        return None
    protecting = pulumi.ResourceOptions.merge(args.opts, pulumi.ResourceOptions(protect=True))
    return pulumi.ResourceTransformationResult(args.props, protecting)
