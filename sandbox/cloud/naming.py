"""Names that providers generate."""

from __future__ import annotations

import hashlib
import secrets


def autoname(name: str, seed: bytes, limit: int = 255, digits: int = 7) -> str:
    """Return a name with a random end, as Pulumi's providers do: the engine's seed makes it the same in preview and up.

    Source: https://www.pulumi.com/docs/iac/concepts/resources/names/#autonaming.
    """
    ending = hashlib.sha256(seed + name.encode()).hexdigest()[:digits] if seed else secrets.token_hex(digits)[:digits]
    return f"{name[: limit - digits - 1]}-{ending}"
