"""Amazon MQ and SNS."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from sandbox.cloud.aws.catalog.network import SUBNET
from sandbox.cloud.aws.model import ACCOUNT, AwsError, AwsType, View
from sandbox.cloud.property_values import UNKNOWN
from sandbox.cloud.sdk_types import Problem

BROKER = "aws:mq/broker:Broker"
CONFIGURATION = "aws:mq/configuration:Configuration"
TOPIC = "aws:sns/topic:Topic"
TOPIC_POLICY = "aws:sns/topicPolicy:TopicPolicy"
SUBSCRIPTION = "aws:sns/topicSubscription:TopicSubscription"


# Amazon MQ


def _is_rabbit(inputs: Mapping[str, Any]) -> bool:
    return str(inputs.get("engineType", "")).upper() == "RABBITMQ"


def _broker_problems(inputs: Mapping[str, Any]) -> list[Problem]:
    """Judge a broker (https://docs.aws.amazon.com/amazon-mq/latest/api-reference/brokers.html)."""
    found = []
    mode = inputs.get("deploymentMode", "SINGLE_INSTANCE")
    subnets = inputs.get("subnetIds")
    count = len(subnets) if isinstance(subnets, list) else None
    if mode == "SINGLE_INSTANCE" and count not in (None, 1):
        found.append(Problem("subnetIds", "BadRequestException: Specified number of subnets must be exactly [1]"))
    if not _is_rabbit(inputs):
        return found
    users = inputs.get("users")
    if isinstance(users, list) and len(users) != 1:
        found.append(Problem("users", "BadRequestException: a RabbitMQ broker is made with exactly one user"))
    if mode == "ACTIVE_STANDBY_MULTI_AZ":
        found.append(Problem("deploymentMode", "BadRequestException: RabbitMQ is SINGLE_INSTANCE or CLUSTER_MULTI_AZ"))
    size, version = str(inputs.get("hostInstanceType", "")), str(inputs.get("engineVersion", ""))
    if mode == "CLUSTER_MULTI_AZ" and size.startswith("mq.t3."):
        found.append(Problem("hostInstanceType", f"BadRequestException: {size} cannot run a cluster"))
    if inputs.get("autoMinorVersionUpgrade") not in (True, UNKNOWN) and re.match(r"3\.13|[4-9]", version):
        found.append(Problem("autoMinorVersionUpgrade", f"must be true for RabbitMQ {version}"))
    if (inputs.get("logs") or {}).get("audit") is True:
        found.append(Problem("logs.audit", "audit logs are for ActiveMQ only"))
    for index, user in enumerate(users if isinstance(users, list) else ()):
        password = user.get("password") if isinstance(user, dict) else None
        if isinstance(password, str) and (
            not 12 <= len(password) <= 250 or len(set(password)) < 4 or set(password) & set(",:=")
        ):
            text = "12 to 250 characters, at least 4 different ones, no comma, colon or equals sign"
            found.append(Problem(f"users[{index}].password", text))
        if isinstance(user, dict) and user.get("groups"):
            found.append(Problem(f"users[{index}].groups", "groups are for ActiveMQ only"))
    return found


def _broker_rules(view: View) -> None:
    subnets = [subnet for id in view.value("subnetIds") or () if (subnet := view.one(SUBNET, id))]
    zones = [subnet.outputs["availabilityZone"] for subnet in subnets]
    if len(zones) != len(set(zones)):
        raise AwsError("BadRequestException", "Subnets must be in different availability zones.")
    for id in view.value("securityGroups") or ():
        group = next(iter(view.store.find(id)), None)
        if group and subnets and group.outputs["vpcId"] != subnets[0].outputs["vpcId"]:
            raise AwsError("BadRequestException", f"Security group [{id}] and the subnets are in different VPCs.")
    configuration = view.value("configuration") or {}
    known = view.one(CONFIGURATION, str(configuration.get("id") or ""))
    if known and configuration.get("revision") and configuration["revision"] > known.outputs["latestRevision"]:
        raise AwsError(
            "NotFoundException", f"Can't find requested configuration revision [{configuration['revision']}]."
        )
    if known and str(known.outputs["engineType"]).upper() != str(view.value("engineType")).upper():
        raise AwsError("BadRequestException", f"Configuration [{known.id}] is for {known.outputs['engineType']}.")


def _broker_outputs(view: View, id: str) -> dict[str, Any]:
    rabbit = _is_rabbit({"engineType": view.value("engineType")})
    host = f"{id}.mq.{view.region}.on.aws"
    single = {
        "consoleUrl": f"https://{host}" if rabbit else f"https://{id}-1.mq.{view.region}.on.aws:8162",
        "endpoints": [f"amqps://{host}:5671"] if rabbit else [f"ssl://{id}-1.mq.{view.region}.on.aws:61617"],
        "ipAddress": "" if rabbit else "10.0.0.4",
    }
    return {
        "instances": [single],
        "subnetIds": view.value("subnetIds") or [],
        "storageType": view.value("storageType") or "ebs",
        "authenticationStrategy": view.value("authenticationStrategy") or "simple",
        "encryptionOptions": view.value("encryptionOptions") or {"useAwsOwnedKey": True, "kmsKeyId": ""},
        "logs": view.value("logs") or {"general": False},
        "maintenanceWindowStartTime": view.value("maintenanceWindowStartTime")
        or {"dayOfWeek": "SUNDAY", "timeOfDay": "08:00", "timeZone": "UTC"},
        "configuration": view.value("configuration") or {"id": "", "revision": 0},
    }


def _configuration_outputs(view: View, id: str) -> dict[str, Any]:
    before = int(view.old("latestRevision") or 0)
    changed = view.old("data") != view.value("data")
    return {"latestRevision": before + 1 if changed else before, "authenticationStrategy": "simple"}


# SNS


def _default_policy(view: View) -> str:
    return (
        '{"Id":"__default_policy_ID","Statement":[{"Action":["SNS:Publish","SNS:Subscribe"],"Condition":'
        f'{{"StringEquals":{{"AWS:SourceOwner":"{ACCOUNT}"}}}},"Effect":"Allow","Principal":{{"AWS":"*"}},'
        f'"Resource":"arn:aws:sns:{view.region}:{ACCOUNT}:{view.value("name")}","Sid":"__default_statement_ID"}}],'
        '"Version":"2008-10-17"}'
    )


def _topic_names(inputs: Mapping[str, Any]) -> list[Problem]:
    name = inputs.get("name")
    if isinstance(name, str) and not re.fullmatch(r"[\w-]{1,256}(?:\.fifo)?", name, re.ASCII):
        return [Problem("name", f"InvalidParameter: invalid topic name {name!r}")]
    return []


_PROTOCOLS = ("http", "https", "email", "email-json", "sms", "sqs", "application", "lambda", "firehose")


def _subscription_problems(inputs: Mapping[str, Any]) -> list[Problem]:
    protocol, endpoint = inputs.get("protocol"), inputs.get("endpoint")
    if protocol is not UNKNOWN and protocol not in _PROTOCOLS:
        return [Problem("protocol", f"expected one of {', '.join(_PROTOCOLS)}, got {protocol!r}")]
    wanted = {
        "https": r"https://.+",
        "http": r"http://.+",
        "email": r"[^@\s]+@[^@\s]+",
        "email-json": r"[^@\s]+@[^@\s]+",
    }
    if isinstance(endpoint, str) and protocol in wanted and not re.fullmatch(wanted[protocol], endpoint):
        return [Problem("endpoint", f"InvalidParameter: Invalid parameter: {protocol} endpoint: {endpoint!r}")]
    return []


TYPES: dict[str, AwsType] = {
    BROKER: AwsType(
        service="mq",
        noun="Broker",
        label="MQ Broker",
        cloudformation="AWS::AmazonMQ::Broker",
        id="b-{uuid}",
        arn="mq:{region}:{account}:broker:{brokerName}:{id}",
        autoname="brokerName",
        name_limit=50,
        defaults={
            "autoMinorVersionUpgrade": False,
            "deploymentMode": "SINGLE_INSTANCE",
            "publiclyAccessible": False,
        },
        computed=_broker_outputs,
        taken="ConflictException",
        taken_text="Broker name [{name}] already exists.",
        missing=("NotFoundException", "Can't find requested broker [{id}]. Make sure your broker exists."),
        references={"configuration.id": CONFIGURATION},
        rules=(_broker_rules,),
        value_rules=(_broker_problems,),
        write_only=frozenset({"users", "applyImmediately"}),
        # UpdateBroker: what needs a reboot waits for one.
        waits=frozenset({"configuration", "engineVersion", "hostInstanceType", "logs"}),
        replaces=frozenset({"users"}),
        in_place=frozenset(),
        extensions=(("aws_amazonmq_broker/instancetype_enum", "HostInstanceType"),),
    ),
    CONFIGURATION: AwsType(
        service="mq",
        noun="Configuration",
        label="MQ Configuration",
        cloudformation="AWS::AmazonMQ::Configuration",
        id="c-{uuid}",
        arn="mq:{region}:{account}:configuration:{id}",
        renames={"data": None},
        name_limit=150,
        defaults={"description": "", "skipDestroy": False},
        computed=_configuration_outputs,
        taken="ConflictException",
        missing=(
            "NotFoundException",
            "Can't find requested configuration [{id}]. Make sure your configuration exists.",
        ),
        in_place=frozenset({"engineVersion"}),
    ),
    TOPIC: AwsType(
        service="SNS",
        noun="Topic",
        cloudformation="AWS::SNS::Topic",
        id="arn:{partition}:sns:{region}:{account}:{name}",
        arn="sns:{region}:{account}:{name}",
        renames={"name": "TopicName"},
        policies={"policy": "resource"},
        name_limit=256,
        defaults={"fifoTopic": False, "contentBasedDeduplication": False, "displayName": ""},
        computed=lambda view, id: {
            "owner": ACCOUNT,
            "policy": view.inputs.get("policy") or view.old("policy") or _default_policy(view),
            "signatureVersion": view.value("signatureVersion") or 0,
            "tracingConfig": view.value("tracingConfig") or "",
        },
        taken="InvalidParameter",
        taken_text="Topic {name} already exists with different attributes or tags",
        missing=("NotFound", "Topic does not exist: {id}"),
        cascades={TOPIC_POLICY: "arn", SUBSCRIPTION: "topic"},
        value_rules=(_topic_names,),
        operations={"update": "SetTopicAttributes"},
    ),
    TOPIC_POLICY: AwsType(
        service="SNS",
        noun="TopicPolicy",
        label="SNS Topic Policy",
        cloudformation=None,
        id="{arn}",
        policies={"policy": "resource"},
        references={"arn": TOPIC},
        computed=lambda view, id: {"owner": ACCOUNT},
        replaces=frozenset({"arn"}),
        operations=dict.fromkeys(("create", "update", "delete"), "SetTopicAttributes"),
    ),
    SUBSCRIPTION: AwsType(
        service="SNS",
        noun="Subscription",
        label="SNS Topic Subscription",
        cloudformation="AWS::SNS::Subscription",
        id="{topic}:{uuid}",
        renames={"topic": "TopicArn", "redrivePolicy": None, "filterPolicy": None, "deliveryPolicy": None},
        references={"topic": TOPIC},
        defaults={"confirmationTimeoutInMinutes": 1, "endpointAutoConfirms": False, "rawMessageDelivery": False},
        computed=lambda view, id: {
            "arn": id,
            "ownerId": ACCOUNT,
            "confirmationWasAuthenticated": not str(view.value("protocol")).startswith(("email", "http")),
            "pendingConfirmation": str(view.value("protocol")).startswith(("email", "http")),
        },
        value_rules=(_subscription_problems,),
        operations={"create": "Subscribe", "delete": "Unsubscribe"},
    ),
}
