"""Run a piece of the program against a recording monitor, and ask afterwards what it registered.

Assertions are made on plain recorded data, after the run: none can be skipped because an output never resolved.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from unittest import mock

from google.protobuf import empty_pb2
from pulumi.runtime import rpc, settings
from pulumi.runtime.mocks import MockCallArgs, MockMonitor, MockResourceArgs, Mocks, set_mocks
from pulumi.runtime.stack import run_in_stack
from pulumi.runtime.sync_await import _sync_await

ACCOUNT_ID = "123456789012"
REGION = "us-east-1"


def _validation_options(inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Ask for proof of each name as ACM does: a name and the wildcard below it have one and the same record."""
    names = [inputs["domainName"], *inputs.get("subjectAlternativeNames", ())]
    return {
        "domainValidationOptions": [
            {
                "domainName": name,
                "resourceRecordName": f"_proof.{name.removeprefix('*.')}.",
                "resourceRecordType": "CNAME",
                "resourceRecordValue": "_value.acm-validations.aws.",
            }
            for name in names
        ]
    }


COMPUTED: Mapping[str, Mapping[str, Any] | Callable[[Mapping[str, Any]], Mapping[str, Any]]] = {
    "aws:acm/certificate:Certificate": _validation_options,
    "aws:ecr/repository:Repository": {"repositoryUrl": "registry.test/app", "registryId": ACCOUNT_ID},
    "aws:eks/cluster:Cluster": lambda inputs: {
        "identities": [{"oidcs": [{"issuer": "https://oidc.eks.us-east-1.amazonaws.com/id/0123456789"}]}],
        "endpoint": "https://kubernetes.test",
        "certificateAuthority": {"data": "authority"},
        "vpcConfig": {**inputs["vpcConfig"], "clusterSecurityGroupId": "sg-cluster"},
    },
    "aws:elasticache/replicationGroup:ReplicationGroup": {
        "primaryEndpointAddress": "cache.test",
        "readerEndpointAddress": "cache-readers.test",
    },
    "aws:lb/loadBalancer:LoadBalancer": {
        "arnSuffix": "app/edge-test/0123456789abcdef",
        "dnsName": "edge-test.elb.test",
        "zoneId": "ZELB",
    },
    "aws:lb/targetGroup:TargetGroup": lambda inputs: {
        "arnSuffix": f"targetgroup/{inputs.get('namePrefix', 'test')}/0123456789abcdef"
    },
    "tls:index/privateKey:PrivateKey": {"privateKeyPem": "value-of-private-key"},
    "tls:index/certRequest:CertRequest": {"certRequestPem": "request"},
    "tls:index/selfSignedCert:SelfSignedCert": {"certPem": "authority"},
    "tls:index/locallySignedCert:LocallySignedCert": {
        "certPem": "certificate",
        "validityEndTime": "2027-11-23T12:00:00Z",
    },
    "aws:mq/broker:Broker": {
        "brokerName": "broker-test",
        "instances": [{"endpoints": ["amqps://broker.test:5671"], "consoleUrl": "https://broker.test"}],
    },
    "aws:mq/configuration:Configuration": {"latestRevision": 1},
    "aws:ec2/vpc:Vpc": {"defaultRouteTableId": "rtb-default"},
    "aws:ec2/natGateway:NatGateway": {"publicIp": "192.0.2.1"},
    "aws:rds/instance:Instance": {
        "address": "database.test",
        "endpoint": "database.test:5432",
        "resourceId": "db-TEST",
        "masterUserSecrets": [{"secretArn": f"arn:aws:secretsmanager:{REGION}:{ACCOUNT_ID}:secret:rds!db-test"}],
    },
    "docker:index/image:Image": {"repoDigest": f"registry.test/app@sha256:{64 * '0'}"},
    "random:index/randomId:RandomId": {"hex": "0a1b2c3d"},
}
"""What a provider adds to a resource of a type, where components go on with it: fixed, or made of its inputs."""


@dataclass
class Recorded:
    """One resource as the program registered it."""

    type: str
    name: str
    urn: str
    parent: str
    provider: str
    custom: bool
    inputs: dict[str, Any]
    protect: bool
    ignore_changes: tuple[str, ...]
    depends_on: tuple[str, ...]
    deleted_with: str
    secret_inputs: frozenset[str]
    outputs: dict[str, Any] | None = None
    secret_outputs: frozenset[str] = frozenset()


@dataclass
class Recording:
    """Everything that one run registered."""

    resources: list[Recorded] = field(default_factory=list)
    calls: list[tuple[str, dict[str, Any], str]] = field(default_factory=list)

    def of_type(self, type_: str) -> list[Recorded]:
        """List the resources of a type token such as ``aws:ec2/vpc:Vpc``."""
        return [resource for resource in self.resources if resource.type == type_]

    def only(self, type_: str) -> Recorded:
        """Return the one resource of a type; anything but one is a failure."""
        found = self.of_type(type_)
        assert len(found) == 1, f"{len(found)} resources of type {type_}: {[r.name for r in found]}"
        return found[0]

    def named(self, name: str, type_: str | None = None) -> Recorded:
        """Return the one resource of a logical name (and type)."""
        found = [r for r in self.resources if r.name == name and type_ in (None, r.type)]
        assert len(found) == 1, f"{len(found)} resources named {name}; there are {[r.name for r in self.resources]}"
        return found[0]


def _names_of_secrets(struct: Any) -> frozenset[str]:
    """Names of top-level properties that are secret, wholly or somewhere inside."""
    plain = rpc.deserialize_properties(struct, keep_unknowns=True)
    return frozenset(key for key, value in plain.items() if _holds_secret(value))


def _holds_secret(value: Any) -> bool:
    if rpc.is_rpc_secret(value):
        return True
    if isinstance(value, Mapping):
        return any(_holds_secret(item) for item in value.values())
    if isinstance(value, list):
        return any(_holds_secret(item) for item in value)
    return False


def _without_secret_marks(value: Any) -> Any:
    value = rpc.unwrap_rpc_secret(value)
    if isinstance(value, Mapping):
        return {key: _without_secret_marks(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_without_secret_marks(item) for item in value]
    return value


class _Cloud(Mocks):
    """Answers as a cloud would: an id and an ARN for everything, and the few look-ups that components make."""

    def __init__(self, calls: Mapping[str, Callable[[dict[str, Any]], dict[str, Any]]]) -> None:
        self.answers: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
            "aws:index/getCallerIdentity:getCallerIdentity": lambda _: {
                "accountId": ACCOUNT_ID,
                "arn": f"arn:aws:iam::{ACCOUNT_ID}:user/test",
                "id": ACCOUNT_ID,
                "userId": "AIDATEST",
            },
            "aws:index/getPartition:getPartition": lambda _: {
                "id": "aws",
                "partition": "aws",
                "dnsSuffix": "amazonaws.com",
                "reverseDnsPrefix": "com.amazonaws",
            },
            "aws:eks/getAddonVersion:getAddonVersion": lambda args: {**args, "version": "v1.0.0-eksbuild.1"},
            "aws:ecr/getAuthorizationToken:getAuthorizationToken": lambda _: {
                "id": REGION,
                "userName": "AWS",
                "password": "value-of-registry-token",
            },
            "gcp:storage/getProjectServiceAccount:getProjectServiceAccount": lambda args: {
                **args,
                "member": "serviceAccount:storage@test.iam.gserviceaccount.com",
            },
            **calls,
        }
        self.recording = Recording()

    def new_resource(self, args: MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
        if not args.custom:
            return None, dict(args.inputs)
        computed = COMPUTED.get(args.typ, {})
        outputs = {**args.inputs, **(computed(args.inputs) if callable(computed) else computed)}
        outputs.setdefault("arn", f"arn:aws:mock:{REGION}:{ACCOUNT_ID}:{args.name}")
        outputs.setdefault("name", args.name)
        if args.typ == "aws:s3/bucket:Bucket":
            outputs.setdefault("bucket", args.name)
        if args.typ == "random:index/randomPassword:RandomPassword":
            outputs["result"] = f"value-of-{args.name}"
        return f"{args.name}-id", outputs

    def call(self, args: MockCallArgs) -> tuple[dict[Any, Any], list[tuple[str, str]] | None]:
        self.recording.calls.append((args.token, dict(args.args), args.provider or ""))
        if args.token not in self.answers:
            raise AssertionError(f"the program looked up {args.token}, which this test does not answer")
        return self.answers[args.token](dict(args.args)), []


class _RecordingMonitor(MockMonitor):
    def RegisterResource(self, request: Any) -> Any:  # noqa: N802 - the name of the gRPC method
        response = super().RegisterResource(request)  # type: ignore[no-untyped-call]
        if request.type != "pulumi:pulumi:Stack":
            assert isinstance(self.mocks, _Cloud)
            self.mocks.recording.resources.append(
                Recorded(
                    type=request.type,
                    name=request.name,
                    urn=response.urn,
                    parent=request.parent,
                    provider=request.provider or next(iter(request.providers.values()), ""),
                    custom=request.custom,
                    inputs=_without_secret_marks(rpc.deserialize_properties(request.object)),
                    protect=request.protect,
                    ignore_changes=tuple(request.ignoreChanges),
                    depends_on=tuple(request.dependencies),
                    deleted_with=request.deletedWith,
                    secret_inputs=_names_of_secrets(request.object),
                )
            )
        return response

    def RegisterResourceOutputs(self, request: Any) -> Any:  # noqa: N802 - the name of the gRPC method
        assert isinstance(self.mocks, _Cloud)
        for resource in self.mocks.recording.resources:
            if resource.urn == request.urn:
                resource.outputs = _without_secret_marks(rpc.deserialize_properties(request.outputs))
                resource.secret_outputs = _names_of_secrets(request.outputs)
        return empty_pb2.Empty()


def record(
    build: Callable[[], object],
    *,
    stack: str = "test",
    config: Mapping[str, str] | None = None,
    calls: Mapping[str, Callable[[dict[str, Any]], dict[str, Any]]] | None = None,
) -> Recording:
    """Run `build` to its end and return what it registered.

    Args:
        build: makes components or a whole program; what it raises is raised here.
        stack: the stack's name.
        config: full configuration keys to values, as the engine hands them over.
        calls: answers to look-ups (invokes) by token, beside the account and partition.
    """
    asyncio.set_event_loop(asyncio.new_event_loop())
    cloud = _Cloud(calls or {})
    settings.reset_options()
    settings.set_root_resource(None)  # type: ignore[arg-type]
    set_mocks(cloud, project="auterity", stack=stack, preview=False, monitor=_RecordingMonitor(cloud))

    async def run() -> None:
        build()

    # Not the root that mocks come with, which is finished and takes neither a program nor its outputs.
    settings.set_root_resource(None)  # type: ignore[arg-type]
    with mock.patch.dict(os.environ, {"PULUMI_CONFIG": json.dumps(dict(config or {}))}):
        _sync_await(run_in_stack(run))
    return cloud.recording
