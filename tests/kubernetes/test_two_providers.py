"""The whole production stack, its cluster's objects made by the thin Kubernetes provider and by the official one."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.kubernetes.alike import alike
from tests.kubernetes.test_local_stack import OFFICIAL, objects_of, without_official_provider
from tests.sandbox import lifecycle

STACK = "prod"
ON_EKS = (
    "/apis/eks.amazonaws.com/v1/namespaces/auterity/targetgroupbindings",
    "/apis/secrets-store.csi.x-k8s.io/v1/namespaces/auterity/secretproviderclasses",
    "/apis/storage.k8s.io/v1/storageclasses",
)
"""Where else lies what the stack puts into its cluster on EKS."""


def made(home: Path) -> tuple[dict[str, Any], lifecycle.Step]:
    """Bring the stack up twice; return the cluster's objects, and what the second time did.

    What the simulated cloud draws anew each time, ends of names and digests of them, is made the same.
    """
    with lifecycle.sandbox_below(home) as sandbox:
        stack = sandbox.stack(STACK)
        lifecycle.up(stack)
        again = lifecycle.up(stack)
        [cluster] = sandbox.clusters(STACK)
        objects = objects_of(cluster, ON_EKS)
    return alike(objects), again


def test_both_providers_make_the_same_objects_of_production(tmp_path: Path) -> None:
    if not shutil.which(OFFICIAL):
        pytest.skip(f"{OFFICIAL} is not on PATH")
    official, again = made(tmp_path / "official")
    assert again.operations == {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", without_official_provider())
        thin, _ = made(tmp_path / "thin")
    assert {name.split("/")[-2] for name in thin} >= {"deployments", "jobs", "networkpolicies", "targetgroupbindings"}
    assert official == thin
