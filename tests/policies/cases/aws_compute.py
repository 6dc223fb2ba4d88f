"""Cases of the rules of AWS's containers, logs, messages and load balancers."""

from __future__ import annotations

import json
from typing import Any

from tests.policies.cases.model import Case, Later, Made, Ref, breaks, keeps

CONTAINER: dict[str, Any] = {
    "name": "app",
    "image": "example.com/app:1.0.0",
    "essential": True,
    "readonlyRootFilesystem": True,
    "logConfiguration": {"logDriver": "awslogs", "options": {"awslogs-group": "app"}},
    "environment": [{"name": "PORT", "value": "8000"}, {"name": "PASSWORD_FILE", "value": "/run/x"}],
}


def definitions(**changes: Any) -> str:
    return json.dumps([CONTAINER, {**CONTAINER, "name": "side", **changes}])


def task(containers: Any, **properties: Any) -> Made:
    return Made(
        "aws:ecs/taskDefinition:TaskDefinition",
        {"family": "app", "containerDefinitions": containers, **properties},
    )


def task_rule(name: str, **change: Any) -> list[Case]:
    return [
        breaks(name, "one of two", task=task(definitions(**change))),
        breaks(name, "later", open=("task",), task=task(Later(definitions(**change)))),
        keeps(name, "good", task=task(definitions())),
    ]


def service(**network: Any) -> Made:
    return Made(
        "aws:ecs/service:Service",
        {
            "cluster": "arn:aws:ecs:us-east-1:123456789012:cluster/app",
            "taskDefinition": "app",
            "networkConfiguration": {"subnets": ["subnet-0123456789abcdef0"], **network},
        },
    )


def repository(**properties: Any) -> Made:
    good = {"imageTagMutability": "IMMUTABLE", "imageScanningConfiguration": {"scanOnPush": True}}
    return Made("aws:ecr/repository:Repository", {**good, **properties})


def eks(**properties: Any) -> Made:
    changes = {key: properties.pop(key) for key in list(properties) if key.startswith(("endpoint", "public"))}
    return Made(
        "aws:eks/cluster:Cluster",
        {
            "roleArn": "arn:aws:iam::123456789012:role/eks",
            "version": "1.36",
            "vpcConfig": {
                "subnetIds": ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"],
                "endpointPublicAccess": False,
                "endpointPrivateAccess": True,
                **changes,
            },
            "encryptionConfig": {
                "provider": {"keyArn": "arn:aws:kms:us-east-1:123456789012:key/1"},
                "resources": ["secrets"],
            },
            "enabledClusterLogTypes": ["api", "audit"],
            **properties,
        },
    )


def pair(name: str, good: Made, *bad: Made) -> list[Case]:
    return [
        *(breaks(name, f"{number}", resource=each) for number, each in enumerate(bad)),
        keeps(name, "good", resource=good),
    ]


def logs(**properties: Any) -> Made:
    return Made("aws:cloudwatch/logGroup:LogGroup", properties)


KEY = "arn:aws:kms:us-east-1:123456789012:key/11111111-2222-3333-4444-555555555555"


def balancer(**properties: Any) -> Made:
    return Made(
        "aws:lb/loadBalancer:LoadBalancer",
        {
            "loadBalancerType": "application",
            "subnets": ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"],
            "dropInvalidHeaderFields": True,
            "enableDeletionProtection": True,
            "accessLogs": {"enabled": True, "bucket": "logs"},
            **properties,
        },
    )


def listener(**properties: Any) -> Made:
    return Made(
        "aws:lb/listener:Listener",
        {"loadBalancerArn": "arn:aws:elasticloadbalancing:us-east-1:123456789012:loadbalancer/app/x/1", **properties},
    )


FORWARD = [{"type": "forward", "targetGroupArn": "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/x/1"}]
REDIRECT = [{"type": "redirect", "redirect": {"protocol": "HTTPS", "port": "443", "statusCode": "HTTP_301"}}]
TO_HTTP = [{"type": "redirect", "redirect": {"protocol": "HTTP", "port": "8080", "statusCode": "HTTP_301"}}]
FIREWALL = "aws-load-balancer-firewall"
ACL = Made(
    "aws:wafv2/webAclAssociation:WebAclAssociation",
    {
        "resourceArn": Ref("balancer", "arn"),
        "webAclArn": "arn:aws:wafv2:us-east-1:123456789012:regional/webacl/x/11111111-2222-3333-4444-555555555555",
    },
)


def https(policy: str) -> Made:
    certificate = "arn:aws:acm:us-east-1:123456789012:certificate/11111111-2222-3333-4444-555555555555"
    return listener(port=443, protocol="HTTPS", sslPolicy=policy, certificateArn=certificate, defaultActions=FORWARD)


CASES: tuple[Case, ...] = (
    *task_rule("aws-task-unprivileged", privileged=True),
    breaks("aws-task-unprivileged", "processes of the host", task=task(definitions(), pidMode="host")),
    *task_rule("aws-task-read-only-root", readonlyRootFilesystem=False),
    *task_rule("aws-task-logs", logConfiguration=None),
    *task_rule("aws-task-no-secrets-in-environment", environment=[{"name": "DATABASE_PASSWORD", "value": "hunter2"}]),
    breaks(
        "aws-task-no-secrets-in-environment",
        "in a URL",
        task=task(definitions(environment=[{"name": "DATABASE", "value": "postgresql://app:hunter2@db:5432/app"}])),
    ),
    breaks(
        "aws-task-no-secrets-in-environment",
        "a private key",
        task=task(definitions(environment=[{"name": "CERTIFICATE", "value": "-----BEGIN RSA PRIVATE KEY-----\nMII"}])),
    ),
    keeps(
        "aws-task-no-secrets-in-environment",
        "URLs without a password",
        task=task(
            definitions(
                environment=[
                    {"name": "A", "value": "postgresql://app@db:5432/app"},
                    {"name": "B", "value": "amqp://$(USER):$(PASSWORD)@mq:5672"},
                    {"name": "C", "value": "https://example.com:8443/a@b"},
                ]
            )
        ),
    ),
    *task_rule("aws-task-images", image="example.com/app"),
    *(
        breaks(
            "aws-task-images", f"a tag that moves: {tag}", task=task(definitions(image=f"example.com:5000/app:{tag}"))
        )
        for tag in ("3", "v2", "lts", "dev", "latest", "3-alpine")
    ),
    *(
        keeps("aws-task-images", f"exact: {tag}", task=task(definitions(image=f"example.com:5000/app{tag}")))
        for tag in (":3.9", ":v1.2.3-alpine", ":20261130", ":0f3c9ab41d2e", "@sha256:" + 64 * "0")
    ),
    *pair("aws-service-no-public-address", service(), service(assignPublicIp=True)),
    *pair(
        "aws-repository-scanned",
        repository(),
        repository(imageScanningConfiguration={"scanOnPush": False}),
        repository(imageScanningConfiguration=None),
    ),
    *pair("aws-repository-immutable", repository(), repository(imageTagMutability="MUTABLE")),
    *pair(
        "aws-eks-endpoint-restricted",
        eks(),
        eks(endpointPublicAccess=True),
        eks(endpointPublicAccess=True, publicAccessCidrs=["0.0.0.0/0"]),
    ),
    keeps(
        "aws-eks-endpoint-restricted",
        "for some",
        cluster=eks(endpointPublicAccess=True, publicAccessCidrs=["203.0.113.0/24"]),
    ),
    *pair("aws-eks-supported-release", eks(), eks(version="1.34")),
    *pair("aws-eks-secrets-encrypted", eks(), eks(encryptionConfig=None)),
    *pair("aws-eks-audit-log", eks(), eks(enabledClusterLogTypes=["api"]), eks(enabledClusterLogTypes=None)),
    *pair("aws-log-group-retention", logs(retentionInDays=30), logs()),
    *pair("aws-log-group-encrypted", logs(kmsKeyId=KEY), logs()),
    keeps("aws-log-group-encrypted", "by a key that comes later", logs=logs(kmsKeyId=Later(KEY))),
    *pair(
        "aws-backup-vault-encrypted",
        Made("aws:backup/vault:Vault", {"kmsKeyArn": KEY}),
        Made("aws:backup/vault:Vault", {}),
    ),
    *pair(
        "aws-topic-encrypted",
        Made("aws:sns/topic:Topic", {"kmsMasterKeyId": KEY}),
        Made("aws:sns/topic:Topic", {}),
    ),
    *pair(
        "aws-queue-encrypted",
        Made("aws:sqs/queue:Queue", {}),
        Made("aws:sqs/queue:Queue", {"sqsManagedSseEnabled": False}),
    ),
    *pair(
        "aws-listener-redirects-to-https",
        listener(port=80, protocol="HTTP", defaultActions=REDIRECT),
        listener(port=80, protocol="HTTP", defaultActions=FORWARD),
        listener(port=80, protocol="HTTP", defaultActions=TO_HTTP),
    ),
    *pair(
        "aws-listener-modern-tls",
        https("ELBSecurityPolicy-TLS13-1-2-Res-2021-06"),
        https("ELBSecurityPolicy-2016-08"),
        https("ELBSecurityPolicy-TLS13-1-1-2021-06"),
    ),
    *pair("aws-load-balancer-drops-invalid-headers", balancer(), balancer(dropInvalidHeaderFields=False)),
    *pair("aws-load-balancer-logs", balancer(), balancer(accessLogs=None)),
    *pair("aws-load-balancer-deletion-protected", balancer(), balancer(enableDeletionProtection=False)),
    breaks(FIREWALL, "one of two", "bare", balancer=balancer(), bare=balancer(), acl=ACL),
    keeps(FIREWALL, "inside", balancer=balancer(internal=True)),
    keeps(FIREWALL, "covered", balancer=balancer(), acl=ACL),
)
