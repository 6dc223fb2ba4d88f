"""Where all alarms go."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from components.account import AwsAccount
from components.encryption import EncryptionKey, EncryptionKeyArgs
from components.iam import Statement, policy
from settings.alarms import AlarmsSettings

PUBLISHERS = {"Alarms": "cloudwatch.amazonaws.com", "DatabaseEvents": "events.rds.amazonaws.com"}
"""What a statement is for, to the AWS service that may publish."""


@dataclass(frozen=True)
class AlarmTopicArgs:
    """What the topic needs to know.

    Attributes:
        settings: the stack's ``alarms`` section.
        account: the account it lives in.
    """

    settings: AlarmsSettings
    account: AwsAccount


class AlarmTopic(pulumi.ComponentResource):
    """An encrypted topic to which CloudWatch and RDS publish, and those who hear of it.

    The key is a customer's: with the one that AWS manages, CloudWatch cannot publish
    (https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html).
    """

    topic_arn: pulumi.Output[str]
    """ARN of the topic, known once publishers may use it."""

    key_arn: pulumi.Output[str]
    """ARN of the KMS key of its messages."""

    def __init__(self, name: str, args: AlarmTopicArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("auterity:alarms:AlarmTopic", name, None, opts)
        own = pulumi.ResourceOptions(parent=self)
        ours = {"StringEquals": {"aws:SourceAccount": args.account.account_id}}
        key = EncryptionKey(
            f"{name}-alarms",
            EncryptionKeyArgs(
                args.account,
                purpose="notices of alarms",
                services=[
                    Statement(
                        sid=purpose,
                        actions=["kms:Decrypt", "kms:GenerateDataKey*"],
                        resources=["*"],
                        principal={"Service": service},
                        conditions=ours,
                    )
                    for purpose, service in PUBLISHERS.items()
                ],
            ),
            own,
        )
        topic = aws.sns.Topic(
            f"{name}-alarms", display_name=f"Alarms of {name}", kms_master_key_id=key.arn, signature_version=2, opts=own
        )
        rules = aws.sns.TopicPolicy(
            f"{name}-alarms",
            arn=topic.arn,
            policy=policy(
                *(
                    Statement(
                        sid=purpose,
                        actions=["sns:Publish"],
                        resources=[topic.arn],
                        principal={"Service": service},
                        conditions=ours,
                    )
                    for purpose, service in PUBLISHERS.items()
                ),
                Statement(
                    sid="DenyPlainText",
                    effect="Deny",
                    actions=["sns:Publish"],
                    resources=[topic.arn],
                    principal={"AWS": "*"},
                    conditions={"Bool": {"aws:SecureTransport": "false"}},
                ),
            ),
            opts=own,
        )
        for subscriber, subscription in args.settings.subscriptions.items():
            aws.sns.TopicSubscription(
                f"{name}-alarms-{subscriber}",
                topic=topic.arn,
                protocol=subscription.protocol,
                endpoint=subscription.endpoint,
                opts=own,
            )
        self.topic_arn = pulumi.Output.all(topic.arn, rules.id).apply(lambda values: str(values[0]))
        self.key_arn = key.arn
        self.register_outputs({"topic_arn": self.topic_arn, "key_arn": self.key_arn})
