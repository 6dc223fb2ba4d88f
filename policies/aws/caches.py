"""Caches and brokers: encrypted, asked who it is, kept going."""

from __future__ import annotations

from collections.abc import Iterator

from policies.aws.types import BROKER, REPLICATION_GROUP
from policies.resources import Resource
from policies.rules import DURABILITY, Finding, is_true, not_true, property_rule, resource_rule, unless

cache_encrypted = property_rule(
    "aws-cache-encrypted",
    "Caches are encrypted where they lie",
    "FSBP ElastiCache.4",
    types=REPLICATION_GROUP,
    path="atRestEncryptionEnabled",
    holds=is_true,
    mend="set it to true",
)


@resource_rule(
    "aws-cache-needs-tls",
    "Caches refuse plain connections",
    "FSBP ElastiCache.5",
    types=REPLICATION_GROUP,
)
def cache_needs_tls(resource: Resource) -> Iterator[Finding]:
    on, mode = resource["transitEncryptionEnabled"], resource["transitEncryptionMode"]
    yield from unless(is_true(on), resource, on, "set it to true")
    yield from unless(mode.text != "preferred", resource, mode, 'set it to "required"')


@resource_rule(
    "aws-cache-authenticated",
    "Caches ask who it is",
    "FSBP ElastiCache.6",
    types=REPLICATION_GROUP,
)
def cache_authenticated(resource: Resource) -> Iterator[Finding]:
    known = resource["userGroupIds"].given or resource["authToken"].given
    yield from unless(known, resource, resource["userGroupIds"], "name a user group, or give authToken")


cache_survives_a_node = property_rule(
    "aws-cache-fails-over",
    "Caches go on when a node ends",
    "FSBP ElastiCache.3",
    types=REPLICATION_GROUP,
    path="automaticFailoverEnabled",
    holds=is_true,
    mend="set it to true",
    levels=DURABILITY,
)

cache_backed_up = property_rule(
    "aws-cache-backed-up",
    "Caches are backed up",
    "FSBP ElastiCache.1",
    types=REPLICATION_GROUP,
    path="snapshotRetentionLimit",
    holds=lambda value: (value.number or 0) >= 1,
    mend="set it to 1 or more",
    levels=DURABILITY,
)

broker_not_public = property_rule(
    "aws-broker-not-public",
    "No broker has a public address",
    "FSBP EC2.9",
    types=BROKER,
    path="publiclyAccessible",
    holds=not_true,
    mend="set it to false",
)

broker_logs = property_rule(
    "aws-broker-logs",
    "Brokers send their logs to CloudWatch",
    "FSBP MQ.2",
    types=BROKER,
    path="logs.general",
    holds=is_true,
    mend="set it to true",
)

broker_minor_upgrades = property_rule(
    "aws-broker-minor-upgrades",
    "Brokers take minor releases by themselves",
    "FSBP MQ.3",
    types=BROKER,
    path="autoMinorVersionUpgrade",
    holds=is_true,
    mend="set it to true",
)

broker_in_two_zones = property_rule(
    "aws-broker-in-two-zones",
    "Brokers have a standby or form a cluster",
    "FSBP MQ.5, MQ.6",
    types=BROKER,
    path="deploymentMode",
    holds=lambda value: value.text in ("ACTIVE_STANDBY_MULTI_AZ", "CLUSTER_MULTI_AZ"),
    mend='set it to "CLUSTER_MULTI_AZ" (ActiveMQ: "ACTIVE_STANDBY_MULTI_AZ")',
    levels=DURABILITY,
)
