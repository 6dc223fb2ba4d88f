"""A rotation as a cluster goes through it: what the program renders, brought to pods in the order of the deployment."""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.unit.programs import CONFIG_MAP, object_of
from tests.unit.recording import Recording
from tests.unit.rotation import DEPLOYMENT, SECRET

SET = "kubernetes:apps/v1:StatefulSet"
JOB = "kubernetes:batch/v1:Job"
PATIENCE = 60
"""Seconds until a server must have accepted a login here, where nothing delays a changed file."""


class Volumes:
    """ConfigMaps and Secrets as files: each is replaced as a whole while it is read, as a kubelet does."""

    def __init__(self, directory: Path, here: Callable[[str], str] = lambda text: text) -> None:
        self._directory = directory
        self._here = here
        directory.mkdir()
        directory.chmod(0o755)

    def bring(self, recording: Recording, name: str) -> None:
        """Bring all objects whose name in the cluster starts with `name` to what the program renders."""
        for kind, key in ((SECRET, "stringData"), (CONFIG_MAP, "data")):
            for found in recording.of_type(kind):
                called = str(found.inputs["metadata"]["name"])
                if called.startswith(name):
                    self._replace(self.path(kind, called), found.inputs[key])

    def path(self, kind: str, name: str) -> Path:
        """Return the directory of an object."""
        return self._directory / f"{'secret' if kind == SECRET else 'configuration'}-{name}"

    def _replace(self, path: Path, contents: Mapping[str, str]) -> None:
        path.mkdir(exist_ok=True)
        version = path / f"..{time.monotonic_ns()}"
        version.mkdir()
        for key, text in contents.items():
            (version / key).write_text(self._here(text))
            if not (path / key).is_symlink():
                (path / key).symlink_to(f"..data/{key}")
        (path / "..new").symlink_to(version.name)
        (path / "..new").replace(path / "..data")

    def of_pod(self, spec: Mapping[str, Any], container: Mapping[str, Any]) -> dict[str, Path]:
        """Return the directory that stands for each mounted object, by its path in the container."""
        sources = {
            volume["name"]: self.path(SECRET, volume["secret"]["secretName"])
            if "secret" in volume
            else self.path(CONFIG_MAP, volume["configMap"]["name"])
            for volume in spec["volumes"]
            if "secret" in volume or "configMap" in volume
        }
        return {
            mount["mountPath"]: sources[mount["name"]]
            for mount in container["volumeMounts"]
            if mount["name"] in sources
        }


def keeper_command(recording: Recording, workload: str, volumes: Volumes) -> list[str]:
    """Return what the container beside a server runs, with the places of here."""
    spec = object_of(recording, SET, workload).inputs["spec"]["template"]["spec"]
    [keeper] = [container for container in spec["initContainers"] if container["name"] == "logins"]
    return _here(keeper["command"], volumes.of_pod(spec, keeper))


def wait_as_the_job_does(
    recording: Recording, workload: str, volumes: Volumes, environment: Mapping[str, str]
) -> float:
    """Run the Job that signs in with the new logins to its end; return how many seconds it took."""
    [found] = [
        each for each in recording.of_type(JOB) if each.inputs["metadata"]["name"].startswith(f"{workload}-login-")
    ]
    spec = found.inputs["spec"]["template"]["spec"]
    [container] = spec["containers"]
    assert set(environment) >= {variable["name"] for variable in container["env"]}
    mounted = volumes.of_pod(spec, container)
    directory = volumes.path(SECRET, workload).with_name("tried")
    # A directory for each login, with all of them in one: what the pod's mounts are.
    directory.mkdir(exist_ok=True)
    for link in directory.iterdir():
        link.unlink()
    for path, source in mounted.items():
        (directory / Path(path).name).symlink_to(source)
    command = _here(container["command"], {str(Path(path).parent): directory for path in mounted})
    started = time.monotonic()
    done = subprocess.run(command, env={**environment}, timeout=PATIENCE, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return time.monotonic() - started


@dataclass(frozen=True)
class Login:
    """A pod's login: the user in its environment, and the directory of its Secret.

    Attributes:
        username: who signs in.
        directory: where ``password`` is.
    """

    username: str
    directory: Path

    def password(self) -> str:
        return (self.directory / "password").read_text()


def login_of_app(recording: Recording, purpose: str, variable: str, volumes: Volumes) -> Login:
    """Return a login of the app's pods."""
    spec = object_of(recording, DEPLOYMENT, "auterity-app").inputs["spec"]["template"]["spec"]
    [container] = spec["containers"]
    environment = {each["name"]: each["value"] for each in container["env"]}
    [secret] = [volume["secret"]["secretName"] for volume in spec["volumes"] if volume["name"] == purpose]
    return Login(environment[variable], volumes.path(SECRET, secret))


class Cut(Exception):  # noqa: N818 - no error of the client's: it opens another connection
    """A connection that stood was ended by the server."""


@dataclass
class Load:
    """Pods that open one connection after the other, and what became of them.

    Attributes:
        connect: opens a connection with a user and a password, uses it and closes it; raises what refuses it.
    """

    connect: Callable[[str, str], None]
    accepted: int = 0
    refused: list[str] = field(default_factory=list)
    cuts: int = 0
    _pods: list[tuple[threading.Thread, threading.Event]] = field(default_factory=list)

    def start_pod(self, login: Login) -> None:
        ended = threading.Event()
        thread = threading.Thread(target=self._run, args=(login, ended))
        self._pods.append((thread, ended))
        thread.start()

    def stop_oldest_pod(self) -> None:
        thread, ended = self._pods.pop(0)
        ended.set()
        thread.join()

    def roll_out(self, login: Login) -> None:
        """Replace the pods as a Deployment does: one more before one less."""
        for _ in range(len(self._pods)):
            self.start_pod(login)
            self._see_more(5)
            self.stop_oldest_pod()

    def _see_more(self, connections: int) -> None:
        wanted, deadline = self.accepted + connections, time.monotonic() + PATIENCE
        while self.accepted < wanted and not self.refused:
            assert time.monotonic() < deadline, "no connection is accepted any more"
            time.sleep(0.02)

    def __enter__(self) -> Load:
        return self

    def __exit__(self, *_: object) -> None:
        while self._pods:
            self.stop_oldest_pod()

    def _run(self, login: Login, ended: threading.Event) -> None:
        while not ended.is_set():
            try:
                self.connect(login.username, login.password())
                self.accepted += 1
            except Cut:
                self.cuts += 1
            except Exception as error:
                self.refused.append(f"{login.username}: {type(error).__name__}: {error}")
            time.sleep(0.01)


def _here(command: list[str], places: Mapping[str, Path]) -> list[str]:
    for path, place in places.items():
        command = [word.replace(path, str(place)) for word in command]
    return command
