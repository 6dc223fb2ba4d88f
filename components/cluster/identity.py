"""What a workload in the cluster may do in AWS."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from components.account import AwsAccount
from components.iam import Statement, policy, role_with


@dataclass(frozen=True)
class PodIdentityArgs:
    """Whose identity it is, and what it may do.

    Attributes:
        account: the account it lives in.
        cluster_name: name of the EKS cluster.
        namespace: namespace of the workload.
        service_account: name of the workload's service account; it need not be there yet.
        statements: what the workload may do.
    """

    account: AwsAccount
    cluster_name: pulumi.Input[str]
    namespace: str
    service_account: str
    statements: Sequence[Statement]


class PodIdentity(pulumi.ComponentResource):
    """A role that the pods of one service account have (EKS user guide, 'EKS Pod Identity'); no key is handed over.

    Pods that are made before it have none: let them depend on it.
    """

    role_arn: pulumi.Output[str]
    """ARN of the role."""

    def __init__(self, name: str, args: PodIdentityArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("auterity:cluster:PodIdentity", name, None, opts)
        cluster = args.account.arn("eks", "cluster/")
        trust = policy(
            Statement(
                sid="PodsMayAssume",
                actions=["sts:AssumeRole", "sts:TagSession"],
                principal={"Service": "pods.eks.amazonaws.com"},
                conditions={
                    "StringEquals": {"aws:SourceAccount": args.account.account_id},
                    "ArnEquals": {"aws:SourceArn": pulumi.Output.concat(cluster, args.cluster_name)},
                },
            )
        )
        whose = f"Pods of {args.service_account} in the platform's cluster"
        self.role_arn = role_with(name, whose, trust, args.statements, self)
        aws.eks.PodIdentityAssociation(
            name,
            cluster_name=args.cluster_name,
            namespace=args.namespace,
            service_account=args.service_account,
            role_arn=self.role_arn,
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.register_outputs({"role_arn": self.role_arn})
