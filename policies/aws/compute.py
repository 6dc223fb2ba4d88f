"""Containers, their images, clusters, and where logs and messages lie."""

from __future__ import annotations

import re
from collections.abc import Iterator

from policies.aws.openings import is_world
from policies.aws.types import (
    BACKUP_VAULT,
    ECS_SERVICE,
    EKS_CLUSTER,
    LOG_GROUP,
    QUEUE,
    REPOSITORY,
    TASK_DEFINITION,
    TOPIC,
)
from policies.credentials import given_away
from policies.images import exact
from policies.resources import Resource
from policies.rules import Finding, Violation, is_given, is_true, not_true, property_rule, resource_rule, unless
from policies.values import Value, each

OLDEST_EKS = (1, 35)
"""The oldest release in standard support from 2026-12-02, when 1.34 leaves it.

Source: https://docs.aws.amazon.com/eks/latest/userguide/kubernetes-versions.html.
"""


def containers(resource: Resource) -> list[Value]:
    """List the containers of a task definition. Raises UndecidedError."""
    return resource["containerDefinitions"].document.items


@resource_rule(
    "aws-task-unprivileged",
    "No container of a task is privileged or shares its host's processes",
    "FSBP ECS.3, ECS.4",
    types=TASK_DEFINITION,
)
def task_unprivileged(resource: Resource) -> Iterator[Finding]:
    shared = resource["pidMode"]
    yield from each([shared], lambda mode: unless(mode.text != "host", resource, mode, "remove it"))
    yield from each(
        containers(resource),
        lambda one: unless(one["privileged"].flag is not True, resource, one["privileged"], "set it to false"),
    )


@resource_rule(
    "aws-task-read-only-root",
    "The containers of tasks cannot write to their images",
    "FSBP ECS.5",
    types=TASK_DEFINITION,
)
def task_read_only_root(resource: Resource) -> Iterator[Finding]:
    key = "readonlyRootFilesystem"
    yield from each(
        containers(resource), lambda one: unless(one[key].flag is True, resource, one[key], "set it to true")
    )


@resource_rule("aws-task-logs", "The containers of tasks send their logs away", "FSBP ECS.9", types=TASK_DEFINITION)
def task_logs(resource: Resource) -> Iterator[Finding]:
    def check(container: Value) -> Iterator[Violation]:
        driver = container["logConfiguration"]["logDriver"]
        yield from unless(driver.given, resource, driver, 'set it, such as to "awslogs"')

    yield from each(containers(resource), check)


@resource_rule(
    "aws-task-no-secrets-in-environment",
    "The environment of tasks holds no secret",
    "FSBP ECS.8",
    types=TASK_DEFINITION,
)
def task_no_secrets_in_environment(resource: Resource) -> Iterator[Finding]:
    def check(variable: Value) -> Iterator[Violation]:
        wrong = given_away(variable["name"].text, variable["value"])
        yield from unless(not wrong, resource, variable["name"], "hand it over by secrets.valueFrom", wrong)

    for container in containers(resource):
        yield from each(container["environment"].items, check)


@resource_rule(
    "aws-task-images",
    "The images of tasks are named by digest or by a tag that does not move",
    "FSBP ECR.2",
    types=TASK_DEFINITION,
)
def task_images(resource: Resource) -> Iterator[Finding]:
    yield from each(
        containers(resource),
        lambda one: unless(exact(one["image"].text), resource, one["image"], "name a digest or a release"),
    )


service_no_public_address = property_rule(
    "aws-service-no-public-address",
    "The tasks of a service have no public address",
    "FSBP ECS.2",
    types=ECS_SERVICE,
    path="networkConfiguration.assignPublicIp",
    holds=not_true,
    mend="set it to false",
)

repository_scanned = property_rule(
    "aws-repository-scanned",
    "Images are scanned when they are pushed",
    "FSBP ECR.1",
    types=REPOSITORY,
    path="imageScanningConfiguration.scanOnPush",
    holds=is_true,
    mend="set it to true",
)

repository_immutable = property_rule(
    "aws-repository-immutable",
    "A tag is for one image for ever",
    "FSBP ECR.2",
    types=REPOSITORY,
    path="imageTagMutability",
    holds=lambda value: value.text.startswith("IMMUTABLE"),
    mend='set it to "IMMUTABLE"',
)


@resource_rule(
    "aws-eks-endpoint-restricted",
    "The API server of a cluster is not open to everybody",
    "FSBP EKS.1",
    "CIS EKS 5.4.1",
    types=EKS_CLUSTER,
)
def eks_endpoint_restricted(resource: Resource) -> Iterator[Finding]:
    public, networks = resource.at("vpcConfig.endpointPublicAccess"), resource.at("vpcConfig.publicAccessCidrs")
    if public.flag is False:
        return
    anybody = not networks.given or any(is_world(network) for network in networks.items)
    yield from unless(not anybody, resource, public, "set it to false, or list those who may in publicAccessCidrs")


@resource_rule(
    "aws-eks-supported-release",
    f"Clusters run a release in standard support: {'.'.join(map(str, OLDEST_EKS))} or newer",
    "FSBP EKS.2",
    types=EKS_CLUSTER,
)
def eks_supported_release(resource: Resource) -> Iterator[Finding]:
    release = resource["version"]
    numbers = re.fullmatch(r"(\d{1,4})\.(\d{1,4})", release.text)
    holds = not release.given or bool(numbers and (int(numbers[1]), int(numbers[2])) >= OLDEST_EKS)
    yield from unless(holds, resource, release, "name a supported one")


@resource_rule(
    "aws-eks-secrets-encrypted",
    "A cluster encrypts its Secrets with a KMS key",
    "FSBP EKS.3",
    "CIS EKS 5.3.1",
    types=EKS_CLUSTER,
)
def eks_secrets_encrypted(resource: Resource) -> Iterator[Finding]:
    encryption = resource["encryptionConfig"]
    holds = encryption.at("provider.keyArn").given and "secrets" in [
        each.text for each in encryption["resources"].items
    ]
    yield from unless(holds, resource, encryption, 'give a provider and the resources ["secrets"]')


@resource_rule(
    "aws-eks-audit-log",
    "A cluster writes its audit log",
    "FSBP EKS.8",
    "CIS EKS 2.1.1",
    types=EKS_CLUSTER,
)
def eks_audit_log(resource: Resource) -> Iterator[Finding]:
    logs = resource["enabledClusterLogTypes"]
    yield from unless("audit" in [each.text for each in logs.items], resource, logs, 'add "audit"')


log_group_retention = property_rule(
    "aws-log-group-retention",
    "Log groups say how long they keep",
    "FSBP CloudWatch.16",
    types=LOG_GROUP,
    path="retentionInDays",
    holds=is_given,
    mend="set the days",
)

log_group_encrypted = property_rule(
    "aws-log-group-encrypted",
    "Log groups are encrypted with a KMS key",
    "CIS AWS 3.0 3.5",
    "NIST SP 800-53 AU-9(3)",
    types=LOG_GROUP,
    path="kmsKeyId",
    holds=is_given,
    mend="give the ARN of a key whose policy names CloudWatch Logs",
)

backup_vault_encrypted = property_rule(
    "aws-backup-vault-encrypted",
    "Recovery points are encrypted with a KMS key",
    "FSBP Backup.1",
    types=BACKUP_VAULT,
    path="kmsKeyArn",
    holds=is_given,
    mend="give the ARN of a key",
)

topic_encrypted = property_rule(
    "aws-topic-encrypted",
    "Topics are encrypted with a KMS key",
    "FSBP SNS.1",
    types=TOPIC,
    path="kmsMasterKeyId",
    holds=is_given,
    mend="give a key whose policy names those who publish",
)


@resource_rule("aws-queue-encrypted", "Queues are encrypted", "FSBP SQS.1", types=QUEUE)
def queue_encrypted(resource: Resource) -> Iterator[Finding]:
    own, key = resource["sqsManagedSseEnabled"], resource["kmsMasterKeyId"]
    yield from unless(key.given or own.flag is not False, resource, own, "set it to true or give kmsMasterKeyId")
