"""Commands of the engine, and the accounts of what they do."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from pulumi import automation

from delivery.changes import Changes, Listener

MOST_LINES = 30
"""Lines of an error of the engine that are worth telling."""


class DifferentError(Exception):
    """A deployment would do something else than what was agreed on; the message lists the differences."""


def preview(stack: automation.Stack, packs: Sequence[Path] = ()) -> Changes:
    """Say what a deployment would do, and what the policy packs say to it."""
    return _told(stack, lambda hear: stack.preview(policy_packs=[str(pack) for pack in packs], on_event=hear))


def drift(stack: automation.Stack) -> Changes:
    """Say in what the cloud differs from what the last deployment left there; nothing is changed, nor recorded."""
    return _told(stack, lambda hear: stack.preview_refresh(on_event=hear))


def refresh(stack: automation.Stack) -> tuple[Changes, list[str]]:
    """Take over into the state how the cloud is.

    Returns:
        What differed, and the resources whose creation was cut off: the cloud may have them, and the state does not.
    """
    account = _told(stack, lambda hear: stack.refresh(on_event=hear))
    return account, pending(stack)


def pending(stack: automation.Stack) -> list[str]:
    """List the resources whose creation was cut off, by URN."""
    operations = (stack.export_stack().deployment or {}).get("pending_operations") or ()
    return sorted(each["resource"]["urn"] for each in operations if each["type"] == "creating")


def destroy(stack: automation.Stack) -> Changes:
    """Delete everything that a stack has made. What is protected stops it before anything is deleted."""
    return _told(stack, lambda hear: stack.destroy(on_event=hear))


def deploy(stack: automation.Stack, agreed: Changes, packs: Sequence[Path] = ()) -> Changes:
    """Do what was agreed on.

    Args:
        stack: the stack.
        agreed: the account of the preview that somebody has approved.
        packs: policy packs that hold for it.

    Raises:
        DifferentError: it would do something else by now. Nothing was changed.
    """
    now = preview(stack, packs)
    if agreed.stopped or now.stopped:
        raise DifferentError(f"{stack.name} may not be deployed: {now.error or agreed.error or 'a policy forbids it'}")
    if differences := different(agreed, now):
        raise DifferentError(
            f"{stack.name} would be changed in another way than agreed on; preview it again:\n" + "\n".join(differences)
        )
    return _told(stack, lambda hear: stack.up(policy_packs=[str(pack) for pack in packs], on_event=hear))


def different(agreed: Changes, now: Changes) -> list[str]:
    """List in what two accounts differ, each as one line."""
    before, after = ({change.urn: change for change in account.changes} for account in (agreed, now))
    lines = []
    for urn in sorted(before.keys() | after.keys()):
        old, new = before.get(urn), after.get(urn)
        if old != new:
            name = urn.rpartition("::")[2]
            kinds = [f"{each.kind} {', '.join(each.properties)}".strip() if each else "nothing" for each in (old, new)]
            if kinds[0] == kinds[1]:
                lines.append(f"  {name}: agreed to {kinds[0]}, now with other values")
            else:
                lines.append(f"  {name}: agreed {kinds[0]}, now {kinds[1]}")
            known = {each.path: each for each in (old.values if old else ())}
            lines += [
                f"    {each.path}: agreed {known[each.path].after}, now {each.after}"
                for each in (new.values if new else ())
                if each.path in known and known[each.path].after != each.after
            ]
    return lines


def _told(stack: automation.Stack, command: Callable[[Callable[[automation.EngineEvent], None]], Any]) -> Changes:
    listener = Listener(stack.name)
    try:
        command(listener.hear)
    except automation.CommandError as error:
        account = listener.account()
        forbidden = any(each.mandatory for each in account.said)
        # A policy's refusal ends the command, too, and is told by itself.
        return account if forbidden else listener.account(_shortened(str(error)))
    return listener.account()


def _shortened(text: str) -> str:
    lines = [line for line in text.splitlines() if line.strip()]
    return "\n".join(lines[-MOST_LINES:]) or "the engine failed without a word"
