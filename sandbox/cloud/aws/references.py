"""References between simulated AWS resources: what an id, an ARN or a name must point to, and what is in use."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from sandbox.cloud.aws.catalog import CATALOG
from sandbox.cloud.aws.catalog.identity import GIVEN_POLICIES, GIVEN_ROLES
from sandbox.cloud.aws.catalog.names import GIVEN_ZONES, ZONE
from sandbox.cloud.aws.model import ACCOUNT, AwsError, AwsType, View
from sandbox.cloud.store import Resource

_ID = re.compile(r"([a-z]+(?:-[a-z]+)*)-[0-9a-f]{8,17}")
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|mrk-[0-9a-f]{32}")
_OWN_ARN = re.compile(rf"arn:[a-z-]+:[a-z0-9-]+:[a-z0-9-]*:{ACCOUNT}:.+")
_MADE_BY_AWS = re.compile(
    r"arn:[a-z-]+:(?:iam|sts)::\d+:(?:root$|role/aws-service-role/|assumed-role/|user/|oidc-provider/)"
    r"|arn:[a-z-]+:[a-z-]+:[a-z0-9-]*:\d+:(?:automated-)?(?:snapshot|event-subscription|alias/aws/|aws:)"
)
_NOT_REFERENCES = frozenset(
    {"tags", "tagsAll", "description", "policy", "assumeRolePolicy", "finalSnapshotIdentifier", "snapshotIdentifier"}
)


def check_references(view: View, type: AwsType) -> None:
    """Look for everything that the inputs refer to.

    Ids and ARNs that this account would have issued must exist, ids in the resource's own Region; other accounts' ARNs
    and what AWS manages are taken on trust, as are ARNs inside policy documents (IAM does not look them up either).

    Raises:
        AwsError: something was never made, or is gone.
    """
    for path, value in type.references.items():
        for word in _at(view.inputs, path.split(".")):
            if word and not _is_default(word, value):
                _must_exist(view, word, value)
    for name, word in _words(view.inputs):
        match = _ID.fullmatch(word)
        if match and match[1] in _prefixes():
            if not any(found.region in (view.region, "") for found in view.store.find(word)):
                code, message = CATALOG[_prefixes()[match[1]]].missing
                raise AwsError(code, message.format(id=word))
        elif _OWN_ARN.fullmatch(word) and "*" not in word and not _MADE_BY_AWS.match(word) and not _given(word):
            if not view.store.identified(word) and not view.store.identified(word.removesuffix(":*")):
                token = _token_of_arn(word)
                code, message = (
                    CATALOG[token].missing if token else ("ResourceNotFoundException", "{id} does not exist")
                )
                raise AwsError(code, message.format(id=word))
        elif "kms" in name.lower() and _UUID.fullmatch(word) and view.one("aws:kms/key:Key", word) is None:
            raise AwsError("NotFoundException", f"Key 'arn:aws:kms:{view.region}:{ACCOUNT}:key/{word}' does not exist")


def users_of(view: View, type: AwsType, resource: Resource) -> list[str]:
    """List the resources, as ``id``, that refer to one and so keep AWS from deleting it."""
    arn = resource.outputs.get("arn")
    own = [word for word in (resource.id, arn, *_names(resource)) if isinstance(word, str)]
    found = []
    for user in view.store.mentioning(*own):
        if user.number == resource.number or user.inputs.get("__owner") == resource.id:
            continue
        if type.cascades.get(user.type) and user.inputs.get(type.cascades[user.type]) in own:
            continue
        if type.users is not None and not type.users(resource, user):
            continue
        if _refers(user, resource, own):
            found.append(user.id)
    return found


def _names(resource: Resource) -> Iterator[str]:
    for key in ("name", "identifier", "allocationId", "keyId"):
        if isinstance(resource.outputs.get(key), str):
            yield resource.outputs[key]


def _refers(user: Resource, resource: Resource, words: list[str]) -> bool:
    """Tell a reference from a string that happens to be the same."""
    for _, word in _words(user.inputs):
        if word in words and (_ID.fullmatch(word) or word.startswith("arn:") or _UUID.fullmatch(word)):
            return True
    entry = CATALOG.get(user.type)
    if entry is None:
        return False
    same_place = user.region == resource.region or "" in (user.region, resource.region)
    return same_place and any(
        word in words
        for path, token in entry.references.items()
        if token == resource.type
        for word in _at(user.inputs, path.split("."))
    )


def _must_exist(view: View, word: str, token: str) -> None:
    for found in [*view.store.identified(word), *view.store.find(word)]:
        if found.type == token and (found.region in (view.region, "") or word.startswith("arn:")):
            return
    if word.startswith("arn:") and not _OWN_ARN.fullmatch(word):
        return
    code, message = CATALOG[token].missing
    raise AwsError(code, message.format(id=word), 404)


def _given(arn: str) -> bool:
    """Tell the roles of people and the policy that bounds roles, which were there before any stack."""
    return arn.rpartition(":role/")[2] in GIVEN_ROLES or arn.rpartition(":policy/")[2] in GIVEN_POLICIES


def _is_default(word: str, token: str) -> bool:
    """Tell the groups and keys that AWS keeps in every account, and what was there before any stack."""
    if (token == ZONE and word in GIVEN_ZONES) or _given(word):
        return True
    return word.startswith(("default.", "default:", "alias/aws/")) or (word == "default" and "ubnetGroup" in token)


def _at(value: Any, path: list[str]) -> Iterator[str]:
    if isinstance(value, list):
        for item in value:
            yield from _at(item, path)
    elif path and isinstance(value, Mapping):
        yield from _at(value.get(path[0]), path[1:])
    elif not path and isinstance(value, str):
        yield value


def _words(inputs: Mapping[str, Any], name: str = "") -> Iterator[tuple[str, str]]:
    """Yield every string that could be a reference, with the name of the property that holds it."""
    for key, value in inputs.items():
        if key in _NOT_REFERENCES or key.startswith("__"):
            continue
        for item in value if isinstance(value, list) else [value]:
            if isinstance(item, str):
                yield key, item
            elif isinstance(item, Mapping):
                yield from _words(item, key)


@cache
def _prefixes() -> Mapping[str, str]:
    """Map the beginning of ids such as ``vpc-…`` to the type that has them."""
    return {type.id.removesuffix("-{hex}"): token for token, type in CATALOG.items() if type.id.endswith("-{hex}")}


@cache
def _patterns() -> list[tuple[re.Pattern[str], str]]:
    """List what ARNs of each type look like, the longest templates first."""
    patterns = []
    for token, type in sorted(CATALOG.items(), key=lambda entry: -len(entry[1].arn)):
        if type.arn:
            pattern = re.sub(r"\\\{\w+\\\}", "[^:]*?", re.escape(type.arn))
            patterns.append((re.compile(rf"arn:[a-z-]+:{pattern}"), token))
    return patterns


def _token_of_arn(arn: str) -> str | None:
    return next((token for pattern, token in _patterns() if pattern.fullmatch(arn)), None)
