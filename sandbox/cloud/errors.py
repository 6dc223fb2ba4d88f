"""How a simulated cloud says no."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class CloudError(Exception):
    """The cloud refused an operation; the message is the one that a user reads."""


class NeverReadyError(CloudError):
    """A resource was made, but did not become ready in time.

    Attributes:
        resource_id: id of what exists now.
        outputs: its properties.
        inputs: what it was made of.
    """

    def __init__(self, message: str, resource_id: str, inputs: Mapping[str, Any], outputs: Mapping[str, Any]) -> None:
        super().__init__(message)
        self.resource_id = resource_id
        self.inputs = inputs
        self.outputs = outputs
