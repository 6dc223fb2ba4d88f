"""How resources live: names, tags, outputs, drift, replacement, faults and latencies."""

from __future__ import annotations

import asyncio
import json
import os
import stat
from pathlib import Path
from typing import Any

import pytest
from pulumi.provider.experimental import provider as sdk
from pulumi.provider.experimental.property_value import PropertyValue

from sandbox.cloud.errors import CloudError, NeverReadyError
from sandbox.cloud.property_values import UNKNOWN, wrap_map
from sandbox.cloud.server import Cloud
from tests.cloud.hands import Hands, Refused, urn
from tests.cloud.landscape import INSTANCE, LOG_GROUP, ROLE, SECURITY_GROUP, SUBNET, TRUST, VPC, database, vpc


def test_default_tags_join_a_resources_own(cloud: Cloud) -> None:
    aws = Hands(cloud, defaultTags=json.dumps({"tags": {"Owner": "platform", "Name": "nobody"}}))
    network = vpc(aws, tags={"Name": "main"})
    assert network["tags"] == {"Name": "main"}
    assert network["tagsAll"] == {"Name": "main", "Owner": "platform"}


def test_a_changed_default_tag_changes_resources_in_place(cloud: Cloud, aws: Hands) -> None:
    network = vpc(aws)
    retagged = Hands(cloud, defaultTags=json.dumps({"tags": {"Owner": "platform"}}))
    response = retagged.diff(network, cidrBlock="10.0.0.0/16")
    assert (response.diffs, response.replaces) == (["tagsAll"], [])


def test_a_generated_name_stays(aws: Hands) -> None:
    role = aws.create(ROLE, "app", assumeRolePolicy=TRUST)
    assert role["name"].startswith("app-")
    assert len(role["name"]) == len("app-") + 7
    assert aws.check(ROLE, "app", {"assumeRolePolicy": TRUST}, role.inputs)["name"] == role["name"]


def test_a_given_name_is_kept_as_it_is(aws: Hands) -> None:
    assert aws.create(ROLE, "app", name="auterity-app", assumeRolePolicy=TRUST).id == "auterity-app"


def test_ids_and_arns_have_awss_shape(aws: Hands) -> None:
    network = vpc(aws)
    assert network["arn"] == f"arn:aws:ec2:us-east-1:123456789012:vpc/{network.id}"
    assert len(network.id) == len("vpc-") + 17


def test_a_database_has_an_endpoint_and_a_secret_but_no_password(cloud: Cloud, aws: Hands) -> None:
    main = database(aws)
    assert main["endpoint"] == f"{main['address']}:5432"
    arn = main["masterUserSecrets"][0]["secretArn"]
    assert cloud.store.get(arn).outputs["arn"] == arn
    assert "password" not in main.outputs


def test_an_immutable_property_replaces(aws: Hands) -> None:
    network = vpc(aws)
    response = aws.diff(network, cidrBlock="10.1.0.0/16")
    assert response.replaces == ["cidrBlock"]


def test_a_mutable_property_changes_in_place(aws: Hands) -> None:
    network = vpc(aws)
    response = aws.diff(network, cidrBlock="10.0.0.0/16", enableDnsHostnames=True)
    assert (response.changes, response.diffs, response.replaces) == (True, ["enableDnsHostnames"], [])


def test_a_database_is_renamed_in_place(aws: Hands) -> None:
    main = database(aws, identifier="first")
    response = aws.diff(main, **{**main.inputs, "identifier": "second"})
    assert (response.diffs, response.replaces) == (["identifier"], [])


def test_a_database_is_encrypted_only_anew(aws: Hands) -> None:
    main = database(aws)
    assert aws.diff(main, **{**main.inputs, "storageEncrypted": True}).replaces == ["storageEncrypted"]


def test_a_resource_that_keeps_its_name_is_deleted_before_its_replacement(aws: Hands) -> None:
    network, other = vpc(aws), aws.create(VPC, "other", cidrBlock="10.9.0.0/16")
    named = aws.create(SECURITY_GROUP, "app", name="app", vpcId=network.id)
    generated = aws.create(SECURITY_GROUP, "web", vpcId=network.id)
    assert aws.diff(named, name="app", vpcId=other.id).delete_before_replace
    assert not aws.diff(generated, vpcId=other.id).delete_before_replace


def test_another_region_replaces(cloud: Cloud, aws: Hands) -> None:
    group = aws.create(LOG_GROUP, "app", name="/app")
    assert Hands(cloud, region="us-west-2").diff(group, name="/app").replaces == ["region"]


def test_a_policy_written_differently_is_the_same_policy(aws: Hands) -> None:
    role = aws.create(ROLE, "app", name="app", assumeRolePolicy=TRUST)
    spaced = json.dumps(json.loads(TRUST), indent=2)
    assert aws.diff(role, name="app", assumeRolePolicy=spaced).changes is False


def test_nothing_changes_where_nothing_changed(aws: Hands) -> None:
    network = vpc(aws, tags={"Name": "main"})
    assert aws.diff(network, **network.inputs).changes is False


def test_an_update_changes_what_the_cloud_holds(cloud: Cloud, aws: Hands) -> None:
    network = vpc(aws)
    aws.update(network, cidrBlock="10.0.0.0/16", enableDnsHostnames=True)
    assert cloud.store.get(network.id).outputs["enableDnsHostnames"] is True


def test_a_change_made_by_hand_is_read(cloud: Cloud, aws: Hands) -> None:
    network = vpc(aws, enableDnsHostnames=True)
    cloud.store.change(network.id, "enableDnsHostnames", False)
    found = aws.read(network)
    assert found is not None
    assert found["enableDnsHostnames"] is False
    assert aws.diff(found, **network.inputs).diffs == ["enableDnsHostnames"]


def test_a_change_made_by_hand_to_a_default_is_found_too(cloud: Cloud, aws: Hands) -> None:
    main = database(aws)
    cloud.store.change(main.id, "publiclyAccessible", True)
    found = aws.read(main)
    assert found is not None
    assert aws.diff(found, **main.inputs).diffs == ["publiclyAccessible"]


def test_a_resource_removed_by_hand_is_gone(cloud: Cloud, aws: Hands) -> None:
    network = vpc(aws)
    cloud.store.remove(network.id)
    assert aws.read(network) is None


def test_a_resource_is_imported_by_its_id(aws: Hands) -> None:
    network = vpc(aws, tags={"Name": "main"})
    network.inputs, network.outputs = {}, {}
    found = aws.read(network)
    assert found is not None
    assert found.inputs["cidrBlock"] == "10.0.0.0/16"


def test_a_preview_makes_nothing(cloud: Cloud, aws: Hands) -> None:
    foreseen = aws.preview(VPC, "main", cidrBlock="10.0.0.0/16")
    assert foreseen["arn"] is UNKNOWN
    assert foreseen["cidrBlock"] == "10.0.0.0/16"
    assert list(cloud.store.list()) == []


def test_the_store_outlives_the_process(tmp_path: Path) -> None:
    with Cloud(tmp_path) as first:
        network = vpc(Hands(first))
    with Cloud(tmp_path) as second:
        assert second.store.get(network.id).outputs == network.outputs


def test_the_store_is_its_owners_alone(cloud: Cloud) -> None:
    assert stat.S_IMODE((cloud.state_dir / "cloud.db").stat().st_mode) == 0o600
    socket = Path(next(iter(cloud.environment.values())))
    assert stat.S_IMODE(socket.stat().st_mode) == 0o600
    assert len(os.fsencode(socket)) < 108


def test_a_secret_input_stays_secret_in_the_outputs(cloud: Cloud) -> None:
    provider = Hands(cloud).provider
    inputs = wrap_map({"cidrBlock": "10.0.0.0/16"}) | {
        "tags": PropertyValue({"Name": PropertyValue("x", is_secret=True)})
    }
    made = asyncio.run(provider.create(sdk.CreateRequest(urn(VPC, "main"), inputs, 0, False)))
    assert made.properties["tags"].contains_secret()


def _set(cloud: Cloud, **content: Any) -> None:
    (cloud.state_dir / "faults.json").write_text(json.dumps(content))


def test_a_fault_strikes_as_often_as_it_says(cloud: Cloud, aws: Hands) -> None:
    _set(cloud, faults=[{"type": VPC, "name": "main", "operation": "create", "kind": "throttling", "times": 2}])
    for _ in range(2):
        with pytest.raises(CloudError, match=r"creating EC2 VPC: .* api error RequestLimitExceeded"):
            vpc(aws)
    assert vpc(aws).id


def test_a_fault_by_name_spares_others(cloud: Cloud, aws: Hands) -> None:
    _set(cloud, faults=[{"type": VPC, "name": "other", "operation": "create", "kind": "internal"}])
    assert vpc(aws).id


def test_a_fault_on_delete_leaves_the_resource(cloud: Cloud, aws: Hands) -> None:
    network = vpc(aws)
    _set(cloud, faults=[{"type": VPC, "operation": "delete", "kind": "internal"}])
    with pytest.raises(CloudError, match="StatusCode: 500"):
        aws.delete(network)
    aws.delete(network)
    assert aws.read(network) is None


def test_a_resource_that_never_gets_ready_exists(cloud: Cloud, aws: Hands) -> None:
    _set(cloud, faults=[{"type": VPC, "operation": "create", "kind": "never_ready"}])
    with pytest.raises(NeverReadyError, match="timeout while waiting for state to become 'available'") as refused:
        vpc(aws)
    assert cloud.store.get(refused.value.resource_id).name == "main"


def test_a_fault_of_an_unknown_operation_is_an_error_that_names_it(cloud: Cloud, aws: Hands) -> None:
    _set(cloud, faults=[{"type": VPC, "operation": "explode", "kind": "internal"}])
    with pytest.raises(ValueError, match="operation 'explode' is not one of create, read, update, delete"):
        vpc(aws)


def test_slow_operations_run_side_by_side(cloud: Cloud, aws: Hands) -> None:
    """The slower of two creations starts first and ends last; both are in the cloud before either has answered."""
    vpc(aws)  # reads the schemas, which takes longer than the latencies below
    aws.create(LOG_GROUP, "warm", name="/warm")
    _set(cloud, latencies={VPC: {"create": 1.0}, LOG_GROUP: {"create": 0.4}})
    events: list[str] = []

    async def make(type: str, name: str, /, **inputs: Any) -> None:
        await aws.provider.create(sdk.CreateRequest(urn(type, name), wrap_map(inputs), 0, False))
        events.append(f"{name} answered")

    async def watch() -> None:
        while len(made := [r.name for r in cloud.store.list() if r.name in ("slow", "quick")]) < 2:
            await asyncio.sleep(0.01)
        events.extend(f"{name} exists" for name in made)

    async def everything() -> None:
        slow = make(VPC, "slow", cidrBlock="10.0.0.0/16")
        await asyncio.gather(slow, make(LOG_GROUP, "quick", name="/quick"), watch())

    asyncio.run(everything())
    assert events == ["slow exists", "quick exists", "quick answered", "slow answered"]


def test_zones_are_the_regions_own(aws: Hands) -> None:
    names = aws.invoke("aws:index/getAvailabilityZones:getAvailabilityZones")["names"]
    assert names[:3] == ["us-east-1a", "us-east-1b", "us-east-1c"]


def test_an_existing_vpc_is_looked_up_by_tag(aws: Hands) -> None:
    network = vpc(aws, tags={"Name": "main"})
    assert aws.invoke("aws:ec2/getVpc:getVpc", tags={"Name": "main"})["id"] == network.id


def test_what_becomes_known_is_judged_when_it_does(aws: Hands) -> None:
    """A block that was unknown in the preview is judged at creation."""
    with pytest.raises(CloudError, match="not a valid IPv4 CIDR block"):
        asyncio.run(
            aws.provider.create(
                sdk.CreateRequest(urn(SUBNET, "x"), wrap_map({"vpcId": "v", "cidrBlock": "x"}), 0, False)
            )
        )


def test_inputs_of_an_instance_are_named_by_the_wire(aws: Hands) -> None:
    with pytest.raises(Refused) as refused:
        aws.check(INSTANCE, "x", {"instance_class": "db.r7g.large"})
    assert set(refused.value.failures) == {"instance_class", "instanceClass"}
