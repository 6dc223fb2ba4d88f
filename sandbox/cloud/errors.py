"""How a simulated cloud says no."""

from __future__ import annotations

from sandbox.cloud.property_values import Properties


class CloudError(Exception):
    """The cloud refused an operation; the message is the one that a user reads."""


class NeverReadyError(CloudError):
    """A resource was made, but did not become ready in time.

    Attributes:
        resource_id: id of what exists now.
        inputs: what it was made of.
        outputs: its properties; secret ones are marked as such in both.
    """

    def __init__(self, message: str, resource_id: str, inputs: Properties, outputs: Properties) -> None:
        super().__init__(message)
        self.resource_id = resource_id
        self.inputs = inputs
        self.outputs = outputs
