"""A cache of public registries in the account's own ECR."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from components.account import AwsAccount
from components.iam import Statement, policy
from components.images import DOCKER_HUB
from settings.registry import PullThroughCache as PullThroughCacheSettings

UPSTREAMS = {DOCKER_HUB: "registry-1.docker.io", "quay.io": "quay.io", "registry.k8s.io": "registry.k8s.io"}
"""Registry of the platform's images to the host by which ECR knows it
(https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_CreatePullThroughCacheRule.html).
"""


@dataclass(frozen=True)
class PullThroughCacheArgs:
    """What the cache needs to know.

    Attributes:
        settings: the stack's ``registry.pull_through_cache`` section.
        account: the account it lives in.
        prefix: first part of every repository that it makes, 2 to 23 characters.
        node_role_name: name of the role of the cluster's nodes, which pull.
    """

    settings: PullThroughCacheSettings
    account: AwsAccount
    prefix: str
    node_role_name: pulumi.Input[str]


class PullThroughCache(pulumi.ComponentResource):
    """One rule for each registry, and the right of the nodes to bring an image in that nobody has pulled yet.

    ECR looks for newer content behind a tag at most once a day; a digest is fetched once.
    """

    mirrors: dict[str, pulumi.Output[str]]
    """Host of each registry to what stands for it, known once the cache works."""

    def __init__(self, name: str, args: PullThroughCacheArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("auterity:registry:PullThroughCache", name, None, opts)
        own = pulumi.ResourceOptions(parent=self)
        prefixes = {upstream: f"{args.prefix}-{upstream.partition('.')[0]}" for upstream in UPSTREAMS}
        rules = [
            aws.ecr.PullThroughCacheRule(
                f"{name}-{upstream.partition('.')[0]}",
                ecr_repository_prefix=prefix,
                upstream_registry_url=UPSTREAMS[upstream],
                credential_arn=args.settings.docker_hub_secret if upstream == DOCKER_HUB else None,
                opts=own,
            )
            for upstream, prefix in prefixes.items()
        ]
        imports = aws.iam.RolePolicy(
            f"{name}-pull-through",
            role=args.node_role_name,
            policy=policy(
                Statement(
                    sid="ImportImages",
                    actions=["ecr:BatchImportUpstreamImage", "ecr:CreateRepository"],
                    resources=[
                        pulumi.Output.concat(args.account.arn("ecr", "repository/"), prefix, "/*")
                        for prefix in prefixes.values()
                    ],
                )
            ),
            opts=own,
        )
        works = pulumi.Output.all(args.account.account_id, imports.id, *[rule.id for rule in rules])
        host = works.apply(lambda values: f"{values[0]}.dkr.ecr.{args.account.region}.amazonaws.com")
        self.mirrors = {upstream: pulumi.Output.concat(host, "/", prefix) for upstream, prefix in prefixes.items()}
        self.register_outputs({"mirrors": self.mirrors})
