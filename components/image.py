"""A container image that the stack runs."""

from __future__ import annotations

import json
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws
import pulumi_docker as docker
import pulumi_random as random

from components.account import AwsAccount
from components.encryption import EncryptionKey, EncryptionKeyArgs
from components.image_names import PLATFORMS, content_tag, existing_image
from settings.image import ImageBuild, ImageSettings


@dataclass(frozen=True)
class AppImageArgs:
    """What the image needs to know.

    Attributes:
        settings: the stack's ``image`` section.
        account: the account it lives in.
        architecture: processor that it runs on, ``X86_64`` or ``ARM64``.
        workload: what runs it, in the names of its repository and key.
    """

    settings: ImageSettings
    account: AwsAccount
    architecture: str
    workload: str = "app"


class AppImage(pulumi.ComponentResource):
    """The image that a workload runs: built and pushed to a repository of the stack's own, or one that exists.

    A tag in the repository names what was built, and which build of it: it never moves, and going back to sources that
    were built before pushes a tag of its own. Whoever wants the very image of before runs one that the pipeline has
    published.
    """

    reference: pulumi.Output[str]
    """Name of the image, by digest where it was built here."""

    repository_arn: pulumi.Output[str] | None
    """ARN of the ECR repository to pull from; None for any other registry."""

    def __init__(self, name: str, args: AppImageArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("auterity:image:AppImage", name, None, opts)
        if args.settings.build is not None and args.settings.build.published_in is None:
            self._build(name, args, args.settings.build)
        else:
            self.reference = pulumi.Output.from_input(existing_image(args.settings, args.architecture))
            ecr = args.settings.ecr_repository
            self.repository_arn = (
                pulumi.Output.format(
                    "arn:{0}:ecr:{1}:{2}:repository/{3}", args.account.partition, ecr[1], ecr[0], ecr[2]
                )
                if ecr
                else None
            )
        self.register_outputs({"reference": self.reference, "repository_arn": self.repository_arn})

    def _build(self, name: str, args: AppImageArgs, build: ImageBuild) -> None:
        own = pulumi.ResourceOptions(parent=self)
        key = EncryptionKey(
            f"{name}-image", EncryptionKeyArgs(args.account, purpose=f"images of the {args.workload}"), own
        )
        repository = aws.ecr.Repository(
            f"{name}-{args.workload}",
            image_tag_mutability="IMMUTABLE",
            image_scanning_configuration=aws.ecr.RepositoryImageScanningConfigurationArgs(scan_on_push=True),
            encryption_configurations=[
                aws.ecr.RepositoryEncryptionConfigurationArgs(encryption_type="KMS", kms_key=key.arn)
            ],
            force_delete=build.force_delete,
            opts=own,
        )
        aws.ecr.LifecyclePolicy(
            f"{name}-{args.workload}",
            repository=repository.name,
            policy=json.dumps(keep_newest(build.keep_images)),
            opts=own,
        )
        token = aws.ecr.get_authorization_token_output(
            registry_id=repository.registry_id, opts=pulumi.InvokeOutputOptions(parent=self)
        )
        sources = content_tag(build, args.architecture)
        # No two builds of the same sources are the same bits, and ECR refuses other bits under a tag that is taken.
        attempt = random.RandomId(
            f"{name}-{args.workload}-build", byte_length=4, keepers={"sources": sources}, opts=own
        )
        image = docker.Image(
            f"{name}-{args.workload}",
            image_name=pulumi.Output.concat(repository.repository_url, ":", sources, "-", attempt.hex),
            build=docker.DockerBuildArgs(
                context=build.context,
                dockerfile=str(build.path),
                platform=PLATFORMS[args.architecture],
                args=build.args,
                builder_version=docker.BuilderVersion.BUILDER_BUILD_KIT,
            ),
            registry=docker.RegistryArgs(
                server=repository.repository_url,
                username=token.user_name,
                password=pulumi.Output.secret(token.password),
            ),
            opts=own,
        )
        self.reference = image.repo_digest
        self.repository_arn = repository.arn


def keep_newest(count: int) -> dict[str, object]:
    """Describe a repository that keeps its newest images and forgets what never got a tag.

    Source: https://docs.aws.amazon.com/AmazonECR/latest/userguide/lifecycle_policy_parameters.html.
    """
    return {
        "rules": [
            {
                "rulePriority": 1,
                "description": "Images without a tag",
                "selection": {
                    "tagStatus": "untagged",
                    "countType": "sinceImagePushed",
                    "countUnit": "days",
                    "countNumber": 1,
                },
                "action": {"type": "expire"},
            },
            {
                "rulePriority": 2,
                "description": f"All but the newest {count} images",
                "selection": {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": count},
                "action": {"type": "expire"},
            },
        ]
    }
