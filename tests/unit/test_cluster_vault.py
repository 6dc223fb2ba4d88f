"""What users rely on of Vault in the cluster."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pulumi
import pulumi_kubernetes as kubernetes
import pulumi_random as random
import pulumi_tls as tls
import pytest

from components.workload import KmsSeal, Place, Vault, VaultArgs
from settings import VaultSettings
from tests.unit.programs import shipped
from tests.unit.recording import Recording, record

CONFIG_MAP = "kubernetes:core/v1:ConfigMap"
SECRET = "kubernetes:core/v1:Secret"
SET = "kubernetes:apps/v1:StatefulSet"
SEAL = KmsSeal("arn:aws:kms:us-east-1:123456789012:key/1", "us-east-1")


def vault(*, seal: KmsSeal | None = None, **settings: Any) -> Recording:
    def build() -> None:
        own = [kubernetes.Provider("kubernetes"), random.Provider("random"), tls.Provider("tls")]
        args = VaultArgs(VaultSettings(**settings), Place("shop", "critical"), seal)
        Vault("auterity-test", args, pulumi.ResourceOptions(providers=own))

    return record(build)


def configuration(recording: Recording) -> dict[str, Any]:
    files = recording.named("auterity-test-vault", CONFIG_MAP).inputs["data"]
    stated: dict[str, Any] = json.loads(files["vault.json"])
    return stated


def pod(recording: Recording) -> dict[str, Any]:
    spec: dict[str, Any] = recording.only(SET).inputs["spec"]["template"]["spec"]
    return spec


def test_nothing_is_spoken_but_tls() -> None:
    [listener] = configuration(vault())["listener"]
    assert "tls_disable" not in listener["tcp"]
    assert listener["tcp"]["tls_cert_file"] == "/run/secrets/tls/tls.crt"
    assert listener["tcp"]["tls_min_version"] == "tls12"
    container = pod(vault())["containers"][0]
    assert {container[f"{probe}Probe"]["httpGet"]["scheme"] for probe in ("startup", "readiness", "liveness")} == {
        "HTTPS"
    }


def test_data_is_kept_by_raft_on_a_volume_and_not_in_files() -> None:
    recording = vault(copies=3)
    storage = configuration(recording)["storage"]
    assert list(storage) == ["raft"]
    assert [peer["leader_api_addr"] for peer in storage["raft"]["retry_join"]] == [
        f"https://auterity-vault-{number}.auterity-vault.shop.svc:8200" for number in range(3)
    ]
    assert {peer["leader_ca_cert_file"] for peer in storage["raft"]["retry_join"]} == {"/run/secrets/tls/ca.crt"}
    mounts = {mount["name"]: mount["mountPath"] for mount in pod(recording)["containers"][0]["volumeMounts"]}
    assert mounts["data"] == storage["raft"]["path"]


def test_it_opens_itself_by_a_key_where_there_is_one_and_by_people_elsewhere() -> None:
    assert configuration(vault(seal=SEAL))["seal"] == {
        "awskms": {"region": "us-east-1", "kms_key_id": "arn:aws:kms:us-east-1:123456789012:key/1"}
    }
    assert "seal" not in configuration(vault())


def test_the_servers_of_production_may_use_their_key_and_do_nothing_else() -> None:
    rights = shipped("prod").named("auterity-prod-vault", "aws:iam/rolePolicy:RolePolicy").inputs["policy"]
    [statement] = json.loads(rights)["Statement"]
    assert statement["Action"] == ["kms:Encrypt", "kms:Decrypt", "kms:DescribeKey"]
    assert statement["Resource"] != ["*"]


def test_the_private_key_is_a_secret_and_stands_nowhere_else() -> None:
    recording = vault()
    secret = recording.named("auterity-test-vault-tls", SECRET)
    assert "stringData" in secret.secret_inputs
    assert "value-of-private-key" not in str([r.inputs for r in recording.of_type(CONFIG_MAP)])


def test_the_certificate_is_for_every_server_and_for_who_works_inside() -> None:
    request = vault().only("tls:index/certRequest:CertRequest").inputs
    assert request["dnsNames"] == [
        "auterity-vault-ready.shop.svc",
        "auterity-vault.shop.svc",
        "*.auterity-vault.shop.svc",
        "localhost",
    ]
    assert request["ipAddresses"] == ["127.0.0.1"]


def test_a_certificate_is_renewed_a_month_before_its_end() -> None:
    signed = vault(certificate_days=90).only("tls:index/locallySignedCert:LocallySignedCert").inputs
    assert (signed["validityPeriodHours"], signed["earlyRenewalHours"]) == (90 * 24, 30 * 24)


def test_a_sealed_server_is_not_asked_and_not_killed() -> None:
    container = pod(vault())["containers"][0]
    assert "sealedcode" not in container["readinessProbe"]["httpGet"]["path"]
    assert "sealedcode=204" in container["livenessProbe"]["httpGet"]["path"]


def test_it_may_ask_whose_token_it_is_shown_and_nothing_else_of_the_api_server() -> None:
    [binding] = vault().of_type("kubernetes:rbac.authorization.k8s.io/v1:ClusterRoleBinding")
    assert binding.inputs["roleRef"]["name"] == "system:auth-delegator"
    assert binding.inputs["subjects"] == [{"kind": "ServiceAccount", "name": "auterity-vault", "namespace": "shop"}]


def test_what_is_set_up_logs_every_request_and_lets_the_apps_pods_in() -> None:
    script = vault().named("auterity-test-vault", CONFIG_MAP).inputs["data"]["set-up.sh"]
    assert "vault audit enable" in script
    assert "bound_service_account_names=auterity-app" in script
    assert "bound_service_account_namespaces=shop" in script


def test_no_token_and_no_key_of_vaults_own_is_in_the_stack() -> None:
    for stack in ("local", "dev", "prod"):
        shown = str([r.inputs for r in shipped(stack).resources])
        assert "operator init" not in shown
        assert "VAULT_TOKEN" not in shown


def script(name: str) -> str:
    text: str = vault().named("auterity-test-vault", CONFIG_MAP).inputs["data"][name]
    return text


def test_people_can_sign_in_and_administer_before_the_first_token_is_revoked() -> None:
    text = script("set-up.sh")
    assert "vault auth enable userpass" in text
    assert "vault policy write auterity-administrator" in text
    assert "token_policies=auterity-administrator" in script("administrator.sh")
    policy = text.split("<<'POLICY'\n")[1].split("POLICY\n")[0]
    # By it the holders of the keys may make a new root token: Vault 2.0 asks for a token there.
    assert 'path "sys/*" { capabilities = ["create", "read", "update", "patch", "delete", "list", "sudo"] }' in policy
    assert 'path "auterity/*" { capabilities = ["create", "update", "patch", "delete", "list"] }' in policy


@pytest.mark.parametrize("name", ["set-up.sh", "administrator.sh"])
def test_scripts_keep_no_token_and_no_password_where_they_ran(name: str, tmp_path: Path) -> None:
    program = tmp_path / "vault"
    program.write_text('#!/bin/sh\n[ "$1" = login ] && echo t > "$HOME/.vault-token"\necho "$@" >> "$HOME/said"\n')
    program.chmod(0o755)
    given = "ada\na-long-enough-password\n"
    environment = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "HOME": str(tmp_path)}
    command = ["bash", "-c", script(name), name, "grace"]
    subprocess.run(command, input=given, env=environment, check=True, timeout=30, text=True, capture_output=True)
    assert "login -no-print -method=userpass username=ada" in (tmp_path / "said").read_text()
    assert "a-long-enough-password" not in (tmp_path / "said").read_text()
    assert not (tmp_path / ".vault-token").exists()


def test_a_workload_signs_in_by_a_token_that_is_for_vault_alone_and_reads_what_is_its_own() -> None:
    text = script("set-up.sh")
    assert "auth/kubernetes/role/auterity audience=vault " in text
    assert 'path "auterity/data/auterity-app/*"' in text
    assert "auterity/data/*" not in text


@pytest.mark.parametrize("stack", ["dev", "prod"])
def test_the_app_finds_in_its_pod_what_it_signs_in_to_vault_with(stack: str) -> None:
    recording = shipped(stack)
    pod = recording.named(f"auterity-{stack}-app", "kubernetes:apps/v1:Deployment").inputs["spec"]["template"]["spec"]
    [volume] = [each for each in pod["volumes"] if each["name"] == "vault"]
    token, authority = volume["projected"]["sources"]
    assert token["serviceAccountToken"] == {"audience": "vault", "expirationSeconds": 3600, "path": "token"}
    assert authority == {"configMap": {"name": "auterity-vault-authority"}}
    variables = recording.named(f"auterity-{stack}-app", CONFIG_MAP).inputs["data"]
    [mount] = [each["mountPath"] for each in pod["containers"][0]["volumeMounts"] if each["name"] == "vault"]
    assert variables["VAULT_JWT_FILE"] == f"{mount}/token"
    assert variables["VAULT_CACERT"] == f"{mount}/ca.crt"
    assert variables["VAULT_SECRETS"] == "auterity/data/auterity-app"


@pytest.mark.parametrize("stack", ["local", "dev", "prod"])
def test_every_token_that_a_pod_is_given_says_whom_it_is_for(stack: str) -> None:
    def tokens(value: Any) -> list[Any]:
        if isinstance(value, dict):
            own = [value["serviceAccountToken"]] if "serviceAccountToken" in value else []
            return [*own, *(found for each in value.values() for found in tokens(each))]
        return [found for each in value for found in tokens(each)] if isinstance(value, list) else []

    given = [token for resource in shipped(stack).resources for token in tokens(resource.inputs)]
    assert [token for token in given if not token.get("audience")] == []


def test_a_token_for_a_new_root_token_is_asked_for_but_while_the_glass_is_broken() -> None:
    assert "enable_unauthenticated_access" not in configuration(vault())
    assert configuration(vault(break_glass=True))["enable_unauthenticated_access"] == ["generate-root"]
