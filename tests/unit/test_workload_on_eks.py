"""What users rely on of the workload in a cluster on EKS: its rights in AWS, its passwords, and the way in."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.unit.programs import shipped, with_section
from tests.unit.recording import Recorded

CLASS = "kubernetes:secrets-store.csi.x-k8s.io/v1:SecretProviderClass"
DEPLOYMENT = "kubernetes:apps/v1:Deployment"
POLICY = "kubernetes:networking.k8s.io/v1:NetworkPolicy"
STACKS_ON_AWS = ("dev", "prod")


def app(stack: str) -> dict[str, Any]:
    found = shipped(stack).named(f"auterity-{stack}-app", DEPLOYMENT)
    spec: dict[str, Any] = found.inputs["spec"]["template"]["spec"]
    return spec


def environment(stack: str) -> dict[str, str]:
    data: dict[str, str] = shipped(stack).named(f"auterity-{stack}-app", "kubernetes:core/v1:ConfigMap").inputs["data"]
    return data


def policy(stack: str, name: str) -> Recorded:
    return shipped(stack).named(f"auterity-{stack}-auterity-{name}", POLICY)


def statements(stack: str, whose: str) -> list[dict[str, Any]]:
    found = shipped(stack).named(f"auterity-{stack}-{whose}", "aws:iam/rolePolicy:RolePolicy")
    stated: list[dict[str, Any]] = json.loads(found.inputs["policy"])["Statement"]
    return stated


def test_a_rotated_password_reaches_the_app_as_a_file_and_through_nobody_else() -> None:
    [volume] = [v for v in app("prod")["volumes"] if v["name"] == "aws"]
    assert volume["csi"]["volumeAttributes"] == {"secretProviderClass": "auterity-app"}
    for variable in ("DATABASE_PASSWORD", "REDIS_PASSWORD", "RABBITMQ_PASSWORD"):
        assert environment("prod")[f"{variable}_FILE"] == f"/run/secrets/auterity/aws/{variable}"
        assert variable not in environment("prod")


def test_each_file_holds_one_key_of_one_secret() -> None:
    found = shipped("prod").named("auterity-prod-app-secrets", CLASS).inputs["spec"]["parameters"]
    objects = json.loads(found["objects"])
    files = {path["objectAlias"]: path["path"] for each in objects for path in each["jmesPath"]}
    assert files == {"DATABASE_PASSWORD": "password", "REDIS_PASSWORD": "password", "RABBITMQ_PASSWORD": "password"}
    assert found["usePodIdentity"] == "true"


def test_the_app_may_read_its_secrets_and_its_bucket_and_nothing_else() -> None:
    actions = {action for s in statements("prod", "app-pods") for action in s["Action"]}
    assert {action.split(":")[0] for action in actions} == {"secretsmanager", "kms", "s3"}
    assert not [s for s in statements("prod", "app-pods") if "*" in s["Resource"]]


def test_a_role_is_for_the_pods_of_one_account_in_this_cluster_alone() -> None:
    [association] = [
        r.inputs
        for r in shipped("prod").of_type("aws:eks/podIdentityAssociation:PodIdentityAssociation")
        if r.name == "auterity-prod-app-pods"
    ]
    assert (association["namespace"], association["serviceAccount"]) == ("auterity", "auterity-app")
    trust = shipped("prod").named("auterity-prod-app-pods", "aws:iam/role:Role").inputs["assumeRolePolicy"]
    [statement] = json.loads(trust)["Statement"]
    assert statement["Principal"] == {"Service": "pods.eks.amazonaws.com"}
    assert statement["Condition"]["ArnEquals"]["aws:SourceArn"].endswith("cluster/auterity-prod")


def test_pods_start_after_their_rights_and_the_network_policies_stand() -> None:
    recording = shipped("prod")
    deployment = recording.named("auterity-prod-app", DEPLOYMENT)
    association = recording.named("auterity-prod-app-pods", "aws:eks/podIdentityAssociation:PodIdentityAssociation")
    assert association.urn in deployment.depends_on
    enforced = recording.named("auterity-prod-network-policies", "kubernetes:core/v1:ConfigMap")
    assert enforced.inputs["data"] == {"enable-network-policy-controller": "true"}
    namespace = recording.named("auterity-prod-auterity", "kubernetes:core/v1:Namespace")
    assert enforced.urn in namespace.depends_on


@pytest.mark.parametrize("stack", STACKS_ON_AWS)
def test_the_edge_sends_requests_to_the_gateways_pods_by_the_weight_of_the_settings(stack: str) -> None:
    recording = shipped(stack)
    binding = recording.only("kubernetes:eks.amazonaws.com/v1:TargetGroupBinding").inputs["spec"]
    assert binding["serviceRef"] == {"name": "auterity-gateway", "port": 8000}
    group = recording.named(f"auterity-{stack}-edge-kubernetes", "aws:lb/targetGroup:TargetGroup").inputs
    assert (group["targetType"], group["port"]) == ("ip", 8000)
    assert group["tags"]["eks:eks-cluster-name"] == f"auterity-{stack}"
    listener = recording.named(f"auterity-{stack}-edge-https", "aws:lb/listener:Listener").inputs
    groups = listener["defaultActions"][0]["forward"]["targetGroups"]
    assert sorted(target["weight"] for target in groups) == [0, 100]


def test_a_fail_over_to_ecs_is_one_number_changed() -> None:
    before = {r.urn: r.inputs for r in shipped("prod").resources}
    after = {r.urn: r.inputs for r in with_section("prod", "runtimes", kubernetes=0, ecs=100).resources}
    assert before.keys() == after.keys()
    assert [urn.rpartition("::")[2] for urn in before if before[urn] != after[urn]] == ["auterity-prod-edge-https"]


def test_the_load_balancer_reaches_the_gateway_and_no_other_pod() -> None:
    peers = [
        (p.name, rule["from"])
        for p in shipped("prod").of_type(POLICY)
        for rule in p.inputs["spec"].get("ingress", ())
        if any("ipBlock" in peer for peer in rule["from"])
    ]
    assert [name for name, _ in peers] == ["auterity-prod-auterity-auterity-gateway"]
    assert peers[0][1] == [{"ipBlock": {"cidr": "10.0.0.0/16"}}]
    selector = policy("prod", "auterity-gateway").inputs["spec"]["podSelector"]["matchLabels"]
    assert selector == {"app.kubernetes.io/name": "auterity-gateway"}


def test_volumes_are_encrypted_and_in_the_zone_of_their_pod() -> None:
    found = shipped("dev").only("kubernetes:storage.k8s.io/v1:StorageClass").inputs
    assert found["parameters"]["encrypted"] == "true"
    assert found["volumeBindingMode"] == "WaitForFirstConsumer"


def test_the_gateways_database_is_made_by_a_job_with_rights_of_its_own() -> None:
    recording = shipped("prod")
    job = recording.named("auterity-prod-gateway-database", "kubernetes:batch/v1:Job")
    assert job.inputs["spec"]["template"]["spec"]["serviceAccountName"] == "auterity-gateway-database"
    migrate = recording.named("auterity-prod-gateway-migrate", "kubernetes:batch/v1:Job")
    assert job.urn in migrate.depends_on
    assert {a for s in statements("prod", "gateway-database") for a in s["Action"]} == {
        "secretsmanager:GetSecretValue",
        "secretsmanager:DescribeSecret",
        "kms:Decrypt",
    }


@pytest.mark.parametrize("stack", STACKS_ON_AWS)
def test_what_runs_in_the_cluster_is_in_the_cluster_of_the_stack(stack: str) -> None:
    providers = {r.provider for r in shipped(stack).resources if r.type.startswith("kubernetes:") and r.custom}
    assert len(providers) == 1


def test_a_copy_of_the_gateway_comes_and_goes_no_faster_than_the_edge_notices() -> None:
    recording = with_section("prod", "edge", health_check={"interval_seconds": 30, "timeout_seconds": 10})
    spec = recording.named("auterity-prod-gateway", "kubernetes:apps/v1:Deployment").inputs["spec"]
    pod = spec["template"]["spec"]
    [container] = pod["containers"]
    assert spec["minReadySeconds"] == 40
    assert container["lifecycle"]["preStop"]["sleep"]["seconds"] == 40
    assert pod["terminationGracePeriodSeconds"] > 40


def test_pods_are_ready_once_the_edge_finds_them_healthy() -> None:
    recording = shipped("prod")
    labels = recording.named("auterity-prod-auterity", "kubernetes:core/v1:Namespace").inputs["metadata"]["labels"]
    assert labels["eks.amazonaws.com/pod-readiness-gate-inject"] == "enabled"
    binding = recording.only("kubernetes:eks.amazonaws.com/v1:TargetGroupBinding")
    # Else the first pods would wait for a check that needs routes, and these for the pods.
    assert recording.named("auterity-prod-gateway-configure").urn in binding.depends_on
