"""The bootstrap of the Google Cloud project: the identities of the pipelines of every stack."""

import os
import sys
from pathlib import Path

import pulumi
import pulumi_gcp as gcp

# The engine starts this program in its own directory; its parts, and files that they check, lie beside that.
ROOT = Path(__file__).resolve().parents[2]
os.chdir(ROOT)
sys.path.insert(0, str(ROOT))

from bootstrap.google_cloud import GooglePipelines, GooglePipelinesArgs  # noqa: E402
from bootstrap.inputs import load_google  # noqa: E402
from settings import SettingsError  # noqa: E402

NAME = "auterity-bootstrap"
ERROR_SHOWN = 32


def main() -> None:
    """Bring up what the settings name, and export what the workflows' variables take."""
    try:
        settings = load_google(pulumi.runtime.get_config_env())
    except SettingsError as error:
        pulumi.log.error(str(error))
        sys.exit(ERROR_SHOWN)
    google = GooglePipelines(
        NAME,
        GooglePipelinesArgs(settings.project, settings.repository, settings.stacks),
        pulumi.ResourceOptions(providers=[gcp.Provider("gcp", project=settings.project)]),
    )
    pulumi.export("GCP_IDENTITY_PROVIDER", google.provider)
    pulumi.export("gcp_accounts", google.accounts)


main()
