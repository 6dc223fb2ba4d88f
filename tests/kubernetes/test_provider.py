"""What the thin Kubernetes provider answers the engine, against a real API server."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import pytest
from kubernetes import client
from pulumi.provider.experimental import provider as sdk

from sandbox.cloud.errors import CloudError, NeverReadyError
from sandbox.cloud.faults import Faults
from sandbox.cloud.property_values import UNKNOWN, plain_map, wrap_map
from sandbox.cloud.provider import OLD_INPUTS
from sandbox.cloud.store import Store
from sandbox.kubernetes import Cluster
from sandbox.kubernetes.provider import KubernetesProvider, keep, paths_that_differ

PATIENCE = 60.0


def wait(coroutine: Coroutine[Any, Any, Any]) -> Any:
    return asyncio.run(coroutine)


class Hands:
    """One provider instance, and the engine's calls by hand."""

    def __init__(self, directory: Path, kubeconfig: object, **options: bool) -> None:
        store = Store(directory / "cloud")
        self.provider = KubernetesProvider(store, Faults(directory / "cloud", store))
        args = wrap_map({"kubeconfig": kubeconfig, **options})
        wait(self.provider.configure(sdk.ConfigureRequest({}, args, True, True)))

    def check(self, thing: dict[str, Any], old: dict[str, Any] | None = None) -> dict[str, Any]:
        response = wait(self.provider.check(sdk.CheckRequest(urn("thing"), wrap_map(old or {}), wrap_map(thing), b"s")))
        assert not response.failures, [f.reason for f in response.failures]
        return plain_map(response.inputs)

    def create(self, thing: dict[str, Any], *, preview: bool = False) -> dict[str, Any]:
        inputs = self.check(thing)
        made = wait(self.provider.create(sdk.CreateRequest(urn("thing"), wrap_map(inputs), PATIENCE, preview)))
        return plain_map(made.properties)

    def diff(self, state: dict[str, Any], thing: dict[str, Any], ignore: list[str] | None = None) -> sdk.DiffResponse:
        request = sdk.DiffRequest(urn("thing"), "", wrap_map(state), wrap_map(self.check(thing)), ignore or [])
        response = wait(self.provider.diff(request))
        assert isinstance(response, sdk.DiffResponse)
        return response

    def diff_of_inputs(self, before: dict[str, Any], thing: dict[str, Any]) -> sdk.DiffResponse:
        """Compare as the engine does, which hands over what was asked for before."""
        old, new = wrap_map(self.check(before)), wrap_map(self.check(thing))

        async def compared() -> sdk.DiffResponse:
            OLD_INPUTS.set(old)
            return await self.provider.diff(sdk.DiffRequest(urn("thing"), "", old, new, []))

        response: sdk.DiffResponse = wait(compared())
        return response

    def update(self, state: dict[str, Any], thing: dict[str, Any], ignore: list[str] | None = None) -> dict[str, Any]:
        news = wrap_map(self.check(thing))
        request = sdk.UpdateRequest(urn("thing"), "", wrap_map(state), news, PATIENCE, ignore or [], False)
        return plain_map(wait(self.provider.update(request)).properties)

    def read(self, state: dict[str, Any], inputs: dict[str, Any]) -> Any:
        return wait(self.provider.read(sdk.ReadRequest(urn("thing"), "id", wrap_map(state), wrap_map(inputs))))

    def delete(self, state: dict[str, Any]) -> None:
        wait(self.provider.delete(sdk.DeleteRequest(urn("thing"), "", wrap_map(state), PATIENCE)))


def urn(name: str) -> str:
    return f"urn:pulumi:test::auterity::kubernetes:core/v1:ConfigMap::{name}"


@pytest.fixture(scope="module")
def hands(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Hands:
    return Hands(tmp_path_factory.mktemp("provider"), json.dumps(cluster.kubeconfig()))


def config_map(namespace: str, **data: str) -> dict[str, Any]:
    metadata = {"name": "settings", "namespace": namespace}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}


def deployment(namespace: str, replicas: int = 2, **annotations: str) -> dict[str, Any]:
    labels = {"app": "web"}
    container = {"name": "web", "image": "web:1.0.0", "resources": {"requests": {"cpu": "1"}}}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web", "namespace": namespace, "annotations": annotations},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}},
        },
    }


def job(namespace: str, image: str) -> dict[str, Any]:
    container = {"name": "job", "image": image}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": "job", "namespace": namespace},
        "spec": {"template": {"spec": {"restartPolicy": "Never", "containers": [container]}}},
    }


def test_what_was_made_is_there_and_unchanged(hands: Hands, namespace: str) -> None:
    state = hands.create(config_map(namespace, a="1"))
    assert state["data"] == {"a": "1"}
    assert hands.diff(state, config_map(namespace, a="1")).changes is False


def test_a_change_is_told_by_its_path_and_made_in_place(hands: Hands, namespace: str) -> None:
    state = hands.create(config_map(namespace, a="1"))
    change = hands.diff(state, config_map(namespace, a="2"))
    assert list(change.detailed_diff or {}) == ["data.a"]
    assert not change.replaces
    assert hands.update(state, config_map(namespace, a="2"))["data"] == {"a": "2"}


def test_what_is_no_longer_stated_goes(hands: Hands, namespace: str) -> None:
    state = hands.create(config_map(namespace, a="1", b="2"))
    assert hands.diff(state, config_map(namespace, a="1")).changes is True
    assert hands.update(state, config_map(namespace, a="1"))["data"] == {"a": "1"}


MUTABLE = {"enableConfigMapMutable": True, "enableSecretMutable": True}


def contents(kind: str, **text: str) -> dict[str, Any]:
    key = "data" if kind == "ConfigMap" else "stringData"
    return {"apiVersion": "v1", "kind": kind, "metadata": {"name": "x", "namespace": "default"}, key: text}


@pytest.mark.parametrize("kind", ["ConfigMap", "Secret"])
@pytest.mark.parametrize("mutable", [True, False])
def test_changed_contents_are_an_object_anew_unless_the_provider_may_change_them(
    cluster: Cluster, tmp_path: Path, kind: str, mutable: bool
) -> None:
    hands = Hands(tmp_path, json.dumps(cluster.kubeconfig()), **(MUTABLE if mutable else {}))
    state = hands.create(contents(kind, a="1"))
    try:
        change = hands.diff_of_inputs(contents(kind, a="1"), contents(kind, a="2"))
        assert change.changes is True
        assert (bool(change.replaces), bool(change.delete_before_replace)) == (not mutable, not mutable)
        assert hands.diff_of_inputs(contents(kind, a="1"), contents(kind, a="1")).replaces == []
    finally:
        hands.delete(state)


def test_a_job_that_failed_is_made_anew_where_it_says_so(hands: Hands, namespace: str) -> None:
    failing = job(namespace, "job:1.0.0")
    failing["spec"]["template"]["spec"]["nodeSelector"] = {"nowhere": "found"}
    failing["spec"]["activeDeadlineSeconds"] = 1
    anew = {**failing, "metadata": {**failing["metadata"], "annotations": {"pulumi.com/replaceUnready": "true"}}}
    with pytest.raises(NeverReadyError, match="deadline"):
        hands.create(failing)
    assert not hands.diff(failing, failing).replaces
    change = hands.diff(failing, anew)
    assert change.replaces
    assert change.delete_before_replace is True


def test_what_the_server_refuses_to_change_replaces(hands: Hands, namespace: str) -> None:
    state = hands.create(job(namespace, "job:1.0.0"))
    change = hands.diff(state, job(namespace, "job:2.0.0"))
    assert change.replaces
    assert change.delete_before_replace is True


def test_another_name_replaces(hands: Hands, namespace: str) -> None:
    state = hands.create(config_map(namespace, a="1"))
    other = config_map(namespace, a="1")
    other["metadata"]["name"] = "others"
    assert hands.diff(state, other).replaces == ["metadata.name"]


def test_a_job_is_waited_for_to_its_end(hands: Hands, namespace: str) -> None:
    state = hands.create(job(namespace, "job:1.0.0"))
    assert {c["type"]: c["status"] for c in state["status"]["conditions"]}["Complete"] == "True"


def test_a_deployment_is_waited_for_until_its_pods_are_available(hands: Hands, namespace: str) -> None:
    assert hands.create(deployment(namespace))["status"]["availableReplicas"] == 2


def test_an_ignored_field_stays_what_somebody_else_made_it(hands: Hands, namespace: str, api: client.ApiClient) -> None:
    state = hands.create(deployment(namespace, replicas=2))
    apps = client.AppsV1Api(api)
    apps.patch_namespaced_deployment_scale("web", namespace, {"spec": {"replicas": 3}})
    ignored = ["spec.replicas"]
    assert hands.diff(state, deployment(namespace, replicas=2), ignored).changes is False
    hands.update(state, deployment(namespace, replicas=2, note="changed"), ignored)
    assert apps.read_namespaced_deployment("web", namespace).spec.replicas == 3


def test_what_does_not_become_ready_says_why(hands: Hands, namespace: str, api: client.ApiClient) -> None:
    quota = {"metadata": {"name": "small"}, "spec": {"hard": {"requests.cpu": "1"}}}
    client.CoreV1Api(api).create_namespaced_resource_quota(namespace, quota)
    with pytest.raises(NeverReadyError) as error:
        hands.create(deployment(namespace, 2, **{"pulumi.com/timeoutSeconds": "3"}))
    assert "Deployment" in str(error.value)
    assert "not ready after 3 s: 1 of 2 replicas are available" in str(error.value)
    assert "exceeded quota: small" in str(error.value)


def test_what_nobody_is_to_wait_for_is_not_waited_for(hands: Hands, namespace: str) -> None:
    state = hands.create(deployment(namespace, 500, **{"pulumi.com/skipAwait": "true"}))
    assert state["status"].get("availableReplicas", 0) < 500


def test_an_object_of_somebody_else_is_not_taken_over_by_mistake(
    hands: Hands, namespace: str, api: client.ApiClient
) -> None:
    client.CoreV1Api(api).create_namespaced_config_map(namespace, {"metadata": {"name": "settings"}})
    with pytest.raises(CloudError, match="already exists"):
        hands.create(config_map(namespace, a="1"))


def test_a_field_that_somebody_else_changed_is_a_conflict_that_names_them(
    hands: Hands, namespace: str, api: client.ApiClient
) -> None:
    state = hands.create(config_map(namespace, a="1"))
    core = client.CoreV1Api(api)
    core.patch_namespaced_config_map("settings", namespace, {"data": {"a": "2"}}, field_manager="somebody")
    with pytest.raises(CloudError, match='conflict with "somebody"'):
        hands.diff(state, config_map(namespace, a="1"))


def test_a_field_that_somebody_else_changed_becomes_what_is_stated_where_the_provider_may_force_it(
    cluster: Cluster, tmp_path: Path, namespace: str, api: client.ApiClient
) -> None:
    hands = Hands(tmp_path, json.dumps(cluster.kubeconfig()), enablePatchForce=True)
    state = hands.create(config_map(namespace, a="1"))
    core = client.CoreV1Api(api)
    core.patch_namespaced_config_map("settings", namespace, {"data": {"a": "2"}}, field_manager="somebody")
    assert hands.update(state, config_map(namespace, a="1"))["data"] == {"a": "1"}


def test_what_is_gone_is_not_found_and_made_anew(hands: Hands, namespace: str, api: client.ApiClient) -> None:
    thing = config_map(namespace, a="1")
    state = hands.create(thing)
    client.CoreV1Api(api).delete_namespaced_config_map("settings", namespace)
    assert hands.read(state, thing).resource_id == ""
    assert hands.diff(state, thing).replaces


def test_delete_waits_until_the_object_is_gone(hands: Hands, namespace: str, api: client.ApiClient) -> None:
    state = hands.create(deployment(namespace))
    hands.delete(state)
    assert client.AppsV1Api(api).list_namespaced_deployment(namespace).items == []
    assert client.CoreV1Api(api).list_namespaced_pod(namespace).items == []


def test_a_preview_finds_what_the_server_would_refuse(hands: Hands, namespace: str) -> None:
    wrong = deployment(namespace)
    wrong["spec"]["template"]["metadata"]["labels"] = {"app": "other"}
    with pytest.raises(CloudError, match="`selector` does not match template `labels`"):
        hands.create(wrong, preview=True)


def test_a_preview_lets_pass_what_stands_on_something_still_to_come(hands: Hands) -> None:
    assert hands.create(config_map("not-there-yet", a="1"), preview=True)["data"] == {"a": "1"}


def test_a_preview_works_before_there_is_a_cluster(tmp_path: Path) -> None:
    hands = Hands(tmp_path, UNKNOWN)
    assert hands.create(config_map("shop", a="1"), preview=True)["data"] == {"a": "1"}


def test_an_object_without_a_name_gets_one_that_stays(hands: Hands, namespace: str) -> None:
    nameless = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"namespace": namespace}}
    first = hands.check(nameless)
    assert first["metadata"]["name"].startswith("thing-")
    assert hands.check(nameless, first)["metadata"]["name"] == first["metadata"]["name"]


def test_an_object_without_a_namespace_is_in_the_default_one(hands: Hands) -> None:
    thing = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x"}}
    assert hands.check(thing)["metadata"]["namespace"] == "default"


def test_an_object_that_is_in_no_namespace_gets_none(hands: Hands) -> None:
    thing = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "x"}}
    assert "namespace" not in hands.check(thing)["metadata"]


def test_a_kind_that_the_server_does_not_know_is_named(hands: Hands, namespace: str) -> None:
    thing = {"apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"name": "x", "namespace": namespace}}
    with pytest.raises(CloudError, match=r'no matches for kind "Widget" in version "example\.com/v1"'):
        hands.create(thing)


def test_differences_are_told_by_path() -> None:
    before = {"spec": {"a": 1, "list": [{"x": 1}, {"x": 2}]}, "same": 1}
    after = {"spec": {"a": 2, "list": [{"x": 1}, {"x": 3}]}, "same": 1}
    assert paths_that_differ(before, after) == {"spec.a", "spec.list[1].x"}


def test_an_ignored_field_that_is_not_there_yet_is_as_stated() -> None:
    stated = {"spec": {"replicas": 4}}
    assert keep(stated, {}, ["spec.replicas"]) == stated
    assert keep(stated, {"spec": {"replicas": 7}}, ["spec.replicas"]) == {"spec": {"replicas": 7}}
