"""What users rely on of buckets, and of the app's object storage."""

from __future__ import annotations

import json
from typing import Any

import pulumi
import pulumi_aws as aws
import pytest

from components.account import AwsAccount
from components.bucket import PrivateBucket, PrivateBucketArgs
from components.storage import ObjectStorage, ObjectStorageArgs, may_use
from settings import StorageSettings
from tests.unit.recording import REGION, Recording, record

BLOCK = "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock"
ENCRYPTION = "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration"
KEY = "aws:kms/key:Key"
LIFECYCLE = "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration"
POLICY = "aws:s3/bucketPolicy:BucketPolicy"
VERSIONING = "aws:s3/bucketVersioning:BucketVersioning"


def bucket(**args: Any) -> Recording:
    def build() -> None:
        provider = aws.Provider("aws", region=REGION)
        account = AwsAccount.of(provider, REGION)
        PrivateBucket(
            "auterity-test",
            PrivateBucketArgs(account, purpose="tests", **args),
            pulumi.ResourceOptions(provider=provider),
        )

    return record(build)


def storage(endpoint_id: str | None = "vpce-1", **settings: Any) -> Recording:
    def build() -> None:
        provider = aws.Provider("aws", region=REGION)
        account = AwsAccount.of(provider, REGION)
        made = ObjectStorage(
            "auterity-test",
            ObjectStorageArgs(StorageSettings(**settings), account, endpoint_id=endpoint_id),
            pulumi.ResourceOptions(provider=provider),
        )
        rights = [statement.document() for statement in may_use(made, account)]
        pulumi.Output.json_dumps(rights).apply(granted.append)

    granted.clear()
    return record(build)


granted: list[str] = []


def rules(recording: Recording) -> dict[str, dict[str, Any]]:
    return {rule["id"]: rule for rule in recording.only(LIFECYCLE).inputs["rules"]}


def statements(recording: Recording) -> dict[str, dict[str, Any]]:
    document = json.loads(recording.only(POLICY).inputs["policy"])
    return {statement["Sid"]: statement for statement in document["Statement"]}


def test_nothing_in_a_bucket_is_ever_public() -> None:
    block = bucket().only(BLOCK).inputs
    switches = ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets")
    assert [block[switch] for switch in switches] == [True] * 4


def test_access_lists_are_off() -> None:
    controls = bucket().only("aws:s3/bucketOwnershipControls:BucketOwnershipControls").inputs
    assert controls["rule"]["objectOwnership"] == "BucketOwnerEnforced"


@pytest.mark.parametrize(
    ("sid", "condition"),
    [
        ("DenyPlainText", {"Bool": {"aws:SecureTransport": "false"}}),
        ("DenyOldTls", {"NumericLessThan": {"s3:TlsVersion": "1.2"}}),
    ],
)
def test_whoever_does_not_come_by_current_tls_is_turned_away(sid: str, condition: dict[str, Any]) -> None:
    statement = statements(bucket())[sid]
    assert (statement["Effect"], statement["Action"], statement["Condition"]) == ("Deny", ["s3:*"], condition)
    assert len(statement["Resource"]) == 2


def test_the_policy_comes_after_the_block_since_s3_aborts_one_of_two_changes_at_once() -> None:
    recording = bucket()
    assert recording.only(BLOCK).urn in recording.only(POLICY).depends_on


def test_objects_are_encrypted_with_the_key_that_is_given() -> None:
    recording = storage()
    [rule] = recording.only(ENCRYPTION).inputs["rules"]
    assert rule["applyServerSideEncryptionByDefault"]["kmsMasterKeyId"].endswith(f":{recording.only(KEY).name}")
    assert rule["applyServerSideEncryptionByDefault"]["sseAlgorithm"] == "aws:kms"
    assert rule["bucketKeyEnabled"] is True


def test_without_a_key_objects_are_encrypted_by_s3_itself() -> None:
    [rule] = bucket().only(ENCRYPTION).inputs["rules"]
    assert rule["applyServerSideEncryptionByDefault"] == {"sseAlgorithm": "AES256"}


def test_an_upload_that_was_never_finished_is_removed() -> None:
    assert rules(bucket())["abort-uploads"]["abortIncompleteMultipartUpload"] == {"daysAfterInitiation": 7}


def test_old_versions_go_after_their_time_and_objects_stay() -> None:
    found = rules(bucket(noncurrent_days=5))
    assert found["expire-old-versions"]["noncurrentVersionExpiration"] == {"noncurrentDays": 5}
    assert "expire" not in found


def test_a_bucket_without_versions_has_no_rule_for_them() -> None:
    recording = bucket(versioned=False)
    assert recording.only(VERSIONING).inputs["versioningConfiguration"] == {"status": "Suspended"}
    assert "expire-old-versions" not in rules(recording)


def test_objects_expire_where_the_bucket_says_so() -> None:
    assert rules(bucket(expire_after_days=90))["expire"]["expiration"] == {"days": 90}


def test_a_bucket_that_holds_objects_is_not_deleted_by_mistake() -> None:
    assert bucket().only("aws:s3/bucket:Bucket").inputs["forceDestroy"] is False


def test_the_apps_objects_have_versions_and_a_key_of_their_own() -> None:
    recording = storage()
    assert recording.only(VERSIONING).inputs["versioningConfiguration"] == {"status": "Enabled"}
    [rule] = recording.only(ENCRYPTION).inputs["rules"]
    assert rule["applyServerSideEncryptionByDefault"]["sseAlgorithm"] == "aws:kms"


def test_the_apps_objects_are_reached_through_the_vpc_alone() -> None:
    statement = statements(storage("vpce-1"))["ObjectsThroughTheVpcAlone"]
    assert statement["Effect"] == "Deny"
    assert statement["Condition"] == {"StringNotEquals": {"aws:SourceVpce": "vpce-1"}}
    assert {"s3:GetObject", "s3:PutObject", "s3:DeleteObject"} <= set(statement["Action"])


def test_the_bucket_itself_stays_within_reach_from_anywhere() -> None:
    statement = statements(storage("vpce-1"))["ObjectsThroughTheVpcAlone"]
    assert [action for action in statement["Action"] if "Bucket" in action or "*" in action] == []
    assert [arn for arn in statement["Resource"] if not arn.endswith("/*")] == []


def test_in_a_vpc_of_others_iam_alone_decides() -> None:
    assert "ObjectsThroughTheVpcAlone" not in statements(storage(None))


def test_the_app_may_use_objects_but_not_remove_their_history() -> None:
    storage()
    [text] = granted
    actions = {action for statement in json.loads(text) for action in statement["Action"]}
    assert "s3:PutObject" in actions
    assert not [action for action in actions if "Version" in action or action.endswith("*")]


def test_the_apps_right_to_the_key_works_through_s3_alone() -> None:
    storage()
    [text] = granted
    [key] = [s for s in json.loads(text) if s["Sid"] == "UseObjectKey"]
    assert key["Condition"] == {"StringEquals": {"kms:ViaService": f"s3.{REGION}.amazonaws.com"}}
