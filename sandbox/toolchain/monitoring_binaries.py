"""Prometheus, Alertmanager, Loki and their checkers: the ones on PATH, else built from their Go modules."""

from pathlib import Path

from sandbox.toolchain.go_build import GoProgram, required_version
from sandbox.toolchain.go_programs import ensure_program

MODULES = Path(__file__).parent / "monitoring-binaries"
"""Go modules that require the programs; each go.mod is the one place that names a version."""

ALLOY_SYNTAX = Path(__file__).parent / "checkers" / "alloysyntax"
"""Go module of a small program around Alloy's own parser; Alloy itself takes too long to build."""

OFFICIAL = (
    "install the official programs on PATH (https://prometheus.io/download/, https://github.com/grafana/loki/releases)"
)

DISCOVERY = ("remove_all_sd", "enable_kubernetes_sd", "enable_aws_sd")
"""Build tags of Prometheus: the discoveries in use; all of them take five times as long to build."""


def prometheus_version() -> str:
    """Return Prometheus' release: module v0.313.5 is release 3.13.5."""
    _, minor, patch = required_version(MODULES / "prometheus", "github.com/prometheus/prometheus").split(".")
    return f"{int(minor) // 100}.{int(minor) % 100}.{patch}"


def programs() -> tuple[GoProgram, ...]:
    """List the programs."""
    release = prometheus_version()
    stamp = "github.com/prometheus/common/version.Version"
    prometheus = tuple(
        GoProgram(
            name,
            f"{name} {release}",
            MODULES / "prometheus",
            f"github.com/prometheus/prometheus/cmd/{name}",
            usually,
            ((stamp, release),),
            DISCOVERY,
        )
        for name, usually in (("promtool", "a minute"), ("prometheus", "half a minute"))
    )
    # Of newer releases the server cannot be built: the module does not hold the files of its web pages.
    alertmanager = tuple(
        GoProgram(
            name,
            f"{name} {version}",
            MODULES / name,
            f"github.com/prometheus/alertmanager/cmd/{name}",
            "half a minute",
            ((stamp, version),),
        )
        for name in ("amtool", "alertmanager")
        for version in (required_version(MODULES / name, "github.com/prometheus/alertmanager"),)
    )
    node_exporter = required_version(MODULES / "node_exporter", "github.com/prometheus/node_exporter")
    alloy_syntax = required_version(ALLOY_SYNTAX, "github.com/grafana/alloy/syntax")
    loki = required_version(MODULES / "loki", "github.com/grafana/loki/v3")
    loki_stamp = ("github.com/grafana/loki/v3/pkg/util/build.Version", loki)
    package = "github.com/grafana/loki/v3/cmd/loki"
    return (
        *prometheus,
        *alertmanager,
        GoProgram(
            "node_exporter",
            f"node_exporter {node_exporter}",
            MODULES / "node_exporter",
            "github.com/prometheus/node_exporter",
            "half a minute",
            ((stamp, node_exporter),),
        ),
        GoProgram("alloysyntax", f"Alloy's parser {alloy_syntax}", ALLOY_SYNTAX, ".", "some seconds"),
        GoProgram("loki", f"Loki {loki}", MODULES / "loki", package, "5 minutes on 2 cores", (loki_stamp,)),
    )


def ensure_monitoring(name: str, cache_directory: Path) -> Path:
    """Return one of the programs; what PATH has not in the right release is built below the cache.

    Raises:
        ToolchainError: it can be neither found nor built.
    """
    [program] = [program for program in programs() if program.name == name]
    return ensure_program(program, cache_directory, OFFICIAL)
