"""The platform's public edge."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from components.account import AwsAccount
from components.bucket import PrivateBucket
from components.edge.certificate import issued_certificate, point_names
from components.edge.firewall import metric_name, record_requests, web_acl
from components.edge.listeners import forward_by_weight, redirect_to_https
from components.edge.logs import CONNECTIONS, REQUESTS, log_bucket
from components.edge.targets import Backend, load_balancer_group, target_group
from settings.edge import EdgeSettings

MOST_BACKENDS = 5
"""Target groups that one action forwards to (Elastic Load Balancing quotas)."""


@dataclass(frozen=True)
class EdgeArgs:
    """What the edge needs to know.

    Attributes:
        settings: the stack's ``edge`` section.
        account: the account it lives in.
        vpc_id: VPC of the targets.
        subnet_ids: zone letter to subnet id, of the public tier; at least two.
        log_key_arn: ARN of the KMS key that encrypts log groups.
        backends: name of a runtime to how it is reached; one to five, not all of weight 0.

    Raises:
        ValueError: no backend would get a request, or there are more than an action can name.
    """

    settings: EdgeSettings
    account: AwsAccount
    vpc_id: pulumi.Input[str]
    subnet_ids: Mapping[str, pulumi.Input[str]]
    log_key_arn: pulumi.Input[str]
    backends: Mapping[str, Backend]

    def __post_init__(self) -> None:
        if not any(backend.weight for backend in self.backends.values()):
            weights = {name: backend.weight for name, backend in self.backends.items()}
            raise ValueError(f"backends: {weights} given; allowed: at least one weight above 0")
        if len(self.backends) > MOST_BACKENDS:
            raise ValueError(f"backends: {sorted(self.backends)} given; allowed: at most {MOST_BACKENDS}")


class Edge(pulumi.ComponentResource):
    """An internet-facing load balancer that ends TLS behind a firewall and shares requests among runtimes by weight."""

    url: pulumi.Output[str]
    """Where clients find the platform."""

    dns_name: pulumi.Output[str]
    """The load balancer's own name, for DNS that others keep."""

    security_group_id: pulumi.Output[str]
    """Security group of the load balancer."""

    load_balancer_arn: pulumi.Output[str]
    """ARN of the load balancer."""

    load_balancer_arn_suffix: pulumi.Output[str]
    """The dimension ``LoadBalancer`` of its metrics."""

    https_listener_arn: pulumi.Output[str]
    """ARN of the listener that serves requests."""

    certificate_arn: pulumi.Output[str]
    """ARN of the certificate in use."""

    target_group_arns: dict[str, pulumi.Output[str]]
    """Name of a runtime to the ARN of its target group, known once the listener forwards to it."""

    target_group_arn_suffixes: dict[str, pulumi.Output[str]]
    """Name of a runtime to the dimension ``TargetGroup`` of its metrics."""

    web_acl_arn: pulumi.Output[str]
    """ARN of the firewall's rules."""

    web_acl_metric: str
    """The dimension ``WebACL`` of the firewall's metrics."""

    access_log_bucket: pulumi.Output[str]
    """Bucket of the records of requests and connections."""

    def __init__(self, name: str, args: EdgeArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("auterity:edge:Edge", name, None, opts)
        settings = args.settings
        security_group = load_balancer_group(name, args.vpc_id, settings.allowed_cidrs, args.backends, self)
        logs = log_bucket(name, args.account, settings.access_logs, self)
        load_balancer = self._load_balancer(name, args, security_group, logs)
        groups = {
            target: target_group(name, target, backend, args.vpc_id, settings, self)
            for target, backend in args.backends.items()
        }

        certificate_arn = issued_certificate(name, settings, self)
        redirect_to_https(name, load_balancer, self)
        shares = {target: (group, args.backends[target].weight) for target, group in groups.items()}
        listener = forward_by_weight(name, settings, load_balancer, certificate_arn, shares, self)
        acl = web_acl(name, settings.waf, self)
        record_requests(name, acl, settings.waf, args.log_key_arn, self)
        guard = aws.wafv2.WebAclAssociation(
            f"{name}-edge",
            resource_arn=load_balancer.arn,
            web_acl_arn=acl.arn,
            opts=pulumi.ResourceOptions(parent=self),
        )
        point_names(name, settings, load_balancer, self, behind=guard)

        self.url = pulumi.Output.from_input(f"https://{settings.domain}")
        self.dns_name = load_balancer.dns_name
        self.security_group_id = security_group.id
        self.load_balancer_arn = load_balancer.arn
        self.load_balancer_arn_suffix = load_balancer.arn_suffix
        self.https_listener_arn = listener.arn
        self.certificate_arn = certificate_arn
        # By way of the listener: ECS takes a target group only once a load balancer uses it.
        self.target_group_arns = {
            target: pulumi.Output.all(group.arn, listener.id).apply(lambda values: str(values[0]))
            for target, group in groups.items()
        }
        self.target_group_arn_suffixes = {target: group.arn_suffix for target, group in groups.items()}
        self.web_acl_arn = acl.arn
        self.web_acl_metric = metric_name(name)
        self.access_log_bucket = logs.bucket
        self.register_outputs(
            {
                "url": self.url,
                "dns_name": self.dns_name,
                "security_group_id": self.security_group_id,
                "load_balancer_arn": self.load_balancer_arn,
                "load_balancer_arn_suffix": self.load_balancer_arn_suffix,
                "https_listener_arn": self.https_listener_arn,
                "certificate_arn": self.certificate_arn,
                "target_group_arns": self.target_group_arns,
                "target_group_arn_suffixes": self.target_group_arn_suffixes,
                "web_acl_arn": self.web_acl_arn,
                "web_acl_metric": self.web_acl_metric,
                "access_log_bucket": self.access_log_bucket,
            }
        )

    def _load_balancer(
        self, name: str, args: EdgeArgs, security_group: aws.ec2.SecurityGroup, logs: PrivateBucket
    ) -> aws.lb.LoadBalancer:
        settings = args.settings
        return aws.lb.LoadBalancer(
            f"{name}-edge",
            # Up to 32 characters: the stack's name would not always fit.
            name_prefix="edge-",
            load_balancer_type="application",
            internal=False,
            ip_address_type="ipv4",
            subnets=list(args.subnet_ids.values()),
            security_groups=[security_group.id],
            idle_timeout=settings.idle_timeout_seconds,
            enable_http2=True,
            drop_invalid_header_fields=True,
            desync_mitigation_mode=settings.desync_mitigation,
            # Targets see the client's address at the end, whatever the client itself put in front.
            xff_header_processing_mode="append",
            enable_waf_fail_open=False,
            enable_zonal_shift=True,
            enable_deletion_protection=settings.deletion_protection,
            access_logs=aws.lb.LoadBalancerAccessLogsArgs(bucket=logs.bucket_ready, prefix=REQUESTS, enabled=True),
            connection_logs=aws.lb.LoadBalancerConnectionLogsArgs(
                bucket=logs.bucket_ready, prefix=CONNECTIONS, enabled=True
            ),
            tags={"Name": f"{name}-edge"},
            # AWS refuses when listeners and records are gone already; Pulumi refuses at the preview.
            opts=pulumi.ResourceOptions(parent=self, protect=settings.deletion_protection),
        )
