"""Secrets that stand in plain text where anybody who reads the resource sees them."""

from __future__ import annotations

import re

from policies.values import Value

SECRET_NAME = re.compile(
    r"(^|_)(PASSWORD|PASSWD|SECRET|SECRET_KEY|TOKEN|API_?KEY|PRIVATE_KEY|ACCESS_KEY|ACCESS_KEY_ID|ENGINE_AUTH_DATA)$",
    re.I,
)
"""Names of environment variables that hold secrets."""

PASSWORD_IN_URL = re.compile(r"[a-z][a-z0-9+.-]*://[^\s:/?#@]*:(?!\$|\{\{|<|%[({s])[^\s/?#@]+@", re.I)
"""A URL with a password in it (RFC 3986, 3.2.1), and no place where one is put in later."""

PRIVATE_KEY = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----")


def given_away(name: str, value: Value) -> str:
    """Say what secret a variable holds, as the end of a sentence that does not say its value; empty for none.

    What is not known yet is judged by the variable's name.
    """
    if value.given and SECRET_NAME.search(name):
        return f"is {name}"
    what = "" if value.unknown else looks_like(value.text)
    return f"is {name}, {what}" if what else ""


def looks_like(text: str) -> str:
    """Say which secret a text looks like; empty for none."""
    if PASSWORD_IN_URL.search(text):
        return "a URL with a password in it"
    return "a private key" if PRIVATE_KEY.search(text) else ""
