"""The edge's host names: what proves them to ACM, and where they point."""

from __future__ import annotations

from collections.abc import Sequence

import pulumi
import pulumi_aws as aws

from settings.edge import EdgeSettings

VALIDATION_TTL = 300
"""Seconds that resolvers may keep a validation record; ACM looks it up again at each renewal."""


def issued_certificate(name: str, settings: EdgeSettings, parent: pulumi.Resource) -> pulumi.Output[str]:
    """Return the ARN of a certificate for all names of the edge, once it is issued.

    A new one is proven by records in the hosted zone, which stay: ACM renews it by them
    (https://docs.aws.amazon.com/acm/latest/userguide/dns-validation.html).
    """
    if settings.certificate_arn is not None:
        return pulumi.Output.from_input(settings.certificate_arn)
    # The settings see to it: without a certificate there is a zone.
    assert settings.hosted_zone_id is not None
    own = pulumi.ResourceOptions(parent=parent)
    certificate = aws.acm.Certificate(
        f"{name}-edge",
        domain_name=settings.domain,
        subject_alternative_names=list(settings.names[1:]) or None,
        validation_method="DNS",
        tags={"Name": settings.domain},
        opts=own,
    )
    records = [
        _validation_record(name, proven, certificate, settings.hosted_zone_id, parent)
        for proven in proven_names(settings.names)
    ]
    validation = aws.acm.CertificateValidation(
        f"{name}-edge",
        certificate_arn=certificate.arn,
        validation_record_fqdns=[record.fqdn for record in records],
        opts=own,
    )
    return validation.certificate_arn


def proven_names(names: Sequence[str]) -> tuple[str, ...]:
    """Return what ACM wants a record for: a name and the wildcard below it have one and the same."""
    return tuple(dict.fromkeys(name.removeprefix("*.") for name in names))


def _validation_record(
    name: str, proven: str, certificate: aws.acm.Certificate, zone_id: str, parent: pulumi.Resource
) -> aws.route53.Record:
    def option(options: Sequence[aws.acm.outputs.CertificateDomainValidationOption]) -> dict[str, str]:
        found = next(o for o in options if (o.domain_name or "").removeprefix("*.") == proven)
        return {
            "name": found.resource_record_name or "",
            "type": found.resource_record_type or "",
            "value": found.resource_record_value or "",
        }

    wanted = certificate.domain_validation_options.apply(option)
    return aws.route53.Record(
        f"{name}-edge-validation-{proven}",
        zone_id=zone_id,
        name=wanted["name"],
        type=wanted["type"],
        records=[wanted["value"]],
        ttl=VALIDATION_TTL,
        opts=pulumi.ResourceOptions(parent=parent),
    )


def point_names(
    name: str,
    settings: EdgeSettings,
    load_balancer: aws.lb.LoadBalancer,
    parent: pulumi.Resource,
    behind: aws.wafv2.WebAclAssociation,
) -> None:
    """Point every name to the load balancer where the hosted zone is the platform's, once it is `behind` a firewall."""
    if settings.hosted_zone_id is None:
        return
    for host in settings.names:
        aws.route53.Record(
            f"{name}-edge-{host}",
            zone_id=settings.hosted_zone_id,
            name=host,
            type="A",
            aliases=[
                aws.route53.RecordAliasArgs(
                    name=load_balancer.dns_name, zone_id=load_balancer.zone_id, evaluate_target_health=True
                )
            ],
            # No client before the firewall.
            opts=pulumi.ResourceOptions(parent=parent, depends_on=[behind]),
        )
