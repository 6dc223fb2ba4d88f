"""The sandbox's copies of the project's and the stacks' files."""

import shlex
import subprocess
from pathlib import Path

import pytest

from sandbox.stack_files import Document, StackFileError, project_copy, read, stack_copy, stack_names, write

CHECKOUT = Path(__file__).parents[2]

REAL: Document = {
    "secretsprovider": "awskms://alias/pulumi",
    "encryptedkey": "c2VhbGVk",
    "encryptionsalt": "v1:real",
    "config": {
        "auterity:environment": "prod",
        "auterity:token": {"secure": "real-1"},
        "auterity:alerts": {
            "routes": [{"to": "ops"}, {"key": {"secure": "real-2"}}],
            "pager.duty": {"secure": "real-3"},
        },
    },
}
OWN: Document = {
    "encryptionsalt": "v1:own",
    "config": {
        "auterity:token": {"secure": "own-1"},
        "auterity:alerts": {"routes": [{"to": "ops"}, {"key": {"secure": "own-2"}}], "pager.duty": {"secure": "own-3"}},
    },
}


def test_a_copy_carries_nothing_of_the_real_stack_s_encryption() -> None:
    copied = stack_copy(REAL, {})
    assert copied.document.keys() == {"config"}
    assert "real-" not in repr(copied.document)


def test_a_copy_names_the_path_of_every_secret_value_it_lacks() -> None:
    assert stack_copy(REAL, {}).missing_secrets == [
        "auterity:token",
        "auterity:alerts.routes[1].key",
        'auterity:alerts["pager.duty"]',
    ]


def test_a_copy_keeps_every_value_that_is_not_secret() -> None:
    config = stack_copy(REAL, {}).document["config"]
    assert config == {
        "auterity:environment": "prod",
        "auterity:token": "",
        "auterity:alerts": {"routes": [{"to": "ops"}, {"key": ""}], "pager.duty": ""},
    }


def test_a_refreshed_copy_keeps_the_sandbox_s_own_salt_and_secret_values() -> None:
    copied = stack_copy(REAL, OWN)
    assert copied.missing_secrets == []
    assert copied.document["encryptionsalt"] == "v1:own"
    assert copied.document["config"] == {"auterity:environment": "prod", **OWN["config"]}  # type: ignore[dict-item]


def test_a_value_that_became_secret_is_not_taken_from_the_plain_one_of_before() -> None:
    copied = stack_copy({"config": {"auterity:token": {"secure": "real"}}}, {"config": {"auterity:token": "plain"}})
    assert copied.missing_secrets == ["auterity:token"]


def test_making_a_copy_leaves_the_source_as_it_was() -> None:
    before = repr(REAL)
    stack_copy(REAL, OWN)
    assert repr(REAL) == before


def test_a_project_copy_runs_the_checkout_s_program_in_the_checkout_s_environment(tmp_path: Path) -> None:
    project: Document = {"name": "p", "runtime": {"name": "python", "options": {"virtualenv": ".venv"}}}
    assert project_copy(project, tmp_path) == {
        "name": "p",
        "main": str(tmp_path),
        "runtime": {"name": "python", "options": {"virtualenv": str(tmp_path / ".venv")}},
    }


def test_a_project_copy_keeps_a_program_s_own_directory(tmp_path: Path) -> None:
    assert project_copy({"name": "p", "main": "program"}, tmp_path)["main"] == str(tmp_path / "program")


def test_a_project_copy_leaves_the_real_backend_out(tmp_path: Path) -> None:
    project: Document = {"name": "p", "backend": {"url": "s3://real"}, "stackConfigDir": "stacks"}
    assert project_copy(project, tmp_path).keys() == {"name", "main"}


def test_stacks_are_named_by_their_files(tmp_path: Path) -> None:
    for name in ("Pulumi.yaml", "Pulumi.prod.yaml", "Pulumi.dev.yaml", "PulumiPolicy.yaml"):
        (tmp_path / name).touch()
    assert stack_names(tmp_path) == ["dev", "prod"]


def test_a_written_file_reads_back_the_same(tmp_path: Path) -> None:
    write(tmp_path / "f.yaml", REAL)
    assert read(tmp_path / "f.yaml") == REAL


@pytest.mark.parametrize("text", ["- a\n- list\n", "a: [unclosed"])
def test_a_stack_file_that_is_none_is_refused_by_name(tmp_path: Path, text: str) -> None:
    (tmp_path / "Pulumi.dev.yaml").write_text(text)
    with pytest.raises(StackFileError, match=r"Pulumi\.dev\.yaml"):
        read(tmp_path / "Pulumi.dev.yaml")


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("no", "no"),
        ("on", "on"),
        ("12:30", "12:30"),
        ("1_000", 1000),
        ("0o17", 15),
        ("017", 15),
        ("0", 0),
        ("1e3", 1000.0),
        ("true", True),
        ("~", None),
    ],
)
def test_a_plain_value_is_what_the_engine_takes_it_for(tmp_path: Path, written: str, meant: object) -> None:
    file = tmp_path / "Pulumi.dev.yaml"
    file.write_text(f"config:\n  auterity:owner: {written}\n")
    assert read(file) == {"config": {"auterity:owner": meant}}
    write(file, read(file))
    assert read(file) == {"config": {"auterity:owner": meant}}


def test_a_key_that_stands_twice_is_refused_with_its_first_line(tmp_path: Path) -> None:
    file = tmp_path / "Pulumi.dev.yaml"
    file.write_text("config:\n  auterity:owner: one\n  auterity:owner: two\n")
    with pytest.raises(StackFileError, match="'auterity:owner' already defined at line 2"):
        read(file)


def test_a_file_in_utf_16_is_read(tmp_path: Path) -> None:
    file = tmp_path / "Pulumi.dev.yaml"
    file.write_bytes("config: {auterity:owner: Zoë}\n".encode("utf-16"))
    assert read(file) == {"config": {"auterity:owner": "Zoë"}}


def test_a_file_in_another_encoding_is_refused_in_one_clear_error(tmp_path: Path) -> None:
    file = tmp_path / "Pulumi.dev.yaml"
    file.write_bytes("config: {auterity:owner: Zoë}\n".encode("latin-1"))
    with pytest.raises(StackFileError, match="not in UTF-8"):
        read(file)


def test_the_policies_are_found_in_a_path_with_a_space() -> None:
    made = subprocess.run(
        ["make", "-n", "policy", "STACK=dev", "CURDIR=/home/the team/auterity"],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=True,
    )
    [line] = [line for line in made.stdout.splitlines() if "--policy-pack" in line]
    words = shlex.split(line.rstrip("; \\"))
    assert words[words.index("--policy-pack") + 1] == "/home/the team/auterity/policies"
