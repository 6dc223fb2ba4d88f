"""What of the person's environment the engine gets to see: no credential, no other backend, no cluster."""

import os
from collections.abc import Mapping
from pathlib import Path

PASSED_ON = {
    "COLORTERM",
    "COLUMNS",
    "FORCE_COLOR",
    "HOME",
    "LANG",
    "LANGUAGE",
    "LD_LIBRARY_PATH",
    "LINES",
    "LOGNAME",
    "NO_COLOR",
    "PATH",
    "SHELL",
    "TERM",
    "TMPDIR",
    "TZ",
    "USER",
}
"""The variables that are passed on, besides the locale's ``LC_…``; any other may hold a credential."""


def passed_on(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the part of `environ` that has nothing to do with clouds, clusters, backends or credentials."""
    return {name: value for name, value in environ.items() if name in PASSED_ON or name.startswith("LC_")}


def withheld(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the rest of `environ` with every value emptied, for callers that can only override the environment."""
    kept = passed_on(environ)
    return {name: "" for name in environ if name not in kept}


def engine_environment(home: Path, stack: str, environ: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the environment in which the engine works on `stack` with everything it writes below `home`."""
    nowhere = os.devnull
    return {
        **passed_on(os.environ if environ is None else environ),
        # Without a second file beside each, of which the engine reads nothing and for which it digests the state anew.
        "PULUMI_BACKEND_URL": f"{(home / 'backend').as_uri()}?metadata=skip",
        "PULUMI_HOME": str(home / "pulumi"),
        "PULUMI_CONFIG_PASSPHRASE_FILE": str(home / "passphrase"),
        "PULUMI_STACK": stack,
        # By itself the engine does four things at once for each CPU; what it does is to wait for the cloud.
        "PULUMI_PARALLEL": "64",
        # The engine writes the whole state down before and after each step: by itself it then collects garbage all
        # the time. Beyond a GiB it does so again.
        "GOGC": "400",
        "GOMEMLIMIT": "1GiB",
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
        "PULUMI_DISABLE_REGISTRY_RESOLVE": "true",
        "PULUMI_CREDENTIAL_STORE": "plaintext",
        # The files that cloud tools would otherwise find in the home directory.
        "AWS_CONFIG_FILE": nowhere,
        "AWS_SHARED_CREDENTIALS_FILE": nowhere,
        "AWS_EC2_METADATA_DISABLED": "true",
        "CLOUDSDK_CONFIG": str(home / "gcloud"),
        "DOCKER_CONFIG": str(home / "docker"),
        "KUBECONFIG": str(home / "kubeconfig"),
    }
