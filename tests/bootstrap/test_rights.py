"""What the pipelines may do: all that the types of the stacks need, and no more."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from importlib.resources import files as files_of

import pytest
import yaml

from bootstrap.rights import READS
from sandbox.cloud.aws.access import allows
from sandbox.cloud.aws.catalog import CATALOG
from tests.bootstrap.roles import (
    ENVIRONMENTS,
    READING,
    attached,
    boundary,
    bounded,
    made,
    may,
    rights,
    state_keys,
    states,
)
from tests.unit.programs import ROOT, shipped
from tests.unit.recording import ACCOUNT_ID

KEPT = {
    "cloudwatch:GetMetricData": "*",
    "dynamodb:GetItem": f"arn:aws:dynamodb:us-east-1:{ACCOUNT_ID}:table/one",
    "ec2:DescribeInstanceAttribute": f"arn:aws:ec2:us-east-1:{ACCOUNT_ID}:instance/i-1",
    "ecr:BatchGetImage": f"arn:aws:ecr:us-east-1:{ACCOUNT_ID}:repository/auterity",
    "ecr:GetDownloadUrlForLayer": f"arn:aws:ecr:us-east-1:{ACCOUNT_ID}:repository/auterity",
    "lambda:GetFunction": f"arn:aws:lambda:us-east-1:{ACCOUNT_ID}:function:one",
    "logs:FilterLogEvents": f"arn:aws:logs:us-east-1:{ACCOUNT_ID}:log-group:one",
    "logs:GetLogEvents": f"arn:aws:logs:us-east-1:{ACCOUNT_ID}:log-group:one",
    "logs:GetQueryResults": "*",
    "logs:StartLiveTail": f"arn:aws:logs:us-east-1:{ACCOUNT_ID}:log-group:one",
    "logs:StartQuery": f"arn:aws:logs:us-east-1:{ACCOUNT_ID}:log-group:one",
    "rds:DownloadDBLogFilePortion": f"arn:aws:rds:us-east-1:{ACCOUNT_ID}:db:auterity-prod",
    "s3:GetObject": "arn:aws:s3:::anybody-elses/file",
    "s3:GetObjectVersion": "arn:aws:s3:::auterity-prod-storage/file",
    "secretsmanager:GetSecretValue": f"arn:aws:secretsmanager:us-east-1:{ACCOUNT_ID}:secret:anybody-elses",
    "sqs:ReceiveMessage": f"arn:aws:sqs:us-east-1:{ACCOUNT_ID}:one",
    "ssm:GetParameter": f"arn:aws:ssm:us-east-1:{ACCOUNT_ID}:parameter/one",
}
"""How what is kept in resources is read, of which ``ReadOnlyAccess`` has nearly all, and one such resource."""


@pytest.mark.parametrize("action", KEPT)
@pytest.mark.parametrize("environment", [each for each in ENVIRONMENTS if "-" in each])
def test_whoever_looks_does_not_look_into_what_there_is(environment: str, action: str) -> None:
    assert not may(environment, action, KEPT[action])


ELSEWHERE = {
    "Amplify, API Gateway, AppSync, Cognito and others take a web ACL, too; this platform's is a load balancer's": (
        "acm-pca:*", "amplify:*", "apigateway:*", "apprunner:*", "appsync:*", "bedrock-agentcore:*", "cognito-idp:*",
        "ec2:*VerifiedAccess*", "elasticloadbalancing:*WebACL*",
    ),
    "features that no component uses": (
        "ec2:AcceptAddressTransfer", "ecs:*AccountSetting*", "eks:ActivateCertificateAuthority", "firehose:*",
        "lambda:*", "payments:*", "ram:*", "s3:*Metadata*Table*", "s3:DeleteBucket?*",
        "s3:DeleteObject", "s3:REST.PUT.OBJECT", "s3:Put*Analytics*",
        "s3:Put*IntelligentTiering*", "s3:Put*Inventory*", "s3:Put*Metrics*", "s3:PutObject*", "s3:PutReplication*",
        "s3tables:*", "secretsmanager:Re*Region*", "vpc-lattice:*", "vpce:*",
        "iam:*InstanceProfile", "iam:*PermissionsBoundary", "kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey",
    ),
}  # fmt: skip
"""Why what a schema lists is not allowed by the table of rights."""

UNUSED_READS = {
    "features that no component uses": (
        "autoscaling:*", "cloudwatch:GetMetricData", "ec2:Describe*Ipam*", "ec2:DescribeInstances",
        "ec2:DescribeNetworkInterfacePermissions", "ecs:DescribeCapacityProviders", "iam:DescribeOrganization",
        "iam:GetInstanceProfile", "logs:*LogDeliver*", "rds:DescribeEngineDefaultParameters", "s3:GetObject",
        "wafv2:GetPermissionPolicy",
    ),
    "all there are of a type, by which CloudFormation looks for one, and the provider does not": (
        "acm:ListCertificates", "ec*:List*", "eks:List*", "iam:ListRoles", "kms:ListKeys", "mq:List*",
        "s3:ListAllMyBuckets", "secretsmanager:ListSecrets", "servicediscovery:ListNamespaces",
        "sns:ListSubscriptions", "sns:ListTopics", "wafv2:ListLoggingConfigurations",
    ),
    "an action that IAM does not know; it is MountCapsule": ("backup-storage:Mount",),
    "what a preview must not have, and others have of their own stack": ("secretsmanager:GetSecretValue",),
}  # fmt: skip
"""Why what a schema reads by is not allowed."""

PARTS = {
    "aws:backup/plan:Plan": "AWS::Backup::BackupPlan",
    "aws:backup/selection:Selection": "AWS::Backup::BackupSelection",
    "aws:backup/vault:Vault": "AWS::Backup::BackupVault",
    "aws:cloudwatch/dashboard:Dashboard": "AWS::CloudWatch::Dashboard",
    "aws:iam/policy:Policy": "AWS::IAM::ManagedPolicy",
    "aws:sns/topicPolicy:TopicPolicy": "AWS::SNS::TopicPolicy",
}
"""CloudFormation's types of some that the sandbox knows without them."""

ASKED = (
    "ec2:DescribeAddressesAttribute", "ec2:DescribePrefixLists", "ecr:DescribePullThroughCacheRules",
    "ecr:GetAuthorizationToken", "eks:DescribeAddonVersions", "rds:DescribeDBInstanceAutomatedBackups",
    "rds:DescribeDBProxyTargets", "rds:DescribeEventSubscriptions", "route53:GetChange", "route53:GetHostedZone",
    "route53:ListResourceRecordSets", "route53:ListTagsForResource", "s3:GetBucketAcl", "s3:GetBucketRequestPayment",
    "secretsmanager:GetResourcePolicy", "secretsmanager:ListSecretVersionIds", "ecs:ListTagsForResource",
    "eks:ListTagsForResource",
)  # fmt: skip
"""By what the AWS provider reads beyond the schemas: types without handlers, and the program's own questions."""


def handlers() -> dict[str, set[str]]:
    """Return what AWS's own schemas do to the types of the shipped stacks, by handler."""
    data = files_of("cfnlint") / "data" / "schemas"
    files = json.loads((data / "providers" / "us-east-1.json").read_text())
    types = {each.type for stack in ("dev", "prod") for each in shipped(stack).resources}
    found: dict[str, set[str]] = {}
    kinds = {CATALOG[each].cloudformation for each in types if each in CATALOG} | {PARTS.get(each) for each in types}
    for kind in kinds - {None, ""}:
        schema = json.loads((data / "resources" / f"{files[kind]}.json").read_text())
        for handler, said in schema.get("handlers", {}).items():
            found.setdefault(handler, set()).update(said.get("permissions", ()))
    return found


def needed(*names: str) -> set[str]:
    """Return the actions of some handlers."""
    return set().union(*(handlers().get(name, set()) for name in names))


def fits(action: str, patterns: Iterable[str]) -> bool:
    return any(fnmatchcase(action, one) for one in patterns)


def excused(tables: Iterable[Mapping[str, Sequence[str]]]) -> list[str]:
    return [each for table in tables for patterns in table.values() for each in patterns]


def looked() -> list[str]:
    return [f"{service}:{each}" for service, actions in READS.items() for each in actions]


def test_whoever_looks_may_what_the_types_of_the_stacks_are_read_by() -> None:
    read = {each for each in needed("read") if each.partition(":")[2].startswith(READING)}
    assert len(read) > 100
    known = [*looked(), *excused((ELSEWHERE, UNUSED_READS))]
    assert sorted(each for each in {*read, *ASKED} if not fits(each, known)) == []


def test_nobody_may_read_by_what_no_type_of_the_stacks_is_read_by() -> None:
    asked = {*needed("read", "list", "create", "update", "delete"), *ASKED}
    assert [each for each in looked() if not any(fnmatchcase(one, each) for one in asked)] == []


def test_a_deployment_may_do_what_the_types_of_the_stacks_need() -> None:
    documents = [json.dumps({"Statement": rights("prod")}), *attached("prod")]
    statements = [statement for each in documents for statement in json.loads(each)["Statement"]]
    allowed = [each for statement in statements if statement["Effect"] == "Allow" for each in statement["Action"]]
    known = [*allowed, *excused((ELSEWHERE, UNUSED_READS))]
    asked = needed("create", "update", "delete")
    assert len(asked) > 250
    assert sorted(each for each in asked if not fits(each, known)) == []


@pytest.mark.parametrize("policy", ["reads", "changes"])
def test_a_policy_is_as_short_as_iam_takes_it(policy: str) -> None:
    [document] = [each.inputs["policy"] for each in made().of_type("aws:iam/policy:Policy") if policy in each.name]
    # IAM counts without white space (IAM user guide, 'IAM and AWS STS quotas').
    assert len(json.dumps(json.loads(document), separators=(",", ":"))) <= 6144


def attempts(environment: str) -> Iterator[tuple[str, str, dict[str, str]]]:
    """List what would lead a pipeline out of its stack: action, resource, and what is known of the call."""
    own = environment.rpartition("-")[2]
    other = "dev" if own == "prod" else "prod"
    role = f"arn:aws:iam::{ACCOUNT_ID}:role/"
    bound = {"iam__PermissionsBoundary": boundary()}
    for named in (f"auterity-{own}-app", f"auterity-{other}-app", "anything", f"pipeline-{own}"):
        yield "iam:CreateRole", role + named, {}
        yield "iam:PutRolePolicy", role + named, {}
        yield "iam:DeleteRolePermissionsBoundary", role + named, bound
    for named in (f"auterity-{other}-app", "anything", f"pipeline-{own}", f"pipeline-{other}"):
        for action in ("AttachRolePolicy", "CreateRole", "PutRolePolicy", "UpdateAssumeRolePolicy"):
            yield f"iam:{action}", role + named, bound
        yield "iam:PassRole", role + named, {"iam__PassedToService": "ec2.amazonaws.com"}
        yield "sts:AssumeRole", role + named, {}
    yield "iam:PassRole", f"{role}auterity-{own}-app", {"iam__PassedToService": "lambda.amazonaws.com"}
    for action in ("CreatePolicyVersion", "DeletePolicy", "SetDefaultPolicyVersion"):
        yield f"iam:{action}", boundary(), {}
    for action, named in (("CreateUser", "user/x"), ("CreateAccessKey", "user/x"), ("CreateInstanceProfile", "x")):
        yield f"iam:{action}", f"arn:aws:iam::{ACCOUNT_ID}:{named}", {}
    for file in (f"stacks/auterity/{other}.json", f"locks/organization/auterity/{other}/one.json"):
        for action in ("DeleteObject", "GetObject", "GetObjectVersion", "PutObject"):
            yield f"s3:{action}", f"{states()}/.pulumi/{file}", {}
    yield "s3:DeleteObjectVersion", f"{states()}/.pulumi/stacks/auterity/{own}.json", {}
    for action in ("DeleteBucket", "DeleteBucketPolicy", "PutBucketPolicy", "PutBucketVersioning"):
        yield f"s3:{action}", states(), {}
    for key in state_keys().values():
        for action in ("CreateGrant", "DisableKey", "PutKeyPolicy", "ScheduleKeyDeletion"):
            yield f"kms:{action}", key, {}
    yield "kms:Decrypt", state_keys()[other], {}
    yield "kms:Decrypt", state_keys()[other], {"kms__ViaService": "secretsmanager.us-east-1.amazonaws.com"}


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_no_pipeline_gets_out_of_its_stack(environment: str) -> None:
    tried = list(attempts(environment))
    assert len(tried) > 60
    assert [each for each in tried if may(environment, each[0], each[1], **each[2])] == []


@pytest.mark.parametrize("stack", ["dev", "prod"])
def test_no_role_of_a_stack_gets_out_of_it(stack: str) -> None:
    inline: dict[str, list[str]] = {}
    for each in shipped(stack).of_type("aws:iam/rolePolicy:RolePolicy"):
        inline.setdefault(each.name, []).append(each.inputs["policy"])
    assert any("backup" in name for name in inline)
    assert len(inline) > 5
    tried = [*attempts(stack), ("s3:GetObject", f"{states()}/.pulumi/stacks/auterity/{stack}.json", {})]
    for name, documents in inline.items():
        granted = [each for each in tried if allows(documents, each[0], each[1], {})]
        assert [each for each in granted if bounded(each[0], each[1])] == [], name


@pytest.mark.parametrize("action", ["s3:DeleteObject", "s3:DeleteObjectVersion"])
def test_dev_goes_with_the_objects_in_its_buckets_and_production_does_not(action: str) -> None:
    assert may("dev", action, "arn:aws:s3:::auterity-dev-edge-logs-0123456/object")
    assert may("dev", "s3:ListBucketVersions", "arn:aws:s3:::auterity-dev-edge-logs-0123456")
    assert not may("dev", action, "arn:aws:s3:::auterity-prod-backups-0123456/object")
    assert not may("prod", action, "arn:aws:s3:::auterity-prod-backups-0123456/object")
    assert not may("dev", action, f"{states()}/.pulumi/stacks/auterity/prod.json")


def test_every_stack_whose_buckets_go_with_their_objects_is_disposable() -> None:
    stacks = {path.name.split(".")[1]: path.read_text() for path in ROOT.glob("Pulumi.*.yaml")}
    named = {stack for stack, text in stacks.items() if "force_destroy: true" in text}
    files = (ROOT / "bootstrap").glob("Pulumi.account-*.yaml")
    given = [yaml.safe_load(path.read_text())["config"] for path in files]
    disposable = {stack for each in given for stack in each.get("auterity-bootstrap:disposable", ())}
    assert named == disposable == {"dev"}
