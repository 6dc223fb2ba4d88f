"""The control plane: started, found again, stopped, removed."""

from __future__ import annotations

import base64
import csv
import json
import secrets
import shutil
import socket
import ssl
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from sandbox.kubernetes.daemons import Daemons
from sandbox.toolchain.cache import cache_directory, exclusive
from sandbox.toolchain.kubernetes_binaries import ensure_kubernetes, kubernetes_version

SERVICE_ADDRESSES = "10.96.0.0/16"
"""Addresses of Services, as most installers choose them."""

READY_SECONDS = 60.0
"""How long the cluster may take to answer: some seconds on an idle machine."""

NODE_LEASE = "--node-lease-duration-seconds=40"
"""Nodes renew a lease, as kubelets do; without one a node is taken for lost from time to time."""

PROGRAMS = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kwok", "supplements")
"""What runs, in the order of the start."""

ADDRESS = "127.0.0.1"


class ClusterError(Exception):
    """The cluster cannot be started; the message names the program and what it said."""


class Cluster:
    """A cluster below one directory, which outlives the process that started it.

    Several processes may use one directory: the first starts the cluster, the others find it running. After a crash of
    any of its programs, or of the machine, a start brings it back with all objects.

    Args:
        directory: holds the credentials, the data and the logs; made where missing.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory.resolve()
        self.daemons = Daemons(self.directory)
        self.credentials = self.directory / "credentials"

    @property
    def running(self) -> bool:
        """Whether every program runs."""
        return set(self.daemons.running()) == set(PROGRAMS)

    @property
    def endpoint(self) -> str:
        """URL of the API server."""
        return f"https://{ADDRESS}:{self._ports()['kube-apiserver']}"

    @property
    def authority(self) -> str:
        """Certificate of the authority that signed the API server's, in base64 as a kubeconfig has it."""
        return base64.b64encode((self.credentials / "ca.crt").read_bytes()).decode()

    @property
    def version(self) -> str:
        """Release of Kubernetes, such as ``1.36.3``."""
        return kubernetes_version()

    def token(self, holder: str = "admin") -> str:
        """Return the token of an administrator, or of one of the cluster's own programs."""
        with (self.credentials / "tokens.csv").open(newline="") as rows:
            return next(row[0] for row in csv.reader(rows) if row[2] == holder)

    def kubeconfig(self, context: str = "sandbox", holder: str = "admin") -> dict[str, Any]:
        """Write a kubeconfig with one context for an administrator, or one of the cluster's own programs."""
        cluster = {"server": self.endpoint, "certificate-authority-data": self.authority}
        return {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": context, "cluster": cluster}],
            "users": [{"name": context, "user": {"token": self.token(holder)}}],
            "contexts": [{"name": context, "context": {"cluster": context, "user": context}}],
            "current-context": context,
        }

    def environment(self) -> dict[str, str]:
        """Return the variable by which kubectl finds the cluster."""
        path = self.directory / "kubeconfig"
        path.touch(mode=0o600)
        path.write_text(json.dumps(self.kubeconfig()))
        return {"KUBECONFIG": str(path)}

    def start(self) -> None:
        """Start what does not run, and wait until the API answers.

        Raises:
            ClusterError: a program ended, or the API did not answer in time.
            ToolchainError: the programs can be neither found nor built.
        """
        self.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        # Only who starts a cluster pays for loading it.
        from sandbox.kubernetes.credentials import make_credentials

        with exclusive(self.directory / "lock"):
            if self.running:
                return
            binaries = ensure_kubernetes(cache_directory())
            self.daemons.stop(last=("kube-apiserver", "etcd"))
            make_credentials(self.credentials)
            ports = self._choose_ports()
            self._start_store_and_server(binaries, ports)
            for program, holder in (
                ("kube-controller-manager", "controller-manager"),
                ("kube-scheduler", "scheduler"),
                ("kwok", "nodes"),
                ("supplements", "nodes"),
            ):
                path = self.credentials / f"{holder}.kubeconfig"
                path.touch(mode=0o600)
                path.write_text(json.dumps(self.kubeconfig(holder=holder)))
                self._start_client(program, binaries, path, ports)
            self._wait(lambda: self._answers("/api/v1/nodes") and "True" in self._get("/api/v1/nodes"), "nodes")

    def stop(self) -> None:
        """Stop every program; the objects stay on disk."""
        if self.directory.exists():
            with exclusive(self.directory / "lock"):
                self.daemons.stop(last=("kube-apiserver", "etcd"))

    def remove(self) -> None:
        """Stop every program, at once since nothing of it is kept, and remove all that it left."""
        self.daemons.kill()
        shutil.rmtree(self.directory, ignore_errors=True)

    def _start_store_and_server(self, binaries: dict[str, Path], ports: dict[str, int]) -> None:
        here = self.credentials
        store = f"http://{ADDRESS}:{ports['etcd']}"
        self.daemons.start(
            "etcd",
            [
                binaries["etcd"],
                "--data-dir=etcd",
                f"--listen-client-urls={store}",
                f"--advertise-client-urls={store}",
                f"--listen-peer-urls=http://{ADDRESS}:{ports['etcd-peer']}",
                f"--initial-advertise-peer-urls=http://{ADDRESS}:{ports['etcd-peer']}",
                f"--initial-cluster=default=http://{ADDRESS}:{ports['etcd-peer']}",
                # A power cut may cost a sandbox its objects; waiting for the disk would cost every command.
                "--unsafe-no-fsync",
                "--log-level=warn",
            ],
        )
        self.daemons.start(
            "kube-apiserver",
            [
                binaries["kube-apiserver"],
                f"--etcd-servers={store}",
                f"--bind-address={ADDRESS}",
                f"--advertise-address={ADDRESS}",
                f"--secure-port={ports['kube-apiserver']}",
                f"--tls-cert-file={here / 'server.crt'}",
                f"--tls-private-key-file={here / 'server.key'}",
                f"--token-auth-file={here / 'tokens.csv'}",
                f"--service-account-key-file={here / 'service-accounts.pub'}",
                f"--service-account-signing-key-file={here / 'service-accounts.key'}",
                "--service-account-issuer=https://kubernetes.default.svc",
                f"--service-cluster-ip-range={SERVICE_ADDRESSES}",
                "--authorization-mode=Node,RBAC",
                "--enable-admission-plugins=NodeRestriction",
                # There is no network from pods to this server: it need not say where it is.
                "--endpoint-reconciler-type=none",
                # As on EKS: what may be privileged is for Pod Security to say.
                "--allow-privileged=true",
                "--v=1",
            ],
        )
        self._wait(lambda: self._answers("/readyz"), "kube-apiserver")

    def _start_client(self, program: str, binaries: dict[str, Path], kubeconfig: Path, ports: dict[str, int]) -> None:
        commands: dict[str, list[str | Path]] = {
            "kube-controller-manager": [
                binaries["kube-controller-manager"],
                f"--kubeconfig={kubeconfig}",
                f"--service-account-private-key-file={self.credentials / 'service-accounts.key'}",
                f"--root-ca-file={self.credentials / 'ca.crt'}",
                "--use-service-account-credentials",
                "--leader-elect=false",
                "--secure-port=0",
                # As quick as a test wants: load is asked for every second, and counts from a pod's first one.
                "--horizontal-pod-autoscaler-sync-period=1s",
                "--horizontal-pod-autoscaler-cpu-initialization-period=1s",
                "--horizontal-pod-autoscaler-initial-readiness-delay=1s",
            ]
            if "kube-controller-manager" in binaries
            else [],
            "kube-scheduler": [
                binaries["kube-scheduler"],
                f"--kubeconfig={kubeconfig}",
                "--leader-elect=false",
                "--secure-port=0",
            ],
            "kwok": [binaries["kwok"], f"--kubeconfig={kubeconfig}", "--manage-all-nodes=true", NODE_LEASE],
            "supplements": [
                sys.executable,
                "-m",
                "sandbox.kubernetes.supplements",
                kubeconfig,
                str(ports["metrics"]),
            ],
        }
        checkout = Path(__file__).resolve().parents[2]
        self.daemons.start(program, commands[program], {"PYTHONPATH": str(checkout)})

    def _choose_ports(self) -> dict[str, int]:
        """Take the ports of last time, so that a kubeconfig stays right, or free ones where any is taken now."""
        path = self.directory / "ports.json"
        known = self._ports() if path.exists() else {}
        if not known or not all(_is_free(port) for port in known.values()):
            known = _free_ports(("etcd", "etcd-peer", "kube-apiserver", "metrics"))
            path.write_text(json.dumps(known))
        return known

    def _ports(self) -> dict[str, int]:
        ports: dict[str, int] = json.loads((self.directory / "ports.json").read_text())
        return ports

    def _wait(self, condition: Any, program: str) -> None:
        deadline = time.monotonic() + READY_SECONDS
        while not condition():
            gone = [name for name in PROGRAMS if name in self._started() and name not in self.daemons.running()]
            if gone or time.monotonic() > deadline:
                name = gone[0] if gone else program
                said = self.daemons.tail(name)
                self.daemons.stop(last=("kube-apiserver", "etcd"))
                what = "ended" if gone else f"did not become ready within {READY_SECONDS:.0f} s"
                raise ClusterError(f"{name} of the sandbox's Kubernetes {what}:\n{said}")
            time.sleep(0.1)

    def _started(self) -> set[str]:
        return {path.stem for path in self.directory.glob("*.log")} & set(self.daemons._known())

    def _answers(self, path: str) -> bool:
        try:
            self._get(path)
        except (urllib.error.URLError, OSError):
            return False
        return True

    def _get(self, path: str) -> str:
        request = urllib.request.Request(  # noqa: S310 - a constant https address
            f"{self.endpoint}{path}", headers={"Authorization": f"Bearer {self.token()}"}
        )
        context = ssl.create_default_context(cafile=str(self.credentials / "ca.crt"))
        with urllib.request.urlopen(request, timeout=5, context=context) as response:  # noqa: S310
            text: str = response.read().decode()
            return text


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((ADDRESS, port))
        except OSError:
            return False
        return True


def _free_ports(names: tuple[str, ...]) -> dict[str, int]:
    """Find a free port for each name, below those that outgoing connections get by themselves meanwhile."""
    candidates = (port for port in secrets.SystemRandom().sample(range(20_000, 32_768), 1000) if _is_free(port))
    return dict(zip(names, candidates, strict=False))
