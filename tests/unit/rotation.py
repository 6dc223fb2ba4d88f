"""The local stack with other versions of its logins."""

from __future__ import annotations

import json
from functools import cache

from tests.unit.programs import run_program, shipped, stack_config
from tests.unit.recording import Recording

SECRET = "kubernetes:core/v1:Secret"
DEPLOYMENT = "kubernetes:apps/v1:Deployment"


@cache
def rendered(version: int) -> Recording:
    """Record the local stack with this version of the logins of its three stores."""
    if version == 1:
        return shipped("local")
    config = stack_config("local")
    for section in ("database", "cache", "messaging"):
        stated = json.loads(config[f"auterity:{section}"])
        place = stated["in_cluster"] if section == "database" else stated
        place["password_version"] = version
        config[f"auterity:{section}"] = json.dumps(stated)
    return run_program("local", config)
