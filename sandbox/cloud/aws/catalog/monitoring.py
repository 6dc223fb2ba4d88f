"""CloudWatch Logs."""

from __future__ import annotations

from sandbox.cloud.aws.model import AwsError, AwsType, View

LOG_GROUP = "aws:cloudwatch/logGroup:LogGroup"


def _unprotected(view: View) -> None:
    if view.old("deletionProtectionEnabled"):
        raise AwsError(
            "ValidationException", "Log group has deletion protection enabled; disable it before deleting the group."
        )


TYPES: dict[str, AwsType] = {
    LOG_GROUP: AwsType(
        service="CloudWatch Logs",
        noun="LogGroup",
        label="CloudWatch Logs Log Group",
        cloudformation="AWS::Logs::LogGroup",
        id="{name}",
        arn="logs:{region}:{account}:log-group:{name}",
        renames={"name": "LogGroupName"},
        name_limit=512,
        defaults={
            "logGroupClass": "STANDARD",
            "retentionInDays": 0,
            "skipDestroy": False,
            "deletionProtectionEnabled": False,
        },
        taken_text="The specified log group already exists",
        missing=("ResourceNotFoundException", "The specified log group does not exist: {id}"),
        deletion_rules=(_unprotected,),
        replaces=frozenset({"logGroupClass"}),
        operations={"update": "PutRetentionPolicy"},
    ),
}
