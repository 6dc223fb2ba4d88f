"""The bootstrap of an account: its state backend and the identities of the pipelines."""

import os
import sys
from pathlib import Path

import pulumi
import pulumi_aws as aws

# The engine starts this program in its own directory; its parts, and files that they check, lie beside that.
ROOT = Path(__file__).resolve().parents[1]
os.chdir(ROOT)
sys.path.insert(0, str(ROOT))

from bootstrap.boundary import Boundary  # noqa: E402
from bootstrap.inputs import load  # noqa: E402
from bootstrap.pipelines import Pipelines, PipelinesArgs  # noqa: E402
from bootstrap.state import State  # noqa: E402
from components.account import AwsAccount  # noqa: E402
from settings import SettingsError  # noqa: E402

NAME = "auterity-bootstrap"
ERROR_SHOWN = 32


def main() -> None:
    """Bring up what the settings name, and export what the workflows' variables take."""
    try:
        settings = load(pulumi.runtime.get_config_env())
    except SettingsError as error:
        pulumi.log.error(str(error))
        sys.exit(ERROR_SHOWN)
    tags = {"Project": "auterity", "Environment": "account", "Owner": settings.owner, "ManagedBy": "pulumi"}
    provider = aws.Provider(
        "aws",
        region=settings.region,
        allowed_account_ids=[settings.account_id] if settings.account_id else None,
        default_tags=aws.ProviderDefaultTagsArgs(tags=tags),
    )
    opts = pulumi.ResourceOptions(providers=[provider])
    account = AwsAccount.of(provider, settings.region)
    # Whoever deletes the states no longer knows what there is.
    state = State(NAME, account, settings.stacks, pulumi.ResourceOptions(providers=[provider], protect=True))
    boundary = Boundary(NAME, account, state, opts)
    whose = PipelinesArgs(
        account, settings.repository, settings.stacks, state, boundary.arn, disposable=settings.disposable
    )
    pipelines = Pipelines(NAME, whose, opts)
    pulumi.export("PULUMI_BACKEND", state.backend)
    pulumi.export("secrets_provider", state.secrets_provider)
    for stack, provider_of_stack in state.secrets_providers.items():
        pulumi.export(f"secrets_provider_{stack}", provider_of_stack)
    pulumi.export("AWS_REGION", settings.region)
    pulumi.export("aws_roles", pipelines.roles)


main()
