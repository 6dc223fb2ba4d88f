"""Adopting what the cloud made and the state does not record, after an `up` that was killed.

The engine notes each creation before it begins, so what is in doubt is known: the creations that were never answered.
Each is looked up in the cloud by what it was asked to be; what is found is imported, what is not is forgotten.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sandbox.cloud.store import Resource
from sandbox.workspace import Sandbox, WorkspaceError

_NOWHERE = "random:"
"""Types whose resources are in the state and in no cloud: there is nothing to adopt, another value is as good."""

_MARK = "4dabf18193072939515e22adb298388d"
"""Key by which the engine marks a value as something special, such as a secret that the state holds encrypted."""


@dataclass(frozen=True)
class Recovery:
    """What became of the creations that were never answered.

    Attributes:
        adopted: URN to the id under which the cloud had made it.
        forgotten: URNs of what the cloud had not made.
    """

    adopted: Mapping[str, str]
    forgotten: tuple[str, ...]


def recover(sandbox: Sandbox, stack: str) -> Recovery:
    """Bring a stack's state back in step with the cloud after its engine was killed.

    Raises:
        WorkspaceError: two resources of the cloud fit one creation; only a person can say which is meant.
    """
    _restore_torn_state(sandbox, stack)
    sandbox.answer(stack, "cancel", "--yes")
    exported = json.loads(sandbox.answer(stack, "stack", "export"))
    deployment = exported["deployment"]
    resources = deployment.setdefault("resources", [])
    adopted: dict[str, str] = {}
    forgotten: list[str] = []
    for operation in deployment.pop("pending_operations", None) or []:
        if operation["type"] != "creating":
            continue
        pending = operation["resource"]
        made = None
        if not pending["type"].startswith(_NOWHERE):
            made = _made(sandbox, pending, {(known["type"], known.get("id")) for known in resources})
        if made is None:
            forgotten.append(pending["urn"])
        else:
            adopted[pending["urn"]] = made.id
            # The engine's own --import-pending-creates notes the id and then drops the resource, so it is put where
            # it belongs by hand; what it is by now, the refresh reads from the cloud.
            resources.append({**pending, "id": made.id})
    edited = sandbox.home / "recovered.json"
    edited.write_text(json.dumps(exported))
    sandbox.answer(stack, "stack", "import", "--file", str(edited))
    edited.unlink()
    sandbox.answer(stack, "refresh", "--yes", "--skip-preview")
    return Recovery(adopted, tuple(forgotten))


def _restore_torn_state(sandbox: Sandbox, stack: str) -> None:
    """Take the backend's last whole copy where the engine died while it wrote the state.

    The engine writes the state before it asks the cloud for anything, so that copy lacks at most an answer.
    """
    for state in (sandbox.home / "backend" / ".pulumi" / "stacks").glob(f"*/{stack}.json"):
        if not _is_whole(state):
            shutil.copyfile(state.with_name(f"{state.name}.bak"), state)


def _is_whole(file: Path) -> bool:
    """Tell whether a file of JSON was written to its end."""
    try:
        json.loads(file.read_text())
    except json.JSONDecodeError:
        return False
    return True


def _made(sandbox: Sandbox, pending: Mapping[str, Any], recorded: set[tuple[str, str | None]]) -> Resource | None:
    """Find what an unanswered creation made, by type and by everything that was asked for in plain text."""
    asked = {key: value for key, value in pending.get("inputs", {}).items() if not _special(value)}
    found = [
        resource
        for resource in sandbox.cloud.store.list(type=pending["type"])
        if (resource.type, resource.id) not in recorded
        and all(resource.inputs.get(key) == value for key, value in asked.items())
    ]
    if len(found) > 1:
        ids = ", ".join(resource.id for resource in found)
        raise WorkspaceError(f"{pending['urn']}: {ids} all fit; import the right one by `pulumi import`")
    return found[0] if found else None


def _special(value: Any) -> bool:
    """Tell whether a value holds a secret, or is the provider's own note."""
    if isinstance(value, Mapping):
        return _MARK in value or any(_special(part) for part in value.values())
    return isinstance(value, list) and any(_special(part) for part in value)
