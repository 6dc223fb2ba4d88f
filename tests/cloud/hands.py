"""What the engine does with a provider, done by hand: the calls in its order, with plain values."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping
from typing import Any, TypeVar

from pulumi.provider.experimental import provider as sdk
from pulumi.runtime import rpc

from sandbox.cloud.property_values import plain_map, wrap_map
from sandbox.cloud.provider import OLD_INPUTS, SimulatedProvider
from sandbox.cloud.server import Cloud

T = TypeVar("T")

UNKNOWN = rpc.UNKNOWN
"""An input that is not known yet, as the engine writes it."""

SEED = b"a seed of the engine's"


class Refused(Exception):  # noqa: N818 (it is no error of ours)
    """A check found fault with inputs.

    Attributes:
        failures: property path to reason.
    """

    def __init__(self, failures: Mapping[str, str]) -> None:
        super().__init__("; ".join(f"{path}: {reason}" for path, reason in failures.items()))
        self.failures = failures


class Made:
    """A resource that the hands made: its id, inputs and outputs."""

    def __init__(self, type: str, name: str, id: str, inputs: dict[str, Any], outputs: dict[str, Any]) -> None:
        self.type = type
        self.name = name
        self.id = id
        self.inputs = inputs
        self.outputs = outputs

    def __getitem__(self, property: str) -> Any:
        return self.outputs[property]


def urn(type: str, name: str) -> str:
    """Return the engine's name of a resource."""
    return f"urn:pulumi:test::auterity::{type}::{name}"


def wait(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run one call to its end."""
    return asyncio.run(coroutine)


class Hands:
    """One provider instance, configured."""

    def __init__(self, cloud: Cloud, package: str = "aws", **config: Any) -> None:
        provider = cloud.provider(package)
        assert isinstance(provider, SimulatedProvider)
        self.provider = provider
        if package == "aws":
            config = {"region": "us-east-1", **config}
        wait(self.provider.configure(sdk.ConfigureRequest({}, wrap_map(config), True, True)))

    def check(self, type: str, name: str, inputs: Mapping[str, Any], old: Mapping[str, Any] | None = None) -> Any:
        """Judge inputs and return them with what the provider adds; raises Refused."""
        request = sdk.CheckRequest(urn(type, name), wrap_map(old or {}), wrap_map(inputs), SEED + name.encode())
        response = wait(self.provider.check(request))
        if response.failures:
            raise Refused({failure.property: failure.reason for failure in response.failures})
        return plain_map(response.inputs or {})

    def create(self, type: str, name: str, /, **inputs: Any) -> Made:
        """Check inputs and make the resource."""
        checked = self.check(type, name, inputs)
        response = wait(self.provider.create(sdk.CreateRequest(urn(type, name), wrap_map(checked), 0, False)))
        return Made(type, name, response.resource_id or "", checked, plain_map(response.properties))

    def preview(self, type: str, name: str, /, **inputs: Any) -> dict[str, Any]:
        """Return the outputs of a resource as a preview foresees them."""
        checked = self.check(type, name, inputs)
        response = wait(self.provider.create(sdk.CreateRequest(urn(type, name), wrap_map(checked), 0, True)))
        return plain_map(response.properties)

    def diff(self, made: Made, **inputs: Any) -> sdk.DiffResponse:
        """Compare a resource with what is asked for now."""

        checked = self.check(made.type, made.name, inputs, made.inputs)

        async def compared() -> sdk.DiffResponse:
            OLD_INPUTS.set(wrap_map(made.inputs))
            return await self.provider.diff(
                sdk.DiffRequest(urn(made.type, made.name), made.id, wrap_map(made.outputs), wrap_map(checked), [])
            )

        return wait(compared())

    def update(self, made: Made, **inputs: Any) -> Made:
        """Change a resource in place."""
        checked = self.check(made.type, made.name, inputs, made.inputs)
        request = sdk.UpdateRequest(
            urn(made.type, made.name), made.id, wrap_map(made.outputs), wrap_map(checked), 0, [], False
        )
        response = wait(self.provider.update(request))
        return Made(made.type, made.name, made.id, checked, plain_map(response.properties))

    def read(self, made: Made) -> Made | None:
        """Return a resource as it is now; None if it is gone."""
        request = sdk.ReadRequest(urn(made.type, made.name), made.id, wrap_map(made.outputs), wrap_map(made.inputs))
        response = wait(self.provider.read(request))
        if not response.resource_id:
            return None
        return Made(
            made.type, made.name, response.resource_id, plain_map(response.inputs), plain_map(response.properties)
        )

    def delete(self, made: Made) -> None:
        """Delete a resource."""
        request = sdk.DeleteRequest(urn(made.type, made.name), made.id, wrap_map(made.outputs), 0)
        wait(self.provider.delete(request))

    def invoke(self, token: str, **args: Any) -> dict[str, Any]:
        """Look something up."""
        return plain_map(wait(self.provider.invoke(sdk.InvokeRequest(token, wrap_map(args)))).return_value or {})
