"""Load balancing, services, storage, names, caches, brokers, alarms: what AWS takes and what it refuses."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import pytest

from sandbox.cloud.errors import CloudError
from tests.cloud.hands import Hands, Made, Refused
from tests.cloud.landscape import DATABASE, INSTANCE, LOG_GROUP, ROLE, SECURITY_GROUP, TRUST, subnet, vpc

BALANCER = "aws:lb/loadBalancer:LoadBalancer"
TARGETS = "aws:lb/targetGroup:TargetGroup"
LISTENER = "aws:lb/listener:Listener"
BUCKET = "aws:s3/bucket:Bucket"
BUCKET_POLICY = "aws:s3/bucketPolicy:BucketPolicy"
ENCRYPTION = "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration"
CERTIFICATE = "aws:acm/certificate:Certificate"
VALIDATION = "aws:acm/certificateValidation:CertificateValidation"
ZONE = "aws:route53/zone:Zone"
RECORD = "aws:route53/record:Record"
CLUSTER = "aws:ecs/cluster:Cluster"
TASK = "aws:ecs/taskDefinition:TaskDefinition"
SERVICE = "aws:ecs/service:Service"
CAPACITY = "aws:ecs/clusterCapacityProviders:ClusterCapacityProviders"
WEB_ACL = "aws:wafv2/webAcl:WebAcl"
TOPIC = "aws:sns/topic:Topic"
CACHE = "aws:elasticache/replicationGroup:ReplicationGroup"
BROKER = "aws:mq/broker:Broker"
SECRET = "aws:secretsmanager/secret:Secret"


@dataclass
class Edge:
    """A public load balancer in a VPC of two subnets."""

    network: Made
    subnets: list[str]
    group: Made
    balancer: Made
    targets: Made

    def listener(self, aws: Hands, **inputs: Any) -> Made:
        """Add a listener that forwards to the target group."""
        forward = {"type": "forward", "targetGroupArn": self.targets["arn"]}
        plain = {"loadBalancerArn": self.balancer["arn"], "port": 80, "protocol": "HTTP", "defaultActions": [forward]}
        return aws.create(LISTENER, f"listener-{inputs.get('port', 80)}", **{**plain, **inputs})


@pytest.fixture
def edge(aws: Hands) -> Edge:
    network = vpc(aws)
    aws.create("aws:ec2/internetGateway:InternetGateway", "igw", vpcId=network.id)
    subnets = [subnet(aws, network, zone, number).id for number, zone in enumerate("ab")]
    group = aws.create(SECURITY_GROUP, "edge", vpcId=network.id)
    balancer = aws.create(BALANCER, "edge", subnets=subnets, securityGroups=[group.id])
    check = {"path": "/healthz", "matcher": "200", "interval": 15, "timeout": 5}
    targets = aws.create(
        TARGETS, "app", port=8080, protocol="HTTP", targetType="ip", vpcId=network.id, healthCheck=check
    )
    return Edge(network, subnets, group, balancer, targets)


def unsettled(aws: Hands, *made: Made) -> list[tuple[str, Any]]:
    """List what reading resources, and asking for them again, would change."""
    found = []
    for one in made:
        now = aws.read(one)
        assert now is not None
        found += [
            (one.type, name) for name in {*one.outputs, *now.outputs} if one.outputs.get(name) != now.outputs.get(name)
        ]
        found += [(one.type, path) for path in aws.diff(now, **one.inputs).detailed_diff]
    return found


# Load balancing


def test_an_edge_settles(aws: Hands, edge: Edge) -> None:
    listener = edge.listener(aws)
    rule = aws.create(
        "aws:lb/listenerRule:ListenerRule",
        "weighted",
        listenerArn=listener["arn"],
        priority=10,
        conditions=[{"pathPattern": {"values": ["/api/*"]}}],
        actions=[{"type": "forward", "forward": {"targetGroups": [{"arn": edge.targets["arn"], "weight": 100}]}}],
    )
    assert listener["arn"].startswith("arn:aws:elasticloadbalancing:us-east-1:123456789012:listener/app/edge-")
    assert unsettled(aws, edge.balancer, edge.targets, listener, rule) == []


def test_a_load_balancer_spans_two_zones(aws: Hands) -> None:
    network = vpc(aws)
    ids = [subnet(aws, network, "a", number).id for number in (1, 2)]
    with pytest.raises(CloudError, match="At least two subnets in two different Availability Zones"):
        aws.create(BALANCER, "x", subnets=ids, internal=True)


def test_a_protected_load_balancer_is_not_deleted(aws: Hands, edge: Edge) -> None:
    protected = aws.update(edge.balancer, **{**edge.balancer.inputs, "enableDeletionProtection": True})
    with pytest.raises(CloudError, match=r"OperationNotPermitted: .* deletion protection is enabled"):
        aws.delete(protected)


def test_a_port_has_one_listener(aws: Hands, edge: Edge) -> None:
    edge.listener(aws)
    with pytest.raises(CloudError, match="DuplicateListener"):
        edge.listener(aws)


def test_a_target_group_in_use_is_not_deleted(aws: Hands, edge: Edge) -> None:
    edge.listener(aws)
    with pytest.raises(CloudError, match="ResourceInUse"):
        aws.delete(edge.targets)


def test_an_https_listener_needs_a_certificate(aws: Hands, edge: Edge) -> None:
    with pytest.raises(Refused, match="certificateArn: CertificateNotFound"):
        edge.listener(aws, port=443, protocol="HTTPS")


def test_access_logs_go_to_no_bucket_under_kms(aws: Hands, edge: Edge) -> None:
    bucket = aws.create(BUCKET, "logs", bucket="edge-logs")
    default = {"applyServerSideEncryptionByDefault": {"sseAlgorithm": "aws:kms"}}
    aws.create(ENCRYPTION, "logs", bucket=bucket.id, rules=[default])
    with pytest.raises(CloudError, match=r"Access Denied for bucket: edge-logs.*SSE-S3"):
        aws.update(edge.balancer, **{**edge.balancer.inputs, "accessLogs": {"bucket": bucket.id, "enabled": True}})


def test_access_logs_need_a_bucket_policy(aws: Hands, edge: Edge) -> None:
    bucket = aws.create(BUCKET, "logs", bucket="edge-logs")
    logs = {**edge.balancer.inputs, "accessLogs": {"bucket": bucket.id, "enabled": True}}
    with pytest.raises(CloudError, match="does not admit log delivery"):
        aws.update(edge.balancer, **logs)
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "logdelivery.elasticloadbalancing.amazonaws.com"},
        "Action": "s3:PutObject",
        "Resource": "arn:aws:s3:::edge-logs/*",
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    aws.create(BUCKET_POLICY, "logs", bucket=bucket.id, policy=policy)
    assert aws.update(edge.balancer, **logs)["accessLogs"]["bucket"] == "edge-logs"


def test_waf_logs_go_to_a_name_that_begins_as_waf_wants(aws: Hands) -> None:
    group = aws.create(LOG_GROUP, "waf", name="waf-logs")
    with pytest.raises(Refused, match="begins with aws-waf-logs-"):
        aws.create(
            "aws:wafv2/webAclLoggingConfiguration:WebAclLoggingConfiguration",
            "x",
            resourceArn="arn:aws:wafv2:us-east-1:999999999999:regional/webacl/x/y",
            logDestinationConfigs=[group["arn"]],
        )


def _rule(name: str, priority: int, **inputs: Any) -> dict[str, Any]:
    metrics = {"cloudwatchMetricsEnabled": True, "metricName": name, "sampledRequestsEnabled": True}
    return {"name": name, "priority": priority, "visibilityConfig": metrics, **inputs}


def test_a_web_acl_with_managed_rules_and_a_rate_limit_settles(aws: Hands, edge: Edge) -> None:
    managed = {"managedRuleGroupStatement": {"vendorName": "AWS", "name": "AWSManagedRulesCommonRuleSet"}}
    limit = {"rateBasedStatement": {"limit": 2000, "aggregateKeyType": "IP"}}
    acl = aws.create(
        WEB_ACL,
        "edge",
        scope="REGIONAL",
        defaultAction={"allow": {}},
        visibilityConfig={"cloudwatchMetricsEnabled": True, "metricName": "edge", "sampledRequestsEnabled": True},
        rules=[
            _rule("common", 1, statement=managed, overrideAction={"none": {}}),
            _rule("rate", 2, statement=limit, action={"block": {}}),
        ],
    )
    association = "aws:wafv2/webAclAssociation:WebAclAssociation"
    aws.create(association, "edge", webAclArn=acl["arn"], resourceArn=edge.balancer["arn"])
    assert unsettled(aws, acl) == []
    with pytest.raises(CloudError, match="WAFAssociatedItemException"):
        aws.delete(acl)


def test_two_waf_rules_of_one_priority_are_refused(aws: Hands) -> None:
    limit = {"rateBasedStatement": {"limit": 2000, "aggregateKeyType": "IP"}}
    rules = [_rule(name, 1, statement=limit, action={"block": {}}) for name in ("a", "b")]
    visible = {"cloudwatchMetricsEnabled": True, "metricName": "x", "sampledRequestsEnabled": True}
    with pytest.raises(Refused, match=r"rules\[1\]\.priority: priority 1 is taken"):
        aws.create(WEB_ACL, "x", scope="REGIONAL", defaultAction={"allow": {}}, visibilityConfig=visible, rules=rules)


# Certificates and names


def test_a_certificate_is_issued_once_its_records_exist(aws: Hands, edge: Edge) -> None:
    zone = aws.create(ZONE, "zone", name="example.org")
    certificate = aws.create(CERTIFICATE, "app", domainName="app.example.org", validationMethod="DNS")
    secure = {"port": 443, "protocol": "HTTPS", "certificateArn": certificate["arn"]}
    with pytest.raises(CloudError, match="UnsupportedCertificate"):
        edge.listener(aws, **secure)
    with pytest.raises(CloudError, match="last state: 'PENDING_VALIDATION'"):
        aws.create(VALIDATION, "app", certificateArn=certificate["arn"])
    option = certificate["domainValidationOptions"][0]
    aws.create(
        RECORD,
        "validation",
        zoneId=zone.id,
        name=option["resourceRecordName"],
        type=option["resourceRecordType"],
        records=[option["resourceRecordValue"]],
        ttl=60,
    )
    aws.create(VALIDATION, "app", certificateArn=certificate["arn"])
    assert unsettled(aws, zone, certificate, edge.listener(aws, **secure)) == []


def test_a_record_exists_once(aws: Hands) -> None:
    zone = aws.create(ZONE, "zone", name="example.org")
    record = {"zoneId": zone.id, "name": "app.example.org", "type": "A", "records": ["192.0.2.1"], "ttl": 60}
    assert aws.create(RECORD, "first", **record)["fqdn"] == "app.example.org"
    with pytest.raises(CloudError, match="InvalidChangeBatch"):
        aws.create(RECORD, "second", **record)


def test_a_zone_with_records_is_not_deleted(aws: Hands) -> None:
    zone = aws.create(ZONE, "zone", name="example.org")
    aws.create(RECORD, "r", zoneId=zone.id, name="app", type="A", records=["192.0.2.1"], ttl=60)
    with pytest.raises(CloudError, match="HostedZoneNotEmpty"):
        aws.delete(zone)


# Containers


CONTAINER = {
    "name": "app",
    "image": "registry.example/app:1.0",
    "essential": True,
    "portMappings": [{"name": "http", "containerPort": 8080, "protocol": "tcp"}],
    "readonlyRootFilesystem": True,
    "user": "10001",
}


def _task(aws: Hands, *containers: dict[str, Any], **inputs: Any) -> Made:
    fargate = {"requiresCompatibilities": ["FARGATE"], "networkMode": "awsvpc", "cpu": "2048", "memory": "4096"}
    definitions = json.dumps(containers or (CONTAINER,))
    return aws.create(TASK, "app", **{"family": "app", "containerDefinitions": definitions, **fargate, **inputs})


def _capacity(aws: Hands) -> Made:
    return aws.create(CAPACITY, "main", clusterName="main", capacityProviders=["FARGATE"])


def _service(aws: Hands, edge: Edge, task: Made, **inputs: Any) -> Made:
    cluster = aws.create(CLUSTER, "main", name="main")
    _capacity(aws)
    network = {"subnets": edge.subnets, "securityGroups": [edge.group.id]}
    target = {"targetGroupArn": edge.targets["arn"], "containerName": "app", "containerPort": 8080}
    plain = {
        "cluster": cluster["arn"],
        "taskDefinition": task["arn"],
        "desiredCount": 2,
        "networkConfiguration": network,
        "loadBalancers": [target],
        "capacityProviderStrategies": [{"capacityProvider": "FARGATE", "weight": 1}],
        "deploymentCircuitBreaker": {"enable": True, "rollback": True},
    }
    return aws.create(SERVICE, "app", **{**plain, **inputs})


def test_a_service_behind_a_load_balancer_settles(aws: Hands, edge: Edge) -> None:
    edge.listener(aws)
    task = _task(aws)
    service = _service(aws, edge, task)
    name = service["arn"].rpartition(":")[2]
    target = {"serviceNamespace": "ecs", "resourceId": name, "scalableDimension": "ecs:service:DesiredCount"}
    scaled = aws.create("aws:appautoscaling/target:Target", "app", minCapacity=2, maxCapacity=10, **target)
    policy = aws.create(
        "aws:appautoscaling/policy:Policy",
        "cpu",
        policyType="TargetTrackingScaling",
        targetTrackingScalingPolicyConfiguration={
            "targetValue": 80,
            "predefinedMetricSpecification": {"predefinedMetricType": "ECSServiceAverageCPUUtilization"},
        },
        **target,
    )
    assert unsettled(aws, task, service, scaled, policy) == []


def test_a_service_waits_for_its_target_groups_listener(aws: Hands, edge: Edge) -> None:
    with pytest.raises(CloudError, match="does not have an associated load balancer"):
        _service(aws, edge, _task(aws))


def test_a_service_names_a_container_of_its_task(aws: Hands, edge: Edge) -> None:
    edge.listener(aws)
    target = {"targetGroupArn": edge.targets["arn"], "containerName": "web", "containerPort": 8080}
    with pytest.raises(CloudError, match="The container web does not exist in the task definition"):
        _service(aws, edge, _task(aws), loadBalancers=[target])


def test_a_service_uses_its_clusters_capacity(aws: Hands, edge: Edge) -> None:
    edge.listener(aws)
    with pytest.raises(CloudError, match="not associated with the cluster: FARGATE_SPOT"):
        _service(aws, edge, _task(aws), capacityProviderStrategies=[{"capacityProvider": "FARGATE_SPOT", "weight": 1}])


def test_capacity_that_a_service_uses_cannot_be_taken_from_its_cluster(aws: Hands, edge: Edge) -> None:
    edge.listener(aws)
    service, capacity = _service(aws, edge, _task(aws)), _capacity(aws)
    with pytest.raises(CloudError, match="ResourceInUseException: The specified capacity provider is in use"):
        aws.update(capacity, clusterName="main", capacityProviders=["FARGATE_SPOT"])
    with pytest.raises(CloudError, match="ResourceInUseException: The specified capacity provider is in use"):
        aws.delete(capacity)
    aws.delete(service)
    aws.delete(capacity)
    assert aws.read(capacity) is None


def test_a_changed_task_is_a_new_revision_beside_the_old(aws: Hands) -> None:
    first = _task(aws)
    second = _task(aws, {**CONTAINER, "image": "registry.example/app:1.1"})
    assert (first["revision"], second["revision"]) == (1, 2)
    aws.delete(first)
    assert aws.read(first) is None
    assert aws.read(second) is not None


@pytest.mark.parametrize(
    ("inputs", "property"),
    [
        ({"cpu": "2048", "memory": "1024"}, "memory"),
        ({"networkMode": "bridge"}, "networkMode"),
        ({"containerDefinitions": "not JSON"}, "containerDefinitions"),
        ({"containerDefinitions": json.dumps([{**CONTAINER, "imagePull": "x"}])}, "containerDefinitions"),
        ({"containerDefinitions": json.dumps([{**CONTAINER, "essential": False}])}, "containerDefinitions"),
    ],
)
def test_a_task_that_fargate_would_refuse_is_refused(aws: Hands, inputs: dict[str, Any], property: str) -> None:
    with pytest.raises(Refused) as refused:
        _task(aws, **inputs)
    assert any(path == property or property in reason for path, reason in refused.value.failures.items())


# Storage


def test_a_buckets_name_is_taken_in_every_region(aws: Hands) -> None:
    aws.create(BUCKET, "here", bucket="auterity-backups")
    with pytest.raises(CloudError, match="BucketAlreadyOwnedByYou"):
        aws.create(BUCKET, "there", bucket="auterity-backups", region="us-west-2")


def test_a_public_policy_is_blocked_where_public_policies_are(aws: Hands) -> None:
    bucket = aws.create(BUCKET, "b", bucket="auterity-data")
    aws.create("aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock", "b", bucket=bucket.id, blockPublicPolicy=True)
    statement = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": f"{bucket['arn']}/*"}
    with pytest.raises(CloudError, match=r"AccessDenied: .*BlockPublicPolicy"):
        aws.create(
            BUCKET_POLICY, "b", bucket=bucket.id, policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        )


def test_a_bucket_with_its_settings_settles(aws: Hands) -> None:
    bucket = aws.create(BUCKET, "b", bucket="auterity-data")
    versions = aws.create(
        "aws:s3/bucketVersioning:BucketVersioning",
        "b",
        bucket=bucket.id,
        versioningConfiguration={"status": "Enabled"},
    )
    rule = {"id": "old", "status": "Enabled", "filter": {}, "noncurrentVersionExpiration": {"noncurrentDays": 30}}
    lifecycle = aws.create(
        "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration", "b", bucket=bucket.id, rules=[rule]
    )
    assert unsettled(aws, bucket, versions, lifecycle) == []


def test_a_lifecycle_rule_that_does_nothing_is_refused(aws: Hands) -> None:
    with pytest.raises(Refused, match=r"rules\[0\]: at least one of"):
        aws.create(
            "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration",
            "b",
            bucket="auterity-data",
            rules=[{"id": "idle", "status": "Enabled"}],
        )


def test_a_policy_for_a_bucket_that_does_not_exist_is_refused(aws: Hands) -> None:
    statement = {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "arn:aws:s3:::nowhere/*"}
    with pytest.raises(CloudError, match="NoSuchBucket"):
        aws.create(
            BUCKET_POLICY, "b", bucket="nowhere", policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        )


# Caches, brokers, secrets, topics and alarms


def test_a_cache_node_type_that_does_not_exist_is_refused(aws: Hands) -> None:
    with pytest.raises(Refused, match="nodeType: InvalidParameterValue"):
        aws.create(CACHE, "c", description="cache", engine="valkey", engineVersion="8.0", nodeType="cache.huge")


def test_a_cache_spread_over_zones_has_a_replica(aws: Hands) -> None:
    with pytest.raises(Refused, match="numCacheClusters: must be at least 2"):
        aws.create(
            CACHE,
            "c",
            description="cache",
            nodeType="cache.t4g.small",
            automaticFailoverEnabled=True,
            numCacheClusters=1,
        )


def test_a_user_group_of_redis_needs_the_default_user(aws: Hands) -> None:
    user = aws.create(
        "aws:elasticache/user:User",
        "app",
        userId="app",
        userName="app",
        engine="redis",
        accessString="on ~* +@all",
        passwords=["a-password-of-some-length"],
    )
    with pytest.raises(CloudError, match="DefaultUserRequired"):
        aws.create("aws:elasticache/userGroup:UserGroup", "g", engine="redis", userGroupId="g", userIds=[user.id])


BROKER_INPUTS: dict[str, Any] = {
    "engineType": "RabbitMQ",
    "engineVersion": "4.2",
    "hostInstanceType": "mq.m7g.large",
    "deploymentMode": "CLUSTER_MULTI_AZ",
    "autoMinorVersionUpgrade": True,
    "users": [{"username": "auterity", "password": "a-password-of-some-length"}],
}


@pytest.mark.parametrize(
    ("inputs", "property"),
    [
        ({"hostInstanceType": "mq.m99.large"}, "hostInstanceType"),
        ({"users": [{"username": "auterity", "password": "short"}]}, "users[0].password"),
        (
            {
                "deploymentMode": "SINGLE_INSTANCE",
                "subnetIds": ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"],
            },
            "subnetIds",
        ),
        ({"autoMinorVersionUpgrade": False}, "autoMinorVersionUpgrade"),
    ],
)
def test_a_broker_that_mq_would_refuse_is_refused(aws: Hands, inputs: dict[str, Any], property: str) -> None:
    with pytest.raises(Refused) as refused:
        aws.create(BROKER, "b", **{**BROKER_INPUTS, **inputs})
    assert list(refused.value.failures) == [property]


def test_a_broker_has_an_endpoint(aws: Hands) -> None:
    made = aws.create(BROKER, "b", **BROKER_INPUTS)
    assert made["instances"][0]["endpoints"][0].startswith(f"amqps://{made.id}.mq.us-east-1.on.aws:5671")


def test_a_secrets_value_is_replaced_not_changed(aws: Hands) -> None:
    secret = aws.create(SECRET, "s", name="auterity/app")
    version = aws.create("aws:secretsmanager/secretVersion:SecretVersion", "s", secretId=secret.id, secretString="one")
    assert aws.diff(version, secretId=secret.id, secretString="two").replaces == ["secretString"]


def test_a_subscription_needs_an_address_of_its_protocol(aws: Hands) -> None:
    topic = aws.create(TOPIC, "alarms")
    with pytest.raises(Refused, match="endpoint: InvalidParameter"):
        aws.create(
            "aws:sns/topicSubscription:TopicSubscription", "x", topic=topic["arn"], protocol="email", endpoint="nobody"
        )


def test_an_alarm_settles_and_points_to_a_topic_that_exists(aws: Hands) -> None:
    topic = aws.create(TOPIC, "alarms")
    inputs = {
        "comparisonOperator": "GreaterThanThreshold",
        "evaluationPeriods": 3,
        "metricName": "CPUUtilization",
        "namespace": "AWS/RDS",
        "period": 60,
        "statistic": "Average",
        "threshold": 80,
        "dimensions": {"DBInstanceIdentifier": "main"},
    }
    alarm = "aws:cloudwatch/metricAlarm:MetricAlarm"
    assert unsettled(aws, topic, aws.create(alarm, "cpu", alarmActions=[topic["arn"]], **inputs)) == []
    with pytest.raises(CloudError, match="NotFound: Topic does not exist"):
        aws.create(alarm, "other", alarmActions=["arn:aws:sns:us-east-1:123456789012:nowhere"], **inputs)


def test_a_composite_alarm_names_alarms_that_exist(aws: Hands) -> None:
    with pytest.raises(CloudError, match=r"Could not find alarms \[cpu\]"):
        aws.create("aws:cloudwatch/compositeAlarm:CompositeAlarm", "c", alarmName="all", alarmRule='ALARM("cpu")')


def test_a_dashboard_that_is_not_json_is_refused(aws: Hands) -> None:
    with pytest.raises(Refused, match="dashboardBody: InvalidParameterInput"):
        aws.create("aws:cloudwatch/dashboard:Dashboard", "d", dashboardName="main", dashboardBody="widgets")


def test_a_proxy_before_a_database_settles(aws: Hands) -> None:
    network = vpc(aws)
    subnets = [subnet(aws, network, zone, number).id for number, zone in enumerate("ab")]
    group = aws.create("aws:rds/subnetGroup:SubnetGroup", "main", subnetIds=subnets)
    main = aws.create(INSTANCE, "main", **DATABASE, dbSubnetGroupName=group["name"])
    role = aws.create(ROLE, "proxy", assumeRolePolicy=TRUST)
    proxy = aws.create(
        "aws:rds/proxy:Proxy",
        "main",
        engineFamily="POSTGRESQL",
        roleArn=role["arn"],
        vpcSubnetIds=subnets,
        auths=[
            {"authScheme": "SECRETS", "iamAuth": "REQUIRED", "secretArn": main["masterUserSecrets"][0]["secretArn"]}
        ],
    )
    pool = aws.create(
        "aws:rds/proxyDefaultTargetGroup:ProxyDefaultTargetGroup",
        "main",
        dbProxyName=proxy["name"],
        connectionPoolConfig={"maxConnectionsPercent": 90},
    )
    target = aws.create(
        "aws:rds/proxyTarget:ProxyTarget",
        "main",
        dbProxyName=proxy["name"],
        targetGroupName=pool["name"],
        dbInstanceIdentifier=main["identifier"],
    )
    assert unsettled(aws, proxy, pool, target) == []
    assert target["endpoint"] == main["address"]
