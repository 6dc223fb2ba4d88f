"""Whom a resource's own policy turns away.

Only explicit denials are judged: what allows the engine's caller is its identity, which the simulated account trusts
(https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-denyallow.html).
"""

from __future__ import annotations

import ipaddress
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any

from sandbox.cloud.aws.model import ACCOUNT
from sandbox.cloud.caller import Caller

Test = Callable[[str, str], bool]


def denies(document: str, caller: Caller, action: str, resource: str) -> bool:
    """Tell whether a policy document denies a caller an action, such as ``s3:ListBucket``, on a resource's ARN."""
    statements = json.loads(document).get("Statement") or []
    return any(
        statement.get("Effect") == "Deny"
        and _names_caller(statement, caller)
        and _covers(statement, "Action", action.lower(), str.lower)
        and _covers(statement, "Resource", resource, str)
        and _holds(statement.get("Condition") or {}, _context(caller))
        for statement in _many(statements)
    )


def allows(documents: Iterable[str], action: str, resource: str, context: Mapping[str, str]) -> bool:
    """Tell whether policies of an identity, or the policy that bounds it, allow an action on a resource's ARN.

    Args:
        documents: the policies, as JSON.
        action: such as ``iam:CreateRole``.
        resource: ARN of what it is done to.
        context: condition keys of the call.
    """
    known = {key.lower(): value for key, value in context.items()}
    effects = {
        statement["Effect"]
        for document in documents
        for statement in _many(json.loads(document)["Statement"])
        if _covers(statement, "Action", action.lower(), str.lower)
        and _covers(statement, "Resource", resource, str)
        and _holds(statement.get("Condition") or {}, known)
    }
    return effects == {"Allow"}


def _names_caller(statement: Mapping[str, Any], caller: Caller) -> bool:
    account = (ACCOUNT, f"arn:aws:iam::{ACCOUNT}:root", caller.name)
    for key, meant in (("Principal", True), ("NotPrincipal", False)):
        if key in statement:
            given = statement[key]
            named = [*_many(given.get("AWS", []))] if isinstance(given, Mapping) else [given]
            return any(each == "*" or each in account for each in named) == meant
    return False


def _covers(statement: Mapping[str, Any], key: str, word: str, fold: Callable[[str], str]) -> bool:
    if f"Not{key}" in statement:
        return not any(fnmatchcase(word, fold(_pattern(each))) for each in _many(statement[f"Not{key}"]))
    return any(fnmatchcase(word, fold(_pattern(each))) for each in _many(statement.get(key, [])))


def _context(caller: Caller) -> Mapping[str, str]:
    """Return the condition keys of a call, in lower case; a key that does not apply is absent."""
    known = {
        "aws:principalaccount": ACCOUNT,
        "aws:principalarn": caller.name,
        "aws:securetransport": "true",
        "aws:sourceip": "" if caller.endpoint else caller.address,
        "aws:sourcevpc": caller.network if caller.endpoint else "",
        "aws:sourcevpce": caller.endpoint,
        "aws:vpcsourceip": caller.address if caller.endpoint else "",
        "s3:tlsversion": "1.3",
    }
    return {key: value for key, value in known.items() if value}


def _holds(conditions: Mapping[str, Mapping[str, Any]], context: Mapping[str, str]) -> bool:
    return all(
        _one_holds(operator, context.get(key.lower()), [str(each).strip() for each in _many(values)])
        for operator, keys in conditions.items()
        for key, values in keys.items()
    )


def _one_holds(written: str, has: str | None, values: list[str]) -> bool:
    """Judge one operator (IAM user guide, 'IAM JSON policy elements: Condition operators')."""
    operator = written.rpartition(":")[2].lower()
    optional = operator.endswith("ifexists")
    operator = operator.removesuffix("ifexists")
    if operator == "null":
        return (has is None) == (values[0].lower() == "true")
    negated = "not" in operator
    if has is None:
        # A negated operator holds for a key that is not there: so `StringNotEquals` of a VPC endpoint meets everybody
        # who comes through none.
        return optional or negated
    test = _TESTS.get(operator.replace("not", "", 1))
    if test is None:
        return False
    return any(test(has, value) for value in values) != negated


def _numbers(compare: Callable[[float, float], bool]) -> Test:
    return lambda has, value: compare(float(has), float(value))


def _inside(has: str, block: str) -> bool:
    return ipaddress.ip_address(has) in ipaddress.ip_network(block, strict=False)


def _like(has: str, pattern: str) -> bool:
    return fnmatchcase(has, _pattern(pattern))


_TESTS: Mapping[str, Test] = {
    "stringequals": str.__eq__,
    "stringequalsignorecase": lambda has, value: has.lower() == value.lower(),
    "stringlike": _like,
    "arnequals": _like,
    "arnlike": _like,
    "bool": lambda has, value: has.lower() == value.lower(),
    "ipaddress": _inside,
    "numericequals": _numbers(float.__eq__),
    "numericlessthan": _numbers(float.__lt__),
    "numericlessthanequals": _numbers(float.__le__),
    "numericgreaterthan": _numbers(float.__gt__),
    "numericgreaterthanequals": _numbers(float.__ge__),
}
"""An operator in lower case to what it compares; its negation is the same with ``not`` in it."""


def _pattern(text: Any) -> str:
    """Return an IAM pattern as one of the shell's: it knows ``*`` and ``?``, and no sets."""
    return re.sub(r"\[", "[[]", str(text))


def _many(value: Any) -> Iterator[Any]:
    yield from value if isinstance(value, list) else [value]
