"""What the jobs need to know, and the plan that they read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pulumi
import pulumi_kubernetes as kubernetes

from components.backup.names import BACKUP
from components.backup.target import Target
from components.workload.pods import Place
from settings.backup import BackupSettings

core = kubernetes.core.v1

PLAN, KEY, LOGINS, VAULT = "/etc/backup", "/run/secrets/backup", "/run/secrets/databases", "/run/secrets/vault"
"""Directories of the plan, of the repositories' key, of the databases' logins and of what Vault asks for."""

RABBITMQ = "/run/secrets/rabbitmq"
"""Directory of the broker's login."""


@dataclass(frozen=True)
class Database:
    """A database to be backed up.

    Attributes:
        user: role that owns it, or reads all of it.
        login: volume with the file ``password`` of that role.
    """

    user: pulumi.Input[str]
    login: core.VolumeArgs


@dataclass(frozen=True)
class VaultSource:
    """A Vault that is backed up.

    Attributes:
        host, port: its API's.
        authority: name of the ConfigMap whose ``ca.crt`` has signed its certificate.
    """

    host: pulumi.Input[str]
    port: pulumi.Input[int]
    authority: pulumi.Input[str]


@dataclass(frozen=True)
class RabbitmqSource:
    """A RabbitMQ whose definitions are backed up.

    Attributes:
        url: its management API's, ``https://host``.
        user: an administrator.
        login: volume with that user's password.
        file: name of the file with it.
    """

    url: pulumi.Input[str]
    user: str
    login: core.VolumeArgs
    file: str


@dataclass(frozen=True)
class BackupScheduleArgs:
    """What the jobs need to know.

    Attributes:
        settings: the stack's ``backup`` section.
        place: where they run.
        image: image with the operator's command.
        host, port: the server's.
        databases: name of a database to the one who reads it.
        restorer: who restores, where that is not the first database's reader: a role that makes no roles, since the
            program makes them.
        targets: where backups are kept.
        vault: Vault, where it is backed up.
        rabbitmq: RabbitMQ, where its definitions are.
        authorities: file in the image with the authorities of the server's certificate; None for a server without TLS.
        push_url: address of a Pushgateway for the figures.
        after: what must stand before the first job, and no value carries.
    """

    settings: BackupSettings
    place: Place
    image: pulumi.Input[str]
    host: pulumi.Input[str]
    port: pulumi.Input[int]
    databases: Mapping[str, Database]
    targets: Sequence[Target]
    restorer: Database | None = None
    vault: VaultSource | None = None
    rabbitmq: RabbitmqSource | None = None
    authorities: str | None = None
    push_url: pulumi.Input[str] | None = None
    after: Sequence[pulumi.Resource] = field(default_factory=tuple)


def plan(args: BackupScheduleArgs) -> dict[str, object]:
    """Write the plan that every job reads (`operations/backup/plan.py`); it holds no secret."""
    tls: dict[str, object] = {"sslmode": "disable"}
    if args.authorities:
        tls = {"sslmode": "verify-full", "sslrootcert": args.authorities}
    services: dict[str, object] = {}
    if broker := args.rabbitmq:
        file = f"{RABBITMQ}/{broker.file}"
        services["rabbitmq"] = {"url": broker.url, "user": broker.user, "password_file": file}
    if source := args.vault:
        services["vault"] = {
            "url": pulumi.Output.concat("https://", source.host, ":", pulumi.Output.from_input(source.port).apply(str)),
            "role": BACKUP,
            "token_file": f"{VAULT}/token",
            "authority": f"{VAULT}/ca.crt",
        }
    return {
        "server": {
            "host": args.host,
            "port": args.port,
            **tls,
            "databases": [
                {"name": name, "user": database.user, "password_file": f"{LOGINS}/{name}/password"}
                for name, database in args.databases.items()
            ],
        },
        "targets": [
            {
                "name": target.name,
                "repository": target.repository,
                "environment": {
                    **target.environment,
                    **(
                        {"GOOGLE_APPLICATION_CREDENTIALS": f"{PLAN}/{file}"}
                        if (file := next(iter(target.files), ""))
                        else {}
                    ),
                },
            }
            for target in args.targets
        ],
        "password_file": f"{KEY}/password",
        **services,
        "retention": args.settings.retention.model_dump(),
        "metrics": {} if args.push_url is None else {"push_url": args.push_url},
    }
