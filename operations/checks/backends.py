"""Who is asked: Prometheus, Alertmanager, Loki, the Kubernetes API, and AWS about the database."""

from __future__ import annotations

import json
import math
import os
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import httpx2

from operations.checks.findings import UnreachableError

SECONDS = 10
"""Seconds after which an answer is no longer waited for."""

SPACES = "auterity"
"""What the namespaces of the platform begin with."""

Answer = TypeVar("Answer")


@dataclass(frozen=True)
class Sample:
    """One series' value now."""

    labels: Mapping[str, str]
    value: float

    def label(self, *names: str) -> str:
        """Return the first of the labels that is there."""
        return next((self.labels[name] for name in names if name in self.labels), "?")


@dataclass(frozen=True)
class Http:
    """An HTTP API.

    Attributes:
        name: what it is called in front of people.
        url: its address.
        option: the option that sets the address.
        forward: command that brings it to this machine.
    """

    name: str
    url: str
    option: str
    forward: str = ""

    def get(
        self, path: str, parameters: Mapping[str, str] | None = None, headers: Mapping[str, str] | None = None
    ) -> Any:
        """Ask for JSON.

        Raises:
            UnreachableError: it does not answer, or not with what was asked for.
        """
        try:
            answer = httpx2.get(f"{self.url.rstrip('/')}{path}", params=parameters, headers=headers, timeout=SECONDS)
            answer.raise_for_status()
            return answer.json()
        except httpx2.HTTPStatusError as error:
            said = error.response.text.strip().splitlines()[:1]
            code = error.response.status_code
            raise UnreachableError(f"{self.name} at {self.url} answers {code}: {''.join(said)[:200]}") from error
        except (httpx2.HTTPError, httpx2.InvalidURL, ValueError) as error:
            where = f"{self.name} cannot be asked at {self.url} ({self.option}): {error}"
            raise UnreachableError(where, self.forward) from error


@dataclass(frozen=True)
class Prometheus(Http):
    """Prometheus (https://prometheus.io/docs/prometheus/latest/querying/api/)."""

    def ask(self, query: str) -> list[Sample]:
        """Return every series of an answer; one without a number is none."""
        answer = self.get("/api/v1/query", {"query": query})
        samples = [Sample(each["metric"], float(each["value"][1])) for each in answer["data"]["result"]]
        return [each for each in samples if not math.isnan(each.value)]

    def value(self, query: str) -> float | None:
        """Return the one number of an answer; None if there is none."""
        found = self.ask(query)
        return found[0].value if found else None


@dataclass(frozen=True)
class Alertmanager(Http):
    """Alertmanager (https://github.com/prometheus/alertmanager/blob/main/api/v2/openapi.yaml)."""

    def firing(self) -> list[dict[str, Any]]:
        """Return the alerts that fire and that nobody has silenced."""
        return list(self.get("/api/v2/alerts", {"silenced": "false", "inhibited": "false"}))


@dataclass(frozen=True)
class Loki(Http):
    """Loki (https://grafana.com/docs/loki/latest/reference/loki-http-api/)."""

    tenant: str = "auterity"

    def count(self, query: str) -> list[Sample]:
        """Return the answer to a question for numbers."""
        answer = self.get("/loki/api/v1/query", {"query": query}, {"X-Scope-OrgID": self.tenant})
        return [Sample(each["metric"], float(each["value"][1])) for each in answer["data"]["result"]]

    def newest(self, query: str, since: str) -> str:
        """Return the newest line; empty if there is none."""
        parameters = {"query": query, "since": since, "limit": "1", "direction": "backward"}
        answer = self.get("/loki/api/v1/query_range", parameters, {"X-Scope-OrgID": self.tenant})
        lines = [line for stream in answer["data"]["result"] for _, line in stream["values"]]
        return str(lines[0]) if lines else ""


@dataclass(frozen=True)
class Cluster:
    """The Kubernetes API, as the user of a kubeconfig's context.

    Attributes:
        context: name of the context; None for the current one.
    """

    context: str | None = None

    @cached_property
    def _client(self) -> Any:
        from kubernetes import config

        # The library looks at the variable once, when it is loaded.
        return config.new_client_from_config(os.environ.get("KUBECONFIG") or None, context=self.context)

    def ask(self, question: Callable[[Any], Answer]) -> Answer:
        """Ask by a client of the API.

        Raises:
            UnreachableError: there is no such context, or the cluster does not answer.
        """
        # Few commands need it, and it takes its time.
        from kubernetes import client
        from kubernetes.config import ConfigException
        from urllib3.exceptions import HTTPError

        try:
            return question(self._client)
        except client.ApiException as error:
            raise UnreachableError(f"the cluster ({self.named}) answers {error.status}: {error.reason}") from error
        except (ConfigException, HTTPError, OSError) as error:
            raise UnreachableError(f"the cluster cannot be asked ({self.named}): {error}") from error

    @property
    def named(self) -> str:
        """How people name it."""
        return f"--context {self.context}" if self.context else "the kubeconfig's current context"

    def pods(self) -> list[Any]:
        """Return the platform's pods."""
        from kubernetes import client

        found = self.ask(lambda api: client.CoreV1Api(api).list_pod_for_all_namespaces(_request_timeout=SECONDS).items)
        return [pod for pod in found if pod.metadata.namespace.startswith(SPACES)]

    def workloads(self) -> list[Any]:
        """Return the platform's Deployments, StatefulSets and DaemonSets, each with its ``kind``."""
        from kubernetes import client

        def question(api: Any) -> list[Any]:
            apps, found = client.AppsV1Api(api), []
            for kind, listed in (
                ("Deployment", apps.list_deployment_for_all_namespaces),
                ("StatefulSet", apps.list_stateful_set_for_all_namespaces),
                ("DaemonSet", apps.list_daemon_set_for_all_namespaces),
            ):
                for each in listed(_request_timeout=SECONDS).items:
                    each.kind = kind
                    found.append(each)
            return found

        return [each for each in self.ask(question) if each.metadata.namespace.startswith(SPACES)]

    def versions(self) -> tuple[str, dict[str, str]]:
        """Return the release of the API server, and that of each node's kubelet by the node's name."""
        from kubernetes import client

        def question(api: Any) -> tuple[str, dict[str, str]]:
            server = client.VersionApi(api).get_code(_request_timeout=SECONDS).git_version
            nodes = client.CoreV1Api(api).list_node(_request_timeout=SECONDS).items
            return server, {node.metadata.name: node.status.node_info.kubelet_version for node in nodes}

        return self.ask(question)

    def roll(self, name: str, namespace: str, at: str) -> None:
        """Replace the pods of a Deployment one by one, as ``kubectl rollout restart`` does."""
        from kubernetes import client

        change = {"spec": {"template": {"metadata": {"annotations": {"kubectl.kubernetes.io/restartedAt": at}}}}}
        self.ask(lambda api: client.AppsV1Api(api).patch_namespaced_deployment(name, namespace, change))


@dataclass(frozen=True)
class Rds:
    """The database on Amazon RDS, by the credentials of the environment.

    Attributes:
        instance: identifier of the instance; None where the database is in the cluster.
        region: its Region; None for the environment's.
    """

    instance: str | None = None
    region: str | None = None

    def ask(self, *words: str) -> Any:
        """Ask AWS by its own command, which the kubeconfig of a cluster on EKS needs as well.

        Raises:
            UnreachableError: there is no such command, no credentials, no answer, or a refusal.
        """
        region = ["--region", self.region] if self.region else []
        limits = ["--cli-connect-timeout", str(SECONDS), "--cli-read-timeout", str(SECONDS)]
        command = ["aws", *words, "--output", "json", *region, *limits]
        try:
            answer = subprocess.run(command, capture_output=True, text=True, timeout=6 * SECONDS, check=True)
            return json.loads(answer.stdout)
        except subprocess.CalledProcessError as error:
            said = " ".join(error.stderr.split())
            raise UnreachableError(f"AWS cannot be asked about {self.instance} (--database): {said[:300]}") from error
        except (OSError, subprocess.TimeoutExpired, ValueError) as error:
            raise UnreachableError(f"AWS cannot be asked about {self.instance} (--database): {error}") from error


@dataclass(frozen=True)
class Platform:
    """All who can be asked about the platform."""

    prometheus: Prometheus
    alertmanager: Alertmanager
    loki: Loki
    cluster: Cluster
    database: Rds = field(default_factory=Rds)
    exemptions: Path = Path("policies/config.yaml")
    today: date = field(default_factory=date.today)


def on_rds(platform: Platform) -> bool:
    """Say whether the operator has named a database on Amazon RDS."""
    return platform.database.instance is not None
