"""The programs that the sandbox runs and this machine may lack."""

from sandbox.toolchain.cache import cache_directory
from sandbox.toolchain.errors import ToolchainError
from sandbox.toolchain.pulumi_cli import PulumiCli, ensure_pulumi

__all__ = ["PulumiCli", "ToolchainError", "cache_directory", "ensure_pulumi"]
