"""A simulated provider: the part that every cloud has in common."""

from __future__ import annotations

import asyncio
import json
from abc import abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, replace
from typing import Any

from pulumi.provider.experimental import provider as sdk

from sandbox.cloud.caller import ENGINE, Caller
from sandbox.cloud.differences import MAPS, Comparison, differences
from sandbox.cloud.errors import CloudError, NeverReadyError
from sandbox.cloud.faults import NEVER_READY, Faults
from sandbox.cloud.property_values import UNKNOWN, Properties, holds_unknown, plain_map, wrap_map
from sandbox.cloud.sdk_types import Problem, SdkType, provider_type, sdk_type, sdk_version
from sandbox.cloud.store import Resource, Store

OLD_INPUTS: ContextVar[Properties | None] = ContextVar("old inputs", default=None)
"""The last inputs of the resource being compared: the SDK's request type has no place for them."""


@dataclass(frozen=True)
class Draft:
    """A resource as it is asked for.

    Attributes:
        kind: its type.
        name: its name in the program.
        inputs: plain inputs, checked.
        account: the account or project it is asked of.
        region: Region it is asked in; empty for a global resource.
    """

    kind: SdkType
    name: str
    inputs: Mapping[str, Any]
    account: str
    region: str


class SimulatedProvider(sdk.Provider):
    """One configured instance of a provider over the shared store.

    A cloud says what it knows by the methods below `# What a cloud decides`.

    Attributes:
        caller: who uses it, and from where.
    """

    package: str
    caller: Caller = ENGINE

    def __init__(self, store: Store, faults: Faults) -> None:
        self.store = store
        self.faults = faults
        self.config: dict[str, Any] = {}

    # What a cloud decides

    def configured(self) -> None:
        """Take over `self.config`, the provider's plain configuration."""

    def account(self, inputs: Mapping[str, Any]) -> str:
        """Name the account or project that a resource with these inputs belongs to."""
        return ""

    def region(self, kind: SdkType, inputs: Mapping[str, Any]) -> str:
        """Name the Region that a resource with these inputs is in; empty for a global one."""
        return ""

    def defaults(
        self, kind: SdkType, name: str, inputs: dict[str, Any], old: Mapping[str, Any], seed: bytes
    ) -> dict[str, Any]:
        """Return inputs that the provider adds by itself before a resource is made, such as a generated name."""
        return {}

    def problems(self, kind: SdkType, inputs: Mapping[str, Any]) -> list[Problem]:
        """Judge inputs by all that needs no state of the cloud; `UNKNOWN` values are judged when they are known."""
        return []

    def comparison(self, kind: SdkType) -> Comparison:
        """Say how two states of a resource of this type are compared, and what replaces it."""
        return Comparison(replacing=kind.replacing)

    def implied(self, kind: SdkType, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """Return properties that follow from inputs and configuration, known before anything is made."""
        return {}

    def added(self, kind: SdkType) -> Mapping[str, Sequence[str]]:
        """Return what the cloud adds within objects that are inputs: property to the names of its own in it."""
        return {}

    @abstractmethod
    def make(self, draft: Draft) -> Resource:
        """Make a resource in the store, or raise a `CloudError`."""

    @abstractmethod
    def alter(self, resource: Resource, draft: Draft) -> Resource:
        """Change a resource in place, or raise a `CloudError`."""

    @abstractmethod
    def destroy(self, resource: Resource) -> None:
        """Take a resource out of the store, or raise a `CloudError`."""

    def seen(self, resource: Resource) -> bool:
        """Tell whether the caller is shown a resource, or told that it is gone; or raise a `CloudError`."""
        return True

    def types(self) -> Iterable[str]:
        """Name the types that the provider describes, for programs in languages that have no SDK, such as YAML."""
        return ()

    def look_up(self, token: str, args: Mapping[str, Any]) -> dict[str, Any]:
        """Answer a function of the provider, or raise a `CloudError`."""
        raise CloudError(f"{token}: the simulated {self.package} provider does not know this function")

    def refusal(self, draft: Draft | Resource, operation: str, kind: str) -> str:
        """Word a fault that was set by hand as the cloud would."""
        texts = {
            "throttling": "the rate of requests exceeds the limit (Throttling: Rate exceeded)",
            "internal": "the service failed (InternalFailure)",
            NEVER_READY: "timeout while waiting for the resource to become ready",
        }
        return f"{operation}: {texts.get(kind, kind)}"

    # What every cloud does alike

    async def get_schema(self, request: sdk.GetSchemaRequest) -> sdk.GetSchemaResponse:
        resources = {token: _schema(self.kind(token)) for token in self.types()}
        return sdk.GetSchemaResponse(
            json.dumps({"name": self.package, "version": sdk_version(self.package), "resources": resources})
        )

    async def check_config(self, request: sdk.CheckRequest) -> sdk.CheckResponse:
        config = _unpacked(plain_map(request.new_inputs))
        failures = [
            sdk.CheckFailure(problem.path, problem.reason)
            for problem in provider_type(self.package).problems({k: v for k, v in config.items() if k != "version"})
        ]
        return sdk.CheckResponse(inputs=request.new_inputs, failures=failures)

    async def diff_config(self, request: sdk.DiffRequest) -> sdk.DiffResponse:
        changed = [
            name
            for name in sorted({*request.old_state, *request.new_inputs})
            if request.old_state.get(name) != request.new_inputs.get(name)
        ]
        return sdk.DiffResponse(diffs=changed)

    async def configure(self, request: sdk.ConfigureRequest) -> sdk.ConfigureResponse:
        self.config = _unpacked(plain_map(request.args))
        self.configured()
        return sdk.ConfigureResponse(
            accept_secrets=True, supports_preview=True, accept_resources=True, accept_outputs=False
        )

    async def check(self, request: sdk.CheckRequest) -> sdk.CheckResponse:
        kind = self.kind(request.type)
        inputs = plain_map(request.new_inputs)
        problems = kind.problems(inputs)
        added: dict[str, Any] = {}
        if not problems:
            added = self.defaults(kind, request.name, inputs, plain_map(request.old_inputs), request.random_seed)
            problems = self.problems(kind, {**inputs, **added})
        return sdk.CheckResponse(
            inputs={**request.new_inputs, **wrap_map(added, request.old_inputs)},
            failures=[sdk.CheckFailure(problem.path, problem.reason) for problem in problems],
        )

    async def diff(self, request: sdk.DiffRequest) -> sdk.DiffResponse:
        kind = self.kind(request.type)
        old_state = plain_map(request.old_state)
        new = plain_map(request.new_inputs)
        last = OLD_INPUTS.get()
        old_inputs = plain_map(last) if last else {name: old_state[name] for name in new if name in old_state}
        untouched = {path.split(".")[0].split("[")[0] for path in request.ignore_changes}
        for ignored in untouched:
            new.pop(ignored, None)
            old_inputs.pop(ignored, None)
        for name, value in self.implied(kind, new).items():
            if name in old_state and name not in untouched:
                new[name] = value
        comparison = self.comparison(kind)
        defaults = {name: value for name, value in comparison.defaults.items() if name not in untouched}
        return differences(replace(comparison, defaults=defaults), old_state, old_inputs, new)

    async def create(self, request: sdk.CreateRequest) -> sdk.CreateResponse:
        kind = self.kind(request.type)
        inputs = plain_map(request.properties)
        if request.preview:
            outputs = dict.fromkeys(kind.outputs, UNKNOWN) | _outputs_only(
                kind, {**inputs, **self.implied(kind, inputs)}
            )
            outputs |= _completed(outputs, self.added(kind), {})
            return sdk.CreateResponse("", wrap_map(outputs, request.properties))
        draft = self.draft(kind, request.name, inputs)
        self.judge_known(draft)
        fault = self.faults.strike(kind.token, request.name, "create")
        if fault and fault.kind != NEVER_READY:
            raise CloudError(self.refusal(draft, "create", fault.kind))
        with self.store.transaction():
            made = self.make(draft)
        # The cloud has accepted: whoever dies from here on leaves a resource behind.
        await asyncio.sleep(self.faults.latency(kind.token, "create"))
        outputs = _outputs_only(kind, made.outputs)
        if fault:
            message = self.refusal(made, "create", fault.kind)
            raise NeverReadyError(message, made.id, request.properties, wrap_map(outputs, request.properties))
        return sdk.CreateResponse(made.id, wrap_map(outputs, request.properties))

    async def read(self, request: sdk.ReadRequest) -> sdk.ReadResponse:
        kind = self.kind(request.type)
        self.strike(kind, request.name, "read")
        await asyncio.sleep(self.faults.latency(kind.token, "read"))
        inputs = plain_map(request.inputs)
        old_state = plain_map(request.properties)
        resource = self.existing(kind, request.resource_id, {**old_state, **inputs})
        if resource is None or not self.seen(resource):
            return sdk.ReadResponse("", {}, {})
        truth = {**resource.inputs, **resource.outputs}
        wanted = inputs or resource.inputs
        current = {
            name: _as_asked(truth[name], value) if name not in MAPS else truth[name]
            for name, value in wanted.items()
            if name in truth and name in kind.inputs
        }
        if "__defaults" in wanted:
            current["__defaults"] = wanted["__defaults"]
        return sdk.ReadResponse(
            resource.id,
            wrap_map(_outputs_only(kind, resource.outputs), request.inputs, request.properties),
            wrap_map(current, request.inputs),
        )

    async def update(self, request: sdk.UpdateRequest) -> sdk.UpdateResponse:
        kind = self.kind(request.type)
        new = plain_map(request.news)
        old_state = plain_map(request.olds)
        if request.preview:
            outputs = old_state | _outputs_only(kind, {**new, **self.implied(kind, new)})
            outputs |= _completed(outputs, self.added(kind), old_state)
            return sdk.UpdateResponse(wrap_map(outputs, request.news, request.olds))
        draft = self.draft(kind, request.name, new)
        self.judge_known(draft)
        self.strike(kind, request.name, "update", draft)
        with self.store.transaction():
            resource = self.existing(kind, request.resource_id, {**old_state, **new})
            if resource is None:
                raise CloudError(f"{kind.token} {request.resource_id}: it does not exist any more")
            altered = self.alter(resource, draft)
        await asyncio.sleep(self.faults.latency(kind.token, "update"))
        return sdk.UpdateResponse(wrap_map(_outputs_only(kind, altered.outputs), request.news, request.olds))

    async def delete(self, request: sdk.DeleteRequest) -> None:
        kind = self.kind(request.type)
        self.strike(kind, request.name, "delete")
        with self.store.transaction():
            resource = self.existing(kind, request.resource_id, plain_map(request.properties))
            if resource is None:
                return
            self.destroy(resource)
        await asyncio.sleep(self.faults.latency(kind.token, "delete"))

    async def invoke(self, request: sdk.InvokeRequest) -> sdk.InvokeResponse:
        answer = self.look_up(request.tok, plain_map(request.args))
        return sdk.InvokeResponse(wrap_map(answer))

    # Helpers

    def kind(self, token: str) -> SdkType:
        """Return the SDK's type of a token, before which its components may stand; or raise `CloudError`."""
        token = token.rpartition("$")[2]
        kind = sdk_type(token)
        if kind is None:
            raise CloudError(
                f"unrecognized resource type {token!r}: pulumi_{self.package} as installed has no such type"
            )
        return kind

    def draft(self, kind: SdkType, name: str, inputs: Mapping[str, Any]) -> Draft:
        """Bring together what is asked for with where it is asked."""
        return Draft(kind, name, inputs, self.account(inputs), self.region(kind, inputs))

    def judge_known(self, draft: Draft) -> None:
        """Judge what a preview could not: by now every value is known."""
        if holds_unknown(draft.inputs):
            unknown = ", ".join(name for name, value in draft.inputs.items() if holds_unknown(value))
            raise CloudError(f"{draft.kind.token} {draft.name}: {unknown} must be known by now")
        problems = draft.kind.problems(draft.inputs) or self.problems(draft.kind, draft.inputs)
        if problems:
            raise CloudError("; ".join(f"{problem.path}: {problem.reason}" for problem in problems))

    def existing(self, kind: SdkType, resource_id: str, known: Mapping[str, Any]) -> Resource | None:
        """Find a resource by id, in the Region it is known to be in."""
        region = self.region(kind, known)
        account = self.account(known)
        for resource in self.store.find(resource_id, kind.token):
            if resource.region in (region, "") and resource.account == account:
                return resource
        return None

    def strike(self, kind: SdkType, name: str, operation: str, draft: Draft | None = None) -> None:
        """Raise the fault that is set for an operation, if any."""
        fault = self.faults.strike(kind.token, name, operation)
        if fault:
            raise CloudError(self.refusal(draft or self.draft(kind, name, {}), operation, fault.kind))

    def stored(self, draft: Draft, resource_id: str, outputs: Mapping[str, Any], number: int = 0) -> Resource:
        """Put what a draft asked for into the store, as a new resource or in place of the one with this number."""
        return self.store.put(
            Resource(
                provider=self.package,
                account=draft.account,
                region=draft.region,
                type=draft.kind.token,
                id=resource_id,
                name=draft.name,
                inputs=draft.inputs,
                outputs=outputs,
                number=number,
            )
        )


def _schema(kind: SdkType) -> dict[str, Any]:
    """Describe a type to the engine. Of which type a property is, a check says: here it may be anything."""

    def properties(names: Iterable[str]) -> dict[str, Any]:
        return {name: {"$ref": "pulumi.json#/Any"} for name in sorted(names)}

    return {
        "inputProperties": properties(kind.inputs),
        "requiredInputs": sorted(kind.required),
        "properties": properties(kind.outputs),
    }


def _as_asked(truth: Any, asked: Any) -> Any:
    """Return what is, without what the cloud filled in by itself inside of objects."""
    if isinstance(truth, Mapping) and isinstance(asked, Mapping):
        return {name: _as_asked(truth[name], value) for name, value in asked.items() if name in truth}
    if isinstance(truth, list) and isinstance(asked, list) and len(truth) == len(asked):
        return [_as_asked(item, wanted) for item, wanted in zip(truth, asked, strict=True)]
    return truth


def _completed(
    outputs: Mapping[str, Any], added: Mapping[str, Sequence[str]], before: Mapping[str, Any]
) -> dict[str, Any]:
    """Return objects with what the cloud adds in them: what it was before, or unknown."""
    return {
        name: {**{key: (before.get(name) or {}).get(key, UNKNOWN) for key in keys}, **outputs[name]}
        for name, keys in added.items()
        if isinstance(outputs.get(name), Mapping)
    }


def _outputs_only(kind: SdkType, values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if name in kind.outputs}


def _unpacked(config: dict[str, Any]) -> dict[str, Any]:
    """Undo the JSON in which the SDK hands nested provider configuration over."""
    unpacked = {}
    for name, value in config.items():
        unpacked[name] = value
        if (isinstance(value, str) and value[:1] in ("{", "[")) or value in ("true", "false"):
            unpacked[name] = json.loads(value)
    return unpacked
