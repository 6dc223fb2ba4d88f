"""One changed line of production for each rule that production has something for."""

from __future__ import annotations

import json
from typing import Any

from tests.policies.cases.aws_compute import CONTAINER, FORWARD
from tests.policies.cases.aws_identity import allow, federated
from tests.policies.cases.aws_storage import document
from tests.policies.stacks import Line

DATABASE = "aws:rds/instance:Instance"
BALANCER = "aws:lb/loadBalancer:LoadBalancer"
CACHE = "aws:elasticache/replicationGroup:ReplicationGroup"
BROKER = "aws:mq/broker:Broker"
CLUSTER = "aws:eks/cluster:Cluster"
REPOSITORY = "aws:ecr/repository:Repository"
LOGS = "aws:cloudwatch/logGroup:LogGroup"
ROLE_POLICY = "aws:iam/rolePolicy:RolePolicy"
INGRESS = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
GCS = "gcp:storage/bucket:Bucket"
OBJECTS = "prod-objects"
WEAK = json.dumps(
    [
        {
            **CONTAINER,
            "image": "app:dev",
            "privileged": True,
            "readonlyRootFilesystem": False,
            "logConfiguration": None,
            "environment": [{"name": "API_KEY", "value": "hunter2"}],
        }
    ]
)


def beside(rule: str, kind: str, name: str = OBJECTS) -> Line:
    """A setting of a bucket, moved to another one."""
    return Line(rule, f"aws:s3/{kind[0].lower()}{kind[1:]}:{kind}", "bucket", "elsewhere", name, name)


def pod(rule: str, path: str, value: Any) -> Line:
    return Line(rule, "kubernetes:apps/v1:Deployment", f"spec.template.spec.{path}", value, "prod-app")


LINES: tuple[Line, ...] = (
    Line("aws-world-reaches-web-only", INGRESS, "to_port", 8080, "edge-http-from-0.0.0.0/0"),
    Line(
        "aws-network-acl-admin-ports",
        "aws:ec2/networkAclRule:NetworkAclRule",
        "cidr_block",
        "0.0.0.0/0",
        "database-from-database-a",
    ),
    Line("aws-no-automatic-public-address", "aws:ec2/subnet:Subnet", "map_public_ip_on_launch", True, "public-a"),
    Line("aws-flow-log-per-vpc", "aws:ec2/flowLog:FlowLog", "vpc_id", "vpc-0123456789abcdef0", about="auterity-prod"),
    Line(
        "aws-default-security-group-closed",
        "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup",
        "ingress",
        [{"protocol": "-1", "from_port": 0, "to_port": 0, "self": True}],
    ),
    Line("aws-vpc-endpoint-policy", "aws:ec2/vpcEndpoint:VpcEndpoint", "policy", None, "prod-kms"),
    Line("aws-database-not-public", DATABASE, "publicly_accessible", True),
    Line("aws-database-in-two-zones", DATABASE, "multi_az", False),
    Line("aws-database-deletion-protected", DATABASE, "deletion_protection", False),
    Line("aws-database-backed-up", DATABASE, "backup_retention_period", 1),
    Line("aws-database-logs-exported", DATABASE, "enabled_cloudwatch_logs_exports", []),
    Line("aws-database-minor-upgrades", DATABASE, "auto_minor_version_upgrade", False),
    Line("aws-database-proxy-needs-tls", "aws:rds/proxy:Proxy", "require_tls", False),
    Line("aws-database-forces-tls", "aws:rds/parameterGroup:ParameterGroup", "parameters", []),
    Line(
        "aws-database-alarmed",
        "aws:cloudwatch/metricAlarm:MetricAlarm",
        "dimensions",
        {"DBInstanceIdentifier": "another"},
        about="prod-postgres",
    ),
    Line(
        "aws-database-backups-elsewhere",
        "aws:rds/instanceAutomatedBackupsReplication:InstanceAutomatedBackupsReplication",
        "source_db_instance_arn",
        "arn:aws:rds:us-east-1:123456789012:db:another",
        about="prod-postgres",
    ),
    # Either would do: production has both.
    Line(
        "aws-database-backups-elsewhere",
        "aws:backup/selection:Selection",
        "resources",
        ["arn:aws:rds:us-east-1:123456789012:db:another"],
        about="prod-postgres",
    ),
    Line("aws-cache-needs-tls", CACHE, "transit_encryption_mode", "preferred"),
    Line("aws-cache-backed-up", CACHE, "snapshot_retention_limit", 0),
    Line("aws-broker-not-public", BROKER, "publicly_accessible", True),
    Line("aws-broker-logs", BROKER, "logs.general", False),
    beside("aws-bucket-public-access-blocked", "BucketPublicAccessBlock"),
    beside("aws-bucket-encrypted-by-key", "BucketServerSideEncryptionConfiguration"),
    beside("aws-bucket-versioned", "BucketVersioning"),
    beside("aws-bucket-lifecycle", "BucketLifecycleConfiguration"),
    beside("aws-bucket-access-logged", "BucketLogging"),
    beside("aws-bucket-tls-only", "BucketPolicy", "edge-logs"),
    Line("aws-bucket-backups-locked", "aws:s3/bucket:Bucket", "tags", {"Purpose": "backup"}, OBJECTS),
    Line(
        "aws-bucket-lifecycle-keeps-retention",
        "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration",
        "rules",
        [{"id": "old", "status": "Enabled", "noncurrent_version_expiration": {"noncurrent_days": 3}}],
        "prod-backups",
        about="prod-backups",
    ),
    Line("databases-backed-up-to-two-clouds", GCS, "versioning", {"enabled": False}, about="prod-postgres"),
    Line("aws-iam-no-wildcard-actions", ROLE_POLICY, "policy", document(allow("s3:*")), "app-pods"),
    Line("aws-iam-no-decrypt-on-all-keys", ROLE_POLICY, "policy", document(allow("kms:Decrypt", "*")), "prod-vault"),
    Line(
        "aws-iam-no-administrators",
        "aws:iam/rolePolicyAttachment:RolePolicyAttachment",
        "policy_arn",
        "arn:aws:iam::aws:policy/AdministratorAccess",
        "rds-monitoring",
    ),
    Line("aws-iam-trust-pinned", "aws:iam/role:Role", "assume_role_policy", document(federated()), "app-task"),
    Line("aws-key-rotated", "aws:kms/key:Key", "enable_key_rotation", False, "prod-cache"),
    Line(
        "aws-resource-policy-not-public",
        "aws:sns/topicPolicy:TopicPolicy",
        "policy",
        document(allow("sns:Publish", "*", Principal="*")),
    ),
    *(
        Line(rule, "aws:ecs/taskDefinition:TaskDefinition", "container_definitions", WEAK)
        for rule in (
            "aws-task-unprivileged",
            "aws-task-read-only-root",
            "aws-task-logs",
            "aws-task-images",
            "aws-task-no-secrets-in-environment",
        )
    ),
    Line("aws-service-no-public-address", "aws:ecs/service:Service", "network_configuration.assign_public_ip", True),
    Line("aws-repository-scanned", REPOSITORY, "image_scanning_configuration.scan_on_push", False),
    Line("aws-repository-immutable", REPOSITORY, "image_tag_mutability", "MUTABLE"),
    Line("aws-eks-endpoint-restricted", CLUSTER, "vpc_config.public_access_cidrs", ["0.0.0.0/0"]),
    Line("aws-eks-supported-release", CLUSTER, "version", "1.34"),
    Line("aws-eks-secrets-encrypted", CLUSTER, "encryption_config", None),
    Line("aws-eks-audit-log", CLUSTER, "enabled_cluster_log_types", ["api"]),
    Line("aws-log-group-retention", LOGS, "retention_in_days", None, "flow-logs"),
    Line("aws-log-group-encrypted", LOGS, "kms_key_id", None, "flow-logs"),
    Line("aws-topic-encrypted", "aws:sns/topic:Topic", "kms_master_key_id", None),
    Line("aws-listener-redirects-to-https", "aws:lb/listener:Listener", "default_actions", FORWARD, "edge-http"),
    Line(
        "aws-listener-modern-tls", "aws:lb/listener:Listener", "ssl_policy", "ELBSecurityPolicy-2016-08", "edge-https"
    ),
    Line("aws-load-balancer-drops-invalid-headers", BALANCER, "drop_invalid_header_fields", False),
    Line("aws-load-balancer-logs", BALANCER, "access_logs.enabled", False),
    Line("aws-load-balancer-deletion-protected", BALANCER, "enable_deletion_protection", False),
    Line(
        "aws-load-balancer-firewall",
        "aws:wafv2/webAclAssociation:WebAclAssociation",
        "resource_arn",
        "arn:aws:elasticloadbalancing:us-east-1:123456789012:loadbalancer/app/another/0123456789abcdef",
        about="prod-edge",
    ),
    Line(
        "aws-required-tags",
        "pulumi:providers:aws",
        "default_tags",
        json.dumps({"tags": {"Project": "auterity"}}),
        about="prod-edge",
    ),
    pod("kubernetes-pod-shares-nothing-of-its-node", "host_network", True),
    pod("kubernetes-pod-volumes", "volumes", [{"name": "node", "hostPath": {"path": "/"}}]),
    pod("kubernetes-pod-unprivileged", "containers.0.security_context.allow_privilege_escalation", True),
    pod("kubernetes-pod-not-root", "security_context.run_as_non_root", False),
    pod("kubernetes-pod-seccomp", "security_context.seccomp_profile", None),
    pod("kubernetes-pod-kernel-defaults", "security_context.sysctls", [{"name": "kernel.msgmax", "value": "1"}]),
    pod("kubernetes-pod-read-only-root", "containers.0.security_context.read_only_root_filesystem", False),
    pod("kubernetes-pod-resources", "containers.0.resources.limits", None),
    pod("kubernetes-pod-probes", "containers.0.readiness_probe", None),
    pod("kubernetes-pod-images", "containers.0.image", "nginx:latest"),
    Line("kubernetes-limit-range-fits", "kubernetes:core/v1:LimitRange", "spec.limits.0.default", {"cpu": "1n"}),
    Line(
        "kubernetes-config-map-no-secrets",
        "kubernetes:core/v1:ConfigMap",
        "data",
        {"url": "amqp://app:hunter2@mq"},
        "prod-app",
    ),
    pod("kubernetes-pod-secrets-as-files", "containers.0.env_from", [{"secretRef": {"name": "login"}}]),
    pod(
        "kubernetes-pod-no-secrets-in-environment", "containers.0.env", [{"name": "Q", "value": "amqp://a:hunter2@mq"}]
    ),
    pod("kubernetes-pod-account", "automount_service_account_token", True),
    Line(
        "kubernetes-no-cluster-admin",
        "kubernetes:rbac.authorization.k8s.io/v1:ClusterRoleBinding",
        "role_ref.name",
        "cluster-admin",
    ),
    Line("kubernetes-namespace-pod-security", "kubernetes:core/v1:Namespace", "metadata.labels", {}),
    Line(
        "kubernetes-default-namespace-unused",
        "kubernetes:core/v1:Service",
        "metadata.namespace",
        "default",
        "prod-app",
    ),
    Line(
        "kubernetes-namespace-default-deny",
        "kubernetes:networking.k8s.io/v1:NetworkPolicy",
        "spec.policy_types",
        ["Ingress"],
        "-deny",
        "prod-auterity",
    ),
    Line(
        "kubernetes-network-policy-narrow",
        "kubernetes:networking.k8s.io/v1:NetworkPolicy",
        "spec.egress.0.ports",
        None,
        "-every-pod",
    ),
    Line("kubernetes-load-balancer-closed", "kubernetes:core/v1:Service", "spec.type", "LoadBalancer", "prod-app"),
    Line("kubernetes-admin-ports-inside", "kubernetes:core/v1:Service", "spec.type", "NodePort", "prod-vault"),
    Line(
        "kubernetes-disruption-budget",
        "kubernetes:policy/v1:PodDisruptionBudget",
        "spec.selector.match_labels",
        {"app": "another"},
        "prod-app",
        "prod-app",
    ),
    Line(
        "kubernetes-disruption-budget-permits",
        "kubernetes:policy/v1:PodDisruptionBudget",
        "spec.max_unavailable",
        0,
        "prod-gateway",
    ),
    Line(
        "kubernetes-autoscaler-target",
        "kubernetes:autoscaling/v2:HorizontalPodAutoscaler",
        "spec.scale_target_ref.kind",
        "StatefulSet",
    ),
)
