"""The secrets manager of the workloads: Vault, in the cluster."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from settings.base import NUMBER, Settings, at_least_in_production


class VaultSettings(Settings):
    """Vault, with its data on volumes of its own (Raft) and TLS everywhere."""

    copies: Annotated[
        Literal[1, 3, 5], NUMBER, at_least_in_production(3, "Raft needs a majority when one copy is lost")
    ] = 3
    """Servers: three, of which one may be lost, or five, of which two may, or one."""

    memory_mib: Annotated[int, Field(ge=128, le=65_536)] = 512
    """Memory of a server in MiB."""

    cpu_request_millis: Annotated[int, Field(ge=50, le=64_000)] = 250
    """CPU kept free for a server, in milli-CPU."""

    storage_gib: Annotated[int, Field(ge=1, le=16_384)] = 10
    """Volume of a server in GiB. It grows in place, and never shrinks."""

    break_glass: bool = False
    """Let the holders of Vault's keys make a root token when no administrator can sign in any more; Vault 2.0 asks for
    a token there as well. Not longer than that takes; the servers restart one by one (docs/runbooks/vault.md).
    """

    certificate_days: Annotated[int, Field(ge=31, le=397)] = 365
    """Days that the servers' certificate is good for, 31 to 397; the first deployment in its last 30 days renews it."""
