"""The simulated docker provider: what it builds and pushes is a digest, no image."""

from __future__ import annotations

import hashlib
import json
import re
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sandbox.cloud.aws.catalog.storage import PUSHED, REPOSITORY
from sandbox.cloud.differences import Comparison
from sandbox.cloud.errors import CloudError
from sandbox.cloud.property_values import UNKNOWN
from sandbox.cloud.provider import Draft, SimulatedProvider
from sandbox.cloud.sdk_types import Problem, SdkType
from sandbox.cloud.store import Resource

IMAGE = "docker:index/image:Image"
REGISTRY_IMAGE = "docker:index/registryImage:RegistryImage"
REMOTE_IMAGE = "docker:index/remoteImage:RemoteImage"
TAG = "docker:index/tag:Tag"

_REFERENCE = re.compile(
    r"(?:[a-z0-9.-]+(?::\d+)?/)?[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*)*"
    r"(?::\w[\w.-]{0,127})?(?:@sha256:[0-9a-f]{64})?"
)
"""An image's reference (https://github.com/distribution/reference, grammar)."""


_ECR = re.compile(
    r"(?P<account>\d{12})\.dkr\.ecr\.(?P<region>[a-z0-9-]+)\.amazonaws\.com(?:\.cn)?/(?P<name>[^:@]+):(?P<tag>[^:@]+)"
)
"""A tag in a repository of Amazon ECR."""


def _digest(inputs: Mapping[str, Any]) -> str:
    """Return a digest that changes with what would be built: the inputs and the files of the build context."""
    seen = hashlib.sha256(json.dumps({k: v for k, v in inputs.items() if k != "registry"}, sort_keys=True).encode())
    build = inputs.get("build")
    context = Path(build.get("context", ".")) if isinstance(build, Mapping) else None
    for file in sorted(context.rglob("*")) if context and context.is_dir() else ():
        if file.is_file():
            seen.update(str(file.relative_to(context or file)).encode() + b"\0" + file.read_bytes())
    return f"sha256:{seen.hexdigest()}"


def _build_digest(inputs: Mapping[str, Any]) -> str:
    """Return the digest of one build: another one each time, as layers hold the times of their files."""
    return f"sha256:{hashlib.sha256((_digest(inputs) + secrets.token_hex()).encode()).hexdigest()}"


class DockerProvider(SimulatedProvider):
    """Checks what a build is asked of, and answers as if it had built and pushed; the simulated ECR remembers tags."""

    package = "docker"

    def problems(self, kind: SdkType, inputs: Mapping[str, Any]) -> list[Problem]:
        found = []
        for name in ("imageName", "name") if kind.token in (IMAGE, REGISTRY_IMAGE, REMOTE_IMAGE) else ():
            reference = inputs.get(name)
            if isinstance(reference, str) and not _REFERENCE.fullmatch(reference):
                found.append(Problem(name, f"invalid reference format: {reference!r}"))
        build = inputs.get("build")
        if isinstance(build, dict):
            context = build.get("context", ".")
            dockerfile = build.get("dockerfile") or f"{context}/Dockerfile"
            if UNKNOWN not in (context, dockerfile) and not Path(str(dockerfile)).is_file():
                found.append(Problem("build.dockerfile", f"open {dockerfile}: no such file or directory"))
        return found

    def comparison(self, kind: SdkType) -> Comparison:
        replacing = frozenset() if kind.token == IMAGE else frozenset(kind.inputs) - {"keepRemotely", "keepLocally"}
        return Comparison(replacing=replacing, write_only=frozenset({"registry", "build", "authConfig"}))

    def make(self, draft: Draft) -> Resource:
        return self.stored(draft, self._id(draft), self._outputs(draft))

    def alter(self, resource: Resource, draft: Draft) -> Resource:
        return self.stored(draft, resource.id, self._outputs(draft), resource.number)

    def destroy(self, resource: Resource) -> None:
        self.store.remove(resource)

    def _id(self, draft: Draft) -> str:
        for taken in self.store.list("docker", draft.kind.token):
            if draft.kind.token == IMAGE and taken.outputs.get("imageName") == draft.inputs["imageName"]:
                raise CloudError(f"image {draft.inputs['imageName']!r} is already pushed by {taken.name}")
        return _digest(draft.inputs)

    def _push(self, image: str, digest: str) -> None:
        """Put a tag into the repository of the simulated ECR that it names; other registries take everything.

        Source: https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-tag-mutability.html.
        """
        found = _ECR.fullmatch(image)
        if not found:
            return
        where, tag = found["name"], found["tag"]
        repository = next(iter(self.store.find(where, REPOSITORY, found["region"])), None)
        if repository is None:
            raise CloudError(
                f"name unknown: The repository with name '{where}' does not exist in the registry with id "
                f"'{found['account']}'"
            )
        pushed = next(iter(self.store.find(f"{where}:{tag}", PUSHED, found["region"])), None)
        if pushed and str(repository.outputs["imageTagMutability"]).startswith("IMMUTABLE"):
            raise CloudError(
                f"tag invalid: The image tag '{tag}' already exists in the '{where}' repository and cannot be "
                "overwritten because the tag is immutable."
            )
        self.store.put(
            Resource(
                provider=repository.provider,
                account=repository.account,
                region=repository.region,
                type=PUSHED,
                id=f"{where}:{tag}",
                name="",
                inputs={"repository": where},
                outputs={"imageTag": tag, "imageDigest": digest},
                number=pushed.number if pushed else 0,
            )
        )

    def _outputs(self, draft: Draft) -> dict[str, Any]:
        inputs = dict(draft.inputs)
        digest = _digest(inputs)
        if draft.kind.token == IMAGE:
            name = str(inputs["imageName"])
            digest = _build_digest(inputs)
            if not inputs.get("skipPush"):
                self._push(name, digest)
            bare = name.split("@")[0]
            repository = bare.rpartition(":")[0] if ":" in bare.rpartition("/")[2] else bare
            server = repository.split("/")[0] if "/" in repository else "docker.io"
            build = inputs.get("build") or {}
            return {
                "baseImageName": name,
                "imageName": name,
                "registryServer": server,
                "repoDigest": "" if inputs.get("skipPush") else f"{repository}@{digest}",
                "context": build.get("context", "."),
                "dockerfile": build.get("dockerfile", "Dockerfile"),
                "platform": build.get("platform", ""),
            }
        if draft.kind.token == REGISTRY_IMAGE:
            return {**inputs, "sha256Digest": digest}
        return {**inputs, "repoDigest": f"{inputs.get('name', '')}@{digest}", "imageId": digest}
