"""What Vault is told."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

PORT, CLUSTER_PORT = 8200, 8201
"""TCP ports: the API, with TLS alone, and what servers say to each other."""

CONFIGURATION, TLS, DATA = "/etc/auterity", "/run/secrets/tls", "/vault/data"
"""Directories of the configuration, of certificate and key, and of the volume."""

SECRETS = "auterity"
"""Path of the workloads' secrets, of the kind that keeps versions."""


@dataclass(frozen=True)
class KmsSeal:
    """A key of AWS KMS by which Vault opens itself.

    Attributes:
        key_arn: ARN of the key.
        region: its Region.
    """

    key_arn: str
    region: str


def server_configuration(servers: list[str], seal: KmsSeal | None) -> str:
    """Write the configuration, in JSON (https://developer.hashicorp.com/vault/docs/configuration).

    Args:
        servers: host name of each server.
        seal: the key that opens it; None: people do, with Shamir's shares.
    """
    stated: dict[str, Any] = {
        "ui": False,
        # Raft maps its file into memory, which must not be held there as a whole (Vault, 'Integrated storage').
        "disable_mlock": True,
        "listener": [
            {
                "tcp": {
                    "address": f"0.0.0.0:{PORT}",
                    "cluster_address": f"0.0.0.0:{CLUSTER_PORT}",
                    "tls_cert_file": f"{TLS}/tls.crt",
                    "tls_key_file": f"{TLS}/tls.key",
                    "tls_min_version": "tls12",
                    # Figures only; network policies say who may ask.
                    "telemetry": {"unauthenticated_metrics_access": True},
                }
            }
        ],
        "storage": {
            "raft": {
                "path": DATA,
                "retry_join": [
                    {"leader_api_addr": f"https://{server}:{PORT}", "leader_ca_cert_file": f"{TLS}/ca.crt"}
                    for server in servers
                ],
            }
        },
        "telemetry": {"prometheus_retention_time": "24h", "disable_hostname": True},
    }
    if seal:
        stated["seal"] = {"awskms": {"region": seal.region, "kms_key_id": seal.key_arn}}
    return json.dumps(stated, indent=2)


def set_up(namespace: str, service_account: str) -> str:
    """Write what a person runs once Vault is initialised, and after each change of it: it may run as often as it likes.

    Args:
        namespace: namespace of the workloads.
        service_account: the service account that reads their secrets.
    """
    return f"""\
# Run by a person who has signed in: kubectl exec -it auterity-vault-0 -- sh {CONFIGURATION}/set-up.sh
set -eu
vault token lookup >/dev/null || vault login
vault audit list 2>/dev/null | grep -q '^stdout/' || vault audit enable -path=stdout file file_path=stdout
vault auth list | grep -q '^kubernetes/' || vault auth enable kubernetes
vault write auth/kubernetes/config kubernetes_host=https://kubernetes.default.svc
vault secrets list | grep -q '^{SECRETS}/' || vault secrets enable -path={SECRETS} -version=2 kv
vault policy write {SECRETS}-read - <<'POLICY'
path "{SECRETS}/data/*" {{
  capabilities = ["read"]
}}
POLICY
vault write auth/kubernetes/role/{SECRETS} bound_service_account_names={service_account} \\
  bound_service_account_namespaces={namespace} token_policies={SECRETS}-read token_ttl=1h
"""
