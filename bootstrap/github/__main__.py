"""The bootstrap of the repository on GitHub: environments, their variables, and the rules of main."""

import os
import sys
from pathlib import Path

import pulumi
import pulumi_github as github

# The engine starts this program in its own directory; its parts, and files that they check, lie beside that.
ROOT = Path(__file__).resolve().parents[2]
os.chdir(ROOT)
sys.path.insert(0, str(ROOT))

from bootstrap.inputs import load_github  # noqa: E402
from bootstrap.repository import Repository  # noqa: E402
from settings import SettingsError  # noqa: E402

NAME = "auterity-bootstrap"
ERROR_SHOWN = 32


def main() -> None:
    """Bring up what the settings name."""
    try:
        settings = load_github(pulumi.runtime.get_config_env())
    except SettingsError as error:
        pulumi.log.error(str(error))
        sys.exit(ERROR_SHOWN)
    provider = github.Provider("github", owner=settings.repository.partition("/")[0])
    # Without its rules anybody's commit would be deployed.
    Repository(NAME, settings, pulumi.ResourceOptions(providers=[provider], protect=True))


main()
