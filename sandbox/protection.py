"""What keeps a stack from being destroyed: the engine's own protection and the clouds' deletion protection."""

import json
from collections.abc import Iterator
from typing import Any

from sandbox.cloud.aws.catalog.storage import REPOSITORY
from sandbox.cloud.store import Resource
from sandbox.workspace import Sandbox

DELETION_PROTECTION = ("deletionProtection", "deletionProtectionEnabled", "enableDeletionProtection")
"""The properties by which resources of AWS refuse to be deleted, as their Pulumi types spell them."""


def is_protected(sandbox: Sandbox, stack: str) -> bool:
    """Tell whether anything in `stack` refuses to be deleted, in the engine's state or in the cloud."""
    in_state = any(resource.get("protect") for resource in state_resources(sandbox, stack))
    return in_state or any(True for _ in _protected_by_cloud(sandbox, stack))


def lift_deletion_protection(sandbox: Sandbox, stack: str) -> list[Resource]:
    """Switch deletion protection off at the resources of `stack`, as an operator would at the cloud's console.

    Returns the resources that were changed.
    """
    changed = []
    for resource, name in list(_protected_by_cloud(sandbox, stack)):
        lifted = name == "forceDelete"
        changed.append(sandbox.cloud.store.change(resource.id, name, lifted, resource.type))
    return changed


def state_resources(sandbox: Sandbox, stack: str) -> list[dict[str, Any]]:
    """Return the resources in the engine's state of `stack`, as ``pulumi stack export`` writes them."""
    exported = json.loads(sandbox.answer(stack, "stack", "export"))
    resources: list[dict[str, Any]] = exported["deployment"].get("resources", [])
    return resources


def _protected_by_cloud(sandbox: Sandbox, stack: str) -> Iterator[tuple[Resource, str]]:
    for known in state_resources(sandbox, stack):
        if not known.get("id"):
            continue
        for resource in sandbox.cloud.store.find(known["id"], known["type"]):
            for name in DELETION_PROTECTION:
                if resource.outputs.get(name) is True:
                    yield resource, name
            # A repository refuses as long as it holds images.
            if resource.type == REPOSITORY and resource.outputs.get("forceDelete") is False:
                yield resource, "forceDelete"
