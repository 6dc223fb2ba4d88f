"""What users rely on of the public edge."""

from __future__ import annotations

import json
import re
from typing import Any

import pulumi
import pulumi_aws as aws
import pytest

from components.account import AwsAccount
from components.edge import Backend, Edge, EdgeArgs
from settings.edge import EdgeSettings
from tests.unit.recording import ACCOUNT_ID, REGION, Recorded, Recording, record

ACL = "aws:wafv2/webAcl:WebAcl"
BALANCER = "aws:lb/loadBalancer:LoadBalancer"
BUCKET_POLICY = "aws:s3/bucketPolicy:BucketPolicy"
CERTIFICATE = "aws:acm/certificate:Certificate"
EGRESS = "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule"
INGRESS = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
LISTENER = "aws:lb/listener:Listener"
LOGGING = "aws:wafv2/webAclLoggingConfiguration:WebAclLoggingConfiguration"
RECORD = "aws:route53/record:Record"
RULE = "aws:lb/listenerRule:ListenerRule"
TARGETS = "aws:lb/targetGroup:TargetGroup"
VALIDATION = "aws:acm/certificateValidation:CertificateValidation"

CERTIFICATE_ARN = f"arn:aws:acm:us-east-1:{ACCOUNT_ID}:certificate/12345678-1234-1234-1234-123456789012"

ECS = Backend(weight=70, port=8000, target_type="ip", security_group_id="sg-tasks", health_path="/healthz")
KUBERNETES = Backend(weight=30, port=30080, target_type="instance", security_group_id="sg-nodes", health_path="/ok")


def build(name: str = "auterity-test", backends: dict[str, Backend] | None = None, **settings: Any) -> Edge:
    provider = aws.Provider("aws", region=REGION)
    section = {"domain": "api.example.com", "hosted_zone_id": "Z0123456789", **settings}
    return Edge(
        name,
        EdgeArgs(
            EdgeSettings.model_validate(section),
            AwsAccount.of(provider, REGION),
            vpc_id="vpc-1",
            subnet_ids={"a": "subnet-a", "b": "subnet-b"},
            log_key_arn="arn:aws:kms:us-east-1:123456789012:key/logs",
            backends=backends or {"ecs": ECS},
        ),
        pulumi.ResourceOptions(providers=[provider]),
    )


def edge(name: str = "auterity-test", backends: dict[str, Backend] | None = None, **settings: Any) -> Recording:
    return record(lambda: build(name, backends, **settings))


def listener(recording: Recording, port: int) -> Recorded:
    (found,) = [listener for listener in recording.of_type(LISTENER) if listener.inputs["port"] == port]
    return found


def acl_rules(recording: Recording) -> dict[str, dict[str, Any]]:
    return {rule["name"]: rule for rule in recording.only(ACL).inputs["rules"]}


def test_plain_http_gets_nothing_but_a_permanent_redirect() -> None:
    recording = edge()
    (action,) = listener(recording, 80).inputs["defaultActions"]
    assert action == {
        "type": "redirect",
        "redirect": {"protocol": "HTTPS", "port": "443", "statusCode": "HTTP_301"},
    }
    assert [rule.inputs["listenerArn"] for rule in recording.of_type(RULE)] == [
        f"arn:aws:mock:{REGION}:{ACCOUNT_ID}:auterity-test-edge-https"
    ]


def test_requests_are_served_over_tls_1_2_or_later() -> None:
    inputs = listener(edge(), 443).inputs
    assert inputs["protocol"] == "HTTPS"
    assert inputs["sslPolicy"] == "ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09"


def test_browsers_are_told_to_stay_with_tls() -> None:
    header = "routingHttpResponseStrictTransportSecurityHeaderValue"
    assert listener(edge(hsts_max_age_seconds=86400), 443).inputs[header] == "max-age=86400"


def test_each_runtime_gets_its_share_of_requests() -> None:
    recording = edge(backends={"ecs": ECS, "kubernetes": KUBERNETES})
    (action,) = listener(recording, 443).inputs["defaultActions"]
    prefix = f"arn:aws:mock:{REGION}:{ACCOUNT_ID}:auterity-test-edge-"
    assert action["forward"] == {
        "targetGroups": [
            {"arn": f"{prefix}ecs", "weight": 70},
            {"arn": f"{prefix}kubernetes", "weight": 30},
        ]
    }


def test_a_runtime_of_weight_0_keeps_its_target_group() -> None:
    idle = Backend(0, 8000, "ip", "sg-tasks", "/healthz")
    recording = edge(backends={"ecs": idle, "kubernetes": KUBERNETES})
    (action,) = listener(recording, 443).inputs["defaultActions"]
    assert [group["weight"] for group in action["forward"]["targetGroups"]] == [0, 30]


def test_no_weight_above_0_is_an_error() -> None:
    with pytest.raises(ValueError, match=r"\{'ecs': 0\} given; allowed: at least one weight above 0"):
        edge(backends={"ecs": Backend(0, 8000, "ip", "sg-tasks", "/healthz")})


def test_no_client_stays_with_one_target_or_one_runtime() -> None:
    recording = edge()
    assert recording.only(TARGETS).inputs["stickiness"]["enabled"] is False
    (action,) = listener(recording, 443).inputs["defaultActions"]
    assert "stickiness" not in action["forward"]


def test_a_target_is_asked_on_its_own_port_and_path() -> None:
    recording = edge(backends={"ecs": ECS, "kubernetes": KUBERNETES})
    groups = {group.name: group.inputs for group in recording.of_type(TARGETS)}
    kubernetes = groups["auterity-test-edge-kubernetes"]
    assert (kubernetes["port"], kubernetes["targetType"]) == (30080, "instance")
    assert kubernetes["healthCheck"]["path"] == "/ok"
    assert "port" not in kubernetes["healthCheck"]
    assert groups["auterity-test-edge-ecs"]["targetType"] == "ip"


@pytest.mark.parametrize("type_", [TARGETS, BALANCER])
def test_physical_names_fit_in_a_stack_with_a_long_name_and_are_new_for_a_replacement(type_: str) -> None:
    recording = edge("auterity-production-eu-central", {"ecs": ECS, "kubernetes": KUBERNETES})
    for resource in recording.of_type(type_):
        assert "name" not in resource.inputs
        assert re.fullmatch(r"[a-z]{1,5}-", resource.inputs["namePrefix"])


def test_a_runtime_learns_its_target_group_once_the_listener_uses_it() -> None:
    def service() -> None:
        aws.ssm.Parameter("service", type="String", value=build().target_group_arns["ecs"])

    recording = record(service)
    consumer = recording.named("service")
    assert consumer.inputs["value"].endswith(":auterity-test-edge-ecs")
    assert listener(recording, 443).urn in consumer.depends_on


@pytest.mark.parametrize(
    ("path", "hidden"),
    [
        ("/metrics", True),
        ("/metrics/", True),
        ("/metrics/x", True),
        ("//metrics", True),
        ("/readyz", True),
        ("/v1.0/x", True),
        ("/v1x0/x", False),
        ("/metricsx", False),
        ("/orders/metrics", False),
        ("/healthz", False),
        ("/", False),
    ],
)
def test_a_hidden_path_and_what_is_below_it_does_not_exist_for_clients(path: str, hidden: bool) -> None:
    rule = edge(hidden_paths=["/metrics", "/readyz", "/v1.0"]).only(RULE).inputs
    (condition,) = rule["conditions"]
    (pattern,) = condition["pathPattern"]["regexValues"]
    assert (re.match(pattern, path) is not None) is hidden
    assert rule["actions"][0]["type"] == "fixed-response"
    assert rule["actions"][0]["fixedResponse"]["statusCode"] == "404"


def test_without_hidden_paths_there_is_no_rule() -> None:
    assert edge(hidden_paths=[]).of_type(RULE) == []


def test_the_load_balancer_faces_the_internet_and_takes_no_malformed_header() -> None:
    inputs = edge().only(BALANCER).inputs
    assert inputs["internal"] is False
    assert inputs["subnets"] == ["subnet-a", "subnet-b"]
    assert inputs["dropInvalidHeaderFields"] is True
    assert inputs["desyncMitigationMode"] == "defensive"
    assert inputs["enableWafFailOpen"] is False


@pytest.mark.parametrize("protected", [True, False])
def test_deletion_protection_is_a_setting_for_aws_and_pulumi_alike(protected: bool) -> None:
    balancer = edge(deletion_protection=protected).only(BALANCER)
    assert balancer.inputs["enableDeletionProtection"] is protected
    assert balancer.protect is protected


def test_requests_and_connections_are_recorded_in_a_bucket_that_the_load_balancer_may_write_to() -> None:
    recording = edge()
    balancer = recording.only(BALANCER).inputs
    policy = json.loads(recording.only(BUCKET_POLICY).inputs["policy"])
    (statement,) = [s for s in policy["Statement"] if s["Sid"] == "LoadBalancerLogs"]
    assert statement["Principal"] == {"Service": "logdelivery.elasticloadbalancing.amazonaws.com"}
    allowed = [resource.partition("auterity-test-edge-logs/")[2] for resource in statement["Resource"]]
    for log in ("accessLogs", "connectionLogs"):
        assert balancer[log]["enabled"] is True
        assert f"{balancer[log]['prefix']}/AWSLogs/{ACCOUNT_ID}/*" in allowed
    assert balancer["accessLogs"]["prefix"] != balancer["connectionLogs"]["prefix"]


def test_the_log_bucket_is_encrypted_by_s3_itself_since_load_balancers_know_no_other_key() -> None:
    type_ = "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration"
    (rule,) = edge().only(type_).inputs["rules"]
    assert rule["applyServerSideEncryptionByDefault"]["sseAlgorithm"] == "AES256"


def test_records_of_requests_are_kept_as_long_as_the_settings_say() -> None:
    rules = edge(access_logs={"retention_days": 45}).only(
        "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration"
    )
    assert 45 in [rule["expiration"].get("days") for rule in rules.inputs["rules"] if "expiration" in rule]


def test_only_allowed_addresses_get_in_and_only_to_http_and_https() -> None:
    rules = edge(allowed_cidrs=["192.0.2.0/24", "198.51.100.0/24"]).of_type(INGRESS)
    clients = [rule.inputs for rule in rules if "cidrIpv4" in rule.inputs]
    assert sorted((rule["cidrIpv4"], rule["fromPort"], rule["toPort"]) for rule in clients) == [
        ("192.0.2.0/24", 80, 80),
        ("192.0.2.0/24", 443, 443),
        ("198.51.100.0/24", 80, 80),
        ("198.51.100.0/24", 443, 443),
    ]


def test_a_client_address_more_changes_no_rule() -> None:
    def rules(*blocks: str) -> set[tuple[str, str]]:
        found = edge(allowed_cidrs=list(blocks)).of_type(INGRESS)
        return {(rule.name, rule.inputs["cidrIpv4"]) for rule in found if "cidrIpv4" in rule.inputs}

    assert rules("198.51.100.0/24") < rules("192.0.2.0/24", "198.51.100.0/24")


def test_the_load_balancer_reaches_its_targets_and_nobody_else() -> None:
    recording = edge(backends={"ecs": ECS, "kubernetes": KUBERNETES})
    out = [rule.inputs for rule in recording.of_type(EGRESS)]
    assert {rule["securityGroupId"] for rule in out} == {"auterity-test-edge-id"}
    assert sorted((rule["referencedSecurityGroupId"], rule["fromPort"], rule["toPort"]) for rule in out) == [
        ("sg-nodes", 30080, 30080),
        ("sg-tasks", 8000, 8000),
    ]
    assert not any({"cidrIpv4", "cidrIpv6"} & set(rule) for rule in out)


def test_targets_let_the_load_balancer_in() -> None:
    recording = edge(backends={"ecs": ECS, "kubernetes": KUBERNETES})
    rules = [rule.inputs for rule in recording.of_type(INGRESS) if rule.inputs["securityGroupId"].startswith("sg-")]
    assert sorted((rule["securityGroupId"], rule["fromPort"], rule["toPort"]) for rule in rules) == [
        ("sg-nodes", 30080, 30080),
        ("sg-tasks", 8000, 8000),
    ]
    assert {rule["referencedSecurityGroupId"] for rule in rules} == {"auterity-test-edge-id"}


def test_a_certificate_is_requested_and_proven_in_the_hosted_zone() -> None:
    recording = edge()
    certificate = recording.only(CERTIFICATE)
    assert certificate.inputs["domainName"] == "api.example.com"
    assert certificate.inputs["validationMethod"] == "DNS"
    proof = recording.named("auterity-test-edge-validation-api.example.com", RECORD).inputs
    assert (proof["zoneId"], proof["name"], proof["type"]) == ("Z0123456789", "_proof.api.example.com.", "CNAME")
    assert proof["records"] == ["_value.acm-validations.aws."]


def test_the_listener_waits_for_the_certificate_to_be_issued() -> None:
    recording = edge()
    assert recording.only(VALIDATION).urn in listener(recording, 443).depends_on
    # The stand-in gives the validation what it was asked for.
    assert listener(recording, 443).inputs["certificateArn"] == recording.only(VALIDATION).inputs["certificateArn"]


def test_a_name_and_the_wildcard_below_it_are_proven_by_one_record() -> None:
    recording = edge(domain="example.com", subject_alternative_names=["*.example.com", "www.example.org"])
    assert recording.only(CERTIFICATE).inputs["subjectAlternativeNames"] == ["*.example.com", "www.example.org"]
    proofs = [record.name for record in recording.of_type(RECORD) if "-validation-" in record.name]
    assert sorted(proofs) == [
        "auterity-test-edge-validation-example.com",
        "auterity-test-edge-validation-www.example.org",
    ]


def test_the_order_of_names_moves_no_record() -> None:
    def names(*alternative: str) -> set[str]:
        return {record.name for record in edge(subject_alternative_names=list(alternative)).of_type(RECORD)}

    assert names("a.example.com", "b.example.com") == names("b.example.com", "a.example.com")


def test_every_name_points_to_the_load_balancer_once_the_firewall_is_in_front() -> None:
    recording = edge(subject_alternative_names=["www.example.com"])
    guard = recording.only("aws:wafv2/webAclAssociation:WebAclAssociation")
    aliases = [record for record in recording.of_type(RECORD) if "aliases" in record.inputs]
    assert sorted(record.inputs["name"] for record in aliases) == ["api.example.com", "www.example.com"]
    for alias in aliases:
        assert alias.inputs["type"] == "A"
        assert alias.inputs["aliases"][0]["name"] == "edge-test.elb.test"
        assert guard.urn in alias.depends_on


def test_with_a_certificate_of_their_own_users_get_no_other_and_no_record_without_a_zone() -> None:
    recording = edge(hosted_zone_id=None, certificate_arn=CERTIFICATE_ARN)
    assert recording.of_type(CERTIFICATE) == []
    assert recording.of_type(RECORD) == []
    assert listener(recording, 443).inputs["certificateArn"] == CERTIFICATE_ARN


def test_the_firewall_stands_before_the_load_balancer() -> None:
    recording = edge()
    association = recording.only("aws:wafv2/webAclAssociation:WebAclAssociation")
    assert set(association.depends_on) == {recording.only(BALANCER).urn, recording.only(ACL).urn}
    assert recording.only(ACL).inputs["scope"] == "REGIONAL"


def test_a_client_that_asks_too_often_gets_429() -> None:
    rule = acl_rules(edge(waf={"rate_limit": 500, "rate_window_seconds": 60}))["rate-limit"]
    assert rule["statement"]["rateBasedStatement"] == {
        "aggregateKeyType": "IP",
        "limit": 500,
        "evaluationWindowSec": 60,
    }
    assert rule["action"] == {"block": {"customResponse": {"responseCode": 429}}}


def test_managed_rules_block_unless_they_are_on_trial() -> None:
    rules = acl_rules(edge(waf={"count_groups": ["AWSManagedRulesSQLiRuleSet"]}))
    assert rules["AWSManagedRulesSQLiRuleSet"]["overrideAction"] == {"count": {}}
    assert rules["AWSManagedRulesCommonRuleSet"]["overrideAction"] == {"none": {}}
    assert set(rules) == {
        "rate-limit",
        "AWSManagedRulesAmazonIpReputationList",
        "AWSManagedRulesCommonRuleSet",
        "AWSManagedRulesKnownBadInputsRuleSet",
        "AWSManagedRulesSQLiRuleSet",
    }


def test_a_single_rule_of_a_group_can_be_on_trial() -> None:
    waf = {"count_rules": {"AWSManagedRulesCommonRuleSet": ["SizeRestrictions_BODY"]}}
    rule = acl_rules(edge(waf=waf))["AWSManagedRulesCommonRuleSet"]
    assert rule["statement"]["managedRuleGroupStatement"]["ruleActionOverrides"] == [
        {"name": "SizeRestrictions_BODY", "actionToUse": {"count": {}}}
    ]
    assert rule["overrideAction"] == {"none": {}}


def test_rules_are_tried_in_the_order_of_the_settings() -> None:
    groups = ["AWSManagedRulesSQLiRuleSet", "AWSManagedRulesCommonRuleSet"]
    rules = edge(waf={"managed_rules": groups}).only(ACL).inputs["rules"]
    by_priority = sorted(rules, key=lambda rule: rule["priority"])
    assert [rule["name"] for rule in by_priority] == ["rate-limit", *groups]


def test_the_firewalls_log_is_kept_under_a_key_for_a_while() -> None:
    recording = edge(waf={"log_retention_days": 30})
    group = recording.only("aws:cloudwatch/logGroup:LogGroup").inputs
    assert group["name"] == "aws-waf-logs-auterity-test"
    assert group["retentionInDays"] == 30
    assert group["kmsKeyId"].endswith("key/logs")
    (destination,) = recording.only(LOGGING).inputs["logDestinationConfigs"]
    assert destination.endswith("auterity-test-edge-waf")


def test_neither_log_nor_sample_shows_what_signs_a_client_in() -> None:
    recording = edge()
    redacted = {field["singleHeader"]["name"] for field in recording.only(LOGGING).inputs["redactedFields"]}
    assert redacted == {"authorization", "cookie"}
    protected = recording.only(ACL).inputs["dataProtectionConfig"]["dataProtections"]
    fields = [(item["field"]["fieldType"], item["field"].get("fieldKeys"), item["action"]) for item in protected]
    assert ("SINGLE_HEADER", ["authorization", "cookie"], "SUBSTITUTION") in fields
    assert ("SINGLE_COOKIE", None, "SUBSTITUTION") in fields


def test_allowed_requests_are_in_the_firewalls_log_only_on_demand() -> None:
    notable = edge().only(LOGGING).inputs["loggingFilter"]
    assert notable["defaultBehavior"] == "DROP"
    assert [c["actionCondition"]["action"] for c in notable["filters"][0]["conditions"]] == [
        "BLOCK",
        "COUNT",
        "EXCLUDED_AS_COUNT",
    ]
    assert "loggingFilter" not in edge(waf={"log_allowed": True}).only(LOGGING).inputs


def test_the_component_says_where_clients_and_alarms_find_it() -> None:
    outputs = edge(backends={"ecs": ECS, "kubernetes": KUBERNETES}).only("auterity:edge:Edge").outputs
    assert outputs is not None
    assert outputs["url"] == "https://api.example.com"
    assert outputs["dns_name"] == "edge-test.elb.test"
    assert outputs["load_balancer_arn_suffix"] == "app/edge-test/0123456789abcdef"
    assert set(outputs["target_group_arns"]) == set(outputs["target_group_arn_suffixes"]) == {"ecs", "kubernetes"}
    assert outputs["web_acl_metric"] == "auterity-test-edge"
    assert outputs["access_log_bucket"] == "auterity-test-edge-logs"
