"""Where the cluster pulls the images of others from."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field

from settings.base import Problem, Settings

Upstream = Literal["docker.io", "quay.io", "registry.k8s.io"]
"""The registries that the platform's images of others come from."""

Mirror = Annotated[
    str,
    Field(
        pattern=r"^[a-z0-9.-]+(:[0-9]+)?(/[a-z0-9]+([._-]+[a-z0-9]+)*)*$",
        examples=["123456789012.dkr.ecr.us-east-1.amazonaws.com/docker-hub", "registry.example.com/quay"],
    ),
]
"""Host of a registry, and the prefix of its repositories."""

CREDENTIALS_PREFIX = "ecr-pullthroughcache/"
"""Name by which ECR finds credentials for an upstream registry
(https://docs.aws.amazon.com/AmazonECR/latest/userguide/pull-through-cache-creating-secret.html).
"""


class PullThroughCache(Settings):
    """A cache in ECR: nodes pull from the account's own registry, which fetches what it lacks from upstream.

    Quay and the registry of Kubernetes are cached without credentials. Docker Hub admits ECR with an account's access
    token only, and counts pulls by it instead of by the address of the NAT gateway.
    """

    docker_hub_secret: Annotated[
        str,
        Field(
            pattern=rf"^arn:aws(-[a-z]+)*:secretsmanager:[a-z0-9-]+:[0-9]{{12}}:secret:{CREDENTIALS_PREFIX}[A-Za-z0-9/_+=.@-]+$",
            examples=["arn:aws:secretsmanager:us-east-1:123456789012:secret:ecr-pullthroughcache/docker-hub-AbCdEf"],
        ),
    ]
    """ARN of a secret with ``username`` and ``accessToken`` of Docker Hub, in the stack's Region and account; its name
    begins with ``ecr-pullthroughcache/``.
    """


class RegistrySettings(Settings):
    """Where the images come from that the platform runs and others make."""

    mirrors: dict[Upstream, Mirror] = {}
    """Registry to the mirror that stands for it. Repositories keep their path: with
    ``docker.io: registry.example.com/hub``, ``postgres`` is ``registry.example.com/hub/library/postgres``.
    """

    pull_through_cache: PullThroughCache | None = None
    """Make a cache in the account's ECR and pull through it."""

    pull_secret: Annotated[str, Field(pattern=r"^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$")] | None = None
    """Name of a Secret of type ``kubernetes.io/dockerconfigjson`` with which all pods sign in to registries, the one of
    the app's own image among them. People make it in each namespace of the platform; ECR needs none.
    """

    def problems(self) -> Iterator[Problem]:
        if self.pull_through_cache is not None and self.mirrors:
            yield Problem("mirrors", sorted(self.mirrors), "unset beside `pull_through_cache`, which stands for all")
