"""What is known of each simulated AWS resource type beyond the SDK and AWS's schemas, by service."""

from __future__ import annotations

from collections.abc import Mapping

from sandbox.cloud.aws.catalog import (
    backups,
    caches,
    containers,
    databases,
    firewalls,
    identity,
    kubernetes,
    load_balancing,
    messaging,
    monitoring,
    names,
    network,
    proxies,
    scaling,
    secrets_manager,
    storage,
)
from sandbox.cloud.aws.model import AwsType

CATALOG: Mapping[str, AwsType] = {
    token: type
    for module in (
        network,
        firewalls,
        identity,
        monitoring,
        databases,
        proxies,
        containers,
        kubernetes,
        scaling,
        load_balancing,
        names,
        caches,
        messaging,
        secrets_manager,
        storage,
        backups,
    )
    for token, type in module.TYPES.items()
}
"""Type token to what is known of it."""
