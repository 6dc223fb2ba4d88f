"""What is known of each simulated AWS resource type beyond the SDK and AWS's schemas, by service."""

from __future__ import annotations

from collections.abc import Mapping

from sandbox.cloud.aws.catalog import containers, databases, firewalls, identity, monitoring, network
from sandbox.cloud.aws.model import AwsType

CATALOG: Mapping[str, AwsType] = {
    token: type
    for module in (network, firewalls, identity, monitoring, databases, containers)
    for token, type in module.TYPES.items()
}
"""Type token to what is known of it."""
