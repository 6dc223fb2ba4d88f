"""The app's user of a broker on Amazon MQ, made by a Job: nobody else of the workload signs in as the administrator.

Amazon MQ itself makes the first user of a RabbitMQ broker, an administrator, and neither shows nor changes users; they
are the management API's affair (Amazon MQ developer guide, 'Simple authentication and authorization').
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as kubernetes

from components.images import image
from components.workload.hardening import container_security
from components.workload.jobs import job
from components.workload.pods import (
    TEMPORARY,
    Place,
    Pod,
    account_of,
    digest,
    environment_of,
    read_only,
    resources,
    scratch,
    writable,
)

core = kubernetes.core.v1

NAME = "auterity-queue-users"
"""Name of the Job, of its service account and of all that belongs to it."""

USER = 100
"""User ``curl_user`` in the image."""

LOGINS = "/run/secrets/broker"
"""Directory of the passwords."""

ADMINISTRATOR_FILE, USERS = "administrator", "user-"
"""File with the administrator's password, and what names of files begin with that hold a user's."""

PREPARE_USERS = f"""\
umask 077
put() {{
  printf 'user = "%s:%s"\\n' "$ADMINISTRATOR" "$(cat {LOGINS}/{ADMINISTRATOR_FILE})" |
    curl --config - --fail-with-body --silent --show-error --connect-timeout 10 --max-time 60 \\
      --header 'Content-Type: application/json' --request PUT --data @"$2" "$URL/api/$1"
}}
printf '{{"configure": ".*", "write": ".*", "read": ".*"}}' > {TEMPORARY}/permissions.json
for file in {LOGINS}/{USERS}*; do
  user="${{file#{LOGINS}/{USERS}}}"
  printf '{{"password": "%s", "tags": ""}}' "$(cat "$file")" > {TEMPORARY}/user.json
  put "users/$user" {TEMPORARY}/user.json
  put "permissions/%2F/$user" {TEMPORARY}/permissions.json
done
"""
"""What the Job runs: users without a tag, who may use all of the one virtual host and administer nothing
(https://www.rabbitmq.com/docs/access-control). Passwords are in files and pipes, and in no argument.
"""


@dataclass(frozen=True)
class BrokerUsersArgs:
    """What the Job needs to know.

    Attributes:
        place: where it runs.
        url: the management API's, ``https://host``.
        administrator: name of the broker's first user.
        users: names of the app's users.
        logins: volume with the file ``administrator`` and ``user-NAME`` for each of them, each a password.
        version: which password the app's user has.
        after: what must stand before the Job starts, and no value carries: its rights in AWS.
    """

    place: Place
    url: pulumi.Input[str]
    administrator: str
    users: Sequence[str]
    logins: core.VolumeArgs
    version: int
    after: Sequence[pulumi.Resource] = ()


class BrokerUsers(pulumi.ComponentResource):
    """A user for the app that administers nothing; the Job runs again, under another name, for another password."""

    made: kubernetes.batch.v1.Job
    """What has made it; who signs in by it comes after it."""

    def __init__(self, name: str, args: BrokerUsersArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("auterity:workload:BrokerUsers", name, None, opts)
        place, own = args.place, pulumi.ResourceOptions(parent=self)
        prepare = core.ContainerArgs(
            name="prepare",
            image=image("curl"),
            command=["sh", "-ec", PREPARE_USERS],
            env=environment_of({"URL": args.url, "ADMINISTRATOR": args.administrator}),
            resources=resources(10, 32),
            security_context=container_security(),
            volume_mounts=[read_only("logins", LOGINS), writable("temporary", TEMPORARY)],
        )
        pod = Pod(
            NAME,
            user=USER,
            account=account_of(f"{name}-queue-users", NAME, place, own),
            containers=[prepare],
            volumes=[args.logins, scratch("temporary", 1)],
            restart="OnFailure",
        )
        named = pulumi.Output.from_input(args.url).apply(
            lambda url: f"{NAME}-{digest(image('curl'), PREPARE_USERS, url, *args.users, str(args.version))[:10]}"
        )
        later = pulumi.ResourceOptions(parent=self, depends_on=list(args.after))
        self.made = job(f"{name}-queue-users", named, pod, place, later)
        self.register_outputs({"users": list(args.users)})
