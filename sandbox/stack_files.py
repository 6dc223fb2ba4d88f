"""The sandbox's own copies of the project's and the stacks' files.

The checkout's files are only read. The copies leave out what belongs to a real deployment (its backend, its encryption)
and keep, from one refresh to the next, what belongs to the sandbox (its own salt, its own secret values).
"""

from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import yaml

from sandbox.cloud.caller import INSIDE
from sandbox.engine_yaml import EngineLoader

Value: TypeAlias = "bool | int | float | str | list[Value] | dict[str, Value] | None"
Document: TypeAlias = "dict[str, Value]"

REAL_ENCRYPTION = ("secretsprovider", "encryptedkey", "encryptionsalt")
SANDBOX_ENCRYPTION = ("encryptionsalt",)


class StackFileError(Exception):
    """A project or stack file is missing or is not what Pulumi writes; the message says which and why."""


@dataclass(frozen=True)
class StackCopy:
    """A stack file as the sandbox uses it."""

    document: Document
    """What to write; secret values that are still missing are empty texts."""

    missing_secrets: list[str]
    """The configuration paths, as ``pulumi config set --path`` takes them, that need a secret value."""


def stack_names(checkout: Path) -> list[str]:
    """Return the names of the stacks that have a ``Pulumi.<stack>.yaml``, sorted."""
    return sorted(path.name.removeprefix("Pulumi.").removesuffix(".yaml") for path in checkout.glob("Pulumi.*.yaml"))


def read(path: Path) -> Document:
    """Read a YAML file, as the engine would, whose top level is a mapping; an empty file is an empty one.

    Raises StackFileError for what is no YAML, no UTF-8 or UTF-16, or names a key twice.
    """
    try:
        document = yaml.load(path.read_bytes(), EngineLoader)  # noqa: S506 - it is a safe one
    except yaml.reader.ReaderError as error:
        reason = f"{error.reason} at byte {error.position}"
        raise StackFileError(f"{path}: not in UTF-8: {reason}; save it in that encoding") from error
    except yaml.YAMLError as error:
        raise StackFileError(f"{path}: {error}") from error
    if document is None:
        return {}
    if not isinstance(document, dict):
        raise StackFileError(f"{path}: expected a mapping at the top level, found {type(document).__name__}")
    return document


def contexts(stack_file: Document) -> list[str]:
    """Return the kubeconfig contexts of the clusters that a stack expects to exist."""
    config = stack_file.get("config")
    section = config.get("auterity:kubernetes") if isinstance(config, dict) else None
    existing = section.get("existing") if isinstance(section, dict) else None
    context = existing.get("context") if isinstance(existing, dict) else None
    return [context] if isinstance(context, str) else []


def callers_place(stack_file: Document) -> str:
    """Return where whoever deploys a stack stands, by what its file opens the cluster's endpoint to.

    That is the first of the addresses, or inside of the VPC; empty where the file says nothing of either.
    """
    config = stack_file.get("config")
    section = config.get("auterity:kubernetes") if isinstance(config, dict) else None
    eks = section.get("eks") if isinstance(section, dict) else None
    if not isinstance(eks, dict):
        return ""
    blocks = eks.get("public_access_cidrs")
    if isinstance(blocks, list) and blocks:
        return str(blocks[0]).partition("/")[0]
    return INSIDE if eks.get("private_only") is True else ""


def write(path: Path, document: Document) -> None:
    """Write `document` to `path`, in one step so that no reader sees half of it."""
    part = path.with_name(f"{path.name}.part")
    part.write_text(yaml.safe_dump(document, sort_keys=False, allow_unicode=True), encoding="utf-8")
    part.replace(path)


def project_copy(project: Document, checkout: Path) -> Document:
    """Make the project file that runs the program in `checkout` from a directory of the sandbox."""
    copy = deepcopy(project)
    copy.pop("backend", None)
    # Copies of the stack files lie beside the project file's copy, wherever the checkout keeps them.
    copy.pop("stackConfigDir", None)
    main = copy.get("main")
    copy["main"] = str(checkout / main) if isinstance(main, str) else str(checkout)
    runtime = copy.get("runtime")
    if isinstance(runtime, dict) and isinstance(runtime.get("options"), dict):
        options = runtime["options"]
        assert isinstance(options, dict)
        if isinstance(environment := options.get("virtualenv"), str):
            options["virtualenv"] = str(checkout / environment)
    return copy


def stack_copy(source: Document, previous: Document) -> StackCopy:
    """Make the sandbox's stack file from the checkout's `source` and the sandbox's `previous` copy.

    Only the real stack's key opens the secret values in `source`; in their place stand the ones of `previous`.
    """
    document = {key: deepcopy(value) for key, value in source.items() if key not in REAL_ENCRYPTION}
    document.update({key: previous[key] for key in SANDBOX_ENCRYPTION if key in previous})
    missing: list[str] = []
    config, before = document.get("config"), previous.get("config")
    if isinstance(config, dict):
        known = before if isinstance(before, dict) else {}
        document["config"] = {
            key: _with_own_secrets(value, known.get(key), key, missing) for key, value in config.items()
        }
    return StackCopy(document, missing)


def is_secret(value: Value) -> bool:
    """Tell whether `value` is an encrypted one, which Pulumi writes as a mapping with the single key ``secure``."""
    return isinstance(value, dict) and value.keys() == {"secure"}


def _with_own_secrets(value: Value, known: Value, path: str, missing: list[str]) -> Value:
    if is_secret(value):
        if is_secret(known):
            return known
        missing.append(path)
        return ""
    if isinstance(value, dict):
        inner: Mapping[str, Value] = known if isinstance(known, dict) else {}
        return {
            key: _with_own_secrets(part, inner.get(key), _member(path, key), missing) for key, part in value.items()
        }
    if isinstance(value, list):
        parts: Sequence[Value] = known if isinstance(known, list) and len(known) == len(value) else [None] * len(value)
        return [_with_own_secrets(part, parts[index], f"{path}[{index}]", missing) for index, part in enumerate(value)]
    return value


def _member(path: str, key: str) -> str:
    return f"{path}.{key}" if key.isidentifier() else f'{path}["{key}"]'
