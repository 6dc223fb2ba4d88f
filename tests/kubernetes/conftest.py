"""One cluster for all tests of a run's worker: it starts in seconds, but needs a gibibyte."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from kubernetes import client, config

from sandbox.kubernetes import Cluster


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    cluster = Cluster(tmp_path_factory.mktemp("kubernetes"))
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.remove()


@pytest.fixture(scope="module")
def api(cluster: Cluster) -> client.ApiClient:
    return config.new_client_from_config_dict(cluster.kubeconfig())


@pytest.fixture
def namespace(api: client.ApiClient) -> Iterator[str]:
    """A namespace of the test's own, in which pods can be made: the controllers have given it its service account."""
    core = client.CoreV1Api(api)
    name = f"test-{time.monotonic_ns()}"
    core.create_namespace({"metadata": {"name": name}})
    while not core.list_namespaced_service_account(name).items:
        time.sleep(0.05)
    yield name
    core.delete_namespace(name)
