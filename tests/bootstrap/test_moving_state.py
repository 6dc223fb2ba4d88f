"""The commands of the first deployment, with a second file backend in the place of the bucket."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from sandbox import stack_files
from sandbox.workspace import Sandbox
from tests.policies.engine import ROOT

PAGE = ROOT / "docs" / "first-deployment.md"


def script() -> str:
    """Return the block of the page that makes the state backend and moves the state into it."""
    [block] = [each for each in re.findall(r"```sh\n(.*?)```", PAGE.read_text(), re.DOTALL) if "cd bootstrap" in each]
    return str(block)


def test_the_state_of_the_bootstrap_moves_into_another_backend_and_nothing_changes(tmp_path: Path) -> None:
    with Sandbox(tmp_path / "sandbox", checkout=ROOT / "bootstrap") as sandbox:
        sandbox.prepare("account")
        # The page begins before there is any state: the copy has no key of the sandbox's backend.
        copy = sandbox.project_directory / "Pulumi.account.yaml"
        document = stack_files.read(copy)
        document.pop("encryptionsalt", None)
        stack_files.write(copy, document)
        home, away = tmp_path / "home", tmp_path / "bucket"
        home.mkdir()
        away.mkdir()
        lines = [
            # The engine works on the sandbox's copies, has no terminal, and the bucket is a simulated one.
            line.replace("cd bootstrap", f"cd {sandbox.project_directory}")
            .replace("pulumi up ", "pulumi up --yes --skip-preview ")
            .replace("$(pulumi stack output PULUMI_BACKEND --stack account)", f"file://{away}")
            .replace("$(pulumi stack output secrets_provider --stack account)", "passphrase")
            for line in script().splitlines()
        ]
        environment = {**sandbox.environment("account"), "HOME": str(home)}
        for name in ("PULUMI_BACKEND_URL", "PULUMI_CONFIG_PASSPHRASE_FILE", "PULUMI_STACK"):
            environment.pop(name)
        done = subprocess.run(
            ["bash", "-euc", "\n".join(lines)],
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
        assert list((away / ".pulumi" / "stacks" / "auterity-bootstrap").glob("account.json*"))
