"""The programs of a Kubernetes cluster: the ones on PATH, else built from their Go modules."""

import os
import re
import shutil
import subprocess
from pathlib import Path

from sandbox.toolchain.cache import exclusive, staged
from sandbox.toolchain.go_build import GoProgram, build, find_go, required_version
from sandbox.toolchain.progress import say

MODULES = Path(__file__).parent / "kubernetes-binaries"
"""Go modules that require the programs; each go.mod is the one place that names a version."""

OFFICIAL = "install the official programs on PATH (https://kubernetes.io/releases/download/)"


def kubernetes_version() -> str:
    """Return the release of Kubernetes that is built, such as ``1.36.3``."""
    return required_version(MODULES / "kubernetes", "k8s.io/kubernetes")


def programs() -> tuple[GoProgram, ...]:
    """List the programs, the ones that take longest first."""
    release = kubernetes_version()
    major, minor, _ = release.split(".")
    stamped = tuple(
        (f"k8s.io/component-base/version.{name}", value)
        for name, value in {
            "gitVersion": f"v{release}",
            "gitMajor": major,
            "gitMinor": minor,
            "gitTreeState": "clean",
        }.items()
    )
    kubernetes = tuple(
        GoProgram(name, f"{name} {release}", MODULES / "kubernetes", f"k8s.io/kubernetes/cmd/{name}", usually, stamped)
        for name, usually in (
            ("kube-apiserver", "3 to 4 minutes on 2 cores"),
            ("kube-controller-manager", "a minute"),
            ("kube-scheduler", "seconds"),
            ("kubectl", "half a minute"),
        )
    )
    etcd = required_version(MODULES / "etcd", "go.etcd.io/etcd/server/v3")
    kwok = required_version(MODULES / "kwok", "sigs.k8s.io/kwok")
    return (
        *kubernetes,
        GoProgram("etcd", f"etcd {etcd}", MODULES / "etcd", ".", "half a minute"),
        GoProgram("kwok", f"KWOK {kwok}", MODULES / "kwok", "sigs.k8s.io/kwok/cmd/kwok", "a minute"),
    )


def ensure_kubernetes(cache_directory: Path) -> dict[str, Path]:
    """Return the programs of a cluster by name; what PATH has not in the right release is built below the cache.

    Raises:
        ToolchainError: one can be neither found nor built.
    """
    return {program.name: _ensure(program, cache_directory) for program in programs()}


def _ensure(program: GoProgram, cache_directory: Path) -> Path:
    found = shutil.which(program.name, path=os.environ.get("PATH", os.defpath))
    wanted = program.title.rpartition(" ")[2]
    if found and _minor(version_of(Path(found))) == _minor(wanted):
        return Path(found)
    home = cache_directory / program.name / wanted
    if not home.exists():
        with exclusive(home.with_name(f"{wanted}.lock")):
            if not home.exists():
                if found:
                    say(f"Not using {found}: another release than {wanted}")
                go = find_go(program.title, OFFICIAL)
                with staged(home) as part:
                    build(go, program, part / program.name)
    return home / program.name


def version_of(executable: Path) -> str | None:
    """Ask a program for its release; None if it does not answer with one."""
    for question in (["--version"], ["version", "--client"]):
        try:
            answer = subprocess.run([executable, *question], capture_output=True, text=True, timeout=30)
        except (OSError, subprocess.TimeoutExpired):
            return None
        found = re.search(r"v?(\d+\.\d+\.\d+)", answer.stdout)
        if answer.returncode == 0 and found:
            return found.group(1)
    return None


def _minor(version: str | None) -> str | None:
    """Return what must be the same: patches within a minor release are alike."""
    return version.rpartition(".")[0] if version else None
