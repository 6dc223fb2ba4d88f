"""What users rely on of Vault in the cluster."""

from __future__ import annotations

import json
from typing import Any

import pulumi
import pulumi_kubernetes as kubernetes
import pulumi_random as random
import pulumi_tls as tls

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
