"""The programs of a Kubernetes cluster: the ones on PATH, else built from their Go modules."""

from pathlib import Path

from sandbox.toolchain.go_build import GoProgram, required_version
from sandbox.toolchain.go_programs import ensure_program

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
    return {program.name: ensure_program(program, cache_directory, OFFICIAL) for program in programs()}
