"""The sandbox runs a checkout's program on the real engine and leaves the checkout as it was."""

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.workspace import Sandbox, WorkspaceError, default_home

ENVIRONMENT = Path(sys.prefix)
PROGRAM = """
import os
import pulumi

config = pulumi.Config()
if config.get("raise"):
    raise ValueError(config.require("raise"))
if config.get("refuse"):
    raise pulumi.RunError(config.require("refuse"))
pulumi.export("word", config.get("word"))
pulumi.export("token", config.require_secret("token"))
pulumi.export("environment", sorted(os.environ))
"""
PROJECT = """
name: tiny
main: program
runtime: {name: python, options: {toolchain: pip, virtualenv: .venv}}
backend: {url: "s3://real-state"}
"""
PACK = """
from pulumi_policy import EnforcementLevel, PolicyPack, StackValidationPolicy

PolicyPack(
    "strict",
    [StackValidationPolicy("never", "never", lambda _, report: report("no stack is good enough"))],
    EnforcementLevel.MANDATORY,
)
"""
STACK = """
secretsprovider: awskms://alias/real
encryptedkey: c2VhbGVk
config:
  tiny:word: hello
  tiny:token: {secure: only-the-real-key-opens-this}
"""


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a checkout with a small program of its own."""
    directory = tmp_path_factory.mktemp("checkout")
    (directory / "program").mkdir()
    (directory / "program" / "__main__.py").write_text(PROGRAM)
    (directory / "Pulumi.yaml").write_text(PROJECT)
    (directory / "Pulumi.dev.yaml").write_text(STACK)
    (directory / "Pulumi.edited.yaml").write_text(STACK)
    (directory / "Pulumi.raising.yaml").write_text(f"{STACK}  tiny:raise: boom\n")
    (directory / "Pulumi.refusing.yaml").write_text(f"{STACK}  tiny:refuse: not like this\n")
    (directory / ".venv").symlink_to(ENVIRONMENT)
    return directory


@pytest.fixture(scope="module")
def sandbox(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """Run the sandbox of that checkout."""
    with Sandbox(tmp_path_factory.mktemp("home") / "with a space", checkout=checkout) as running:
        yield running


@pytest.fixture
def policy_pack(tmp_path: Path) -> Path:
    """Make a policy pack that refuses every stack."""
    (tmp_path / "PulumiPolicy.yaml").write_text(f"runtime: {{name: python, options: {{virtualenv: {ENVIRONMENT}}}}}\n")
    (tmp_path / "__main__.py").write_text(PACK)
    return tmp_path


def files(directory: Path) -> dict[str, tuple[int, bytes]]:
    """Return the time of change and the content of each file below `directory`, bytecode that Python keeps apart."""
    found = (path for path in directory.rglob("*") if path.is_file() and not {".venv", "__pycache__"} & {*path.parts})
    return {str(path): (path.stat().st_mtime_ns, path.read_bytes()) for path in found}


def test_a_stack_s_whole_life_leaves_the_checkout_untouched(sandbox: Sandbox, checkout: Path) -> None:
    before = files(checkout)
    stack = sandbox.stack("dev")
    stack.up()
    stack.refresh()
    stack.destroy()
    assert files(checkout) == before


def test_outputs_come_back_as_values_and_secrets_as_secrets(sandbox: Sandbox) -> None:
    outputs = sandbox.stack("dev").up().outputs
    assert outputs["word"].value == "hello"
    assert outputs["token"].secret


def test_a_secret_that_only_the_real_key_opens_has_a_value_of_the_sandbox_s_own(sandbox: Sandbox) -> None:
    token = sandbox.stack("dev").up().outputs["token"].value
    assert token
    assert "real" not in token
    assert token not in sandbox.answer("dev", "stack", "export")


def test_no_credential_of_the_person_reaches_the_program(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "leak")
    assert sandbox.pulumi("dev", "up", "--yes", "--skip-preview") == 0
    seen = json.loads(sandbox.answer("dev", "stack", "output", "--json"))["environment"]
    assert "HOME" in seen
    assert not {"AWS_SECRET_ACCESS_KEY", "PULUMI_ACCESS_TOKEN"} & set(seen)


def test_a_program_that_raises_shows_its_traceback_and_fails(
    sandbox: Sandbox, capfd: pytest.CaptureFixture[str]
) -> None:
    assert sandbox.pulumi("raising", "preview") != 0
    assert re.search(r"Traceback.*program/__main__\.py.*ValueError: boom", capfd.readouterr().out, re.DOTALL)


def test_a_program_that_refuses_says_so_without_a_traceback(
    sandbox: Sandbox, capfd: pytest.CaptureFixture[str]
) -> None:
    assert sandbox.pulumi("refusing", "preview") != 0
    shown = capfd.readouterr().out
    assert "error: not like this" in shown
    assert "Traceback" not in shown


def test_a_mandatory_policy_that_is_violated_fails_the_preview(
    sandbox: Sandbox, policy_pack: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert sandbox.pulumi("dev", "preview", "--policy-pack", str(policy_pack)) != 0
    assert "no stack is good enough" in capfd.readouterr().out


def test_a_changed_stack_file_is_taken_over_and_keeps_the_sandbox_s_secrets(sandbox: Sandbox, checkout: Path) -> None:
    before = sandbox.stack("edited").up().outputs["token"].value
    (checkout / "Pulumi.edited.yaml").write_text(STACK.replace("hello", "goodbye"))
    outputs = sandbox.stack("edited").up().outputs
    assert (outputs["word"].value, outputs["token"].value) == ("goodbye", before)


def test_a_value_set_in_the_sandbox_stays_out_of_the_checkout(sandbox: Sandbox, checkout: Path) -> None:
    before = files(checkout)
    sandbox.answer("dev", "config", "set", "word", "tried")
    assert sandbox.answer("dev", "config", "get", "word").strip() == "tried"
    assert files(checkout) == before
    sandbox.answer("dev", "config", "set", "word", "hello")


def test_an_unknown_stack_is_one_error_that_names_those_that_exist(sandbox: Sandbox) -> None:
    with pytest.raises(
        WorkspaceError, match=r"no stack 'prd'.*Pulumi\.prd\.yaml does not exist\. .*: dev, edited, raising, refusing$"
    ):
        sandbox.stack("prd")


def test_the_passphrase_is_readable_by_its_owner_alone(sandbox: Sandbox) -> None:
    assert (sandbox.home / "passphrase").stat().st_mode & 0o777 == 0o600


def test_a_sandbox_outside_its_context_says_so(checkout: Path, tmp_path: Path) -> None:
    with pytest.raises(WorkspaceError, match="context manager"):
        _ = Sandbox(tmp_path, checkout=checkout).cli


def test_each_checkout_has_a_home_of_its_own_outside_of_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AUTERITY_SANDBOX_HOME", raising=False)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    one, other = default_home(tmp_path / "one"), default_home(tmp_path / "other")
    assert one != other
    assert one.parent == tmp_path / "state" / "auterity" / "sandbox"


def test_the_home_can_be_chosen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTERITY_SANDBOX_HOME", str(tmp_path / "chosen"))
    assert default_home() == tmp_path / "chosen"
