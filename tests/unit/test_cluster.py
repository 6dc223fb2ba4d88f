"""What users rely on of the Kubernetes cluster."""

from __future__ import annotations

import json
from ipaddress import IPv4Network
from typing import Any

import pulumi
import pulumi_aws as aws
import pytest

from components.account import AwsAccount
from components.cluster import EksCluster, EksClusterArgs
from components.existing_cluster import ExistingCluster, ExistingClusterArgs
from settings import EksSettings, ExistingClusterSettings, KubernetesSettings
from tests.unit.programs import shipped, with_section
from tests.unit.recording import REGION, Recording, record

CLUSTER = "aws:eks/cluster:Cluster"
PROVIDER = "pulumi:providers:kubernetes"
ADDON = "aws:eks/addon:Addon"
ASSOCIATION = "aws:eks/accessPolicyAssociation:AccessPolicyAssociation"
RUNNER = IPv4Network("198.51.100.7/32")
PEOPLE = "arn:aws:iam::123456789012:role/platform-engineers"


def eks(**settings: Any) -> Recording:
    def build() -> None:
        provider = aws.Provider("aws", region=REGION)
        EksCluster(
            "auterity-test",
            EksClusterArgs(
                EksSettings(**{"administrators": (PEOPLE,), "public_access_cidrs": (RUNNER,), **settings}),
                AwsAccount.of(provider, REGION),
                subnet_ids={"a": "subnet-a", "b": "subnet-b"},
                log_key_arn="arn:key",
            ),
            pulumi.ResourceOptions(provider=provider),
        )

    return record(build)


def test_the_api_can_be_reached_from_inside_the_vpc_alone() -> None:
    network = eks(private_only=True, public_access_cidrs=()).only(CLUSTER).inputs["vpcConfig"]
    assert (network["endpointPrivateAccess"], network["endpointPublicAccess"]) == (True, False)
    assert "publicAccessCidrs" not in network


def test_named_addresses_reach_the_api_over_the_internet_and_no_others() -> None:
    network = eks(public_access_cidrs=(IPv4Network("198.51.100.0/24"),)).only(CLUSTER).inputs["vpcConfig"]
    assert (network["endpointPublicAccess"], network["publicAccessCidrs"]) == (True, ["198.51.100.0/24"])


def test_an_api_that_anyone_reaches_is_refused() -> None:
    with pytest.raises(ValueError, match="public_access_cidrs"):
        EksSettings(administrators=(PEOPLE,), public_access_cidrs=(IPv4Network("0.0.0.0/0"),))


def test_an_api_that_nobody_reaches_is_refused() -> None:
    with pytest.raises(ValueError, match="nobody reaches an API without any"):
        EksSettings(administrators=(PEOPLE,))


def test_addresses_that_never_arrive_over_the_internet_are_refused() -> None:
    with pytest.raises(ValueError, match="public addresses"):
        EksSettings(administrators=(PEOPLE,), public_access_cidrs=(IPv4Network("10.0.0.0/24"),))


def test_secrets_are_encrypted_with_a_key_of_the_stacks_own() -> None:
    encryption = eks().only(CLUSTER).inputs["encryptionConfig"]
    assert encryption["resources"] == ["secrets"]
    assert encryption["provider"]["keyArn"].endswith("auterity-test-kubernetes")


def test_every_log_of_the_control_plane_is_kept_under_a_key() -> None:
    recording = eks(log_retention_days=90)
    assert set(recording.only(CLUSTER).inputs["enabledClusterLogTypes"]) == {
        "api",
        "audit",
        "authenticator",
        "controllerManager",
        "scheduler",
    }
    group = recording.only("aws:cloudwatch/logGroup:LogGroup")
    assert (group.inputs["retentionInDays"], group.inputs["kmsKeyId"]) == (90, "arn:key")
    assert group.inputs["name"] == f"/aws/eks/{recording.only(CLUSTER).inputs['name']}/cluster"
    assert group.urn in recording.only(CLUSTER).depends_on


def test_people_are_let_in_by_access_entries_and_nobody_for_having_made_the_cluster() -> None:
    recording = eks()
    assert recording.only(CLUSTER).inputs["accessConfig"] == {
        "authenticationMode": "API",
        "bootstrapClusterCreatorAdminPermissions": False,
    }
    assert recording.only("aws:eks/accessEntry:AccessEntry").inputs["principalArn"] == PEOPLE
    association = recording.only(ASSOCIATION).inputs
    assert association["policyArn"] == "arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy"


def test_a_cluster_that_nobody_may_enter_is_refused() -> None:
    with pytest.raises(ValueError, match="administrators"):
        EksSettings(administrators=())


def test_aws_runs_nodes_load_balancers_and_volumes() -> None:
    inputs = eks().only(CLUSTER).inputs
    assert inputs["computeConfig"]["enabled"] is True
    assert inputs["kubernetesNetworkConfig"]["elasticLoadBalancing"] == {"enabled": True}
    assert inputs["storageConfig"] == {"blockStorage": {"enabled": True}}
    assert inputs["bootstrapSelfManagedAddons"] is False


def test_the_cluster_comes_after_what_its_roles_may_do() -> None:
    recording = eks()
    attachments = recording.of_type("aws:iam/rolePolicyAttachment:RolePolicyAttachment")
    assert {a.urn for a in attachments} <= set(recording.only(CLUSTER).depends_on)


def test_only_eks_of_this_account_can_take_the_clusters_role() -> None:
    role = eks().named("auterity-test-kubernetes-cluster", "aws:iam/role:Role").inputs
    [statement] = json.loads(role["assumeRolePolicy"])["Statement"]
    assert statement["Action"] == ["sts:AssumeRole", "sts:TagSession"]
    assert statement["Condition"] == {"StringEquals": {"aws:SourceAccount": "123456789012"}}


def test_the_way_to_the_cluster_holds_no_secret_and_is_the_same_every_time() -> None:
    first, second = (eks().only(PROVIDER).inputs["kubeconfig"] for _ in range(2))
    assert first == second
    [user] = json.loads(first)["users"]
    assert set(user["user"]) == {"exec"}
    assert user["user"]["exec"]["args"][-4:] == ["--cluster-name", "auterity-test", "--output", "json"]


def test_whoever_is_let_in_is_let_in_for_as_long_as_it_takes_an_add_on_to_become_active() -> None:
    recording = eks()
    association = recording.only(ASSOCIATION)
    addons = recording.of_type(ADDON)
    assert addons
    assert all(association.urn in each.depends_on for each in addons)


def addon(recording: Recording, name: str) -> dict[str, Any]:
    return recording.named(f"auterity-test-kubernetes-{name}", ADDON).inputs


def test_an_add_on_has_the_version_that_the_setting_states() -> None:
    recording = eks(addon_versions={"metrics-server": "v0.8.0-eksbuild.2"})
    assert addon(recording, "metrics-server")["addonVersion"] == "v0.8.0-eksbuild.2"


def test_an_add_on_without_a_stated_version_has_the_recommended_one() -> None:
    assert addon(eks(), "metrics-server")["addonVersion"] == "v1.0.0-eksbuild.1"


def test_secrets_that_are_files_follow_their_rotation() -> None:
    configured = json.loads(addon(eks(), "aws-secrets-store-csi-driver-provider")["configurationValues"])
    assert configured["secrets-store-csi-driver"]["enableSecretRotation"] is True


@pytest.mark.parametrize("protected", [True, False])
def test_deletion_protection_is_a_setting_for_aws_and_pulumi_alike(protected: bool) -> None:
    found = eks(deletion_protection=protected).only(CLUSTER)
    assert (found.inputs["deletionProtection"], found.protect) == (protected, protected)


def test_a_cluster_that_exists_is_found_by_its_context_and_not_touched() -> None:
    def build() -> None:
        ExistingCluster("auterity-test", ExistingClusterArgs(ExistingClusterSettings(context="kind-auterity-dev")))

    recording = record(build)
    assert recording.only(PROVIDER).inputs["context"] == "kind-auterity-dev"
    assert [r.type for r in recording.resources if r.custom] == [PROVIDER]


@pytest.mark.parametrize("both", [True, False])
def test_a_cluster_is_made_or_found_and_not_both(both: bool) -> None:
    made = {"administrators": (PEOPLE,), "public_access_cidrs": (RUNNER,)}
    given: dict[str, Any] = {"existing": {"context": "a"}, "eks": made} if both else {}
    with pytest.raises(ValueError, match="either `eks` or `existing`"):
        KubernetesSettings.model_validate(given)


def test_a_zone_that_the_vpc_gets_later_is_none_of_the_control_planes() -> None:
    before, after = shipped("dev"), with_section("dev", "network", az_count=3)
    subnets = [recording.only(CLUSTER).inputs["vpcConfig"]["subnetIds"] for recording in (before, after)]
    assert len(subnets[0]) == 2
    assert subnets[0] == subnets[1]
