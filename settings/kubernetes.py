"""The Kubernetes cluster: made on EKS, or one that exists."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Network
from typing import Annotated, Literal

from pydantic import Field

from settings.aws import LogRetentionDays
from settings.base import Problem, Settings, in_production
from settings.network import ZoneLetter

ANYONE = IPv4Network("0.0.0.0/0")

PRIVATE_BLOCKS = tuple(IPv4Network(block) for block in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"))
"""Private addresses (RFC 1918)."""

PrincipalArn = Annotated[
    str,
    Field(
        pattern=r"^arn:aws(-[a-z]+)*:iam::[0-9]{12}:(role|user)/[\w+=,.@/-]+$",
        examples=["arn:aws:iam::123456789012:role/platform-engineers"],
    ),
]
"""An IAM role, or user."""


Addon = Literal["metrics-server", "aws-secrets-store-csi-driver-provider"]
"""What EKS puts into the cluster beside what Auto Mode brings."""


class EksSettings(Settings):
    """A cluster on Amazon EKS in Auto Mode: AWS runs and patches the nodes, and the parts that every cluster needs."""

    version: Literal["1.35", "1.36"] = "1.36"
    """Release of Kubernetes. The next one upgrades in place; none goes back."""

    administrators: Annotated[tuple[PrincipalArn, ...], Field(min_length=1)]
    """Who may do anything in the cluster. The one who deploys the stack has to be among them: nobody else gets in, not
    even who made the cluster.
    """

    public_access_cidrs: Annotated[tuple[IPv4Network, ...], Field(max_length=40)] = ()
    """Addresses from which the API may be reached over the internet, as IPv4 blocks: of who deploys, and of who
    operates. At most 40 (EKS quotas). From inside the VPC it is reached always.
    """

    private_only: bool = False
    """Reach the API from inside the VPC alone, where whoever deploys has to be before the cluster is: so only in a VPC
    that is there already (`network.existing`).
    """

    control_plane_zones: Annotated[tuple[ZoneLetter, ...], Field(max_length=4)] = ()
    """Letters of the zones of the control plane's interfaces, and of the nodes; empty: the first two in use. EKS fixes
    them as it makes the cluster: more zones may be added to the VPC, and none of these be left.
    """

    service_cidr: IPv4Network = IPv4Network("172.20.0.0/16")
    """Addresses of Services, apart from the VPC's. Changing them replaces the cluster."""

    log_retention_days: LogRetentionDays = 365
    """Days that CloudWatch keeps the control plane's logs, the audit log among them."""

    addon_versions: dict[Addon, Annotated[str, Field(pattern=r"^v[0-9]+\.[0-9]+\.[0-9]+-eksbuild\.[0-9]+$")]] = {}
    """Version of an add-on; unset: the one that AWS recommends for the release of Kubernetes."""

    deletion_protection: Annotated[bool, in_production(True, "a deleted cluster takes everything in it along")] = True
    """Refuse to delete the cluster."""

    def problems(self) -> Iterator[Problem]:
        if ANYONE in self.public_access_cidrs:
            yield Problem(
                "public_access_cidrs",
                str(ANYONE),
                "blocks of those who deploy and operate, because an API that anyone reaches is one leak from anyone's "
                "(FSBP EKS.1)",
            )
        for block in self.public_access_cidrs:
            if any(block.subnet_of(private) for private in PRIVATE_BLOCKS):
                yield Problem(
                    "public_access_cidrs", str(block), "public addresses: others never arrive over the internet"
                )
        if self.private_only and self.public_access_cidrs:
            yield Problem("private_only", True, "false beside public_access_cidrs")
        if not self.private_only and not self.public_access_cidrs:
            yield Problem(
                "public_access_cidrs",
                [],
                "at least one block, with the address of whoever deploys: nobody reaches an API without any; or "
                "private_only in a VPC that is there already",
            )
        zones = self.control_plane_zones
        if zones and len(set(zones)) < max(2, len(zones)):
            yield Problem("control_plane_zones", list(zones), "two letters or more, each once")
        if not 12 <= self.service_cidr.prefixlen <= 24:
            yield Problem("service_cidr", str(self.service_cidr), "a block of /12 to /24")
        if not any(
            self.service_cidr.subnet_of(IPv4Network(block))
            for block in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")
        ):
            yield Problem("service_cidr", str(self.service_cidr), "a block of a private range (RFC 1918)")


class ExistingClusterSettings(Settings):
    """A cluster that someone else made, by the kubeconfig of who runs the deployment."""

    context: Annotated[str, Field(min_length=1, examples=["kind-auterity-dev"])]
    """Context in the kubeconfig (``KUBECONFIG``, else ``~/.kube/config``)."""

    throwaway: bool = False
    """The cluster may be gone, as kind's is after `make kind-down`: `destroy` and `refresh` then forget what was in it.
    While it is only stopped, they forget it, too: start it first.
    """


class KubernetesSettings(Settings):
    """The stack's cluster: one of the two."""

    eks: EksSettings | None = None
    """Make one on Amazon EKS."""

    existing: ExistingClusterSettings | None = None
    """Use one that exists."""

    def problems(self) -> Iterator[Problem]:
        if (self.eks is None) == (self.existing is None):
            yield Problem("", "both" if self.eks else "neither", "either `eks` or `existing`")
