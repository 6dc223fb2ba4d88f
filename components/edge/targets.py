"""The runtimes behind the load balancer, and who may reach whom."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network
from typing import Literal

import pulumi
import pulumi_aws as aws

from components.edge.listeners import HTTP, HTTPS
from components.security_group import let_in, let_out
from settings.edge import EdgeSettings


@dataclass(frozen=True)
class Backend:
    """One runtime that can serve requests.

    Attributes:
        weight: its share of requests among the weights of all, 0 (none) to 999.
        port: TCP port of its targets, plain HTTP.
        target_type: ``ip`` (ECS tasks) or ``instance`` (cluster nodes).
        security_group_id: security group of the targets; the edge opens it to the load balancer.
        health_path: path that answers 200 while a target can serve, such as ``/healthz``.
        cluster_name: name of the EKS cluster in Auto Mode that registers the targets; None where somebody else does.
    """

    weight: int
    port: int
    target_type: Literal["ip", "instance"]
    security_group_id: pulumi.Input[str]
    health_path: str
    cluster_name: pulumi.Input[str] | None = None


def load_balancer_group(
    name: str,
    vpc_id: pulumi.Input[str],
    allowed: Sequence[IPv4Network],
    backends: Mapping[str, Backend],
    parent: pulumi.Resource,
) -> aws.ec2.SecurityGroup:
    """Let the allowed addresses in, and out to nobody but the targets, which get the other half of the rule."""
    own = pulumi.ResourceOptions(parent=parent)
    group = aws.ec2.SecurityGroup(
        f"{name}-edge",
        description="Public load balancer of the platform",
        vpc_id=vpc_id,
        tags={"Name": f"{name}-edge"},
        opts=own,
    )
    for block in allowed:
        for protocol, port in (("http", HTTP), ("https", HTTPS)):
            aws.vpc.SecurityGroupIngressRule(
                f"{name}-edge-{protocol}-from-{block}",
                security_group_id=group.id,
                cidr_ipv4=str(block),
                ip_protocol="tcp",
                from_port=port,
                to_port=port,
                description=f"Clients over {protocol.upper()}",
                opts=own,
            )
    for target, backend in backends.items():
        there, port = backend.security_group_id, backend.port
        let_out(f"{name}-edge-to-{target}", group.id, there, port, f"Requests and health checks to {target}", own)
        described = "Requests and health checks from the public load balancer"
        let_in(f"{name}-{target}-from-edge", there, group.id, port, described, own)
    return group


def target_group(
    name: str,
    target: str,
    backend: Backend,
    vpc_id: pulumi.Input[str],
    settings: EdgeSettings,
    parent: pulumi.Resource,
) -> aws.lb.TargetGroup:
    """Make the group that a runtime puts its targets in."""
    # Auto Mode may register targets only in groups that bear its cluster's name (AmazonEKSLoadBalancingPolicy).
    cluster = {"eks:eks-cluster-name": backend.cluster_name} if backend.cluster_name else {}
    return aws.lb.TargetGroup(
        f"{name}-edge-{target}",
        # As for the load balancer; a replacement stands beside the old one until the listener has moved.
        name_prefix=f"{target[:5]}-",
        vpc_id=vpc_id,
        target_type=backend.target_type,
        port=backend.port,
        protocol="HTTP",
        protocol_version="HTTP1",
        load_balancing_algorithm_type=settings.balancing,
        slow_start=settings.slow_start_seconds,
        deregistration_delay=settings.deregistration_delay_seconds,
        stickiness=aws.lb.TargetGroupStickinessArgs(type="lb_cookie", enabled=False),
        health_check=aws.lb.TargetGroupHealthCheckArgs(
            protocol="HTTP",
            path=backend.health_path,
            matcher="200",
            interval=settings.health_check.interval_seconds,
            timeout=settings.health_check.timeout_seconds,
            healthy_threshold=settings.health_check.healthy_threshold,
            unhealthy_threshold=settings.health_check.unhealthy_threshold,
        ),
        tags={"Name": f"{name}-{target}", **cluster},
        opts=pulumi.ResourceOptions(parent=parent),
    )
