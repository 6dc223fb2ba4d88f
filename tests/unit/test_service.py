"""What users rely on of the app's service on ECS."""

from __future__ import annotations

import json
from typing import Any

import pulumi
import pulumi_aws as aws
import pytest

from components.access import WorkloadAccess, WorkloadAccessArgs
from components.account import AwsAccount
from components.ecs import EcsCluster, EcsClusterArgs
from components.iam import Statement
from components.secrets import SecretKey, SecretReference
from components.service import Destination, EcsService, EcsServiceArgs, ServedBy
from components.service.service import expect_deployed
from settings import AppSettings, EcsSettings
from tests.unit.recording import REGION, Recording, record

SERVICE = "aws:ecs/service:Service"
TASK = "aws:ecs/taskDefinition:TaskDefinition"
ALARM = "aws:cloudwatch/metricAlarm:MetricAlarm"
EGRESS = "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule"
ROLE_POLICY = "aws:iam/rolePolicy:RolePolicy"
SCALING = "aws:appautoscaling/policy:Policy"
SECRET = SecretReference(
    pulumi.Output.from_input("arn:aws:secretsmanager:us-east-1:123456789012:secret:db-AbCdEf"),
    pulumi.Output.from_input("arn:aws:kms:us-east-1:123456789012:key/secrets"),
)
SERVED = ServedBy("arn:target-group", "targetgroup/app/1", "app/edge/1")


def service(settings: dict[str, Any] | None = None, **args: Any) -> Recording:
    def build() -> None:
        provider = aws.Provider("aws", region=REGION)
        account, options = AwsAccount.of(provider, REGION), pulumi.ResourceOptions(provider=provider)
        cluster = EcsCluster("auterity-test", EcsClusterArgs(EcsSettings(), account, "arn:key"), options)
        EcsService(
            "auterity-test",
            EcsServiceArgs(
                AppSettings(**settings or {}),
                account,
                cluster,
                subnet_ids={"a": "subnet-a", "b": "subnet-b"},
                security_group_id="sg-app",
                log_key_arn="arn:key",
                image="registry.test/app:1",
                **args,
            ),
            options,
        )

    return record(build)


def the_container(recording: Recording) -> dict[str, Any]:
    [container] = json.loads(recording.only(TASK).inputs["containerDefinitions"])
    assert isinstance(container, dict)
    return container


def statements(recording: Recording, role: str) -> list[dict[str, Any]]:
    document = json.loads(recording.named(f"auterity-test-app-{role}", ROLE_POLICY).inputs["policy"])
    found: list[dict[str, Any]] = document["Statement"]
    return found


def test_the_process_is_nobody_on_a_file_system_it_cannot_write() -> None:
    container = the_container(service())
    assert container["user"] == "10001:10001"
    assert container["readonlyRootFilesystem"] is True
    assert container["privileged"] is False
    assert container["linuxParameters"]["capabilities"] == {"drop": ["ALL"]}


def test_a_task_has_the_documented_two_cores_and_four_gibibytes() -> None:
    inputs = service().only(TASK).inputs
    assert (inputs["cpu"], inputs["memory"]) == ("2048", "4096")


def test_a_secret_is_named_by_its_arn_and_key_and_stands_in_no_plain_variable() -> None:
    container = the_container(service(secrets={"DATABASE_PASSWORD": SecretKey(SECRET, "password")}))
    assert container["secrets"] == [
        {
            "name": "DATABASE_PASSWORD",
            "valueFrom": "arn:aws:secretsmanager:us-east-1:123456789012:secret:db-AbCdEf:password::",
        }
    ]
    assert "DATABASE_PASSWORD" not in {variable["name"] for variable in container["environment"]}


def test_the_execution_role_reads_exactly_the_secrets_that_the_task_names() -> None:
    found = statements(service(secrets={"DATABASE_PASSWORD": SecretKey(SECRET, "password")}), "execution")
    [reading] = [s for s in found if "secretsmanager:GetSecretValue" in s["Action"]]
    assert reading["Resource"] == ["arn:aws:secretsmanager:us-east-1:123456789012:secret:db-AbCdEf"]


def test_a_task_without_secrets_can_read_none() -> None:
    assert "secretsmanager" not in json.dumps(statements(service(), "execution"))


def test_two_variables_of_one_secret_are_one_permission() -> None:
    secrets = {"A": SecretKey(SECRET, "username"), "B": SecretKey(SECRET, "password")}
    [reading] = [s for s in statements(service(secrets=secrets), "execution") if s["Sid"] == "ReadSecrets"]
    assert len(reading["Resource"]) == 1


def test_an_image_of_the_stacks_own_registry_can_be_pulled_and_no_other() -> None:
    found = statements(service(repository_arn="arn:aws:ecr:us-east-1:123456789012:repository/app"), "execution")
    [pulling] = [s for s in found if s["Sid"] == "PullImage"]
    assert pulling["Resource"] == ["arn:aws:ecr:us-east-1:123456789012:repository/app"]


def test_an_image_of_a_public_registry_needs_no_permission() -> None:
    assert "ecr:" not in json.dumps(statements(service(), "execution"))


def test_the_app_itself_may_do_what_it_is_given() -> None:
    given = Statement(sid="UseObjects", actions=["s3:GetObject"], resources=["arn:aws:s3:::bucket/*"])
    assert [s["Sid"] for s in statements(service(permissions=[given]), "task")] == ["UseObjects"]


def test_the_app_may_do_nothing_in_aws_by_default() -> None:
    assert [r.name for r in service().of_type(ROLE_POLICY)] == ["auterity-test-app-execution"]


def test_only_ecs_of_this_account_can_take_the_roles() -> None:
    for role in service().of_type("aws:iam/role:Role"):
        [statement] = json.loads(role.inputs["assumeRolePolicy"])["Statement"]
        assert statement["Principal"] == {"Service": "ecs-tasks.amazonaws.com"}
        assert statement["Condition"]["StringEquals"] == {"aws:SourceAccount": "123456789012"}


def test_a_deployment_that_does_not_start_goes_back() -> None:
    assert service().only(SERVICE).inputs["deploymentCircuitBreaker"] == {"enable": True, "rollback": True}


def test_a_deployment_that_starts_and_then_fails_requests_goes_back() -> None:
    recording = service(served_by=SERVED)
    alarms = recording.only(SERVICE).inputs["alarms"]
    assert (alarms["enable"], alarms["rollback"]) == (True, True)
    assert sorted(alarms["alarmNames"]) == sorted(alarm.name for alarm in recording.of_type(ALARM))
    assert len(alarms["alarmNames"]) == 2


def test_the_alarms_of_a_deployment_tell_the_topic() -> None:
    for alarm in service(served_by=SERVED, alarm_topic_arn="arn:topic").of_type(ALARM):
        assert alarm.inputs["alarmActions"] == ["arn:topic"]


def test_a_service_that_no_load_balancer_reaches_has_neither_target_nor_alarm() -> None:
    recording = service()
    inputs = recording.only(SERVICE).inputs
    assert not recording.of_type(ALARM)
    assert not {"loadBalancers", "alarms", "healthCheckGracePeriodSeconds"} & set(inputs)


def test_a_rolled_back_deployment_fails_the_update() -> None:
    with pytest.raises(pulumi.RunError, match="rolled back: wanted arn:app:2, running arn:app:1"):
        expect_deployed("auterity-test", "arn:app:2", "arn:app:1")


def test_a_deployment_that_took_is_no_error() -> None:
    expect_deployed("auterity-test", "arn:app:2", "arn:app:2")


def test_the_number_of_tasks_is_the_autoscalers_after_the_start() -> None:
    found = service({"copies": 4}).only(SERVICE)
    assert found.inputs["desiredCount"] == 4
    assert found.ignore_changes == ("desiredCount",)


def test_tasks_scale_between_the_documented_bounds_at_the_documented_load() -> None:
    recording = service()
    target = recording.only("aws:appautoscaling/target:Target").inputs
    assert (target["minCapacity"], target["maxCapacity"]) == (2, 10)
    goal = recording.only(SCALING).inputs["targetTrackingScalingPolicyConfiguration"]
    assert goal["targetValue"] == 80
    assert goal["predefinedMetricSpecification"]["predefinedMetricType"] == "ECSServiceAverageCPUUtilization"


def test_requests_scale_tasks_only_where_the_setting_and_a_load_balancer_say_so() -> None:
    settings = {"scaling": {"requests_per_copy": 600}}
    assert len(service(settings).of_type(SCALING)) == 1
    found = service(settings, served_by=SERVED).named("auterity-test-app-requests", SCALING).inputs
    metric = found["targetTrackingScalingPolicyConfiguration"]["predefinedMetricSpecification"]
    assert metric["resourceLabel"] == "app/edge/1/targetgroup/app/1"


def test_tasks_have_no_public_address() -> None:
    assert service().only(SERVICE).inputs["networkConfiguration"]["assignPublicIp"] is False


def test_tasks_reach_each_store_on_its_port_and_no_other() -> None:
    recording = service(destinations={"postgres": Destination("sg-db", 5432)})
    rule = recording.only(EGRESS).inputs
    assert (rule["referencedSecurityGroupId"], rule["fromPort"], rule["toPort"]) == ("sg-db", 5432, 5432)


def test_the_service_starts_after_the_ways_to_its_stores_are_open() -> None:
    recording = service(destinations={"postgres": Destination("sg-db", 5432)})
    assert recording.only(EGRESS).urn in recording.only(SERVICE).depends_on


def test_the_service_comes_after_its_clusters_capacity_and_goes_before_it() -> None:
    recording = service()
    capacity = recording.only("aws:ecs/clusterCapacityProviders:ClusterCapacityProviders")
    assert capacity.urn in recording.only(SERVICE).depends_on


def test_services_find_the_app_by_name() -> None:
    connect = service().only(SERVICE).inputs["serviceConnectConfiguration"]
    assert connect["enabled"] is True
    [name] = connect["services"]
    assert (name["portName"], name["clientAlias"]) == ("app", [{"dnsName": "app", "port": 8000}])


def test_logs_are_kept_for_a_while_under_a_key() -> None:
    group = service({"log_retention_days": 30}).named("auterity-test-app", "aws:cloudwatch/logGroup:LogGroup").inputs
    assert (group["retentionInDays"], group["kmsKeyId"]) == (30, "arn:key")


def test_a_slow_log_service_does_not_stop_the_app() -> None:
    assert the_container(service())["logConfiguration"]["options"]["mode"] == "non-blocking"


def test_ecs_watches_the_apps_own_health_check() -> None:
    check = the_container(service({"health_command": ["app", "healthy"], "start_seconds": 30}))["healthCheck"]
    assert check["command"] == ["CMD", "app", "healthy"]
    assert check["startPeriod"] == 30


def test_no_shell_into_a_task_whose_file_system_is_read_only() -> None:
    assert service().only(SERVICE).inputs["enableExecuteCommand"] is False


def test_a_setting_cannot_overrule_where_the_database_is() -> None:
    container = the_container(service({"environment": {"APP_PORT": "1"}}, environment={"DATABASE_HOST": "db"}))
    assert {"name": "APP_PORT", "value": "8000"} in container["environment"]
    assert {"name": "DATABASE_HOST", "value": "db"} in container["environment"]


def test_the_network_identity_lets_nothing_in_and_https_out() -> None:
    def build() -> None:
        provider = aws.Provider("aws", region=REGION)
        WorkloadAccess("auterity-test", WorkloadAccessArgs("vpc-1"), pulumi.ResourceOptions(provider=provider))

    recording = record(build)
    assert not recording.of_type("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule")
    rule = recording.only(EGRESS).inputs
    assert (rule["ipProtocol"], rule["fromPort"], rule["toPort"]) == ("tcp", 443, 443)


def test_no_proxy_ends_a_request_that_the_edge_still_waits_for() -> None:
    inputs = service(idle_timeout_seconds=600).only(SERVICE).inputs
    [name] = inputs["serviceConnectConfiguration"]["services"]
    assert name["timeout"] == {"idleTimeoutSeconds": 660, "perRequestTimeoutSeconds": 0}
