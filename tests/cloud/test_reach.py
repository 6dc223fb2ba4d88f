"""Who gets an answer from the API of a cluster on EKS, by where they call from."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from pulumi.provider.experimental import provider as sdk

from components.cluster.eks import kubeconfig
from sandbox.cloud.aws.catalog.kubernetes import CLUSTER, reaches
from sandbox.cloud.caller import ENGINE, Caller, from_where
from sandbox.cloud.errors import CloudError
from sandbox.cloud.faults import Faults
from sandbox.cloud.property_values import wrap_map
from sandbox.cloud.store import Resource, Store
from sandbox.kubernetes.provider import KubernetesProvider
from sandbox.stack_files import callers_place
from tests.cloud.hands import urn, wait

ENDPOINT = "https://cluster.gr7.us-east-1.eks.amazonaws.com"


def cluster(*blocks: str) -> Resource:
    network = {
        "endpointPrivateAccess": True,
        "endpointPublicAccess": bool(blocks),
        "publicAccessCidrs": list(blocks),
        "vpcId": "vpc-1",
    }
    outputs = {"endpoint": ENDPOINT, "vpcConfig": network}
    return Resource("aws", "123456789012", "us-east-1", CLUSTER, "auterity-test", "", {}, outputs)


@pytest.mark.parametrize(
    ("caller", "blocks", "answered"),
    [
        (ENGINE, (), False),
        (ENGINE, ("203.0.113.0/24",), False),
        (ENGINE, ("198.51.100.0/24",), True),
        (from_where("inside"), (), True),
        (from_where("203.0.113.9"), ("198.51.100.0/24",), False),
    ],
)
def test_an_api_answers_from_inside_and_to_the_addresses_that_are_named(
    caller: Caller, blocks: tuple[str, ...], answered: bool
) -> None:
    assert reaches(caller, cluster(*blocks)) is answered


def test_a_place_that_is_no_address_is_refused() -> None:
    with pytest.raises(CloudError, match="an IPv4 address, or inside"):
        from_where("the office")


@pytest.mark.parametrize(
    ("eks", "place"),
    [
        ({"public_access_cidrs": ["203.0.113.8/29", "198.51.100.7/32"]}, "203.0.113.8"),
        ({"private_only": True}, "inside"),
        ({}, ""),
    ],
)
def test_the_engine_stands_where_the_stack_file_lets_somebody_in(eks: dict[str, Any], place: str) -> None:
    assert callers_place({"config": {"auterity:kubernetes": {"eks": eks}}}) == place


def test_nothing_is_put_into_a_cluster_from_an_address_that_it_does_not_know(tmp_path: Path) -> None:
    store = Store(tmp_path / "cloud")
    store.put(cluster("203.0.113.0/24"))
    provider = KubernetesProvider(store, Faults(tmp_path / "cloud", store))
    given = {"kubeconfig": json.dumps(kubeconfig("auterity-test", ENDPOINT, "", "us-east-1"))}
    wait(provider.configure(sdk.ConfigureRequest({}, wrap_map(given), True, True)))
    thing = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "namespace": "b"}}
    name = urn("kubernetes:core/v1:ConfigMap", "a")
    with pytest.raises(CloudError, match=r"unreachable.*called from 198\.51\.100\.7; public endpoint open to: 203"):
        wait(provider.create(sdk.CreateRequest(name, wrap_map(thing), 0, False)))
    store.close()
