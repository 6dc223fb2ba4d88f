"""What one command of the engine does, or would do, to a stack."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pulumi.automation import EngineEvent, OpType
from pulumi.automation.events import StepEventMetadata, StepEventStateMetadata
from pydantic import BaseModel, ConfigDict

from delivery.values import MASK, at, digest, shown
from operations.cost.estimate import estimate
from operations.cost.prices import table
from operations.cost.resources import Resource

KINDS = {
    OpType.DELETE_REPLACED: "replace",
    OpType.CREATE_REPLACEMENT: "replace",
    OpType.REPLACE: "replace",
    OpType.REMOVE_PENDING_REPLACE: "replace",
    OpType.DELETE: "delete",
    OpType.DISCARD_REPLACED: "replace",
    OpType.CREATE: "create",
    OpType.IMPORT: "create",
    OpType.IMPORT_REPLACEMENT: "replace",
    OpType.UPDATE: "update",
}
"""The engine's operations, as people speak of them; of a replacement it tells three, which are one."""

ORDER = ("delete", "replace", "update", "create")
"""What is worst to overlook comes first."""


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Value(_Model):
    """How one property changes, as people read it; secret values are masked.

    Attributes:
        path: the property.
        before: what it is; empty if there is none.
        after: what it would be; empty if there is none.
    """

    path: str
    before: str
    after: str


class Change(_Model):
    """What happens to one resource.

    Attributes:
        kind: ``create``, ``update``, ``replace`` or ``delete``.
        urn: the resource.
        properties: paths of what changes, those first for which it is replaced.
        values: how they change; none for what is created or deleted.
        digest: SHA-256 of all that the resource is asked to be; empty for what is deleted.
    """

    kind: str
    urn: str
    properties: tuple[str, ...] = ()
    values: tuple[Value, ...] = ()
    digest: str = ""

    @property
    def name(self) -> str:
        """The logical name."""
        return self.urn.rpartition("::")[2]

    @property
    def type(self) -> str:
        """The type, without those of the components around it."""
        return self.urn.split("::")[2].rpartition("$")[2]


class Said(_Model):
    """What a policy says of a resource.

    Attributes:
        policy: name of the policy.
        mandatory: whether it stops a deployment.
        resource: logical name of the resource; empty where it is about none.
        message: what it says.
    """

    policy: str
    mandatory: bool
    resource: str
    message: str


class Monthly(_Model):
    """What a part of a stack costs in a month, at list prices.

    Attributes:
        component: kind of the component.
        before: US dollars as the stack is.
        after: US dollars as it would be.
    """

    component: str
    before: float
    after: float


class Changes(_Model):
    """What a command does to a stack.

    Attributes:
        stack: name of the stack.
        changes: what happens to each resource that does not stay as it is, the worst first.
        waiting: what was asked for by the last deployment and is not there yet, as it waits for a maintenance window.
        same: resources that stay.
        said: what policies say.
        error: why the engine gave up; empty if it did not.
        monthly: what its components cost, before and after.
    """

    stack: str
    changes: tuple[Change, ...] = ()
    waiting: tuple[Change, ...] = ()
    same: int = 0
    said: tuple[Said, ...] = ()
    error: str = ""
    monthly: tuple[Monthly, ...] = ()

    @property
    def stopped(self) -> bool:
        """Whether this may not be deployed."""
        return bool(self.error) or any(each.mandatory for each in self.said)

    def of(self, kind: str) -> list[Change]:
        """List the changes of a kind."""
        return [change for change in self.changes if change.kind == kind]

    def write(self, path: Path) -> None:
        """Keep it for the next step of a pipeline."""
        path.write_text(self.model_dump_json(indent=1) + "\n", encoding="utf-8")

    @classmethod
    def read(cls, path: Path) -> Changes:
        """Read what `write` has kept.

        Raises:
            OSError: it cannot be read.
            ValueError: it is no such file.
        """
        return cls.model_validate_json(path.read_text(encoding="utf-8"))


class Listener:
    """Hears the engine's events, and makes one account of them."""

    def __init__(self, stack: str) -> None:
        self._stack = stack
        self._changes: dict[str, Change] = {}
        self._waiting: dict[str, Change] = {}
        self._same = 0
        self._said: list[Said] = []
        self._refreshed: set[str] = set()
        self._before: dict[str, Resource] = {}
        self._after: dict[str, Resource] = {}

    def hear(self, event: EngineEvent) -> None:
        """Take an event in."""
        if event.resource_pre_event is not None:
            metadata = event.resource_pre_event.metadata
            self._price(metadata)
            kind = KINDS.get(metadata.op)
            if kind is None:
                self._same += metadata.op == OpType.SAME
                self._refreshed |= {metadata.urn} if metadata.op == OpType.REFRESH else set()
                return
            before = self._changes.get(metadata.urn)
            # The engine lists each in any order.
            found = [*sorted(metadata.keys or ()), *sorted(metadata.diffs or ())]
            found += before.properties if before else ()
            # Steps of a replacement come one by one.
            kind = "replace" if before and before.kind != kind else kind
            self._changes[metadata.urn] = Change(
                kind=kind,
                urn=metadata.urn,
                properties=tuple(dict.fromkeys(found)),
                values=_values(metadata, kind) or (before.values if before else ()),
                digest=_digest(metadata, kind) or (before.digest if before else ""),
            )
        if event.res_outputs_event is not None and event.res_outputs_event.metadata.urn in self._refreshed:
            self._found(event.res_outputs_event.metadata)
        if event.policy_event is not None:
            heard = event.policy_event
            self._said.append(
                Said(
                    policy=heard.policy_name,
                    mandatory=heard.enforcement_level == "mandatory",
                    resource=(heard.resource_urn or "").rpartition("::")[2],
                    message=" ".join(heard.message.split()),
                )
            )

    def _price(self, metadata: StepEventMetadata) -> None:
        """Remember what is paid for."""
        if metadata.old:
            self._before[metadata.urn] = _resource(metadata.old)
        if metadata.new and KINDS.get(metadata.op) != "delete":
            self._after[metadata.urn] = _resource(metadata.new)

    def _found(self, metadata: StepEventMetadata) -> None:
        """Take in how a resource was found in the cloud.

        What the last deployment asked for, to be done in the next maintenance window, is no drift: until then the cloud
        says what it said after the deployment.
        """
        kind = KINDS.get(metadata.op)
        if kind is None:
            self._same += 1
            return
        properties: tuple[str, ...] = ()
        values: tuple[Value, ...] = ()
        if kind == "update":
            old, new = ((state.outputs if state else None) or {} for state in (metadata.old, metadata.new))
            asked = (metadata.old.inputs if metadata.old else None) or {}
            moved = {key for key in old.keys() | new.keys() if old.get(key) != new.get(key)}
            named = {path.split(".")[0].split("[")[0] for path in metadata.diffs or ()} or moved
            waiting = {
                key for key in named - moved if asked.get("applyImmediately") is False and MASK not in str(new.get(key))
            }
            if waiting:
                self._waiting[metadata.urn] = Change(kind=kind, urn=metadata.urn, properties=tuple(sorted(waiting)))
            properties = tuple(sorted(named - waiting))
            if waiting and not properties:
                return
            # Where both are the same, it differs from what was asked for.
            values = tuple(_between(old, new, path) for path in properties if at(old, path) != at(new, path))
        self._changes[metadata.urn] = Change(kind=kind, urn=metadata.urn, properties=properties, values=values)

    def account(self, error: str = "") -> Changes:
        """Return what was heard, in an order that does not depend on the engine's."""
        return Changes(
            stack=self._stack,
            changes=tuple(sorted(self._changes.values(), key=lambda each: (ORDER.index(each.kind), each.urn))),
            waiting=tuple(sorted(self._waiting.values(), key=lambda each: each.urn)),
            same=self._same,
            said=tuple(sorted(self._said, key=lambda each: (not each.mandatory, each.policy, each.resource))),
            error=error,
            monthly=() if error else self._monthly(),
        )

    def _monthly(self) -> tuple[Monthly, ...]:
        before, after = (estimate(each.values(), table()).components for each in (self._before, self._after))
        return tuple(
            Monthly(component=each, before=round(before.get(each, 0), 2), after=round(after.get(each, 0), 2))
            for each in sorted(before.keys() | after.keys())
        )


def _values(metadata: StepEventMetadata, kind: str) -> tuple[Value, ...]:
    """Return how the properties of a resource change that stays, or is replaced."""
    if kind not in ("update", "replace") or not metadata.old or not metadata.new:
        return ()
    paths = sorted(metadata.detailed_diff or metadata.diffs or ())
    old, new = {**(metadata.old.outputs or {}), **(metadata.old.inputs or {})}, metadata.new.inputs or {}
    return tuple(_between(old, new, path) for path in paths)


def _between(old: Mapping[str, Any], new: Mapping[str, Any], path: str) -> Value:
    before, after = shown(at(old, path), at(new, path))
    return Value(path=path, before=before, after=after)


def _digest(metadata: StepEventMetadata, kind: str) -> str:
    return digest(metadata.new.inputs or {}) if metadata.new and kind != "delete" else ""


def _resource(state: StepEventStateMetadata) -> Resource:
    return Resource(state.urn, state.type, state.parent or "", state.inputs or {})
