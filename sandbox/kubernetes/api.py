"""Any object of any kind, by the API server's own discovery."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from kubernetes import config
from kubernetes.client.exceptions import ApiException
from urllib3.exceptions import HTTPError

from sandbox.cloud.errors import CloudError

MANAGER = "pulumi"
"""Name under which the fields of an object are ours (server-side apply)."""

Object = dict[str, Any]


class RefusedError(CloudError):
    """The API server refused a request.

    Attributes:
        status: HTTP status.
        reason: such as ``NotFound``, ``Invalid`` or ``Conflict``.
        fields: paths of the fields that it names.
    """

    def __init__(self, error: ApiException) -> None:
        try:
            body = json.loads(error.body or "{}")
        except ValueError:
            body = {}
        self.status: int = error.status or 0
        self.reason: str = body.get("reason", "")
        causes = (body.get("details") or {}).get("causes") or []
        self.fields = [cause.get("field", "") for cause in causes]
        super().__init__(body.get("message") or str(error.reason))


@dataclass(frozen=True)
class Kind:
    """How the API server serves a kind of objects.

    Attributes:
        path: where, up to the namespace or the name.
        plural: its name in paths.
        namespaced: whether objects are in namespaces.
    """

    path: str
    plural: str
    namespaced: bool

    def of(self, namespace: str | None, name: str) -> str:
        """Return the path of one object."""
        place = f"/namespaces/{namespace}" if self.namespaced and namespace else ""
        return f"{self.path}{place}/{self.plural}/{name}"


class Api:
    """One cluster, as a kubeconfig's context reaches it."""

    def __init__(self, kubeconfig: Mapping[str, Any], context: str | None = None) -> None:
        self._client = config.new_client_from_config_dict(dict(kubeconfig), context=context)
        self._kinds: dict[str, dict[str, Kind]] = {}

    def kind(self, thing: Mapping[str, Any]) -> Kind:
        """Return how an object's kind is served.

        Raises:
            CloudError: the API server does not know it.
        """
        version, kind = str(thing["apiVersion"]), str(thing["kind"])
        if kind not in self._kinds.get(version, {}):
            path = f"/apis/{version}" if "/" in version else f"/api/{version}"
            try:
                served = self._call("GET", path)["resources"]
            except RefusedError as error:
                if error.status != 404:
                    raise
                served = []
            self._kinds[version] = {
                each["kind"]: Kind(path, each["name"], each["namespaced"]) for each in served if "/" not in each["name"]
            }
        if kind not in self._kinds[version]:
            raise CloudError(f'no matches for kind "{kind}" in version "{version}"')
        return self._kinds[version][kind]

    def get(self, thing: Mapping[str, Any]) -> Object | None:
        """Return an object as it is, or None if there is none of its name."""
        try:
            return self._call("GET", self._path(thing))
        except RefusedError as error:
            if error.status == 404:
                return None
            raise

    def apply(self, thing: Mapping[str, Any], *, dry_run: bool = False, force: bool = False) -> Object:
        """Make an object what is stated of it (https://kubernetes.io/docs/reference/using-api/server-side-apply/).

        Raises:
            RefusedError: it is not valid, or a field belongs to somebody else and `force` is not given.
        """
        query = [("fieldManager", MANAGER), ("force", str(force).lower())]
        if dry_run:
            query.append(("dryRun", "All"))
        return self._call("PATCH", self._path(thing), query, thing, "application/apply-patch+yaml")

    def delete(self, thing: Mapping[str, Any]) -> None:
        """Begin to delete an object, with all that belongs to it."""
        try:
            self._call("DELETE", self._path(thing), [("propagationPolicy", "Foreground")])
        except RefusedError as error:
            if error.status != 404:
                raise

    def warnings(self, thing: Mapping[str, Any]) -> list[str]:
        """Return what was warned of an object and of those made for it, the latest last, each once."""
        metadata = thing["metadata"]
        query = [("fieldSelector", "type=Warning")]
        events = self._call("GET", f"/api/v1/namespaces/{metadata.get('namespace', 'default')}/events", query)["items"]
        about = [e for e in events if str(e["involvedObject"].get("name", "")).startswith(metadata["name"])]
        about.sort(key=lambda e: e.get("lastTimestamp") or e.get("eventTime") or "")
        return list(dict.fromkeys(f"{e['reason']}: {e['message']}" for e in about))

    def storage_class_waits(self, name: str | None) -> bool:
        """Tell whether volumes of a storage class are made only for a pod that wants them."""
        if not name:
            return True
        found = self.get({"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": {"name": name}})
        return found is not None and found.get("volumeBindingMode") == "WaitForFirstConsumer"

    def _path(self, thing: Mapping[str, Any]) -> str:
        metadata = thing["metadata"]
        return self.kind(thing).of(metadata.get("namespace"), metadata["name"])

    def _call(
        self,
        method: str,
        path: str,
        query: list[tuple[str, str]] | None = None,
        body: Mapping[str, Any] | None = None,
        content: str = "application/json",
    ) -> Object:
        headers = {"Accept": "application/json", "Content-Type": content}
        try:
            request = self._client.param_serialize(
                method,
                path,
                query_params=query or [],
                header_params=headers,
                body=body,
                auth_settings=["BearerToken"],
            )
            answer = self._client.call_api(*request)
            text = answer.read()
        except ApiException as error:
            raise RefusedError(error) from None
        except (OSError, HTTPError) as error:
            raise CloudError(f"the Kubernetes API cannot be reached: {type(error).__name__}: {error}") from None
        if not 200 <= answer.status < 300:
            raise RefusedError(ApiException(status=answer.status, reason=answer.reason, body=text))
        answered: Object = json.loads(text)
        return answered


def eks_name(kubeconfig: Mapping[str, Any]) -> str:
    """Return the name of the cluster on EKS that a kubeconfig asks a token for; empty for any other cluster."""
    for user in kubeconfig.get("users") or ():
        arguments = ((user.get("user") or {}).get("exec") or {}).get("args") or []
        if "get-token" in arguments and "--cluster-name" in arguments[:-1]:
            return str(arguments[arguments.index("--cluster-name") + 1])
    return ""


def read_kubeconfig(text: str | None, default: str, environment: Mapping[str, str]) -> dict[str, Any]:
    """Return a kubeconfig from its text or its path, or from the default path.

    Args:
        text: what the provider is configured with.
        default: path where none is given.
        environment: variables that a command which it names (``exec``) needs to be found.
    """
    path = Path(text or default)
    # A kubeconfig in full is longer than any path may be.
    is_path = not text or ("\n" not in text and "{" not in text)
    document = yaml.safe_load(path.read_text(encoding="utf-8") if is_path else str(text))
    if not isinstance(document, dict):
        raise CloudError("kubeconfig: neither a kubeconfig nor the path of one")
    for user in document.get("users") or ():
        command = (user.get("user") or {}).get("exec")
        if command:
            command["env"] = [*(command.get("env") or []), *({"name": n, "value": v} for n, v in environment.items())]
    return document
