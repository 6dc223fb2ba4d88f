"""One cluster for all tests of a run's worker: it starts in seconds, but needs a gibibyte."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from kubernetes import client, config

from sandbox.kubernetes import Cluster


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    cluster = Cluster(tmp_path_factory.mktemp("kubernetes"))
    cluster.start()
    yield cluster
    cluster.remove()


@pytest.fixture(scope="module")
def api(cluster: Cluster) -> client.ApiClient:
    return config.new_client_from_config_dict(cluster.kubeconfig())
