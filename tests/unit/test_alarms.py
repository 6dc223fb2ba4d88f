"""What users rely on of alarms, and of the pool of database connections."""

from __future__ import annotations

import json
from typing import Any

import pulumi
import pulumi_aws as aws
import pytest

from components.account import AwsAccount
from components.alarms import Alarm, Alarms, AlarmsArgs, AlarmTopic, AlarmTopicArgs, Metric
from components.alarms.alarms import widgets
from components.alarms.watch import broker_alarms, cache_alarms, database_alarms, nat_alarms, proxy_alarms
from settings import AlarmsSettings, Subscription
from tests.unit.programs import shipped
from tests.unit.recording import REGION, Recording, record

ALARM = "aws:cloudwatch/metricAlarm:MetricAlarm"
CPU = Alarm("cpu", "Things", "Look here.", {"m1": Metric("AWS/RDS", "CPUUtilization", {"Id": "x"})}, 90)
SHARE = Alarm(
    "share",
    "Things",
    "Look there.",
    {"a": Metric("N", "A", {"D": "x"}, "Sum"), "b": Metric("N", "B", {"D": "x"}, "Sum")},
    5,
    "below",
    expression="100 * a / b",
)


def alarms(*watched: Alarm, **args: Any) -> Recording:
    def build() -> None:
        provider = aws.Provider("aws", region=REGION)
        Alarms(
            "auterity-test",
            AlarmsArgs(AwsAccount.of(provider, REGION), "arn:topic", watched, **args),
            pulumi.ResourceOptions(provider=provider),
        )

    return record(build)


def topic(**subscriptions: Subscription) -> Recording:
    def build() -> None:
        provider = aws.Provider("aws", region=REGION)
        AlarmTopic(
            "auterity-test",
            AlarmTopicArgs(AlarmsSettings(subscriptions=subscriptions), AwsAccount.of(provider, REGION)),
            pulumi.ResourceOptions(provider=provider),
        )

    return record(build)


def test_somebody_hears_when_an_alarm_begins_and_when_it_ends() -> None:
    inputs = alarms(CPU).only(ALARM).inputs
    assert inputs["alarmActions"] == inputs["okActions"] == ["arn:topic"]
    assert inputs["alarmDescription"] == "Look here."


def test_an_alarm_on_one_metric_watches_it() -> None:
    [query] = alarms(CPU).only(ALARM).inputs["metricQueries"]
    assert query["returnData"] is True
    assert query["metric"]["metricName"] == "CPUUtilization"


def test_an_alarm_on_a_reckoning_watches_its_result_and_nothing_else() -> None:
    queries = alarms(SHARE).only(ALARM).inputs["metricQueries"]
    assert [query["id"] for query in queries if query.get("returnData")] == ["watched"]
    assert queries[0]["expression"] == "100 * a / b"


def test_an_alarm_knows_its_bad_side() -> None:
    recording = alarms(CPU, SHARE)
    found = {a.name: a.inputs["comparisonOperator"] for a in recording.of_type(ALARM)}
    assert found == {
        "auterity-test-cpu": "GreaterThanOrEqualToThreshold",
        "auterity-test-share": "LessThanOrEqualToThreshold",
    }


def test_events_of_the_database_are_told_where_there_is_one() -> None:
    assert not alarms(CPU).of_type("aws:rds/eventSubscription:EventSubscription")
    found = alarms(CPU, database_identifier="db").only("aws:rds/eventSubscription:EventSubscription").inputs
    assert found["sourceIds"] == ["db"]
    assert "failover" in found["eventCategories"]


def test_every_alarm_is_on_the_dashboard_with_its_threshold() -> None:
    graphs = [widget for widget in widgets([CPU, SHARE], REGION) if widget["type"] == "metric"]
    shown: list[Any] = [graph["properties"] for graph in graphs]
    assert [(p["title"], p["annotations"]["horizontal"][0]["value"]) for p in shown] == [("cpu", 90), ("share", 5)]


def test_no_two_widgets_of_the_dashboard_overlap() -> None:
    taken: set[tuple[int, int]] = set()
    for widget in widgets([CPU, SHARE] * 5, REGION):
        x, y, width, height = (int(str(widget[key])) for key in ("x", "y", "width", "height"))
        cells = {(column, row) for column in range(x, x + width) for row in range(y, y + height)}
        assert not cells & taken
        taken |= cells
    assert max(column for column, _ in taken) < 24


def test_cloudwatch_may_publish_to_the_topic_and_use_its_key() -> None:
    recording = topic()
    for document in (
        recording.only("aws:sns/topicPolicy:TopicPolicy").inputs["policy"],
        recording.only("aws:kms/key:Key").inputs["policy"],
    ):
        services = {s["Principal"].get("Service") for s in json.loads(document)["Statement"]}
        assert "cloudwatch.amazonaws.com" in services
    assert recording.only("aws:sns/topic:Topic").inputs["kmsMasterKeyId"]


def test_services_publish_for_this_account_alone() -> None:
    document = json.loads(topic().only("aws:sns/topicPolicy:TopicPolicy").inputs["policy"])
    for statement in document["Statement"]:
        if "Service" in statement["Principal"]:
            assert statement["Condition"] == {"StringEquals": {"aws:SourceAccount": "123456789012"}}


def test_each_subscriber_has_a_name_of_their_own() -> None:
    recording = topic(night=Subscription(protocol="email", endpoint="night@example.com"))
    found = recording.named("auterity-test-alarms-night", "aws:sns/topicSubscription:TopicSubscription").inputs
    assert (found["protocol"], found["endpoint"]) == ("email", "night@example.com")


@pytest.mark.parametrize(("protocol", "endpoint"), [("email", "https://example.com"), ("https", "a@example.com")])
def test_a_subscription_that_does_not_fit_its_protocol_is_refused(protocol: str, endpoint: str) -> None:
    with pytest.raises(ValueError, match="endpoint"):
        Subscription.model_validate({"protocol": protocol, "endpoint": endpoint})


def test_the_storage_alarm_is_a_share_of_what_the_database_was_given() -> None:
    found = {
        a.key: a for a in database_alarms(AlarmsSettings(database_free_storage_percent=10), "db", 100, "db.r7g.large")
    }
    assert found["database-storage"].threshold == 10 * 1024**3
    assert found["database-storage"].comparison == "below"


def test_the_database_is_watched_for_transaction_ids_running_out() -> None:
    found = {a.key: a for a in database_alarms(AlarmsSettings(), "db", 100, "db.r7g.large")}
    ids = found["database-transaction-ids"]
    assert [(m.namespace, m.name, m.statistic) for m in ids.metrics.values()] == [
        ("AWS/RDS", "MaximumUsedTransactionIDs", "Maximum")
    ]
    assert (ids.threshold, ids.comparison) == (1_000_000_000, "above")


@pytest.mark.parametrize(("instance_class", "watched"), [("db.t4g.medium", True), ("db.r7g.large", False)])
def test_cpu_credits_are_watched_where_a_class_has_them(instance_class: str, watched: bool) -> None:
    found = {a.key: a for a in database_alarms(AlarmsSettings(), "db", 100, instance_class)}
    assert ("database-credits" in found) is watched


def test_the_pools_latency_is_reckoned_in_cloudwatchs_microseconds() -> None:
    borrowing, failures = proxy_alarms(AlarmsSettings(database_proxy_borrow_ms=50), "pool")
    [metric] = borrowing.metrics.values()
    assert (metric.name, metric.dimensions, borrowing.threshold) == (
        "DatabaseConnectionsBorrowLatency",
        {"ProxyName": "pool"},
        50_000,
    )
    assert [m.name for m in failures.metrics.values()] == ["DatabaseConnectionsSetupFailed"]


def test_a_cache_is_watched_for_evictions_and_its_replicas_for_lag() -> None:
    alone, replicated = (cache_alarms(AlarmsSettings(), "cache", nodes) for nodes in (1, 2))
    metrics = [{m.name for a in found for m in a.metrics.values()} for found in (alone, replicated)]
    assert metrics[0] == {"EngineCPUUtilization", "DatabaseMemoryUsagePercentage", "Evictions"}
    assert metrics[1] - metrics[0] == {"ReplicationLag"}


def test_the_broker_is_watched_for_its_cpu() -> None:
    found = {a.key: a for a in broker_alarms(AlarmsSettings(), "broker")}
    assert [m.name for m in found["queue-cpu"].metrics.values()] == ["SystemCpuUtilization"]


def test_every_node_of_the_cache_is_watched() -> None:
    keys = [alarm.key for alarm in cache_alarms(AlarmsSettings(), "cache", 3)]
    assert [key for key in keys if "cpu" in key] == [f"cache-cpu-node00{n}" for n in (1, 2, 3)]


def test_a_stack_without_nat_has_no_alarm_of_one() -> None:
    assert nat_alarms({}) == ()


def test_production_watches_each_of_its_parts() -> None:
    found = {a.name.removeprefix("auterity-prod-").split("-")[0] for a in shipped("prod").of_type(ALARM)}
    assert found == {"app", "cache", "database", "edge", "nat", "proxy", "queue", "recovery"}


def test_every_alarm_of_production_says_what_to_look_at() -> None:
    assert [a.name for a in shipped("prod").of_type(ALARM) if len(a.inputs["alarmDescription"]) < 20] == []


def test_no_two_alarms_of_production_watch_the_same() -> None:
    seen = [
        json.dumps([a.inputs.get(k) for k in ("metricQueries", "metricName", "dimensions", "threshold")])
        for a in shipped("prod").of_type(ALARM)
    ]
    assert len(set(seen)) == len(seen)


def test_tasks_reach_the_database_through_the_pool_alone_and_pods_directly_too() -> None:
    # The gateway is among them, and its user the pool does not know.
    rules = shipped("prod").of_type("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule")
    to_database = [r.name for r in rules if r.inputs["securityGroupId"] == "auterity-prod-postgres-id"]
    assert sorted(to_database) == ["auterity-prod-postgres-from-kubernetes", "auterity-prod-postgres-from-proxy"]


def test_the_pool_takes_tls_alone_and_reads_one_secret() -> None:
    recording = shipped("prod")
    proxy = recording.only("aws:rds/proxy:Proxy").inputs
    assert proxy["requireTls"] is True
    assert proxy["debugLogging"] is False
    rights = recording.named("auterity-prod-postgres-proxy", "aws:iam/rolePolicy:RolePolicy").inputs["policy"]
    [reading] = [s for s in json.loads(rights)["Statement"] if s["Sid"] == "ReadSecrets"]
    assert len(reading["Resource"]) == 1


def test_a_stack_without_the_setting_has_no_pool() -> None:
    assert not shipped("dev").of_type("aws:rds/proxy:Proxy")


def recovery_point_alarms() -> dict[str, dict[str, Any]]:
    made = shipped("prod").of_type(ALARM)
    return {each.name.removeprefix("auterity-prod-"): each.inputs for each in made if "-recovery-" in each.name}


def test_recovery_points_that_fail_or_are_missing_are_told_in_the_vault_they_belong_to() -> None:
    found = {}
    for key, inputs in recovery_point_alarms().items():
        [query] = inputs["metricQueries"]
        found[key] = (query["metric"]["metricName"], query["metric"]["dimensions"]["BackupVaultName"])
    vault, copies = "auterity-prod-recovery", "auterity-prod-recovery-copies"
    assert found == {
        "recovery-points-failed": ("NumberOfBackupJobsFailed", vault),
        "recovery-points-expired": ("NumberOfBackupJobsExpired", vault),
        "recovery-points-missing": ("NumberOfBackupJobsCompleted", vault),
        "recovery-copies-failed": ("NumberOfCopyJobsFailed", copies),
        "recovery-copies-missing": ("NumberOfCopyJobsCompleted", copies),
    }
    vaults = {each.inputs["name"] for each in shipped("prod").of_type("aws:backup/vault:Vault")}
    assert vaults == {vault, copies}


def test_silence_of_aws_backup_for_more_than_a_day_is_an_alarm() -> None:
    for key, inputs in recovery_point_alarms().items():
        hours = inputs["metricQueries"][0]["metric"]["period"] * inputs["evaluationPeriods"] / 3600
        silence = (inputs["treatMissingData"], inputs["datapointsToAlarm"] / inputs["evaluationPeriods"], hours)
        assert silence == (("breaching", 1, 27) if key.endswith("-missing") else ("notBreaching", 1, 1)), key


def test_a_stack_without_aws_backup_is_not_told_that_it_is_silent() -> None:
    assert not [each.name for each in shipped("dev").of_type(ALARM) if "-recovery-" in each.name]
