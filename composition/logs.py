"""Where the cluster's logs are kept on AWS."""

from __future__ import annotations

from components.bucket import PrivateBucket, PrivateBucketArgs, request_log, use_of
from components.cluster import EksCluster, PodIdentity, PodIdentityArgs
from components.encryption import EncryptionKey, EncryptionKeyArgs
from components.observability import names as watchers
from components.observability.loki_configuration import LogBucket
from composition.ground import Ground
from composition.observability import LogStorage

OLD_VERSION_DAYS = 7
"""Days in which what Loki has removed by mistake can be had back."""


def store_logs(ground: Ground, cluster: EksCluster, *, force_destroy: bool) -> LogStorage:
    """Make a bucket for logs, and let Loki use it.

    Args:
        ground: providers, account, prefix of names.
        cluster: the cluster in which Loki runs.
        force_destroy: let the deletion of the bucket delete the logs.
    """
    name, account = f"{ground.name}-loki", ground.account
    key = EncryptionKey(name, EncryptionKeyArgs(account, purpose="logs of the cluster"), ground.opts)
    log = request_log(name, "the logs of the cluster", account, ground.opts, force_destroy=force_destroy)
    bucket = PrivateBucket(
        name,
        PrivateBucketArgs(
            account,
            purpose="logs of the cluster",
            key=key,
            noncurrent_days=OLD_VERSION_DAYS,
            access_log_bucket=log.bucket_ready,
            force_destroy=force_destroy,
        ),
        ground.opts,
    )
    statements = use_of("Log", bucket.arn, key.arn, account)
    identity = PodIdentity(
        name,
        PodIdentityArgs(account, cluster.cluster_name, watchers.NAMESPACE, watchers.LOKI, statements),
        ground.opts,
    )
    return LogStorage(bucket.bucket_ready.apply(lambda made: LogBucket(made, account.region)), [identity])
