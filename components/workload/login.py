"""Logins that the platform makes for its servers in the cluster, and how the next one takes over without a gap.

A login has two places, and its versions take turns in them: odd ones have the first, even ones the second. The server
accepts both places' logins; clients use that of the version in use. The next version goes to the place that nobody
uses. The server takes it over while it runs (`keeper`), a Job signs in with it until that works
(`wait_until_accepted`), and only then are clients told, one copy after the other. The version before stays good until
the version after takes its place: that is why versions go up by one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as kubernetes
import pulumi_random as random

from components.passwords import PASSWORD_LENGTH, versions_in_use
from components.workload.hardening import container_security
from components.workload.jobs import job
from components.workload.pods import (
    Place,
    Pod,
    about,
    digest,
    environment_of,
    from_secret,
    name_of,
    read_only,
    resources,
)

batch = kubernetes.batch.v1
core = kubernetes.core.v1

NAME = "auterity-logins"
"""Name of the pods that sign in with a new login until its server accepts it."""

LOGINS = "/run/secrets/logins"
"""Directory of the logins that such a pod tries: a directory for each, with ``username`` and ``password``."""

ALTERNATE = "_alternate"
"""What the user of even versions is called beside the user of odd ones, where a server knows one password per user."""

ACCEPTED_SECONDS = 900
"""Seconds in which a server has to accept a new login: Kubernetes brings a changed Secret to a mounted volume within
about two minutes, and a server that was down may have to start first.
"""

KEEP = """\
# Run a command whenever files are others than those that it last took over. $1: their pattern; the rest: the command.
trap 'exit 0' TERM INT
files=$1
shift
taken=
while :; do
  found=$(cat $files | sha256sum)
  if [ "$found" != "$taken" ] && "$@"; then
    taken=$found
  fi
  sleep 2 &
  wait $!
done
"""
"""What a keeper does all day, in any POSIX shell."""

WAIT = """\
# Sign in with each login, again and again until all are accepted; the Job's own limit ends it.
for login in /run/secrets/logins/*; do
  until timeout 20 "$0" -c "$1" "$login"; do
    sleep 1
  done
done
"""
"""What waits for a server: ``$1`` signs in with the login whose directory is its ``$0``."""


@dataclass(frozen=True)
class Known:
    """A login that a server accepts.

    Attributes:
        username: name of the user.
        password: its password, secret.
    """

    username: str
    password: pulumi.Output[str]


@dataclass(frozen=True)
class Login:
    """A login as it stands in the version in use.

    Attributes:
        username: name of the user.
        secret: name of the Secret with ``username`` and ``password``, which stay as they are while clients use them.
        known: what the server has to accept: the version in use first, then the one before it if there was one.
        accepted: what is there once the server accepts it, for clients to depend on; empty for the first version, with
            which the server starts.
    """

    username: str
    secret: pulumi.Output[str]
    known: tuple[Known, ...]
    accepted: tuple[pulumi.Resource, ...] = ()


@dataclass(frozen=True)
class SignIn:
    """How to find out whether a server accepts a login.

    Attributes:
        image: an image with a client of the server.
        user: user of the process.
        shell: shell of the image that understands `script`.
        script: signs in with the files ``username`` and ``password`` in the directory ``$0``; ends with 0 if it worked.
        environment: where the server is.
    """

    image: str
    user: int
    shell: str
    script: str
    environment: Mapping[str, pulumi.Input[str]]


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
    """Make the Secret with ``username`` and ``password`` by which people sign in to a workload, and return its name."""
    return secret_of(name, workload, "-login", place, {"username": username, "password": password}, opts)


def in_turns(username: str) -> tuple[str, str]:
    """Return who signs in with odd versions, and who with even ones, where a server knows one password per user."""
    return username, f"{username}{ALTERNATE}"


def rotating_login(
    name: str,
    secret: str,
    workload: str,
    suffix: str,
    usernames: tuple[str, str],
    version: int,
    place: Place,
    opts: pulumi.ResourceOptions,
) -> Login:
    """Make a login, and keep the one before it.

    Args:
        name: prefix of the passwords' names.
        secret: name of the Secrets' resources.
        workload: name of the workload that is signed in to.
        suffix: what tells the Secret from the workload's others.
        usernames: who signs in with odd versions, and who with even ones: the same one where the server knows two
            passwords for a user.
        version: the version in use, from 1.
        place: where it is read.
        opts: options of every resource.
    """
    known, secrets = [], []
    for number in versions_in_use(version):
        alternate = number % 2 == 0
        one = Known(usernames[alternate], password_of(name, number, opts))
        ending = "-alternate" if alternate else ""
        contents: dict[str, pulumi.Input[str]] = {"username": one.username, "password": one.password}
        secrets.append(secret_of(f"{secret}{ending}", workload, f"{suffix}{ending}", place, contents, opts))
        known.append(one)
    return Login(known[0].username, secrets[0], tuple(known))


def keeper(
    image: str,
    files: str,
    command: Sequence[str],
    mounts: Sequence[core.VolumeMountArgs],
    environment: Sequence[core.EnvVarArgs] = (),
    memory_mib: int = 32,
) -> core.ContainerArgs:
    """Describe the container beside a server that has it take its logins over, whenever Kubernetes has brought others.

    It starts before the server and ends after it, and stands in nobody's way: without it the server works on.

    Args:
        image: the server's own.
        files: pattern of the files that count.
        command: has the server take them over; ends with 0 where that worked, and is tried again until it does.
        mounts: where the files are, and what the command needs.
        environment: what the command needs.
        memory_mib: what the command takes, for the seconds that it runs.
    """
    return core.ContainerArgs(
        name="logins",
        image=image,
        command=["sh", "-c", KEEP, "keep", files, *command],
        env=list(environment) or None,
        restart_policy="Always",
        resources=core.ResourceRequirementsArgs(
            requests={"cpu": "10m", "memory": "16Mi"}, limits={"memory": f"{memory_mib}Mi"}
        ),
        security_context=container_security(),
        volume_mounts=list(mounts),
    )


def wait_until_accepted(
    name: str,
    workload: str,
    version: int,
    logins: Sequence[Login],
    sign_in: SignIn,
    account: pulumi.Input[str],
    place: Place,
    opts: pulumi.ResourceOptions,
) -> tuple[pulumi.Resource, ...]:
    """Sign in with new logins until their server accepts all of them; return what clients wait for.

    Args:
        name: name of the resource.
        workload: name of the workload that is signed in to.
        version: the logins' version; the first needs nobody to wait, since the server starts with it.
        logins: what is tried.
        sign_in: how.
        account: service account of the pod; it needs no rights.
        place: where it runs.
        opts: options of the resource.
    """
    if version == 1:
        return ()
    volumes = {f"login-{login.username.replace('_', '-')}": login for login in logins}
    trying = core.ContainerArgs(
        name="sign-in",
        image=sign_in.image,
        command=[sign_in.shell, "-c", WAIT, sign_in.shell, sign_in.script],
        env=environment_of(sign_in.environment),
        resources=resources(10, 32),
        security_context=container_security(),
        volume_mounts=[read_only(volume, f"{LOGINS}/{login.username}") for volume, login in volumes.items()],
    )
    pod = Pod(
        NAME,
        user=sign_in.user,
        account=account,
        containers=[trying],
        volumes=[from_secret(volume, login.secret) for volume, login in volumes.items()],
        restart="OnFailure",
    )
    named = f"{workload}-login-{digest(sign_in.image, WAIT, sign_in.script, str(version), *sorted(volumes))[:10]}"
    return (job(name, named, pod, place, opts, limit_seconds=ACCEPTED_SECONDS),)
