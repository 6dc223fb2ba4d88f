"""The simulated random provider."""

from __future__ import annotations

from sandbox.cloud.provider import Draft, SimulatedProvider
from sandbox.cloud.store import Resource


class RandomProvider(SimulatedProvider):
    package = "random"

    def make(self, draft: Draft) -> Resource:
        return self.stored(draft, "none", {**draft.inputs})

    def alter(self, resource: Resource, draft: Draft) -> Resource:
        return resource

    def destroy(self, resource: Resource) -> None:
        self.store.remove(resource)
