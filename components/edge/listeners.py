"""What the load balancer does with a request: send it on to TLS, to a runtime, or nowhere."""

from __future__ import annotations

from collections.abc import Mapping

import pulumi
import pulumi_aws as aws

from settings.edge import EdgeSettings, hidden_pattern

HTTP = 80
HTTPS = 443


def redirect_to_https(name: str, load_balancer: aws.lb.LoadBalancer, parent: pulumi.Resource) -> None:
    """Answer plain HTTP with nothing but the same address over TLS (FSBP ELB.1)."""
    aws.lb.Listener(
        f"{name}-edge-http",
        load_balancer_arn=load_balancer.arn,
        port=HTTP,
        protocol="HTTP",
        routing_http_response_server_enabled=False,
        default_actions=[
            aws.lb.ListenerDefaultActionArgs(
                type="redirect",
                redirect=aws.lb.ListenerDefaultActionRedirectArgs(
                    protocol="HTTPS", port=str(HTTPS), status_code="HTTP_301"
                ),
            )
        ],
        opts=pulumi.ResourceOptions(parent=parent),
    )


def forward_by_weight(
    name: str,
    settings: EdgeSettings,
    load_balancer: aws.lb.LoadBalancer,
    certificate_arn: pulumi.Input[str],
    shares: Mapping[str, tuple[aws.lb.TargetGroup, int]],
    parent: pulumi.Resource,
) -> aws.lb.Listener:
    """Share requests over TLS among target groups, except those for paths that clients must not see.

    Args:
        shares: name of a runtime to its target group and weight, 0 to 999.
    """
    own = pulumi.ResourceOptions(parent=parent)
    listener = aws.lb.Listener(
        f"{name}-edge-https",
        load_balancer_arn=load_balancer.arn,
        port=HTTPS,
        protocol="HTTPS",
        ssl_policy=settings.tls_policy,
        certificate_arn=certificate_arn,
        routing_http_response_server_enabled=False,
        routing_http_response_strict_transport_security_header_value=f"max-age={settings.hsts_max_age_seconds}",
        default_actions=[
            aws.lb.ListenerDefaultActionArgs(
                type="forward",
                forward=aws.lb.ListenerDefaultActionForwardArgs(
                    target_groups=[
                        aws.lb.ListenerDefaultActionForwardTargetGroupArgs(arn=group.arn, weight=weight)
                        for group, weight in shares.values()
                    ]
                ),
            )
        ],
        opts=own,
    )
    if settings.hidden_paths:
        aws.lb.ListenerRule(
            f"{name}-edge-hidden-paths",
            listener_arn=listener.arn,
            priority=1,
            conditions=[
                aws.lb.ListenerRuleConditionArgs(
                    path_pattern=aws.lb.ListenerRuleConditionPathPatternArgs(
                        regex_values=[hidden_pattern(settings.hidden_paths)]
                    )
                )
            ],
            actions=[
                aws.lb.ListenerRuleActionArgs(
                    type="fixed-response",
                    fixed_response=aws.lb.ListenerRuleActionFixedResponseArgs(
                        status_code="404", content_type="text/plain", message_body="Not Found"
                    ),
                )
            ],
            opts=own,
        )
    return listener
