"""What holds for every component of every stack, whoever adds the next one."""

from __future__ import annotations

import re
import subprocess
import sys
from collections import Counter

import pytest

from settings import STANDARD_TAGS, SettingsError, load
from settings.loading import LONGEST_STACK_NAME
from settings.stack import MOST_TAGS, OWN_TAGS
from tests.unit.programs import ROOT, STACKS, run_program, shipped, stack_config
from tests.unit.recording import Recorded

COMPONENT = re.compile(r"^auterity:[a-z]+:[A-Z][A-Za-z0-9]+$")
CLOUD_STACKS = ("dev", "prod")
ACCESS = "aws:eks/accessPolicyAssociation:AccessPolicyAssociation"

AUTONAME_SUFFIX = 8
"""Length of what the AWS provider appends to a logical name: a hyphen and seven hexadecimal digits."""

PREFIX_SUFFIX = 26
"""Length of what it appends to a name's prefix: the time and a number."""

NAME_LIMITS = {
    "aws:iam/role:Role": 64,
    "aws:rds/instance:Instance": 63,
    "aws:rds/subnetGroup:SubnetGroup": 255,
    "aws:rds/parameterGroup:ParameterGroup": 255,
    "aws:ec2/securityGroup:SecurityGroup": 255,
    "aws:kms/alias:Alias": 256,
    "aws:ecs/cluster:Cluster": 255,
    "aws:elasticache/parameterGroup:ParameterGroup": 255,
    "aws:elasticache/replicationGroup:ReplicationGroup": 40,
    "aws:elasticache/user:User": 40,
    "aws:elasticache/userGroup:UserGroup": 40,
    "aws:elasticache/subnetGroup:SubnetGroup": 255,
    "aws:mq/broker:Broker": 50,
    "aws:mq/configuration:Configuration": 150,
    "aws:secretsmanager/secret:Secret": 512,
    "aws:cloudwatch/metricAlarm:MetricAlarm": 255,
    "aws:ecr/repository:Repository": 256,
    "aws:ecs/service:Service": 255,
    "aws:lb/loadBalancer:LoadBalancer": 32,
    "aws:lb/targetGroup:TargetGroup": 32,
    "aws:s3/bucket:Bucket": 63,
    "aws:servicediscovery/httpNamespace:HttpNamespace": 1024,
    "aws:wafv2/webAcl:WebAcl": 128,
    "gcp:iam/workloadIdentityPool:WorkloadIdentityPool": 32,
}
"""Longest physical name that the clouds take, in characters (the API reference of each Create call)."""

NAMED_BY = ("name", "identifier", "replicationGroupId", "userId", "userGroupId", "workloadIdentityPoolId")
"""Inputs that give a physical name."""


def components(stack: str) -> list[Recorded]:
    return [resource for resource in shipped(stack).resources if not resource.custom]


def children(stack: str) -> list[Recorded]:
    return [r for r in shipped(stack).resources if r.custom and not r.type.startswith("pulumi:providers:")]


@pytest.mark.parametrize("stack", STACKS)
def test_every_resource_belongs_to_a_component(stack: str) -> None:
    component_urns = {component.urn for component in components(stack)}
    assert [child.urn for child in children(stack) if child.parent not in component_urns] == []


@pytest.mark.parametrize("stack", STACKS)
def test_no_two_resources_have_one_name(stack: str) -> None:
    # The engine refuses them; mocks do not.
    counted = Counter(resource.urn for resource in shipped(stack).resources)
    assert [urn for urn, times in counted.items() if times > 1] == []


@pytest.mark.parametrize("stack", STACKS)
def test_every_component_has_a_type_token_of_the_house(stack: str) -> None:
    assert [c.type for c in components(stack) if not COMPONENT.match(c.type)] == []


@pytest.mark.parametrize("stack", STACKS)
def test_every_resource_takes_a_provider_that_the_program_made(stack: str) -> None:
    recording = shipped(stack)
    providers = {f"{r.urn}::{r.name}-id" for r in recording.resources if r.type.startswith("pulumi:providers:")}
    assert [child.urn for child in children(stack) if child.provider not in providers] == []


@pytest.mark.parametrize("stack", STACKS)
def test_every_look_up_goes_through_a_provider_that_the_program_made(stack: str) -> None:
    assert [token for token, _, provider in shipped(stack).calls if not provider] == []


@pytest.mark.parametrize("stack", STACKS)
def test_every_component_registers_its_outputs(stack: str) -> None:
    assert [c.urn for c in components(stack) if not c.outputs] == []


@pytest.mark.parametrize("stack", STACKS)
def test_no_name_comes_from_a_place_in_a_list(stack: str) -> None:
    # Twelve digits are an account.
    place = re.compile(r"(^|[-_])\d{1,11}($|[-_])")
    assert [r.name for r in shipped(stack).resources if place.search(r.name)] == []


@pytest.mark.parametrize("stack", STACKS)
def test_every_name_tells_its_stack(stack: str) -> None:
    named = [r for r in shipped(stack).resources if not r.type.startswith("pulumi:providers:")]
    assert [r.name for r in named if not r.name.startswith(f"auterity-{stack}")] == []


@pytest.mark.parametrize("stack", CLOUD_STACKS)
def test_every_resource_is_tagged_through_its_provider(stack: str) -> None:
    providers = shipped(stack).of_type("pulumi:providers:aws")
    assert providers
    for provider in providers:
        assert all(f'"{tag}"' in provider.inputs["defaultTags"] for tag in STANDARD_TAGS)


@pytest.mark.parametrize("stack", CLOUD_STACKS)
def test_no_resource_repeats_a_tag_of_its_provider(stack: str) -> None:
    assert [r.urn for r in children(stack) if set(r.inputs.get("tags") or {}) & set(STANDARD_TAGS)] == []


@pytest.mark.parametrize("stack", STACKS)
def test_no_resource_holds_a_password_in_plain_text(stack: str) -> None:
    plain = [
        f"{r.name}.{key}"
        for r in shipped(stack).resources
        for key in r.inputs
        if re.search(r"password|secretstring|privatekey|token$", key, re.IGNORECASE)
        and isinstance(r.inputs[key], str)
        and key not in r.secret_inputs
    ]
    assert plain == []


@pytest.mark.parametrize("stack", STACKS)
def test_a_stack_with_a_long_name_still_fits_the_clouds_names(stack: str) -> None:
    long_name = "production-eu-central1"
    assert len(long_name) == LONGEST_STACK_NAME
    for resource in run_program(long_name, stack_config(stack)).resources:
        limit = NAME_LIMITS.get(resource.type)
        if limit is not None:
            physical = (
                next((resource.inputs[key] for key in NAMED_BY if resource.inputs.get(key)), None)
                or ("namePrefix" in resource.inputs and resource.inputs["namePrefix"] + "x" * PREFIX_SUFFIX)
                or resource.name + "x" * AUTONAME_SUFFIX
            )
            assert len(physical) <= limit, resource.urn


@pytest.mark.parametrize("stack", STACKS)
def test_whatever_makes_objects_in_a_cluster_changes_them_in_place(stack: str) -> None:
    providers = shipped(stack).of_type("pulumi:providers:kubernetes")
    assert providers
    for provider in providers:
        options = ("enableServerSideApply", "enableConfigMapMutable", "enableSecretMutable", "enablePatchForce")
        assert [option for option in options if str(provider.inputs.get(option)).lower() != "true"] == []


@pytest.mark.parametrize("stack", CLOUD_STACKS)
def test_whatever_is_in_the_cluster_comes_after_add_ons_and_access_and_goes_before_them(stack: str) -> None:
    recording = shipped(stack)
    [provider] = recording.of_type("pulumi:providers:kubernetes")
    objects = [each for each in recording.resources if each.type.startswith("kubernetes:")]
    assert objects
    assert {each.provider for each in objects} == {f"{provider.urn}::{provider.name}-id"}
    needed = [r for r in recording.resources if r.type in ("aws:eks/addon:Addon", ACCESS)]
    assert len(needed) > 1
    assert {each.urn for each in needed} <= set(provider.depends_on)


@pytest.mark.parametrize("stack", STACKS)
def test_a_job_that_failed_is_made_anew_by_the_next_deployment(stack: str) -> None:
    jobs = shipped(stack).of_type("kubernetes:batch/v1:Job")
    assert jobs
    assert [
        job.name
        for job in jobs
        if (job.inputs["metadata"].get("annotations") or {}).get("pulumi.com/replaceUnready") != "true"
    ] == []


def test_the_local_stack_makes_nothing_in_a_cloud() -> None:
    packages = {resource.type.partition(":")[0] for resource in children("local")}
    assert packages == {"kubernetes", "random", "tls"}


def test_a_stack_without_a_cloud_does_not_wait_for_a_clouds_sdk_to_load() -> None:
    program = "import sys, composition.existing; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    packages = {module.partition(".")[0] for module in loaded.stdout.split()}
    assert "pulumi_kubernetes" in packages
    assert not packages & {"pulumi_aws", "pulumi_gcp", "pulumi_docker"}


def test_a_wrong_setting_stops_the_program_before_anything_is_registered(caplog: pytest.LogCaptureFixture) -> None:
    config = {**stack_config("dev"), "auterity:network": '{"az_count": 9, "nat": "perhaps"}', "auterity:nonsense": "1"}
    with pytest.raises(SystemExit):
        run_program("dev", config)
    assert re.search(r"(?s)network\.az_count.*network\.nat.*auterity:nonsense", caplog.text)


@pytest.mark.parametrize("stack", CLOUD_STACKS)
def test_no_resource_has_more_tags_than_aws_takes_whatever_the_stack_adds(stack: str) -> None:
    own = {r.urn: set(r.inputs["tags"]) for r in shipped(stack).resources if isinstance(r.inputs.get("tags"), dict)}
    aws_own = {urn: keys for urn, keys in own.items() if "$aws:" in urn or "::aws:" in urn}
    assert [urn for urn, keys in aws_own.items() if len(keys) + len(STANDARD_TAGS) + MOST_TAGS > 50] == []
    assert {key for keys in aws_own.values() for key in keys} <= set(OWN_TAGS)


@pytest.mark.parametrize("name", ["production-eu-central-1", "Prod", "eu--west", "pr_7", "prod-", "7"])
def test_a_stacks_name_that_the_clouds_refuse_is_a_wrong_setting(name: str) -> None:
    with pytest.raises(SettingsError, match=f'name of the stack: "{name}" given'):
        load(stack_config("dev"), stack=name)
