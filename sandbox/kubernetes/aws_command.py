"""Stands for the AWS command line where a kubeconfig asks it for a token: ``aws eks get-token --cluster-name NAME``.

The token is one that the sandbox's own API server accepts. It imports the standard library's least, because it runs for
every command that reaches a cluster. The directory of the clusters is in AUTERITY_SANDBOX_KUBERNETES.
"""

import argparse
import csv
import json
import os
import sys
from pathlib import Path

VARIABLE = "AUTERITY_SANDBOX_KUBERNETES"


def main() -> None:
    """Print an ExecCredential (https://kubernetes.io/docs/reference/config-api/client-authentication.v1/)."""
    parser = argparse.ArgumentParser(prog="aws", description="In the sandbox there is `aws eks get-token` alone.")
    parser.add_argument("service", choices=["eks"])
    parser.add_argument("operation", choices=["get-token"])
    parser.add_argument("--cluster-name", required=True)
    parser.add_argument("--region")
    parser.add_argument("--role-arn")
    parser.add_argument("--output", choices=["json"])
    arguments = parser.parse_args()
    if not os.environ.get(VARIABLE):
        sys.exit(f"{VARIABLE} is not set: this command runs only inside the sandbox")
    tokens = Path(os.environ[VARIABLE], arguments.cluster_name, "credentials", "tokens.csv")
    if not tokens.is_file():
        sys.exit(f"ResourceNotFoundException: No cluster found for name: {arguments.cluster_name}.")
    with tokens.open(newline="") as rows:
        token = next(row[0] for row in csv.reader(rows) if row[2] == "admin")
    json.dump(
        {
            "apiVersion": "client.authentication.k8s.io/v1",
            "kind": "ExecCredential",
            "spec": {},
            "status": {"token": token},
        },
        sys.stdout,
    )


if __name__ == "__main__":
    main()
