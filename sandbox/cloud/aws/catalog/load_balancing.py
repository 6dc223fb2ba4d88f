"""Load balancers, the web application firewall before them, and their certificates."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from sandbox.cloud.aws.catalog.network import SUBNET
from sandbox.cloud.aws.catalog.storage import BUCKET, BUCKET_ENCRYPTION, BUCKET_POLICY
from sandbox.cloud.aws.model import AwsError, AwsType, View, stable_hex
from sandbox.cloud.property_values import UNKNOWN
from sandbox.cloud.sdk_types import Problem
from sandbox.cloud.store import Resource

LOAD_BALANCER = "aws:lb/loadBalancer:LoadBalancer"
TARGET_GROUP = "aws:lb/targetGroup:TargetGroup"
LISTENER = "aws:lb/listener:Listener"
LISTENER_RULE = "aws:lb/listenerRule:ListenerRule"
LISTENER_CERTIFICATE = "aws:lb/listenerCertificate:ListenerCertificate"
WEB_ACL = "aws:wafv2/webAcl:WebAcl"
WEB_ACL_ASSOCIATION = "aws:wafv2/webAclAssociation:WebAclAssociation"
WEB_ACL_LOGGING = "aws:wafv2/webAclLoggingConfiguration:WebAclLoggingConfiguration"
CERTIFICATE = "aws:acm/certificate:Certificate"
CERTIFICATE_VALIDATION = "aws:acm/certificateValidation:CertificateValidation"
RECORD = "aws:route53/record:Record"

_ELB = "ELBv2"
_KINDS = {"application": "app", "network": "net", "gateway": "gwy"}


def by_arn(view: View, arn: Any, token: str) -> Resource | None:
    """Find a resource of a type by its ARN."""
    return next((found for found in view.store.identified(str(arn)) if found.type == token), None)


# Load balancers


def _name_rules(inputs: Mapping[str, Any]) -> list[Problem]:
    name = inputs.get("name")
    if not isinstance(name, str):
        return []
    bad = len(name) > 32 or name.startswith(("-", "internal-")) or name.endswith("-")
    if bad or any(not (c.isascii() and c.isalnum()) and c != "-" for c in name):
        return [
            Problem("name", f"{name!r}: at most 32 letters, digits and hyphens, no hyphen at an end, not internal-…")
        ]
    return []


def _subnets_of(view: View) -> list[Resource]:
    ids = list(view.value("subnets") or ()) or [m["subnetId"] for m in view.value("subnetMappings") or ()]
    return [subnet for subnet in (view.one(SUBNET, id) for id in ids) if subnet is not None]


def _balancer_rules(view: View) -> None:
    subnets = _subnets_of(view)
    zones = {subnet.outputs["availabilityZone"] for subnet in subnets}
    application = (view.value("loadBalancerType") or "application") == "application"
    if application and len(zones) < 2:
        raise AwsError("ValidationError", "At least two subnets in two different Availability Zones must be specified")
    if len(zones) < len(subnets):
        raise AwsError(
            "InvalidConfigurationRequest",
            "A load balancer cannot be attached to multiple subnets in the same Availability Zone",
        )
    vpcs = {subnet.outputs["vpcId"] for subnet in subnets}
    if len(vpcs) > 1:
        raise AwsError("InvalidSubnet", "The subnets of a load balancer must be in one VPC")
    for id in view.value("securityGroups") or ():
        group = next(iter(view.store.find(id)), None)
        if group and group.outputs.get("vpcId") not in vpcs:
            raise AwsError(
                "InvalidConfigurationRequest", f"One or more security groups are invalid: {id} is in another VPC"
            )
    if not view.value("internal") and vpcs and application:
        vpc = next(iter(vpcs))
        gateways = view.all("aws:ec2/internetGateway:InternetGateway")
        if not any(gateway.outputs.get("vpcId") == vpc for gateway in gateways):
            raise AwsError("InvalidSubnet", f"VPC {vpc} has no internet gateway")
    for property in ("accessLogs", "connectionLogs"):
        logs = view.value(property) or {}
        if logs.get("enabled", bool(logs)):
            _may_log(view, str(logs.get("bucket")))


def _may_log(view: View, name: str) -> None:
    """Refuse a bucket that the load balancer could not write its logs to.

    Source: https://docs.aws.amazon.com/elasticloadbalancing/latest/application/enable-access-logging.html.
    """
    bucket = next((b for b in view.store.list("aws", BUCKET) if b.outputs["bucket"] == name), None)
    denied = f"Access Denied for bucket: {name}. Please check S3bucket permission"
    if bucket is None:
        raise AwsError("InvalidConfigurationRequest", f"S3 Bucket does not exist: {name}")
    if bucket.region != view.region:
        raise AwsError("InvalidConfigurationRequest", f"{denied}: it is in {bucket.region}, not in {view.region}")
    encryption = next((e for e in view.store.find(bucket.id, BUCKET_ENCRYPTION)), None)
    if encryption is not None and "aws:kms" in json.dumps(encryption.inputs):
        raise AwsError(
            "InvalidConfigurationRequest", f"{denied}: logs are delivered to SSE-S3 buckets only, not to KMS"
        )
    policy = next((p for p in view.store.find(bucket.id, BUCKET_POLICY)), None)
    writers = ("logdelivery.elasticloadbalancing.amazonaws.com", "delivery.logs.amazonaws.com", ":root")
    if policy is None or not any(writer in str(policy.inputs.get("policy")) for writer in writers):
        raise AwsError("InvalidConfigurationRequest", f"{denied}: its policy does not admit log delivery")


def _balancer_outputs(view: View, id: str) -> dict[str, Any]:
    # From the id: a generated name is not among the inputs.
    name, subnets = id.split("/")[2], _subnets_of(view)
    internal = "internal-" if view.value("internal") else ""
    network = view.value("loadBalancerType") == "network"
    host = f"elb.{view.region}" if network else f"{view.region}.elb"
    chosen = view.value("subnets") or [subnet.id for subnet in subnets]
    return {
        "arnSuffix": id.partition(":loadbalancer/")[2],
        "dnsName": f"{internal}{name}-{stable_hex(id, 10)}.{host}.amazonaws.com",
        # Load balancers in us-east-1 have this hosted zone (https://docs.aws.amazon.com/general/latest/gr/elb.html).
        "zoneId": "Z35SXDOTRQ7X7K" if view.region == "us-east-1" else f"Z{stable_hex(view.region, 13).upper()}",
        "vpcId": subnets[0].outputs["vpcId"] if subnets else "",
        "subnets": chosen,
        "subnetMappings": view.value("subnetMappings") or [{"subnetId": subnet} for subnet in chosen],
        "securityGroups": view.value("securityGroups") or [],
        "ipAddressType": view.value("ipAddressType") or "ipv4",
        "internal": bool(view.value("internal")),
    }


def _unprotected(view: View) -> None:
    if view.old("enableDeletionProtection"):
        arn = view.existing.id if view.existing else ""
        raise AwsError(
            "OperationNotPermitted", f"Load balancer '{arn}' cannot be deleted because deletion protection is enabled"
        )


# Target groups, listeners and rules


def _target_group_shape(inputs: dict[str, Any]) -> dict[str, Any]:
    check = inputs.pop("healthCheck", None)
    names = {
        "enabled": "healthCheckEnabled",
        "interval": "healthCheckIntervalSeconds",
        "path": "healthCheckPath",
        "port": "healthCheckPort",
        "protocol": "healthCheckProtocol",
        "timeout": "healthCheckTimeoutSeconds",
        "healthyThreshold": "healthyThresholdCount",
        "unhealthyThreshold": "unhealthyThresholdCount",
    }
    if isinstance(check, dict):
        inputs |= {names[name]: value for name, value in check.items() if name in names}
    return inputs


def _target_group_rules(inputs: Mapping[str, Any]) -> list[Problem]:
    found = []
    check = inputs.get("healthCheck")
    if isinstance(check, dict):
        interval, timeout = check.get("interval", 30), check.get("timeout", 5)
        if UNKNOWN not in (interval, timeout) and int(timeout) >= int(interval):
            found.append(
                Problem("healthCheck.timeout", f"{timeout} seconds must be less than the interval, {interval}")
            )
    if inputs.get("targetType", "instance") != "lambda":
        missing = [name for name in ("port", "protocol", "vpcId") if not inputs.get(name)]
        found += [Problem(name, "required for targets that are not Lambda functions") for name in missing]
    delay = inputs.get("deregistrationDelay")
    if delay not in (None, UNKNOWN) and not 0 <= int(delay) <= 3600:
        found.append(Problem("deregistrationDelay", f"expected 0 to 3600 seconds, got {delay}"))
    return found


_HEALTH_CHECK: dict[str, Any] = {
    "enabled": True,
    "healthyThreshold": 5,
    "interval": 30,
    "matcher": "200",
    "path": "/",
    "port": "traffic-port",
    "protocol": "HTTP",
    "timeout": 5,
    "unhealthyThreshold": 2,
}


def _target_group_outputs(view: View, id: str) -> dict[str, Any]:
    return {
        "arnSuffix": id.rpartition(":")[2],
        "healthCheck": _HEALTH_CHECK | dict(view.value("healthCheck") or {}),
        "stickiness": view.value("stickiness") or {"enabled": False, "type": "lb_cookie", "cookieDuration": 86400},
        "loadBalancerArns": [],
        "ipAddressType": view.value("ipAddressType") or "ipv4",
        "protocolVersion": view.value("protocolVersion") or "HTTP1",
        "loadBalancingAlgorithmType": view.value("loadBalancingAlgorithmType") or "round_robin",
    }


def _listener_rules(view: View) -> None:
    balancer = by_arn(view, view.value("loadBalancerArn"), LOAD_BALANCER)
    for other in view.all(LISTENER):
        if (other.outputs["loadBalancerArn"], other.outputs.get("port")) == (
            view.value("loadBalancerArn"),
            view.value("port"),
        ):
            raise AwsError("DuplicateListener", "A listener already exists on this port for this load balancer")
    if view.value("certificateArn"):
        _issued(view, view.value("certificateArn"))
    protocol = view.value("protocol")
    application = balancer is not None and balancer.outputs["loadBalancerType"] == "application"
    if application and protocol not in (None, "HTTP", "HTTPS"):
        raise AwsError("ValidationError", f"Listener protocol '{protocol}' must be one of 'HTTPS, HTTP'")
    _weights(view, view.value("defaultActions"))


def _issued(view: View, arn: Any) -> None:
    certificate = by_arn(view, arn, CERTIFICATE)
    if certificate is None:
        return
    if certificate.region != view.region:
        raise AwsError("CertificateNotFound", f"Certificate ARN '{arn}' is not in {view.region}")
    validated = any(v.inputs.get("certificateArn") == arn for v in view.store.list("aws", CERTIFICATE_VALIDATION))
    if certificate.inputs.get("validationMethod") and not validated:
        raise AwsError(
            "UnsupportedCertificate",
            f"The certificate '{arn}' must have a fully-qualified domain name, a supported signature, and a supported "
            "key size: it is not issued yet (PENDING_VALIDATION)",
        )


def _weights(view: View, actions: Any) -> None:
    for action in actions or ():
        groups = (action.get("forward") or {}).get("targetGroups") or ()
        if len(groups) > 5:
            raise AwsError("TooManyTargetGroups", "An action forwards to at most 5 target groups")
        for group in groups:
            if not 0 <= int(group.get("weight", 1)) <= 999:
                raise AwsError("ValidationError", f"Weight '{group['weight']}' must be between 0 and 999")


def _listener_value_rules(inputs: Mapping[str, Any]) -> list[Problem]:
    found = []
    secure = inputs.get("protocol") in ("HTTPS", "TLS")
    if inputs.get("certificateArn") and inputs.get("protocol") in ("HTTP", "TCP", "UDP"):
        found.append(Problem("certificateArn", f"a listener of {inputs['protocol']} has no certificate"))
    if inputs.get("sslPolicy") and not secure and inputs.get("protocol") not in (None, UNKNOWN):
        found.append(Problem("sslPolicy", f"a listener of {inputs['protocol']} has no TLS policy"))
    if secure and not inputs.get("certificateArn"):
        found.append(Problem("certificateArn", "CertificateNotFound: a listener of HTTPS or TLS needs a certificate"))
    return found + _action_problems("defaultActions", inputs.get("defaultActions"))


def _action_problems(path: str, actions: Any) -> list[Problem]:
    found = []
    needs = {"redirect": ("redirect",), "fixed-response": ("fixedResponse",), "forward": ("forward", "targetGroupArn")}
    for index, action in enumerate(actions if isinstance(actions, list) else ()):
        kind = action.get("type") if isinstance(action, dict) else None
        if isinstance(kind, str) and kind in needs and not any(action.get(name) for name in needs[kind]):
            found.append(Problem(f"{path}[{index}]", f"an action of type {kind} needs {' or '.join(needs[kind])}"))
    return found


def _listener_outputs(view: View, id: str) -> dict[str, Any]:
    secure = view.value("protocol") in ("HTTPS", "TLS")
    return {
        "protocol": view.value("protocol") or "HTTP",
        "sslPolicy": view.value("sslPolicy") or ("ELBSecurityPolicy-2016-08" if secure else ""),
        "defaultActions": [{"order": index, **a} for index, a in enumerate(view.value("defaultActions"), 1)],
    }


def _rule_rules(view: View) -> None:
    priority = view.value("priority")
    for other in view.all(LISTENER_RULE):
        if priority and (other.outputs["listenerArn"], other.outputs["priority"]) == (
            view.value("listenerArn"),
            priority,
        ):
            raise AwsError("PriorityInUse", f"Priority '{priority}' is currently in use")
    _weights(view, view.value("actions"))


def _rule_outputs(view: View, id: str) -> dict[str, Any]:
    taken = [
        o.outputs["priority"] for o in view.all(LISTENER_RULE) if o.outputs["listenerArn"] == view.value("listenerArn")
    ]
    return {
        "priority": view.value("priority") or max(taken, default=0) + 1,
        "actions": [{"order": index, **a} for index, a in enumerate(view.value("actions"), 1)],
    }


# Firewall


def _acl_rules(inputs: Mapping[str, Any]) -> list[Problem]:
    found: list[Problem] = []
    rules = inputs.get("rules")
    priorities: dict[Any, int] = {}
    for index, rule in enumerate(rules if isinstance(rules, list) else ()):
        if not isinstance(rule, dict):
            continue
        group = any(
            name in (rule.get("statement") or {})
            for name in ("managedRuleGroupStatement", "ruleGroupReferenceStatement")
        )
        given = [name for name in ("action", "overrideAction") if rule.get(name)]
        if group and given != ["overrideAction"]:
            found.append(
                Problem(
                    f"rules[{index}].overrideAction", "a rule over a rule group needs overrideAction, and no action"
                )
            )
        if rule.get("statement") and not group and given != ["action"]:
            found.append(Problem(f"rules[{index}].action", "a rule needs an action, and no overrideAction"))
        priority = rule.get("priority")
        if priority in priorities and priority is not UNKNOWN:
            found.append(
                Problem(f"rules[{index}].priority", f"priority {priority} is taken by rules[{priorities[priority]}]")
            )
        priorities[priority] = index
    if inputs.get("scope") == "CLOUDFRONT" and inputs.get("region") != "us-east-1":
        found.append(Problem("scope", "a web ACL for CloudFront is made in us-east-1"))
    return found


def _log_destinations(inputs: Mapping[str, Any]) -> list[Problem]:
    found = []
    destinations = inputs.get("logDestinationConfigs")
    for index, destination in enumerate(destinations if isinstance(destinations, list) else ()):
        if isinstance(destination, str) and "aws-waf-logs-" not in destination:
            found.append(
                Problem(
                    f"logDestinationConfigs[{index}]",
                    f"WAFInvalidParameterException: LOG_DESTINATION: the name of a destination begins with "
                    f"aws-waf-logs-: {destination}",
                )
            )
    return found


# Certificates


def _validation_options(view: View, id: str) -> list[dict[str, Any]]:
    if view.value("validationMethod") != "DNS":
        return []
    options = []
    for domain in dict.fromkeys([view.value("domainName"), *(view.value("subjectAlternativeNames") or ())]):
        base = str(domain).removeprefix("*.")
        label = stable_hex(f"{base}", 32)
        options.append(
            {
                "domainName": domain,
                "resourceRecordName": f"_{label}.{base}.",
                "resourceRecordType": "CNAME",
                "resourceRecordValue": f"_{stable_hex(label, 32)}.acm-validations.aws.",
            }
        )
    return options


def _certificate_outputs(view: View, id: str) -> dict[str, Any]:
    asked = view.value("subjectAlternativeNames") or []
    return {
        "domainValidationOptions": _validation_options(view, id),
        "status": "PENDING_VALIDATION" if view.value("validationMethod") else "ISSUED",
        "type": "AMAZON_ISSUED" if view.value("validationMethod") else "IMPORTED",
        "subjectAlternativeNames": asked or [view.value("domainName")],
        "keyAlgorithm": view.value("keyAlgorithm") or "RSA_2048",
        "renewalEligibility": "INELIGIBLE",
        "pendingRenewal": False,
        "validationEmails": [],
        "notAfter": "",
        "notBefore": "",
        "renewalSummaries": [],
    }


def _validated(view: View) -> None:
    certificate = by_arn(view, view.inputs["certificateArn"], CERTIFICATE)
    if certificate is None or not certificate.outputs["domainValidationOptions"]:
        return
    records = {record.outputs["fqdn"].rstrip(".").lower() for record in view.store.list("aws", RECORD)}
    for option in certificate.outputs["domainValidationOptions"]:
        if option["resourceRecordName"].rstrip(".").lower() not in records:
            raise AwsError(
                "RequestInProgressException",
                f"waiting for ACM Certificate ({certificate.id}) to be issued: timeout while waiting for state to "
                f"become 'ISSUED' (last state: 'PENDING_VALIDATION', timeout: 1h15m0s): there is no record "
                f"{option['resourceRecordName']}",
            )


TYPES: dict[str, AwsType] = {
    LOAD_BALANCER: AwsType(
        service=_ELB,
        noun="LoadBalancer",
        label="ELBv2 Load Balancer",
        cloudformation="AWS::ElasticLoadBalancingV2::LoadBalancer",
        id="arn:{partition}:elasticloadbalancing:{region}:{account}:loadbalancer/{kind}/{name}/{hex16}",
        arn="elasticloadbalancing:{region}:{account}:loadbalancer/{kind}/{name}/{hex16}",
        words=lambda view: {"kind": _KINDS[view.value("loadBalancerType") or "application"]},
        renames={"loadBalancerType": "Type", "internal": None},
        name_limit=32,
        defaults={
            "loadBalancerType": "application",
            "internal": False,
            "enableDeletionProtection": False,
            "enableHttp2": True,
            "enableWafFailOpen": False,
            "enableXffClientPort": False,
            "enableZonalShift": False,
            "enableTlsVersionAndCipherSuiteHeaders": False,
            "dropInvalidHeaderFields": False,
            "preserveHostHeader": False,
            "idleTimeout": 60,
            "clientKeepAlive": 3600,
            "desyncMitigationMode": "defensive",
            "xffHeaderProcessingMode": "append",
        },
        computed=_balancer_outputs,
        taken="DuplicateLoadBalancerName",
        taken_text="A load balancer with the same name '{name}' exists, but with different settings",
        missing=("LoadBalancerNotFound", "Load balancer '{id}' not found"),
        rules=(_balancer_rules,),
        value_rules=(_name_rules,),
        deletion_rules=(_unprotected,),
        cascades={LISTENER: "loadBalancerArn", WEB_ACL_ASSOCIATION: "resourceArn"},
        replaces=frozenset({"internal", "customerOwnedIpv4Pool"}),
        # The SDK's words on replacement are about network load balancers, which this does not tell apart.
        in_place=frozenset({"subnets"}),
        operations={"update": "ModifyLoadBalancerAttributes"},
        extensions=(("aws_elasticloadbalancingv2_loadbalancer/application_subnets", ""),),
    ),
    TARGET_GROUP: AwsType(
        service=_ELB,
        noun="TargetGroup",
        label="ELBv2 Target Group",
        cloudformation="AWS::ElasticLoadBalancingV2::TargetGroup",
        id="arn:{partition}:elasticloadbalancing:{region}:{account}:targetgroup/{name}/{hex16}",
        arn="elasticloadbalancing:{region}:{account}:targetgroup/{name}/{hex16}",
        adapt=_target_group_shape,
        name_limit=32,
        defaults={
            "targetType": "instance",
            "deregistrationDelay": 300,
            "slowStart": 0,
            "loadBalancingCrossZoneEnabled": "use_load_balancer_configuration",
            "lambdaMultiValueHeadersEnabled": False,
            "proxyProtocolV2": False,
        },
        computed=_target_group_outputs,
        taken="DuplicateTargetGroupName",
        taken_text="A target group with the same name '{name}' exists, but with different settings",
        missing=("TargetGroupNotFound", "One or more target groups not found: {id}"),
        value_rules=(_name_rules, _target_group_rules),
        in_use=("ResourceInUse", "Target group '{id}' is currently in use by a listener or a rule"),
        users=lambda group, user: user.type in (LISTENER, LISTENER_RULE),
        extensions=(
            ("aws_elasticloadbalancingv2_targetgroup/protocol_restrictions", ""),
            ("aws_elasticloadbalancingv2_targetgroup/targettype_restrictions", ""),
        ),
    ),
    LISTENER: AwsType(
        service=_ELB,
        noun="Listener",
        label="ELBv2 Listener",
        cloudformation="AWS::ElasticLoadBalancingV2::Listener",
        id="arn:{partition}:elasticloadbalancing:{region}:{account}:listener/{balancer}/{hex16}",
        arn="elasticloadbalancing:{region}:{account}:listener/{balancer}/{hex16}",
        words=lambda view: {"balancer": str(view.value("loadBalancerArn")).partition(":loadbalancer/")[2]},
        renames={"certificateArn": None},
        autoname="",
        computed=_listener_outputs,
        rules=(_listener_rules,),
        value_rules=(_listener_value_rules,),
        missing=("ListenerNotFound", "One or more listeners not found: {id}"),
        cascades={LISTENER_RULE: "listenerArn", LISTENER_CERTIFICATE: "listenerArn"},
    ),
    LISTENER_RULE: AwsType(
        service=_ELB,
        noun="Rule",
        label="ELBv2 Listener Rule",
        cloudformation="AWS::ElasticLoadBalancingV2::ListenerRule",
        id="arn:{partition}:elasticloadbalancing:{region}:{account}:listener-rule/{listener}/{hex16}",
        arn="elasticloadbalancing:{region}:{account}:listener-rule/{listener}/{hex16}",
        words=lambda view: {"listener": str(view.value("listenerArn")).partition(":listener/")[2]},
        renames={"conditions": None},
        autoname="",
        computed=_rule_outputs,
        rules=(_rule_rules,),
        value_rules=(lambda inputs: _action_problems("actions", inputs.get("actions")),),
        missing=("RuleNotFound", "One or more rules not found: {id}"),
    ),
    LISTENER_CERTIFICATE: AwsType(
        service=_ELB,
        noun="ListenerCertificates",
        label="ELBv2 Listener Certificate",
        cloudformation=None,
        id="{listenerArn}_{certificateArn}",
        rules=(lambda view: _issued(view, view.inputs["certificateArn"]),),
        replaces=frozenset({"listenerArn", "certificateArn"}),
        operations={"create": "AddListenerCertificates", "delete": "RemoveListenerCertificates"},
    ),
    WEB_ACL: AwsType(
        service="WAFV2",
        noun="WebACL",
        label="WAFv2 WebACL",
        cloudformation="AWS::WAFv2::WebACL",
        id="{uuid}",
        arn="wafv2:{region}:{account}:regional/webacl/{name}/{id}",
        renames={"customResponseBodies": None, "ruleJson": None},
        name_limit=128,
        computed=lambda view, id: {
            "capacity": view.kept("capacity", lambda: 50 * len(view.value("rules") or ())),
            "lockToken": view.kept("lockToken", lambda: stable_hex(id, 32)),
            "applicationIntegrationUrl": "",
            "rules": view.value("rules") or [],
        },
        names=("name", "scope"),
        taken="WAFDuplicateItemException",
        taken_text="AWS WAF couldn't perform the operation because your request duplicates {name}.",
        missing=("WAFNonexistentItemException", "AWS WAF couldn't perform the operation because {id} doesn't exist."),
        value_rules=(_acl_rules,),
        in_use=(
            "WAFAssociatedItemException",
            "AWS WAF couldn't perform the operation because your resource is being used by another resource or it's "
            "associated with another resource.",
        ),
        users=lambda acl, user: user.type == WEB_ACL_ASSOCIATION,
        cascades={WEB_ACL_LOGGING: "resourceArn"},
    ),
    WEB_ACL_ASSOCIATION: AwsType(
        service="WAFV2",
        noun="WebACL",
        label="WAFv2 WebACL Association",
        cloudformation="AWS::WAFv2::WebACLAssociation",
        id="{webAclArn},{resourceArn}",
        operations={"create": "AssociateWebACL", "delete": "DisassociateWebACL"},
    ),
    WEB_ACL_LOGGING: AwsType(
        service="WAFV2",
        noun="LoggingConfiguration",
        label="WAFv2 WebACL Logging Configuration",
        cloudformation="AWS::WAFv2::LoggingConfiguration",
        id="{resourceArn}",
        renames={"redactedFields": None},
        value_rules=(_log_destinations,),
        operations={"create": "PutLoggingConfiguration", "update": "PutLoggingConfiguration"},
    ),
    CERTIFICATE: AwsType(
        service="ACM",
        noun="Certificate",
        cloudformation="AWS::CertificateManager::Certificate",
        id="arn:{partition}:acm:{region}:{account}:certificate/{uuid}",
        arn="acm:{region}:{account}:certificate/{uuid}",
        renames={"validationOptions": None, "options": None},
        computed=_certificate_outputs,
        missing=("ResourceNotFoundException", "Could not find certificate {id}"),
        in_use=("ResourceInUseException", "Certificate {id} is in use: {users}."),
        users=lambda certificate, user: user.type in (LISTENER, LISTENER_CERTIFICATE),
        replaces=frozenset({"validationMethod"}),
        operations={"create": "RequestCertificate"},
    ),
    CERTIFICATE_VALIDATION: AwsType(
        service="ACM",
        noun="Certificate",
        label="ACM Certificate Validation",
        cloudformation=None,
        id="{hex}",
        rules=(_validated,),
        replaces=frozenset({"certificateArn", "validationRecordFqdns"}),
        operations={"create": "DescribeCertificate"},
    ),
}
