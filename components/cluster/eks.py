"""A cluster on Amazon EKS."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws
import pulumi_kubernetes as kubernetes

from components.account import AwsAccount
from components.encryption import EncryptionKey, EncryptionKeyArgs
from components.iam import Statement, policy, service_trust
from components.kubernetes_provider import kubernetes_provider
from settings.kubernetes import Addon, EksSettings

LOGS = ("api", "audit", "authenticator", "controllerManager", "scheduler")
"""All logs of the control plane (EKS user guide, 'Send control plane logs to CloudWatch Logs')."""

CLUSTER_POLICIES = (
    "AmazonEKSBlockStoragePolicy",
    "AmazonEKSClusterPolicy",
    "AmazonEKSComputePolicy",
    "AmazonEKSLoadBalancingPolicy",
    "AmazonEKSNetworkingPolicy",
)
"""What Auto Mode does on the cluster's behalf (EKS user guide, 'Amazon EKS Auto Mode cluster IAM role')."""

NODE_POLICIES = ("AmazonEC2ContainerRegistryPullOnly", "AmazonEKSWorkerNodeMinimalPolicy")
"""What a node of Auto Mode may do (EKS user guide, 'Amazon EKS Auto Mode node IAM role')."""

NODE_POOLS = ("general-purpose", "system")
"""Auto Mode's own pools: for workloads, and for the parts of the cluster itself."""

ADDONS: dict[Addon, str | None] = {
    "metrics-server": None,
    # Files follow a rotation within two minutes.
    "aws-secrets-store-csi-driver-provider": json.dumps(
        {"secrets-store-csi-driver": {"enableSecretRotation": True, "rotationPollInterval": "120s"}}
    ),
}
"""What Auto Mode does not bring, and how it is configured: measurements, without which no autoscaler of pods works, and
secrets of Secrets Manager as files.
"""


@dataclass(frozen=True)
class EksClusterArgs:
    """What the cluster needs to know.

    Attributes:
        settings: the stack's ``kubernetes.eks`` section.
        account: the account it lives in.
        subnet_ids: zone letter to subnet id, of the private tier, in at least two zones.
        log_key_arn: ARN of the KMS key that encrypts log groups.
        after: what must stand before the first node starts, and no value carries: routes out.
    """

    settings: EksSettings
    account: AwsAccount
    subnet_ids: Mapping[str, pulumi.Input[str]]
    log_key_arn: pulumi.Input[str]
    after: Sequence[pulumi.Resource] = ()


class EksCluster(pulumi.ComponentResource):
    """A cluster in Auto Mode: nodes in the private subnets that AWS picks, patches and replaces, without public
    addresses and with IMDSv2 alone; Secrets encrypted under a key of the stack's; people let in by access entries.
    """

    provider: kubernetes.Provider
    """Provider of everything in the cluster, there once add-ons are active and administrators are let in: what it makes
    comes after both, and goes before them.
    """

    cluster_name: pulumi.Output[str]
    """Name of the cluster."""

    endpoint: pulumi.Output[str]
    """URL of the API."""

    security_group_id: pulumi.Output[str]
    """Security group of the control plane, the nodes and the pods."""

    key_arn: pulumi.Output[str]
    """ARN of the KMS key of Secrets."""

    node_role_name: pulumi.Output[str]
    """Name of the nodes' role."""

    issuer: pulumi.Output[str]
    """URL of the issuer of its service accounts' tokens."""

    kubeconfig: pulumi.Output[str]
    """How to reach the cluster, as JSON; it holds no secret: whoever uses it asks AWS for a token."""

    def __init__(self, name: str, args: EksClusterArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("auterity:cluster:EksCluster", name, None, opts)
        settings, own = args.settings, pulumi.ResourceOptions(parent=self)
        key = EncryptionKey(f"{name}-kubernetes", EncryptionKeyArgs(args.account, purpose="Secrets of Kubernetes"), own)
        log_group = aws.cloudwatch.LogGroup(
            f"{name}-kubernetes",
            name=f"/aws/eks/{name}/cluster",
            retention_in_days=settings.log_retention_days,
            kms_key_id=args.log_key_arn,
            opts=own,
        )
        node_role_arn = self._node_role(name, args.account)
        cluster = aws.eks.Cluster(
            f"{name}-kubernetes",
            # Its log group bears this name, and so is there before it, with a key.
            name=name,
            version=settings.version,
            role_arn=self._cluster_role(name, args.account),
            access_config=aws.eks.ClusterAccessConfigArgs(
                authentication_mode="API", bootstrap_cluster_creator_admin_permissions=False
            ),
            bootstrap_self_managed_addons=False,
            compute_config=aws.eks.ClusterComputeConfigArgs(
                enabled=True, node_pools=list(NODE_POOLS), node_role_arn=node_role_arn
            ),
            kubernetes_network_config=aws.eks.ClusterKubernetesNetworkConfigArgs(
                service_ipv4_cidr=str(settings.service_cidr),
                elastic_load_balancing=aws.eks.ClusterKubernetesNetworkConfigElasticLoadBalancingArgs(enabled=True),
            ),
            storage_config=aws.eks.ClusterStorageConfigArgs(
                block_storage=aws.eks.ClusterStorageConfigBlockStorageArgs(enabled=True)
            ),
            vpc_config=aws.eks.ClusterVpcConfigArgs(
                subnet_ids=list(args.subnet_ids.values()),
                endpoint_private_access=True,
                endpoint_public_access=bool(settings.public_access_cidrs),
                public_access_cidrs=[str(block) for block in settings.public_access_cidrs] or None,
            ),
            encryption_config=aws.eks.ClusterEncryptionConfigArgs(
                resources=["secrets"], provider=aws.eks.ClusterEncryptionConfigProviderArgs(key_arn=key.arn)
            ),
            enabled_cluster_log_types=list(LOGS),
            upgrade_policy=aws.eks.ClusterUpgradePolicyArgs(support_type="STANDARD"),
            zonal_shift_config=aws.eks.ClusterZonalShiftConfigArgs(enabled=True),
            deletion_protection=settings.deletion_protection,
            opts=pulumi.ResourceOptions(
                parent=self,
                protect=settings.deletion_protection,
                # EKS would make the log group itself, without retention or key; nodes pull images as they start.
                depends_on=[log_group, *args.after],
            ),
        )
        entries = [self._administrator(name, cluster, principal) for principal in settings.administrators]
        addons = [self._addon(name, cluster, addon, settings, entries) for addon in ADDONS]

        self.kubeconfig = pulumi.Output.json_dumps(
            kubeconfig(cluster.name, cluster.endpoint, cluster.certificate_authority.data, args.account.region)
        )
        self.provider = kubernetes_provider(
            name, pulumi.ResourceOptions(parent=self, depends_on=[*entries, *addons]), kubeconfig=self.kubeconfig
        )
        self.cluster_name = cluster.name
        self.endpoint = cluster.endpoint
        self.security_group_id = cluster.vpc_config.apply(lambda config: config.cluster_security_group_id or "")
        self.key_arn = key.arn
        self.node_role_name = node_role_arn.apply(lambda arn: arn.rpartition("/")[2])
        self.issuer = cluster.identities.apply(
            lambda found: next(oidc.issuer or "" for each in found for oidc in each.oidcs or ())
        )
        self.register_outputs(
            {
                "issuer": self.issuer,
                "cluster_name": self.cluster_name,
                "node_role_name": self.node_role_name,
                "endpoint": self.endpoint,
                "security_group_id": self.security_group_id,
                "key_arn": self.key_arn,
                "kubeconfig": self.kubeconfig,
            }
        )

    def _cluster_role(self, name: str, account: AwsAccount) -> pulumi.Output[str]:
        trust = policy(
            Statement(
                sid="ClusterMayAssume",
                # Auto Mode tags its sessions with the cluster that it acts for.
                actions=["sts:AssumeRole", "sts:TagSession"],
                principal={"Service": "eks.amazonaws.com"},
                conditions={"StringEquals": {"aws:SourceAccount": account.account_id}},
            )
        )
        return self._role(name, "cluster", "Control plane of the platform's cluster", trust, CLUSTER_POLICIES, account)

    def _node_role(self, name: str, account: AwsAccount) -> pulumi.Output[str]:
        trust = service_trust("ec2.amazonaws.com")
        return self._role(name, "nodes", "Nodes of the platform's cluster", trust, NODE_POLICIES, account)

    def _role(
        self,
        name: str,
        purpose: str,
        description: str,
        trust: pulumi.Output[str],
        policies: Sequence[str],
        account: AwsAccount,
    ) -> pulumi.Output[str]:
        """Make a role with policies of AWS, and return its ARN once it can do its work."""
        own = pulumi.ResourceOptions(parent=self)
        role = aws.iam.Role(f"{name}-kubernetes-{purpose}", description=description, assume_role_policy=trust, opts=own)
        attached = [
            aws.iam.RolePolicyAttachment(
                f"{name}-kubernetes-{purpose}-{managed}",
                role=role.name,
                policy_arn=pulumi.Output.format("arn:{0}:iam::aws:policy/{1}", account.partition, managed),
                opts=own,
            )
            for managed in policies
        ]
        return pulumi.Output.all(role.arn, *[attachment.id for attachment in attached]).apply(
            lambda values: str(values[0])
        )

    def _administrator(self, name: str, cluster: aws.eks.Cluster, principal: str) -> pulumi.Resource:
        own = pulumi.ResourceOptions(parent=self)
        who = principal.partition(":iam::")[2].replace("/", "-").replace(":", "-")
        entry = aws.eks.AccessEntry(
            f"{name}-kubernetes-{who}", cluster_name=cluster.name, principal_arn=principal, opts=own
        )
        partition = principal.split(":")[1]
        return aws.eks.AccessPolicyAssociation(
            f"{name}-kubernetes-{who}",
            cluster_name=cluster.name,
            principal_arn=entry.principal_arn,
            policy_arn=f"arn:{partition}:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy",
            access_scope=aws.eks.AccessPolicyAssociationAccessScopeArgs(type="cluster"),
            opts=own,
        )

    def _addon(
        self,
        name: str,
        cluster: aws.eks.Cluster,
        addon: Addon,
        settings: EksSettings,
        entries: Sequence[pulumi.Resource],
    ) -> aws.eks.Addon:
        """Add what Auto Mode does not bring; the resource is there once the add-on is active.

        It comes after the `entries`, which take effect some seconds after they were made: by the time that its pods
        have a node, and it is active, they have.
        """
        version = settings.addon_versions.get(addon)
        recommended = aws.eks.get_addon_version_output(
            addon_name=addon, kubernetes_version=settings.version, opts=pulumi.InvokeOutputOptions(parent=self)
        )
        return aws.eks.Addon(
            f"{name}-kubernetes-{addon}",
            cluster_name=cluster.name,
            addon_name=addon,
            addon_version=version or recommended.version,
            configuration_values=ADDONS[addon],
            resolve_conflicts_on_create="OVERWRITE",
            resolve_conflicts_on_update="OVERWRITE",
            opts=pulumi.ResourceOptions(parent=self, depends_on=entries),
        )


def kubeconfig(
    name: pulumi.Input[str], endpoint: pulumi.Input[str], authority: pulumi.Input[str | None], region: str
) -> dict[str, object]:
    """Write how to reach a cluster. The same cluster has the same one always, so that a refresh replaces nothing.

    Source: https://docs.aws.amazon.com/eks/latest/userguide/create-kubeconfig.html.
    """
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": name, "cluster": {"server": endpoint, "certificate-authority-data": authority}}],
        "users": [
            {
                "name": name,
                "user": {
                    "exec": {
                        "apiVersion": "client.authentication.k8s.io/v1",
                        "command": "aws",
                        "args": ["--region", region, "eks", "get-token", "--cluster-name", name, "--output", "json"],
                        "interactiveMode": "Never",
                    }
                },
            }
        ],
        "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
        "current-context": name,
    }
