"""What of the person's environment reaches the engine."""

from pathlib import Path

import pytest

from sandbox.environment import engine_environment, withheld

CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "leak",
    "AWS_PROFILE": "leak",
    "AWS_SECRET_ACCESS_KEY": "leak",
    "GITHUB_TOKEN": "leak",
    "GOOGLE_APPLICATION_CREDENTIALS": "leak",
    "GOOGLE_CREDENTIALS": "leak",
    "KUBECONFIG": "leak",
    "PULUMI_ACCESS_TOKEN": "leak",
    "PULUMI_BACKEND_URL": "leak",
    "PULUMI_CONFIG_PASSPHRASE": "leak",
}
PLAIN = {"HOME": "/home/someone", "LC_ALL": "C.UTF-8", "PATH": "/usr/bin", "TERM": "xterm"}


@pytest.mark.parametrize("name", CREDENTIALS)
def test_no_credential_backend_or_cluster_reaches_the_engine(tmp_path: Path, name: str) -> None:
    environment = engine_environment(tmp_path, "dev", {**CREDENTIALS, **PLAIN})
    assert environment.get(name) != "leak"


def test_what_a_terminal_and_a_program_need_reaches_the_engine(tmp_path: Path) -> None:
    assert PLAIN.items() <= engine_environment(tmp_path, "dev", {**CREDENTIALS, **PLAIN}).items()


def test_state_lies_in_files_below_the_sandbox_s_home(tmp_path: Path) -> None:
    environment = engine_environment(tmp_path, "dev", PLAIN)
    assert environment["PULUMI_BACKEND_URL"] == f"file://{tmp_path}/backend?metadata=skip"
    assert environment["PULUMI_HOME"] == f"{tmp_path}/pulumi"
    assert environment["PULUMI_CONFIG_PASSPHRASE_FILE"] == f"{tmp_path}/passphrase"


def test_the_home_directory_s_cloud_profiles_are_out_of_reach(tmp_path: Path) -> None:
    environment = engine_environment(tmp_path, "dev", PLAIN)
    assert environment["AWS_CONFIG_FILE"] == environment["AWS_SHARED_CREDENTIALS_FILE"] == "/dev/null"
    assert environment["KUBECONFIG"].startswith(str(tmp_path))
    assert environment["CLOUDSDK_CONFIG"].startswith(str(tmp_path))


def test_where_variables_can_only_be_overridden_what_is_withheld_is_emptied() -> None:
    assert withheld({**CREDENTIALS, **PLAIN}) == dict.fromkeys(CREDENTIALS, "")
