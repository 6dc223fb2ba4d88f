"""The plugins that the engine starts, and what comes over the wire."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf import struct_pb2
from pulumi.runtime.proto import provider_pb2, provider_pb2_grpc, status_pb2

from sandbox.cloud.sdk_types import sdk_version
from sandbox.cloud.server import Cloud, install_plugins
from tests.cloud.hands import urn
from tests.cloud.landscape import VPC


def _struct(**values: Any) -> struct_pb2.Struct:
    struct = struct_pb2.Struct()
    struct.update(values)
    return struct


@pytest.fixture
def plugin(tmp_path: Path) -> Path:
    """The installed aws plugin."""
    install_plugins(tmp_path / "home")
    return tmp_path / "home" / "plugins" / f"resource-aws-v{sdk_version('aws')}" / "pulumi-resource-aws"


def _start(plugin: Path, environment: dict[str, str]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [plugin], env={**os.environ, **environment}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


@pytest.fixture
def stub(cloud: Cloud, plugin: Path) -> Iterator[Any]:
    """A provider instance as the engine reaches it, configured."""
    process = _start(plugin, cloud.environment)
    assert process.stdout is not None
    port = int(process.stdout.readline())
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        client = provider_pb2_grpc.ResourceProviderStub(channel)
        client.Configure(provider_pb2.ConfigureRequest(args=_struct(region="us-east-1")))
        yield client
    process.terminate()
    process.communicate()


def _create(stub: Any, **inputs: Any) -> Any:
    return stub.Create(provider_pb2.CreateRequest(urn=urn(VPC, "main"), properties=_struct(**inputs)))


def test_the_engine_makes_a_resource_through_the_plugin(cloud: Cloud, stub: Any) -> None:
    answer = _create(stub, cidrBlock="10.0.0.0/16")
    assert cloud.store.get(answer.id).name == "main"


def test_a_refusal_carries_no_traceback(stub: Any) -> None:
    with pytest.raises(grpc.RpcError) as refused:
        _create(stub, cidrBlock="10.0.0.0/99")
    error: Any = refused.value
    assert error.details() == ("cidrBlock: '10.0.0.0/99' is not a valid IPv4 CIDR block: '99' is not a valid netmask")


def test_what_never_got_ready_is_told_with_its_state(cloud: Cloud, stub: Any) -> None:
    fault = {"type": VPC, "operation": "create", "kind": "never_ready"}
    (cloud.state_dir / "faults.json").write_text(json.dumps({"faults": [fault]}))
    with pytest.raises(grpc.RpcError) as refused:
        _create(stub, cidrBlock="10.0.0.0/16")
    error: Any = refused.value
    status = status_pb2.Status.FromString(dict(error.trailing_metadata())["grpc-status-details-bin"])
    failed = provider_pb2.ErrorResourceInitFailed()
    assert status.details[0].Unpack(failed)
    assert str(failed.properties["arn"]).endswith(failed.id)


def test_each_plugin_process_is_an_instance_of_its_own(cloud: Cloud, plugin: Path, stub: Any) -> None:
    other = _start(plugin, cloud.environment)
    assert other.stdout is not None
    with grpc.insecure_channel(f"127.0.0.1:{int(other.stdout.readline())}") as channel:
        west = provider_pb2_grpc.ResourceProviderStub(channel)
        west.Configure(provider_pb2.ConfigureRequest(args=_struct(region="us-west-2")))
        regions = [_create(client, cidrBlock="10.0.0.0/16").properties["region"] for client in (stub, west)]
    assert regions == ["us-east-1", "us-west-2"]
    other.terminate()
    other.communicate()


def test_a_plugin_outside_the_sandbox_says_so(plugin: Path) -> None:
    process = _start(plugin, {"AUTERITY_SANDBOX_CLOUD": ""})
    _, error = process.communicate()
    assert process.returncode != 0
    assert "runs only inside the sandbox" in error


def test_a_plugin_ends_with_its_cloud(tmp_path: Path, plugin: Path) -> None:
    with Cloud(tmp_path / "other") as cloud:
        process = _start(plugin, cloud.environment)
        assert process.stdout is not None
        process.stdout.readline()
    assert process.wait(timeout=30) == 0
    process.communicate()
