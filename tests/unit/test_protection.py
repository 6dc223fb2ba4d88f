"""Nothing that keeps data goes along with the setting that asked for it."""

from __future__ import annotations

import json
from importlib.resources import files

import pytest

from components.protection import KEEPS_DATA
from sandbox.cloud.aws.provider import aws_type
from tests.unit.programs import shipped
from tests.unit.recording import Recorded

STATEFUL = files("cfnlint") / "data/AdditionalSpecs/StatefulResources.json"
"""CloudFormation's types whose deletion loses data, as the rule I3011 of cfn-lint lists them."""

BUCKET = "aws:s3/bucket:Bucket"
CLOUD_STACKS = ("dev", "prod")


def kept(stack: str) -> list[Recorded]:
    return [resource for resource in shipped(stack).resources if resource.type in KEEPS_DATA]


def test_everything_in_production_that_keeps_data_is_protected() -> None:
    assert kept("prod")
    assert [resource.urn for resource in kept("prod") if not resource.protect] == []


def test_the_vpc_of_production_is_protected_since_what_stands_in_it_cannot_move() -> None:
    assert shipped("prod").only("aws:ec2/vpc:Vpc").protect


def test_the_data_of_a_stack_that_is_thrown_away_is_not_protected() -> None:
    assert [resource.urn for resource in kept("dev") if resource.protect] == []


@pytest.mark.parametrize("stack", CLOUD_STACKS)
def test_every_type_whose_deletion_loses_data_is_known(stack: str) -> None:
    stateful = json.loads(STATEFUL.read_text())["ResourceTypes"]
    types = {resource.type for resource in shipped(stack).resources if resource.type.startswith("aws:")}
    losing = {type_ for type_ in types if aws_type(type_).cloudformation in stateful}
    assert len(losing) > 3
    assert losing - KEEPS_DATA == set()


@pytest.mark.parametrize("stack", CLOUD_STACKS)
def test_no_bucket_goes_after_the_key_of_its_objects(stack: str) -> None:
    recording = shipped(stack)
    keys = {key.name: key.urn for key in recording.of_type("aws:kms/key:Key")}
    wrong = []
    for rules in recording.of_type(
        "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration"
    ):
        key = rules.inputs["rules"][0]["applyServerSideEncryptionByDefault"].get("kmsMasterKeyId")
        [bucket] = [each for each in recording.of_type(BUCKET) if each.name == rules.name]
        if key and not any(urn in bucket.depends_on for name, urn in keys.items() if key.endswith(f":{name}")):
            wrong.append(bucket.urn)
    assert wrong == []


@pytest.mark.parametrize("stack", CLOUD_STACKS)
def test_whatever_guards_the_objects_of_a_bucket_stays_as_long_as_the_bucket(stack: str) -> None:
    recording = shipped(stack)
    buckets = {bucket.name: bucket for bucket in recording.of_type(BUCKET)}
    parts = [each for each in recording.resources if each.type.startswith("aws:s3/bucket") and each.type != BUCKET]
    # Where objects go with their bucket, its policy must not deny that.
    first = [
        each for each in parts if each.type.endswith(":BucketPolicy") and buckets[each.name].inputs["forceDestroy"]
    ]
    assert [each.urn for each in parts if each not in first and each.deleted_with != buckets[each.name].urn] == []
    assert [each.urn for each in first if each.deleted_with] == []
