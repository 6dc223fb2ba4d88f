"""EKS: the control plane is a real one, which the provider starts and stops with the cluster."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping
from typing import Any

from sandbox.cloud.aws.model import ACCOUNT, AwsError, AwsType, View, stable_hex
from sandbox.cloud.caller import INSIDE, Caller
from sandbox.cloud.property_values import UNKNOWN
from sandbox.cloud.sdk_types import Problem
from sandbox.cloud.store import Resource

CLUSTER = "aws:eks/cluster:Cluster"
ADDON = "aws:eks/addon:Addon"
ACCESS_ENTRY = "aws:eks/accessEntry:AccessEntry"
ACCESS_POLICY = "aws:eks/accessPolicyAssociation:AccessPolicyAssociation"
POD_IDENTITY = "aws:eks/podIdentityAssociation:PodIdentityAssociation"
SECURITY_GROUP = "aws:ec2/securityGroup:SecurityGroup"
SUBNET = "aws:ec2/subnet:Subnet"
ROLE = "aws:iam/role:Role"

SUPPORTED = ("1.34", "1.35", "1.36")
"""Releases in standard support on 2026-11-23 (EKS user guide, 'Kubernetes release calendar'); 1.34 until 2026-12-02."""

LOGS = {"api", "audit", "authenticator", "controllerManager", "scheduler"}


def reaches(caller: Caller, cluster: Resource) -> bool:
    """Tell whether a caller gets an answer from a cluster's endpoint.

    Source: https://docs.aws.amazon.com/eks/latest/userguide/cluster-endpoint.html. Who comes from the VPC of a cluster
    without a private endpoint comes by the address of its NAT gateway.
    """
    network = cluster.outputs["vpcConfig"]
    if network["endpointPrivateAccess"] and caller.network in (INSIDE, network["vpcId"]):
        return True
    address = ipaddress.ip_address(caller.address)
    return bool(network["endpointPublicAccess"]) and any(
        address in ipaddress.ip_network(block) for block in network["publicAccessCidrs"]
    )


def _cluster_outputs(view: View, id: str) -> dict[str, Any]:
    """Return what AWS adds; the endpoint and the authority are the real server's, which the provider puts in."""
    seed = stable_hex(id, 32).upper()
    network = view.value("vpcConfig") or {}
    subnets = [subnet for subnet_id in network.get("subnetIds") or () if (subnet := view.one(SUBNET, subnet_id))]
    return {
        "status": "ACTIVE",
        "platformVersion": "eks.1",
        "version": view.value("version"),
        "clusterId": "",
        "createdAt": "2026-11-23T00:00:00Z",
        "identities": [{"oidcs": [{"issuer": f"https://oidc.eks.{view.region}.amazonaws.com/id/{seed}"}]}],
        "vpcConfig": {
            "endpointPrivateAccess": False,
            "endpointPublicAccess": True,
            "publicAccessCidrs": ["0.0.0.0/0"],
            **network,
            "clusterSecurityGroupId": f"sg-{stable_hex(id, 17)}",
            "vpcId": subnets[0].outputs["vpcId"] if subnets else "",
        },
        "endpoint": view.kept("endpoint", lambda: f"https://{seed}.gr7.{view.region}.eks.amazonaws.com"),
        "certificateAuthority": view.kept("certificateAuthority", lambda: {"data": ""}),
    }


def _cluster_companions(view: View, cluster: Resource) -> Iterator[Resource]:
    """Make the security group of control plane, nodes and pods (EKS user guide, 'Security group requirements')."""
    network = cluster.outputs["vpcConfig"]
    id = network["clusterSecurityGroupId"]
    everyone = {"fromPort": 0, "toPort": 0, "protocol": "-1"}
    outputs = {
        "arn": f"arn:aws:ec2:{cluster.region}:{ACCOUNT}:security-group/{id}",
        "name": f"eks-cluster-sg-{cluster.id}",
        "description": "EKS created security group applied to ENI that is attached to EKS Control Plane master nodes",
        "vpcId": network["vpcId"],
        "ownerId": ACCOUNT,
        "region": cluster.region,
        "ingress": [{**everyone, "self": True}],
        "egress": [{**everyone, "cidrBlocks": ["0.0.0.0/0"]}],
        "tags": {"aws:eks:cluster-name": cluster.id},
        "tagsAll": {"aws:eks:cluster-name": cluster.id},
    }
    yield Resource("aws", ACCOUNT, cluster.region, SECURITY_GROUP, id, "", {}, outputs)


def _cluster_rules(view: View) -> None:
    network = view.value("vpcConfig") or {}
    subnets = [subnet for subnet_id in network.get("subnetIds") or () if (subnet := view.one(SUBNET, subnet_id))]
    if len({subnet.outputs["availabilityZone"] for subnet in subnets}) < 2:
        raise AwsError("InvalidParameterException", "Subnets specified must be in at least two different AZs", 400)
    zones = {subnet.outputs["availabilityZone"] for subnet in subnets}
    before = (view.old("vpcConfig") or {}).get("subnetIds") or ()
    first = {subnet.outputs["availabilityZone"] for id in before if (subnet := view.one(SUBNET, id))} or zones
    if zones != first:
        raise AwsError(
            "InvalidParameterException",
            f"Provided subnets belong to the AZs '{','.join(sorted(zones))}'. But they should belong to the exact set "
            f"of AZs '{','.join(sorted(first))}' in which subnets were provided during cluster creation.",
            400,
        )
    if view.existing is not None and _minor(view.value("version")) < _minor(view.old("version")):
        raise AwsError("InvalidParameterException", "unsupported Kubernetes minor version update", 400)


def _minor(version: Any) -> int:
    return int(str(version).split(".")[1])


def _cluster_problems(inputs: Mapping[str, Any]) -> list[Problem]:
    """Judge a cluster (https://docs.aws.amazon.com/eks/latest/APIReference/API_CreateCluster.html)."""
    found = []
    version = inputs.get("version")
    if version not in (None, UNKNOWN, *SUPPORTED):
        found.append(Problem("version", f"unsupported Kubernetes version, expected one of {', '.join(SUPPORTED)}"))
    logs = inputs.get("enabledClusterLogTypes")
    if isinstance(logs, list) and (wrong := sorted({log for log in logs if log is not UNKNOWN} - LOGS)):
        found.append(Problem("enabledClusterLogTypes", f"expected {', '.join(sorted(LOGS))}, got {', '.join(wrong)}"))
    network = inputs.get("vpcConfig")
    if isinstance(network, Mapping) and not (
        network.get("endpointPublicAccess", True) or network.get("endpointPrivateAccess")
    ):
        found.append(Problem("vpcConfig", "Private and public endpoint access cannot be both false."))
    return [*found, *_auto_mode_problems(inputs)]


def _auto_mode_problems(inputs: Mapping[str, Any]) -> list[Problem]:
    """EKS wants compute, load balancing and block storage of Auto Mode together, and roles from access entries."""
    network = inputs.get("kubernetesNetworkConfig") or {}
    storage = inputs.get("storageConfig") or {}
    parts = {
        "computeConfig": (inputs.get("computeConfig") or {}).get("enabled"),
        "kubernetesNetworkConfig": (network.get("elasticLoadBalancing") or {}).get("enabled"),
        "storageConfig": (storage.get("blockStorage") or {}).get("enabled"),
    }
    if UNKNOWN in parts.values() or len({bool(value) for value in parts.values()}) == 1:
        found = []
    else:
        found = [
            Problem(
                "computeConfig",
                "For EKS Auto Mode, please ensure that all required configs, including computeConfig, "
                "kubernetesNetworkConfig, and blockStorage are all either fully enabled or fully disabled.",
            )
        ]
    if parts["computeConfig"] is True:
        if inputs.get("bootstrapSelfManagedAddons") is not False:
            found.append(Problem("bootstrapSelfManagedAddons", "must be false when EKS Auto Mode is enabled"))
        mode = (inputs.get("accessConfig") or {}).get("authenticationMode", "CONFIG_MAP")
        if mode not in ("API", "API_AND_CONFIG_MAP", UNKNOWN):
            found.append(
                Problem("accessConfig.authenticationMode", "must be API or API_AND_CONFIG_MAP for EKS Auto Mode")
            )
    return found


def _unprotected(view: View) -> None:
    if view.old("deletionProtection"):
        raise AwsError("InvalidRequestException", "Cluster deletion protection is enabled; disable it first.", 400)


TYPES: dict[str, AwsType] = {
    CLUSTER: AwsType(
        service="EKS",
        noun="Cluster",
        cloudformation="AWS::EKS::Cluster",
        id="{name}",
        arn="eks:{region}:{account}:cluster/{name}",
        renames={
            "vpcConfig": None,
            "encryptionConfig": None,
            "enabledClusterLogTypes": None,
            "bootstrapSelfManagedAddons": None,
            "computeConfig": None,
            "kubernetesNetworkConfig": None,
        },
        names=("name",),
        name_limit=100,
        taken="ResourceInUseException",
        taken_text="Cluster already exists with name: {name}",
        missing=("ResourceNotFoundException", "No cluster found for name: {id}."),
        references={
            "roleArn": ROLE,
            "computeConfig.nodeRoleArn": ROLE,
            "vpcConfig.subnetIds": SUBNET,
            "encryptionConfig.provider.keyArn": "aws:kms/key:Key",
        },
        computed=_cluster_outputs,
        companions=_cluster_companions,
        added={"vpcConfig": ("clusterSecurityGroupId", "vpcId")},
        rules=(_cluster_rules,),
        value_rules=(_cluster_problems,),
        deletion_rules=(_unprotected,),
        in_use=("ResourceInUseException", "Cluster has resources attached: {users}"),
        users=lambda cluster, user: user.type == "aws:eks/nodeGroup:NodeGroup",
        replaces=frozenset(
            {"name", "roleArn", "bootstrapSelfManagedAddons", "accessConfig.bootstrapClusterCreatorAdminPermissions"}
        ),
        # More subnets, other security groups: UpdateClusterConfig takes them.
        in_place=frozenset({"vpcConfig.subnetIds", "vpcConfig.securityGroupIds"}),
        operations={"update": "UpdateClusterConfig"},
        defaults={"deletionProtection": False},
        write_only=frozenset({"bootstrapSelfManagedAddons", "forceUpdateVersion"}),
    ),
    ADDON: AwsType(
        service="EKS",
        noun="Addon",
        label="EKS Add-On",
        cloudformation="AWS::EKS::Addon",
        id="{clusterName}:{addonName}",
        arn="eks:{region}:{account}:addon/{clusterName}/{addonName}/{uuid}",
        names=("clusterName", "addonName"),
        taken_text="Addon already exists.",
        references={"clusterName": CLUSTER, "podIdentityAssociations.roleArn": ROLE},
        computed=lambda view, id: {
            "addonVersion": view.value("addonVersion") or "v1.0.0-eksbuild.1",
            "createdAt": "2026-11-23T00:00:00Z",
            "modifiedAt": "2026-11-23T00:00:00Z",
            "configurationValues": view.value("configurationValues") or "",
        },
        documents=frozenset({"configurationValues"}),
        replaces=frozenset({"clusterName", "addonName"}),
        write_only=frozenset({"preserve", "resolveConflictsOnCreate", "resolveConflictsOnUpdate"}),
    ),
    ACCESS_ENTRY: AwsType(
        service="EKS",
        noun="AccessEntry",
        label="EKS Access Entry",
        cloudformation="AWS::EKS::AccessEntry",
        id="{clusterName}:{principalArn}",
        arn="eks:{region}:{account}:access-entry/{clusterName}/{uuid}",
        renames={"userName": "Username"},
        names=("clusterName", "principalArn"),
        taken="ResourceInUseException",
        taken_text="The specified access entry resource is already in use on this cluster.",
        references={"clusterName": CLUSTER},
        computed=lambda view, id: {
            "accessEntryArn": f"arn:aws:eks:{view.region}:123456789012:access-entry/{id}",
            "kubernetesGroups": view.value("kubernetesGroups") or [],
            "userName": view.value("userName") or view.value("principalArn"),
            "createdAt": "2026-11-23T00:00:00Z",
            "modifiedAt": "2026-11-23T00:00:00Z",
        },
        defaults={"type": "STANDARD"},
        replaces=frozenset({"clusterName", "principalArn", "type"}),
    ),
    ACCESS_POLICY: AwsType(
        service="EKS",
        noun="AccessPolicy",
        label="EKS Access Policy Association",
        cloudformation=None,
        id="{clusterName}#{principalArn}#{policyArn}",
        names=("clusterName", "principalArn", "policyArn"),
        references={"clusterName": CLUSTER},
        computed=lambda view, id: {
            "associatedAt": "2026-11-23T00:00:00Z",
            "modifiedAt": "2026-11-23T00:00:00Z",
        },
        replaces=frozenset({"clusterName", "principalArn", "policyArn", "accessScope"}),
        operations={"create": "AssociateAccessPolicy", "delete": "DisassociateAccessPolicy"},
    ),
    POD_IDENTITY: AwsType(
        service="EKS",
        noun="PodIdentityAssociation",
        label="EKS Pod Identity Association",
        cloudformation="AWS::EKS::PodIdentityAssociation",
        id="a-{hex}",
        arn="eks:{region}:{account}:podidentityassociation/{clusterName}/{id}",
        names=("clusterName", "namespace", "serviceAccount"),
        taken="ResourceInUseException",
        taken_text="Association already exists.",
        references={"clusterName": CLUSTER, "roleArn": ROLE},
        computed=lambda view, id: {
            "associationId": id,
            "associationArn": f"arn:aws:eks:{view.region}:123456789012:podidentityassociation/{id}",
            "externalId": "",
        },
        replaces=frozenset({"clusterName", "namespace", "serviceAccount"}),
    ),
}
