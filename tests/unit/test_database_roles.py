"""Who signs in to the stores on AWS as whom, and what major upgrades ask of the settings."""

from __future__ import annotations

import json
from typing import Any

import pytest

from settings import SettingsError, load
from tests.unit.programs import shipped, stack_config

POD = "kubernetes:apps/v1:Deployment"
MOUNTED = "kubernetes:secrets-store.csi.x-k8s.io/v1:SecretProviderClass"


def load_with(stack: str, **changes: Any) -> None:
    config = stack_config(stack)
    config["auterity:database"] = json.dumps({**json.loads(config["auterity:database"]), **changes})
    load(config)


def test_the_master_user_s_secret_is_mounted_by_the_job_that_makes_the_roles_alone() -> None:
    managed = [each.name for each in shipped("prod").of_type(MOUNTED) if "rds!" in json.dumps(each.inputs)]
    assert managed == ["auterity-prod-gateway-master"]


@pytest.mark.parametrize("job", ["auterity-prod-gateway-database", "auterity-prod-queue-users"])
def test_the_app_starts_after_the_jobs_that_make_its_logins(job: str) -> None:
    made = shipped("prod").named(job, "kubernetes:batch/v1:Job")
    app = shipped("prod").named("auterity-prod-app", POD)
    assert made.urn in app.depends_on


def test_a_blue_green_upgrade_is_refused_while_rds_is_to_manage_the_password() -> None:
    with pytest.raises(SettingsError, match=r"master_password.*blue_green"):
        load_with("dev", upgrade="blue_green", parameters={"rds.logical_replication": "1"})


def test_a_blue_green_upgrade_is_refused_without_logical_replication() -> None:
    with pytest.raises(SettingsError, match=r"rds\.logical_replication"):
        load_with("dev", upgrade="blue_green", master_password="stack")


def test_an_upgrade_is_refused_that_would_wait_for_the_window() -> None:
    with pytest.raises(SettingsError, match="apply_immediately"):
        load_with("prod", upgrade="in_place")


@pytest.mark.parametrize("name", ["kong", "backup", "restorer", "auterity"])
def test_the_app_s_role_is_nobody_else_s(name: str) -> None:
    with pytest.raises(SettingsError, match="app_username"):
        load_with("prod", app_username=name)
