"""Logins that the platform makes for its servers in the cluster."""

from __future__ import annotations

from collections.abc import Mapping

import pulumi
import pulumi_kubernetes as kubernetes
import pulumi_random as random

from components.passwords import PASSWORD_LENGTH
from components.workload.database_configuration import verifier
from components.workload.pods import Place, about, name_of

core = kubernetes.core.v1


def password_of(name: str, version: int, opts: pulumi.ResourceOptions) -> pulumi.Output[str]:
    """Make a password, another one for the next higher `version`; letters and digits, 32 of them."""
    made = random.RandomPassword(f"{name}-password-v{version}", length=PASSWORD_LENGTH, special=False, opts=opts)
    password: pulumi.Output[str] = pulumi.Output.secret(made.result)
    return password


def secret_of(
    name: str,
    workload: str,
    suffix: str,
    place: Place,
    contents: Mapping[str, pulumi.Input[str]],
    opts: pulumi.ResourceOptions,
) -> pulumi.Output[str]:
    """Make a Secret, and return its name.

    Args:
        name: name of the resource.
        workload: name of the workload that it belongs to.
        suffix: what tells it from the workload's other Secrets, such as ``-login``.
        place: where it is read.
        contents: its keys, which become files.
        opts: options of the resource.
    """
    return name_of(core.Secret(name, metadata=about(workload, place, suffix), string_data=contents, opts=opts))


def login_of(
    name: str, workload: str, username: str, password: pulumi.Input[str], place: Place, opts: pulumi.ResourceOptions
) -> pulumi.Output[str]:
    """Make the Secret with ``username`` and ``password`` by which others sign in to a workload, and return its name."""
    return secret_of(name, workload, "-login", place, {"username": username, "password": password}, opts)


def database_login(
    name: str, workload: str, suffix: str, role: str, version: int, place: Place, opts: pulumi.ResourceOptions
) -> pulumi.Output[str]:
    """Make the login of a role of PostgreSQL, and return the name of the Secret.

    It holds ``username`` and ``password``, and for the server ``verifier``.
    """
    password = password_of(name, version, opts)
    contents: dict[str, pulumi.Input[str]] = {
        "username": role,
        "password": password,
        "verifier": password.apply(verifier),
    }
    return secret_of(name, workload, suffix, place, contents, opts)
