"""What the pipelines may do in AWS beyond reading.

No action of a service that the platform does not use is here, and none on all of a service: each line lists verbs.
``tests/bootstrap`` holds the table to what AWS's own schemas say that each type of the shipped stacks needs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

CHANGES: Mapping[str, Sequence[str]] = {
    "acm": ("AddTags*", "DeleteCertificate", "RemoveTags*", "RequestCertificate", "UpdateCertificateOptions"),
    "application-autoscaling": ("Delete*", "Deregister*", "Put*", "Register*", "TagResource", "UntagResource"),
    "backup": ("CreateBackup*", "DeleteBackup*", "PutBackupVault*", "TagResource", "UntagResource", "UpdateBackupPlan"),
    "backup-storage": ("MountCapsule",),
    "cloudwatch": (
        "DeleteAlarms",
        "DeleteDashboards",
        "PutDashboard",
        "PutMetricAlarm",
        "TagResource",
        "UntagResource",
    ),
    "ec2": (
        "AllocateAddress",
        "Associate*",
        "AssignPrivateNatGatewayAddress",
        "AttachInternetGateway",
        "Authorize*",
        "Create*",
        "Delete*",
        "Detach*",
        "Disassociate*",
        "Modify*",
        "ReleaseAddress",
        "Replace*",
        "Revoke*",
        "UnassignPrivateNatGatewayAddress",
        "UpdateSecurityGroupRuleDescriptions*",
    ),
    "ecr": (
        "BatchDeleteImage",
        "CompleteLayerUpload",
        "CreatePullThroughCacheRule",
        "CreateRepository",
        "Delete*",
        "InitiateLayerUpload",
        "Put*",
        "SetRepositoryPolicy",
        "TagResource",
        "UntagResource",
        "UpdatePullThroughCacheRule",
        "UploadLayerPart",
    ),
    "ecs": (
        "Create*",
        "Delete*",
        "Deregister*",
        "Put*",
        "Register*",
        "StopServiceDeployment",
        "TagResource",
        "UntagResource",
        "Update*",
    ),
    "eks": ("Associate*", "Create*", "Delete*", "Disassociate*", "TagResource", "UntagResource", "Update*"),
    "elasticache": (
        "AddTagsToResource",
        "Create*",
        "DecreaseReplicaCount",
        "Delete*",
        "IncreaseReplicaCount",
        "Modify*",
        "RemoveTagsFromResource",
    ),
    "elasticloadbalancing": (
        "AddTags",
        "Create*",
        "Delete*",
        "Deregister*",
        "Modify*",
        "Register*",
        "RemoveTags",
        "Set*",
    ),
    "kms": (
        "CreateAlias",
        "CreateGrant",
        "CreateKey",
        "DeleteAlias",
        "DisableKey*",
        "EnableKey*",
        "PutKeyPolicy",
        "RetireGrant",
        "ScheduleKeyDeletion",
        "TagResource",
        "UntagResource",
        "UpdateAlias",
        "UpdateKeyDescription",
    ),
    "logs": ("Associate*", "Create*", "Delete*", "Disassociate*", "Put*", "TagResource", "UntagResource", "UpdateLog*"),
    "mq": ("Create*", "Delete*", "RebootBroker", "Update*"),
    "rds": (
        "AddRoleToDBInstance",
        "AddTagsToResource",
        "Create*",
        "Delete*",
        "Deregister*",
        "Modify*",
        "PromoteReadReplica",
        "RebootDBInstance",
        "Register*",
        "RemoveRoleFromDBInstance",
        "RemoveTagsFromResource",
        "ResetDBParameterGroup",
        "Restore*",
        "StartDBInstanceAutomatedBackupsReplication",
        "StopDBInstanceAutomatedBackupsReplication",
    ),
    "route53": ("AssociateVPCWithHostedZone", "ChangeResourceRecordSets", "ChangeTagsForResource"),
    "s3": (
        "CreateBucket",
        "DeleteBucket",
        "DeleteBucketPolicy",
        "PutAccelerateConfiguration",
        "PutBucket*",
        "PutEncryptionConfiguration",
        "PutLifecycleConfiguration",
        "TagResource",
        "UntagResource",
    ),
    "secretsmanager": (
        "CreateSecret",
        "DeleteSecret",
        "GetRandomPassword",
        "PutSecretValue",
        "RestoreSecret",
        "TagResource",
        "UntagResource",
        "UpdateSecret*",
    ),
    "servicediscovery": ("Create*", "Delete*", "TagResource", "UntagResource", "Update*"),
    "sns": ("CreateTopic", "DeleteTopic", "Put*", "Set*", "Subscribe", "TagResource", "UntagResource", "Unsubscribe"),
    "wafv2": ("Associate*", "Create*", "Delete*", "Disassociate*", "Put*", "TagResource", "UntagResource", "Update*"),
}
"""Service to the actions, as IAM writes them, that deploying the platform takes."""

BOUND_ROLES = (
    "AttachRolePolicy",
    "CreateRole",
    "DeleteRolePolicy",
    "DetachRolePolicy",
    "PutRolePermissionsBoundary",
    "PutRolePolicy",
)
"""What a deployment does to roles that have the boundary alone: these are all the actions that know the condition
``iam:PermissionsBoundary`` and that it needs
(https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsidentityandaccessmanagementiam.html).
"""

PASSED_TO = (
    "backup.amazonaws.com",
    "ec2.amazonaws.com",
    "ecs-tasks.amazonaws.com",
    "eks.amazonaws.com",
    "monitoring.rds.amazonaws.com",
    "pods.eks.amazonaws.com",
    "rds.amazonaws.com",
    "vpc-flow-logs.amazonaws.com",
)
"""Services to which a deployment hands a role."""

ROLES = (
    "DeleteRole",
    "TagRole",
    "UntagRole",
    "UpdateAssumeRolePolicy",
    "UpdateRole",
    "UpdateRoleDescription",
)
"""What a deployment does to the roles of its own stack, and to no others."""

CONTENTS = (
    "dynamodb:BatchGet*",
    "dynamodb:GetItem",
    "dynamodb:Query",
    "dynamodb:Scan",
    "ecr:GetDownloadUrlForLayer",
    "kinesis:Get*",
    "logs:FilterLogEvents",
    "logs:GetLogEvents",
    "logs:StartQuery",
    "sqs:ReceiveMessage",
    "ssm:GetParameter*",
)
"""What reading everything would let a pipeline read besides what resources there are: what is in them."""
