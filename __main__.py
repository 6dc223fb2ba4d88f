"""The Auterity platform: one stack's settings, made into its components where the stack says that it runs."""
# ruff: noqa: E402 - what is said of garbage holds for the modules that are loaded, too

import atexit
import gc

# The program makes one graph of objects and ends: to search it for cycles takes a tenth of the time and frees nothing.
gc.disable()
# Python does so once more on its way out, while the engine waits, save for what is frozen.
atexit.register(gc.freeze)

import asyncio
import sys
from collections.abc import Callable, Iterator
from functools import partial

import pulumi

from components.protection import protect_data
from settings import SettingsError, StackSettings, load

ERROR_SHOWN = 32
"""Exit code by which the language host knows that the error was shown, and adds none of its own."""


def stack_settings() -> StackSettings:
    """Read the whole configuration of the stack, or stop with every wrong key before anything is registered."""
    config = pulumi.runtime.get_config_env()
    secret_keys = pulumi.runtime.get_config_secret_keys_env()
    try:
        return load(config, secret_keys, pulumi.get_stack())
    except SettingsError as error:
        pulumi.log.error(str(error))
        sys.exit(ERROR_SHOWN)


def parts_of(settings: StackSettings) -> Iterator[Callable[[], None]]:
    """Load what composes the stack, and no more: a cloud's SDK takes its time, also where no cloud is named."""
    if settings.aws:
        from composition.aws import aws_platform

        yield partial(aws_platform, settings, settings.aws)
    if settings.kubernetes and settings.kubernetes.existing:
        from composition.existing import cluster_platform

        yield partial(cluster_platform, settings, settings.kubernetes.existing)


settings = stack_settings()
# Before `main` runs: modules are found here no longer then.
parts = list(parts_of(settings))


async def main() -> None:
    """Bring up whatever the stack's settings name."""
    pulumi.export("environment", settings.environment)
    if settings.environment == "prod":
        protect_data()
    for compose in parts:
        compose()
    # One turn of the event loop starts the registrations. The SDK then awaits those one by one, instead of all of their
    # outputs anew whenever any one is done.
    await asyncio.sleep(0)


pulumi.run(main)
