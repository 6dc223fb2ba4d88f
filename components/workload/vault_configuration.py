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


ADMINISTRATOR = "auterity-administrator"
"""Policy of the people who administer Vault."""

AUDIENCE = "vault"
"""Whom a workload's token is for: Vault takes no other one, and the API server does not take this one."""


@dataclass(frozen=True)
class KmsSeal:
    """A key of AWS KMS by which Vault opens itself.

    Attributes:
        key_arn: ARN of the key.
        region: its Region.
    """

    key_arn: str
    region: str


def server_configuration(servers: list[str], seal: KmsSeal | None, *, break_glass: bool = False) -> str:
    """Write the configuration, in JSON (https://developer.hashicorp.com/vault/docs/configuration).

    Args:
        servers: host name of each server.
        seal: the key that opens it; None: people do, with Shamir's shares.
        break_glass: whether holders of the keys make a root token without a token; Vault 2.0 asks for one.
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
    if break_glass:
        stated["enable_unauthenticated_access"] = ["generate-root"]
    if seal:
        stated["seal"] = {"awskms": {"region": seal.region, "kms_key_id": seal.key_arn}}
    return json.dumps(stated, indent=2)


SIGN_IN = """\
trap 'rm -f "$HOME/.vault-token"' EXIT
printf 'Administrator (none: sign in by a token): '
read -r person
if [ -n "$person" ]; then
  vault login -no-print -method=userpass username="$person"
else
  vault login -no-print
fi
"""
"""How a person signs in to run a script in a server's pod; nothing of it stays there."""

EVERYTHING = '["create", "read", "update", "patch", "delete", "list", "sudo"]'

ADMINISTRATION = f"""\
path "sys/*" {{ capabilities = {EVERYTHING} }}
path "auth/*" {{ capabilities = {EVERYTHING} }}
path "identity/*" {{ capabilities = {EVERYTHING} }}
path "{SECRETS}/*" {{ capabilities = ["create", "update", "patch", "delete", "list"] }}
path "{SECRETS}/metadata/*" {{ capabilities = {EVERYTHING} }}
"""
"""What administrators may: all that Vault is set up by, a new root token among it, and to write the workloads' secrets.
Who writes policies can give himself more, which the audit log shows.
"""


def set_up(namespace: str, service_account: str) -> str:
    """Write what a person runs once Vault is initialised, and after each change of it: it may run as often as it likes.

    Args:
        namespace: namespace of the workloads.
        service_account: the service account that reads its secrets, those below its own name.
    """
    return f"""\
# Run by a person: kubectl exec -it auterity-vault-0 -- sh {CONFIGURATION}/set-up.sh
set -eu
{SIGN_IN}vault audit list 2>/dev/null | grep -q '^stdout/' || vault audit enable -path=stdout file file_path=stdout
vault auth list | grep -q '^userpass/' || vault auth enable userpass
vault policy write {ADMINISTRATOR} - <<'POLICY'
{ADMINISTRATION}POLICY
vault auth list | grep -q '^kubernetes/' || vault auth enable kubernetes
vault write auth/kubernetes/config kubernetes_host=https://kubernetes.default.svc
vault secrets list | grep -q '^{SECRETS}/' || vault secrets enable -path={SECRETS} -version=2 kv
vault policy write {SECRETS}-read - <<'POLICY'
path "{SECRETS}/data/{service_account}/*" {{
  capabilities = ["read"]
}}
POLICY
vault write auth/kubernetes/role/{SECRETS} audience={AUDIENCE} bound_service_account_names={service_account} \\
  bound_service_account_namespaces={namespace} token_policies={SECRETS}-read token_ttl=1h
"""


def add_administrator() -> str:
    """Write what a person runs to let another one, or himself, sign in by name and password."""
    return f"""\
# Run by a person: kubectl exec -it auterity-vault-0 -- sh {CONFIGURATION}/administrator.sh NAME
set -eu
new=${{1:?name of the new administrator}}
{SIGN_IN}printf 'Password of %s, 12 characters at least (hidden): ' "$new"
read -rs password
echo
[ ${{#password}} -ge 12 ]
printf %s "$password" | vault write "auth/userpass/users/$new" password=- \\
  token_policies={ADMINISTRATOR} token_ttl=1h token_max_ttl=8h
"""
