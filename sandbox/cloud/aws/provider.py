"""The simulated AWS provider."""

from __future__ import annotations

import secrets

from sandbox.cloud.provider import Draft, SimulatedProvider
from sandbox.cloud.store import Resource


class AwsProvider(SimulatedProvider):
    package = "aws"

    def make(self, draft: Draft) -> Resource:
        i = secrets.token_hex(8)
        return self.stored(draft, i, {**draft.inputs, "arn": "arn:" + i})

    def alter(self, resource: Resource, draft: Draft) -> Resource:
        return self.stored(draft, resource.id, {**resource.outputs, **draft.inputs})

    def destroy(self, resource: Resource) -> None:
        self.store.remove(resource)
