"""The simulated random provider: its values are made here for good, so it is the provider itself but for the binary.

Source of the properties' meaning: https://www.pulumi.com/registry/packages/random/.
"""

from __future__ import annotations

import base64
import secrets
import string
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from sandbox.cloud.differences import Comparison
from sandbox.cloud.errors import CloudError
from sandbox.cloud.provider import Draft, SimulatedProvider
from sandbox.cloud.sdk_types import Problem, SdkType
from sandbox.cloud.store import Resource

_SPECIAL = "!@#$%&*()-_=+[]{}<>:?"
_CLASSES = {"Lower": string.ascii_lowercase, "Upper": string.ascii_uppercase, "Numeric": string.digits}
_ADJECTIVES = ("apt", "bold", "brisk", "calm", "eager", "fair", "glad", "keen", "mild", "neat", "proud", "wise")
_ANIMALS = ("badger", "crane", "finch", "gecko", "heron", "ibex", "lynx", "marten", "otter", "raven", "tapir", "wren")


def _text(inputs: Mapping[str, Any]) -> str:
    special = inputs.get("overrideSpecial") or _SPECIAL
    alphabets = {**_CLASSES, "Special": special}
    drawn = []
    for name, alphabet in alphabets.items():
        drawn += [secrets.choice(alphabet) for _ in range(int(inputs.get(f"min{name}") or 0))]
    allowed = "".join(a for name, a in alphabets.items() if inputs.get(name.lower(), True))
    drawn += [secrets.choice(allowed) for _ in range(int(inputs["length"]) - len(drawn))]
    secrets.SystemRandom().shuffle(drawn)
    return "".join(drawn)


def _string(inputs: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    text = _text(inputs)
    return text, {"result": text}


def _password(inputs: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    # The hash is opaque to programs; a digest of this kind is all that standard libraries hold.
    digest = base64.b64encode(secrets.token_bytes(40)).decode()[:53].replace("+", ".")
    return "none", {"result": _text(inputs), "bcryptHash": f"$2a$10${digest}"}


def _bytes(inputs: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    drawn = secrets.token_bytes(int(inputs["byteLength"]))
    prefix = inputs.get("prefix", "")
    url_safe = base64.urlsafe_b64encode(drawn).decode().rstrip("=")
    return url_safe, {
        "b64Std": prefix + base64.b64encode(drawn).decode(),
        "b64Url": prefix + url_safe,
        "dec": prefix + str(int.from_bytes(drawn, "big")),
        "hex": prefix + drawn.hex(),
    }


def _pet(inputs: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    words = [secrets.choice(_ADJECTIVES) for _ in range(int(inputs.get("length", 2)) - 1)] + [secrets.choice(_ANIMALS)]
    return str(inputs.get("separator", "-")).join([*filter(None, [inputs.get("prefix")]), *words]), {}


def _uuid(inputs: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    drawn = str(uuid.uuid4())
    return drawn, {"result": drawn}


def _integer(inputs: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    low, high = int(inputs["min"]), int(inputs["max"])
    drawn = low + secrets.randbelow(high - low + 1)
    return str(drawn), {"result": drawn}


def _shuffle(inputs: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    items = list(inputs["inputs"])
    secrets.SystemRandom().shuffle(items)
    return "-", {"results": items[: int(inputs.get("resultCount") or len(items))]}


_DRAWN: dict[str, Callable[[Mapping[str, Any]], tuple[str, dict[str, Any]]]] = {
    "random:index/randomId:RandomId": _bytes,
    "random:index/randomInteger:RandomInteger": _integer,
    "random:index/randomPassword:RandomPassword": _password,
    "random:index/randomPet:RandomPet": _pet,
    "random:index/randomShuffle:RandomShuffle": _shuffle,
    "random:index/randomString:RandomString": _string,
    "random:index/randomUuid:RandomUuid": _uuid,
}

_TEXT_DEFAULTS: dict[str, Any] = {
    **dict.fromkeys(("lower", "upper", "special", "number", "numeric"), True),
    **dict.fromkeys(("minLower", "minUpper", "minSpecial", "minNumeric"), 0),
}
_DEFAULTS: dict[str, dict[str, Any]] = {
    "random:index/randomPassword:RandomPassword": _TEXT_DEFAULTS,
    "random:index/randomPet:RandomPet": {"length": 2, "separator": "-"},
    "random:index/randomString:RandomString": _TEXT_DEFAULTS,
}


class RandomProvider(SimulatedProvider):
    """Draws a value once and keeps it until one of its inputs changes."""

    package = "random"

    def problems(self, kind: SdkType, inputs: Mapping[str, Any]) -> list[Problem]:
        found = []
        if kind.token not in _DRAWN:
            found.append(Problem("", f"the simulated random provider cannot draw a {kind.token}"))
        length = inputs.get("length")
        least = sum(value for name in _CLASSES | {"Special": ""} if isinstance(value := inputs.get(f"min{name}"), int))
        if isinstance(length, int) and length < max(1, least):
            found.append(Problem("length", f"expected at least {max(1, least)}, got {length}"))
        size = inputs.get("byteLength")
        if isinstance(size, int) and size < 1:
            found.append(Problem("byteLength", f"expected at least 1, got {size}"))
        low, high = inputs.get("min"), inputs.get("max")
        if isinstance(low, int) and isinstance(high, int) and low > high:
            found.append(Problem("min", f"expected at most max ({high}), got {low}"))
        return found

    def comparison(self, kind: SdkType) -> Comparison:
        # Every input takes part in the draw; keepers are there to ask for another one.
        return Comparison(replacing=frozenset(kind.inputs))

    def make(self, draft: Draft) -> Resource:
        if draft.kind.token not in _DRAWN:
            raise CloudError(f"the simulated random provider cannot draw a {draft.kind.token}")
        id, drawn = _DRAWN[draft.kind.token](draft.inputs)
        if id in ("none", "-"):
            # The real provider gives these one id for all; the store tells resources apart by theirs.
            id = f"{id}-{secrets.token_hex(8)}"
        return self.stored(draft, id, {**_DEFAULTS.get(draft.kind.token, {}), **draft.inputs, **drawn})

    def alter(self, resource: Resource, draft: Draft) -> Resource:
        raise CloudError(f"{draft.kind.token} {draft.name}: a random value never changes in place")

    def destroy(self, resource: Resource) -> None:
        self.store.remove(resource)
