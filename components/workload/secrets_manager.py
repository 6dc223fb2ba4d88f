"""Secrets of AWS Secrets Manager as files of pods in EKS."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pulumi
import pulumi_kubernetes as kubernetes

from components.workload.pods import Place, about

if TYPE_CHECKING:
    from components.secrets import SecretKey

core = kubernetes.core.v1

DRIVER = "secrets-store.csi.k8s.io"
"""The driver that mounts them, and AWS's part in it, come with the add-on ``aws-secrets-store-csi-driver-provider``."""


@dataclass(frozen=True)
class MountedSecretsArgs:
    """Which values become files.

    Attributes:
        workload: name of the workload that reads them.
        place: where it runs.
        region: Region of the secrets.
        files: name of a file to the value that it holds.
    """

    workload: str
    place: Place
    region: str
    files: Mapping[str, SecretKey]


class MountedSecrets(pulumi.ComponentResource):
    """Values of secrets as files, fetched by the pod's own identity and refreshed while it runs: none passes through
    Pulumi or lies in the cluster.

    Source: https://docs.aws.amazon.com/secretsmanager/latest/userguide/ascp-examples.html.
    """

    class_name: pulumi.Output[str]
    """Name of the SecretProviderClass."""

    def __init__(self, name: str, args: MountedSecretsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("auterity:workload:MountedSecrets", name, None, opts)
        keys = list(args.files.items())
        objects = pulumi.Output.all(*[key.secret.arn for _, key in keys]).apply(
            lambda arns: objects_of([(file, arn, key.key) for (file, key), arn in zip(keys, arns, strict=True)])
        )
        made = kubernetes.apiextensions.CustomResource(
            name,
            api_version="secrets-store.csi.x-k8s.io/v1",
            kind="SecretProviderClass",
            metadata=about(args.workload, args.place),
            spec={
                "provider": "aws",
                "parameters": {"region": args.region, "usePodIdentity": "true", "objects": objects},
            },
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.class_name = pulumi.Output.all(made.id).apply(lambda _: args.workload)
        self.register_outputs({"class_name": self.class_name})

    def volume(self, name: str) -> core.VolumeArgs:
        """Offer the files to a pod."""
        return core.VolumeArgs(
            name=name,
            csi=core.CSIVolumeSourceArgs(
                driver=DRIVER, read_only=True, volume_attributes={"secretProviderClass": self.class_name}
            ),
        )


def objects_of(values: list[tuple[str, str, str]]) -> str:
    """Write which secrets are fetched, and which of their keys become files.

    Args:
        values: file, ARN of the secret and key of its JSON, for each file.
    """
    by_secret: dict[str, list[tuple[str, str]]] = {}
    for file, arn, key in values:
        by_secret.setdefault(arn, []).append((file, key))
    objects: list[dict[str, Any]] = [
        {
            "objectName": arn,
            "objectType": "secretsmanager",
            # What is mounted beside the files: the secret as a whole.
            "objectAlias": f"{files[0][0]}.json",
            "jmesPath": [{"path": key, "objectAlias": file} for file, key in files],
        }
        for arn, files in by_secret.items()
    ]
    return json.dumps(objects, indent=2)
