"""The images of others that the platform runs: their versions, and the registry that they come from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import pulumi
import yaml

DOCKER_HUB = "docker.io"
"""Registry of an image whose name has none (https://github.com/distribution/reference, 'familiar names')."""

TABLE = Path(__file__).with_name("compose.yaml")
"""The one place that names their versions."""


@cache
def table() -> Mapping[str, str]:
    """Return the name of each image's purpose, such as ``kong``, to its reference with an exact tag."""
    services = yaml.safe_load(TABLE.read_text(encoding="utf-8"))
    return {name: service["image"] for name, service in services["services"].items()}


def image(name: str) -> str:
    """Return the reference of an image of the table.

    Raises:
        KeyError: the table has no image of that name.
    """
    return table()[name]


def registry_of(reference: str) -> tuple[str, str]:
    """Split a reference into the host of its registry and the rest, with ``library/`` where Docker Hub wants it.

    Source: https://github.com/distribution/reference, ``splitDockerDomain``: the part before the first slash is a host
    if it has a dot or a colon, or is ``localhost``.
    """
    host, slash, rest = reference.partition("/")
    if slash and (host == "localhost" or "." in host or ":" in host):
        return host, rest
    return DOCKER_HUB, reference if slash else f"library/{reference}"


@dataclass(frozen=True)
class ImageSource:
    """Where the cluster pulls the images of the table from.

    Attributes:
        mirrors: host of a registry to what stands for it: the host of a mirror, and the prefix of its repositories.
        pull_secret: name of the Secret (``kubernetes.io/dockerconfigjson``) with which pods sign in; None: none.
        architecture: processor that images outside the table are built for, ``X86_64`` or ``ARM64``. Those of the table
            have both.
    """

    mirrors: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)
    pull_secret: str | None = None
    architecture: str = "X86_64"

    def locate(self, reference: pulumi.Input[str | None] | None) -> pulumi.Input[str | None] | None:
        """Return the reference by which an image of the table is pulled; any other image stays as it is."""
        if not isinstance(reference, str) or reference not in table().values():
            return reference
        host, rest = registry_of(reference)
        mirror = self.mirrors.get(host)
        if mirror is None:
            return reference
        return f"{mirror}/{rest}" if isinstance(mirror, str) else pulumi.Output.concat(mirror, "/", rest)

    def node_selector(self, references: Iterable[pulumi.Input[str | None] | None]) -> dict[str, str] | None:
        """Return the labels of the nodes on which a pod of these images starts; None: of any node.

        A node's label is that of https://kubernetes.io/docs/reference/labels-annotations-taints/#kubernetes-io-arch.
        """
        of_the_table = set(table().values())
        if self.architecture != "ARM64" or all(isinstance(one, str) and one in of_the_table for one in references):
            return None
        return {"kubernetes.io/arch": "arm64"}
