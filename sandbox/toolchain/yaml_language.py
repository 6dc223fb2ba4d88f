"""Pulumi's own language host for programs in YAML: the one on PATH, else built from its Go module."""

from pathlib import Path

from sandbox.toolchain.go_build import GoProgram, required_version
from sandbox.toolchain.go_programs import ensure_program
from sandbox.toolchain.pulumi_cli import BUILD_TAGS, INLINED

MODULE = Path(__file__).parent / "language-hosts" / "yaml"
"""Go module that requires it; its go.mod is the one place that names its version."""

SOURCE = "github.com/pulumi/pulumi-yaml"


def ensure_yaml_language(cache_directory: Path) -> Path:
    """Return the host, ``pulumi-language-yaml``, built below the cache where it is not there.

    Raises:
        ToolchainError: it cannot be built.
    """
    program = GoProgram(
        name="pulumi-language-yaml",
        title=f"Pulumi's host for YAML {required_version(MODULE, SOURCE)}",
        module=MODULE,
        package=f"{SOURCE}/cmd/pulumi-language-yaml",
        usually="3 minutes on 2 cores",
        tags=BUILD_TAGS,
        inlined=INLINED,
    )
    return ensure_program(program, cache_directory, "leave proofs/test_policy_another_language.py out")
