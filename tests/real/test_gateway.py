"""Kong's declarative files, as the ConfigMaps hold them, by the rules of the tool that hands them over.

Kong itself has no package here; its options are checked against its documentation alone.
"""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
import yaml

from components.workload.gateway_configuration import declaration
from sandbox.toolchain.cache import cache_directory
from sandbox.toolchain.kong_file import ensure_kong_file
from settings import GatewaySettings
from tests.real.services import HOST, Server, _running
from tests.unit.programs import STACKS, files_of, object_of, shipped

NGINX = Path("/usr/sbin/nginx")
OUTAGE_SECONDS = 300


def check(path: Path, text: str) -> subprocess.CompletedProcess[str]:
    path.write_text(text)
    command = [ensure_kong_file(cache_directory()), path]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("stack", STACKS)
def test_the_shipped_file_is_a_good_one(stack: str, tmp_path: Path) -> None:
    made = shipped(stack).named(f"auterity-{stack}-gateway", "kubernetes:core/v1:ConfigMap")
    found = check(tmp_path / "kong.yml", made.inputs["data"]["kong.yml"])
    assert (found.returncode, found.stdout) == (0, "1 services, 4 plugins\n"), found.stderr


def test_a_file_without_hidden_paths_is_a_good_one(tmp_path: Path) -> None:
    found = check(tmp_path / "kong.yml", declaration(GatewaySettings(hidden_paths=()), "app.shop.svc", 8000))
    assert found.returncode == 0, found.stderr


@pytest.mark.parametrize(
    ("key", "value", "complaint"),
    [
        ("hosts", ["a"], "Additional property hosts is not allowed"),
        ("port", "eighty", "Invalid type"),
    ],
)
def test_a_wrong_service_is_refused(key: str, value: object, complaint: str, tmp_path: Path) -> None:
    document = yaml.safe_load(declaration(GatewaySettings(), "app.shop.svc", 8000))
    document["services"][0][key] = value
    found = check(tmp_path / "kong.yml", yaml.safe_dump(document))
    assert found.returncode == 1
    assert complaint in found.stderr


class StatusServer(Server):
    """A real nginx with the shipped include in the server of Kong's status port, and a database that says nothing.

    Like Kong's, every other path of the server asks the database first.
    """

    package = "nginx-light"
    programs = (NGINX,)
    account = "www-data"
    user = ""

    def prepare(self) -> None:
        self.database = socket.create_server((HOST, 0))
        included = self.write("status.conf", files_of(shipped("dev"), "auterity-gateway-status")["status.conf"])
        temporary = "".join(
            f"{of}_temp_path {self.directory}/{of};" for of in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        self.write(
            "nginx.conf",
            f"pid {self.directory}/pid; error_log {self.directory}/error.log; events {{}}\n"
            f"http {{ access_log off; {temporary} server {{ listen {HOST}:{self.port}; include {included};\n"
            f"location / {{ proxy_pass http://{HOST}:{self.database.getsockname()[1]}; }} }} }}\n",
        )

    def start(self) -> None:
        self.launch([NGINX, "-c", self.directory / "nginx.conf", "-g", "daemon off;"])
        self.wait_until_ready()

    def ready(self) -> bool:
        return self.accepts_connections()


@pytest.fixture(scope="module")
def status() -> Iterator[StatusServer]:
    yield from _running(StatusServer)


@pytest.mark.parametrize("probe", ["readinessProbe", "livenessProbe"])
def test_no_copy_leaves_or_restarts_while_the_database_is_away_for_five_minutes(
    status: StatusServer, probe: str
) -> None:
    """As many questions as the kubelet asks in that time, each with the time that it gives for an answer."""
    deployment = object_of(shipped("dev"), "kubernetes:apps/v1:Deployment", "auterity-gateway")
    [container] = deployment.inputs["spec"]["template"]["spec"]["containers"]
    asked = container[probe]
    url = f"http://{HOST}:{status.port}{asked['httpGet']['path']}"
    for _ in range(int(OUTAGE_SECONDS // asked["periodSeconds"])):
        assert httpx2.get(url, timeout=asked["timeoutSeconds"]).status_code == 200
