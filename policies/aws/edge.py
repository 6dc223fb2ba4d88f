"""Load balancers: TLS in front, refused nonsense, logs, a firewall."""

from __future__ import annotations

from collections.abc import Iterator

from policies.aws.types import LISTENER, LOAD_BALANCER, WEB_ACL_ASSOCIATION
from policies.resources import Resource, Stack
from policies.rules import (
    DURABILITY,
    Finding,
    each_rule,
    is_true,
    property_rule,
    resource_rule,
    unless,
)


def is_application(resource: Resource) -> bool:
    """Say whether a load balancer is of the application kind, which is the default."""
    return resource["loadBalancerType"].text in ("", "application")


@resource_rule(
    "aws-listener-redirects-to-https",
    "Plain HTTP is answered by a redirection to HTTPS",
    "FSBP ELB.1",
    types=LISTENER,
)
def listener_redirects_to_https(resource: Resource) -> Iterator[Finding]:
    if resource["protocol"].text != "HTTP":
        return
    actions = resource["defaultActions"]
    redirected = [each["redirect"]["protocol"] for each in actions.items if each["type"].text == "redirect"]
    holds = bool(redirected) and all(each.text == "HTTPS" for each in redirected)
    yield from unless(holds, resource, actions, 'redirect to the protocol "HTTPS"', "serve plain HTTP")


@resource_rule(
    "aws-listener-modern-tls",
    "TLS is 1.2 or newer",
    "FSBP ELB.17",
    types=LISTENER,
)
def listener_modern_tls(resource: Resource) -> Iterator[Finding]:
    if resource["protocol"].text in ("HTTPS", "TLS"):
        policy = resource["sslPolicy"]
        holds = policy.text.startswith("ELBSecurityPolicy-TLS13-1-") and "-1-0-" not in policy.text
        holds = holds and "-1-1-" not in policy.text.removeprefix("ELBSecurityPolicy-TLS13")
        yield from unless(holds, resource, policy, 'name one such as "ELBSecurityPolicy-TLS13-1-2-Res-2021-06"')


@resource_rule(
    "aws-load-balancer-drops-invalid-headers",
    "Application load balancers drop headers that are none",
    "FSBP ELB.4",
    types=LOAD_BALANCER,
)
def load_balancer_drops_invalid_headers(resource: Resource) -> Iterator[Finding]:
    if is_application(resource):
        dropped = resource["dropInvalidHeaderFields"]
        yield from unless(is_true(dropped), resource, dropped, "set it to true")


load_balancer_logs = property_rule(
    "aws-load-balancer-logs",
    "Load balancers write access logs",
    "FSBP ELB.5",
    types=LOAD_BALANCER,
    path="accessLogs.enabled",
    holds=is_true,
    mend="set it to true and name a bucket",
)

load_balancer_protected = property_rule(
    "aws-load-balancer-deletion-protected",
    "Load balancers are not deleted by mistake",
    "FSBP ELB.6",
    types=LOAD_BALANCER,
    path="enableDeletionProtection",
    holds=is_true,
    mend="set it to true",
    levels=DURABILITY,
)


@each_rule(
    "aws-load-balancer-firewall",
    "A web ACL stands before each public application load balancer",
    "FSBP ELB.16",
    of=LOAD_BALANCER,
    beside=WEB_ACL_ASSOCIATION,
)
def load_balancer_firewall(stack: Stack, balancer: Resource) -> Iterator[Finding]:
    if balancer["internal"].flag is not True and is_application(balancer):
        yield from unless(
            bool(stack.companions(balancer, WEB_ACL_ASSOCIATION, "resourceArn")),
            balancer,
            "web ACL",
            "add an aws.wafv2.WebAclAssociation with its ARN",
        )
