"""The commands of the first deployment, in order: two accounts, one project in Google Cloud, two stacks.

Each account and project is a cloud of the sandbox by itself; a directory takes the place of each bucket, a passphrase
that of its keys.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from sandbox import stack_files
from sandbox.workspace import Sandbox
from tests.policies.engine import ROOT

PAGE = ROOT / "docs" / "first-deployment.md"
STACKS = ("dev", "prod")


def block(first: str) -> list[str]:
    """Return the lines of the one block of the page that has a command."""
    blocks = [each.splitlines() for each in re.findall(r"```sh\n(.*?)```", PAGE.read_text(), re.DOTALL)]
    [found] = [each for each in blocks if first in each]
    return list(found)


@dataclass(frozen=True)
class Walk:
    """What each block said, by the stack that it was about, and where the state went."""

    said: dict[str, subprocess.CompletedProcess[str]]
    buckets: dict[str, Path]


def run(sandbox: Sandbox, name: str, lines: list[str], **known: str) -> subprocess.CompletedProcess[str]:
    """Run a block's lines on a sandbox as a person would, in a shell that knows what was set before."""
    sandbox.prepare(name)
    # The page begins before there is any state: the copy has no key of the sandbox's backend.
    copy = sandbox.project_directory / f"Pulumi.{name}.yaml"
    document = stack_files.read(copy)
    document.pop("encryptionsalt", None)
    stack_files.write(copy, document)
    environment = {**sandbox.environment(name), **known}
    for variable in {"PULUMI_BACKEND_URL", "PULUMI_CONFIG_PASSPHRASE_FILE", "PULUMI_STACK"} - known.keys():
        environment.pop(variable)
    return subprocess.run(
        ["bash", "-euc", "\n".join(lines)],
        cwd=sandbox.project_directory,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=400,
    )


def local(line: str) -> str:
    """Let the engine work without a terminal on the sandbox's copies, whose program is the checkout's."""
    line = re.sub(r"^cd .*", "true", line).replace("pulumi up ", "pulumi up --yes --skip-preview ")
    return line.replace("--policy-pack policies", f"--policy-pack {ROOT / 'policies'}")


@pytest.fixture(scope="module")
def walk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Walk]:
    place = tmp_path_factory.mktemp("walk")
    home = place / "home"
    home.mkdir()
    buckets = {stack: place / f"bucket-{stack}" for stack in STACKS}
    said: dict[str, subprocess.CompletedProcess[str]] = {}
    passphrase = {}
    with ExitStack() as running:

        def cloud(name: str, checkout: Path) -> Sandbox:
            return running.enter_context(Sandbox(place / name, checkout=checkout))

        for stack in STACKS:
            buckets[stack].mkdir()
            account, first = f"account-{stack}", "account=account-dev stack=dev"
            lines = [
                local(line)
                .replace(first, f"account={account} stack={stack}")
                .replace('$(pulumi stack output PULUMI_BACKEND --stack "$account")', f"file://{buckets[stack]}")
                .replace('$(pulumi stack output secrets_provider --stack "$account")', "passphrase")
                for line in block(first)
            ]
            said[account] = run(cloud(account, ROOT / "bootstrap"), account, lines, HOME=str(home))
            passphrase[stack] = {"PULUMI_CONFIG_PASSPHRASE_FILE": str(home / account / "passphrase")}
        prod = {"backend": f"file://{buckets['prod']}", "key": "passphrase", **passphrase["prod"]}
        google = cloud("google", ROOT / "bootstrap" / "google")
        said["google"] = run(google, "google", [local(line) for line in block("cd bootstrap/google")], **prod)
        github = cloud("github", ROOT / "bootstrap" / "github")
        said["github"] = run(github, "github", [local(line) for line in block("cd bootstrap/github")], **prod)
        for stack in STACKS:
            lines = [local(line) for line in block('pulumi stack init "$stack" --secrets-provider "$secrets"')]
            set_before = {"stack": stack, "backend": f"file://{buckets[stack]}", "secrets": "passphrase"}
            said[stack] = run(cloud(stack, ROOT), stack, lines, **set_before, **passphrase[stack])
        yield Walk(said, buckets)


def test_each_block_ends_where_it_began() -> None:
    for lines in re.findall(r"```sh\n(.*?)```", PAGE.read_text(), re.DOTALL):
        place = Path("/checkout")
        for directory in re.findall(r"^cd (.*)$", lines, re.MULTILINE):
            place = Path(os.path.normpath(place / directory))
            assert (ROOT / place.relative_to("/checkout")).is_dir()
        assert place == Path("/checkout"), lines


@pytest.mark.parametrize("stack", ["account-dev", "account-prod", "google", "github", "dev", "prod"])
def test_the_commands_of_the_page_lead_to_each_stack(stack: str, walk: Walk) -> None:
    done = walk.said[stack]
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]


@pytest.mark.parametrize("stack", STACKS)
def test_the_state_of_an_account_moves_into_its_own_backend_and_nothing_changes(stack: str, walk: Walk) -> None:
    states = walk.buckets[stack] / ".pulumi" / "stacks"
    found = {f"{each.parent.name}/{each.name.split('.')[0]}" for each in states.glob("*/*.json*")}
    others = {"auterity-bootstrap-google/google", "auterity-bootstrap-github/github"}
    beside = others if stack == "prod" else set()
    assert found == {f"auterity-bootstrap/account-{stack}", f"auterity/{stack}"} | beside
    # Its secrets are under the key of the stack, which the account's stack gives out.
    assert f"secrets_provider_{stack}" in walk.said[f"account-{stack}"].stdout


@pytest.mark.parametrize("stack", STACKS)
def test_a_new_stack_keeps_every_rule(stack: str, walk: Walk) -> None:
    assert "security-rules" in walk.said[stack].stdout
    assert "[mandatory]" not in walk.said[stack].stdout
