"""What users rely on of what watches the platform."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml

from components.observability.names import NAMESPACE, NODES_NAMESPACE, PUSHGATEWAY
from settings import SettingsError, load
from tests.unit.programs import STACKS, files_of, object_of, run_program, shipped, stack_config
from tests.unit.recording import Recorded, Recording

SECRET = "kubernetes:core/v1:Secret"
SPACE = "kubernetes:core/v1:Namespace"
SET = "kubernetes:apps/v1:StatefulSet"
DAEMON_SET = "kubernetes:apps/v1:DaemonSet"
DEPLOYMENT = "kubernetes:apps/v1:Deployment"
BUCKET = "aws:s3/bucket:Bucket"
ROLE_POLICY = "aws:iam/rolePolicy:RolePolicy"
ROLES = ("kubernetes:rbac.authorization.k8s.io/v1:ClusterRole", "kubernetes:rbac.authorization.k8s.io/v1:Role")
WATCHING = (NAMESPACE, NODES_NAMESPACE)


def workloads(recording: Recording) -> list[Recorded]:
    found = [each for kind in (SET, DAEMON_SET, DEPLOYMENT) for each in recording.of_type(kind)]
    return [each for each in found if each.inputs["metadata"]["namespace"] in WATCHING]


def container(workload: Recorded) -> dict[str, Any]:
    [only] = workload.inputs["spec"]["template"]["spec"]["containers"]
    return dict(only)


def task_search(stack: str) -> dict[str, Any]:
    configuration = yaml.safe_load(files_of(shipped(stack), "auterity-prometheus")["prometheus.yml"])
    [job] = [each for each in configuration["scrape_configs"] if each["job_name"] == "tasks"]
    assert {"target_label": "job", "replacement": "auterity-app"} in job["relabel_configs"]
    [found] = job["aws_sd_configs"]
    return dict(found)


def problems(stack: str, **changes: Any) -> list[str]:
    """Change the section, and return what is said against it."""
    config = stack_config(stack)
    section = {**json.loads(config["auterity:observability"]), **changes}
    with pytest.raises(SettingsError) as raised:
        load({**config, "auterity:observability": json.dumps(section)})
    return [line.removeprefix("auterity:observability.") for line in raised.value.lines]


@pytest.mark.parametrize("stack", STACKS)
def test_every_part_of_it_runs(stack: str) -> None:
    assert {each.inputs["metadata"]["name"] for each in workloads(shipped(stack))} - {PUSHGATEWAY} == {
        f"auterity-{name}"
        for name in ("alertmanager", "alloy", "grafana", "kube-state-metrics", "loki", "node-exporter", "prometheus")
    }


def test_figures_of_backups_are_kept_for_prometheus_and_survive_a_restart() -> None:
    server = object_of(shipped("prod"), SET, PUSHGATEWAY)
    [mount] = container(server)["volumeMounts"]
    assert any(
        argument.startswith(f"--persistence.file={mount['mountPath']}/") for argument in container(server)["args"]
    )
    [volume] = server.inputs["spec"]["volumeClaimTemplates"]
    assert mount["name"] == volume["metadata"]["name"]


def test_pushed_figures_keep_the_labels_of_the_job_that_pushed_them() -> None:
    configuration = yaml.safe_load(files_of(shipped("prod"), "auterity-prometheus")["prometheus.yml"])
    jobs = {each["job_name"]: each for each in configuration["scrape_configs"]}
    assert jobs[PUSHGATEWAY]["honor_labels"] is True
    drop = {"action": "drop", "source_labels": ["__meta_kubernetes_pod_label_app_kubernetes_io_name"]}
    assert {**drop, "regex": PUSHGATEWAY} in jobs["pods"]["relabel_configs"]


@pytest.mark.parametrize("stack", ["dev", "prod"])
def test_the_apps_tasks_on_ecs_are_watched_as_more_copies_of_it(stack: str) -> None:
    found = task_search(stack)
    assert (found["role"], found["port"]) == ("ecs", 8000)
    [arn] = found["clusters"]
    assert f"auterity-{stack}-ecs" in arn


def test_without_tasks_prometheus_asks_no_cloud() -> None:
    assert "aws_sd_configs" not in files_of(shipped("local"), "auterity-prometheus")["prometheus.yml"]
    config = {key: value for key, value in stack_config("dev").items() if key != "auterity:ecs"}
    recording = run_program("dev", config)
    assert "aws_sd_configs" not in files_of(recording, "auterity-prometheus")["prometheus.yml"]
    assert "auterity-dev-prometheus" not in {each.name for each in recording.of_type(ROLE_POLICY)}


def test_what_finds_tasks_may_only_look_and_only_at_their_cluster() -> None:
    policy = json.loads(shipped("prod").named("auterity-prod-prometheus", ROLE_POLICY).inputs["policy"])
    [arn] = task_search("prod")["clusters"]
    for statement in policy["Statement"]:
        assert all(action.partition(":")[2].startswith(("Describe", "List")) for action in statement["Action"])
        if statement["Resource"] == ["*"] and statement["Action"] != ["ec2:DescribeNetworkInterfaces"]:
            assert statement["Condition"] == {"ArnEquals": {"ecs:cluster": arn}}


def test_tasks_let_the_cluster_in_at_the_port_of_their_figures_alone() -> None:
    rule = shipped("prod").named("auterity-prod-app-from-prometheus").inputs
    assert (rule["fromPort"], rule["toPort"]) == (8000, 8000)


def test_jobs_push_their_figures_to_it() -> None:
    plan = json.loads(files_of(shipped("prod"), "auterity-backup")["plan.yaml"])
    assert plan["metrics"] == {"push_url": f"http://{PUSHGATEWAY}-ready.{NAMESPACE}.svc:9091"}


def test_without_backups_nothing_waits_for_figures_to_be_pushed() -> None:
    assert PUSHGATEWAY not in {each.inputs["metadata"]["name"] for each in workloads(shipped("local"))}


def test_without_the_section_nothing_watches() -> None:
    config = {key: value for key, value in stack_config("local").items() if key != "auterity:observability"}
    recording = run_program("local", config)
    assert {each.inputs["metadata"]["name"] for each in recording.of_type(SPACE)} == {"auterity"}
    assert not recording.of_type(DAEMON_SET)


@pytest.mark.parametrize("stack", STACKS)
def test_only_what_reads_files_of_the_nodes_is_where_they_may_be_read(stack: str) -> None:
    recording = shipped(stack)
    levels = {
        each.inputs["metadata"]["name"]: each.inputs["metadata"]["labels"]["pod-security.kubernetes.io/enforce"]
        for each in recording.of_type(SPACE)
    }
    assert levels == {"auterity": "restricted", NAMESPACE: "restricted", NODES_NAMESPACE: "privileged"}
    there = [each for each in workloads(recording) if each.inputs["metadata"]["namespace"] == NODES_NAMESPACE]
    assert [each.inputs["metadata"]["name"] for each in there] == ["auterity-node-exporter"]


@pytest.mark.parametrize("stack", STACKS)
def test_even_what_reads_the_nodes_is_not_root_and_changes_nothing(stack: str) -> None:
    exporter = object_of(shipped(stack), DAEMON_SET, "auterity-node-exporter")
    pod = exporter.inputs["spec"]["template"]["spec"]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert not {"hostNetwork", "hostPID", "hostIPC"} & set(pod)
    [mount] = container(exporter)["volumeMounts"]
    assert mount["readOnly"] is True
    assert container(exporter)["securityContext"]["capabilities"] == {"drop": ["ALL"]}


@pytest.mark.parametrize("stack", STACKS)
def test_nothing_that_watches_may_change_anything_or_read_a_secret(stack: str) -> None:
    roles = [each for kind in ROLES for each in shipped(stack).of_type(kind)]
    assert len(roles) == 5
    for role in roles:
        for rule in role.inputs["rules"]:
            assert set(rule["verbs"]) <= {"get", "list", "watch"}, role.name
            assert not {"*", "secrets", "nodes/proxy"} & set(rule.get("resources") or ()), role.name


@pytest.mark.parametrize("stack", STACKS)
def test_the_password_of_grafana_is_a_file_of_a_secret(stack: str) -> None:
    grafana = container(object_of(shipped(stack), SET, "auterity-grafana"))
    variables = {each["name"]: each["value"] for each in grafana["env"]}
    assert variables["GF_SECURITY_ADMIN_PASSWORD__FILE"] == "/run/grafana-login/password"
    assert "GF_SECURITY_ADMIN_PASSWORD" not in variables
    assert variables["GF_AUTH_ANONYMOUS_ENABLED"] == variables["GF_USERS_ALLOW_SIGN_UP"] == "false"
    assert "password" in object_of(shipped(stack), SECRET, "auterity-grafana-login").inputs["stringData"]


@pytest.mark.parametrize("stack", STACKS)
def test_samples_never_fill_the_volume(stack: str) -> None:
    """By the size that the volume really has: a new size may not be there yet."""
    configuration = yaml.safe_load(files_of(shipped(stack), "auterity-prometheus")["prometheus.yml"])
    assert configuration["storage"]["tsdb"]["retention"]["percentage"] <= 80
    server = container(object_of(shipped(stack), SET, "auterity-prometheus"))
    assert [flag for flag in server["args"] if "retention" in flag] == []


def test_memory_of_prometheus_follows_the_series_that_it_is_to_hold() -> None:
    def memory(stack: str) -> int:
        limits = container(object_of(shipped(stack), SET, "auterity-prometheus"))["resources"]["limits"]
        return int(limits["memory"].removesuffix("Mi"))

    assert memory("local") < memory("dev") < memory("prod")


def test_members_of_alertmanagers_cluster_know_each_other_and_one_alone_asks_nobody() -> None:
    flags = container(object_of(shipped("prod"), SET, "auterity-alertmanager"))["args"]
    assert [flag for flag in flags if flag.startswith("--cluster.peer=")] == [
        f"--cluster.peer=auterity-alertmanager-{number}.auterity-alertmanager.$(POD_NAMESPACE).svc:9094"
        for number in range(3)
    ]
    assert "--cluster.listen-address=" in container(object_of(shipped("local"), SET, "auterity-alertmanager"))["args"]


def test_logs_are_kept_on_s3_in_prod_alone() -> None:
    def store(stack: str) -> str:
        configuration = files_of(shipped(stack), "auterity-loki")["loki.yaml"]
        return str(yaml.safe_load(configuration)["schema_config"]["configs"][0]["object_store"])

    assert [store(stack) for stack in STACKS] == ["filesystem", "filesystem", "s3"]
    assert [bool([b for b in shipped(s).of_type(BUCKET) if b.name.endswith("-loki")]) for s in STACKS] == [
        False,
        False,
        True,
    ]


@pytest.mark.parametrize("stack", STACKS)
def test_lines_are_kept_as_long_as_the_setting_says(stack: str) -> None:
    loki = yaml.safe_load(files_of(shipped(stack), "auterity-loki")["loki.yaml"])
    days = json.loads(stack_config(stack)["auterity:observability"])["logs"]["retention_days"]
    assert loki["limits_config"]["retention_period"] == f"{days * 24}h"
    assert loki["compactor"]["retention_enabled"] is True
    assert loki["auth_enabled"] is True


def test_a_kubelets_certificate_is_trusted_only_where_the_cluster_signs_it() -> None:
    def connection(stack: str) -> dict[str, Any]:
        text = files_of(shipped(stack), "auterity-prometheus")["prometheus.yml"]
        [kubelet] = [each for each in yaml.safe_load(text)["scrape_configs"] if each["job_name"] == "kubelet"]
        return dict(kubelet["tls_config"])

    assert "insecure_skip_verify" not in connection("prod")
    assert connection("local") == {"insecure_skip_verify": True}


def test_what_is_secret_of_a_receiver_is_a_file_that_people_make() -> None:
    pod = object_of(shipped("prod"), SET, "auterity-alertmanager").inputs["spec"]["template"]["spec"]
    [volume] = [each for each in pod["volumes"] if each["name"] == "secrets"]
    assert volume["secret"] == {"secretName": "receivers", "defaultMode": 0o440, "optional": True}
    text = files_of(shipped("prod"), "auterity-alertmanager")["alertmanager.yml"]
    assert "routing_key_file" in text
    assert "routing_key:" not in text


def test_an_objective_that_the_histogram_cannot_answer_is_refused() -> None:
    [line] = problems("local", objectives={"latency_seconds": 0.3})
    assert line.startswith("objectives.latency_seconds: 0.3 given; allowed: one of 0.005, 0.01,")


def test_a_receiver_that_nobody_made_is_refused() -> None:
    [line] = problems("local", alerting={"copies": 1, "critical": "nobody-there"})
    assert line == 'alerting.critical: "nobody-there" given; allowed: a name in receivers (none is there)'


def test_a_receiver_has_exactly_one_way() -> None:
    both = {"email": "a@example.com", "webhook": "https://example.com/hook"}
    lines = problems("local", alerting={"copies": 1, "receivers": {"team": both}, "critical": "team"})
    wanted = "exactly one of webhook, email, slack, pagerduty"
    assert lines == [f'alerting.receivers.team: ["webhook", "email"] given; allowed: {wanted}']


def test_whoever_waits_for_the_watchdog_hears_of_nothing_else() -> None:
    receivers = {"team": {"webhook": "https://example.com/hook"}}
    [line] = problems("local", alerting={"copies": 1, "receivers": receivers, "critical": "team", "watchdog": "team"})
    assert line.startswith('alerting.watchdog: "team" given; allowed: a receiver of its own')


def test_several_log_servers_need_a_store_that_they_share() -> None:
    [line] = problems("local", logs={"copies": 3})
    assert line.startswith("logs.object_storage: false given; allowed: true with more than one copy")


def test_prod_tells_people_and_is_missed_when_it_falls_silent() -> None:
    lines = problems("prod", alerting={"copies": 2})
    assert [line.partition(":")[0] for line in lines] == ["alerting.critical", "alerting.watchdog"]
