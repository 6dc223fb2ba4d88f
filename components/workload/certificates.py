"""Certificates for servers in the cluster, signed by an authority that the stack makes for them alone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import pulumi
import pulumi_tls as tls

AUTHORITY_HOURS = 10 * 365 * 24
"""Hours that the authority's own certificate is good for: ten years."""

RENEWAL_HOURS = 30 * 24
"""Hours before its end in which a deployment makes a certificate anew: a month, so that a weekly one always does."""


@dataclass(frozen=True)
class ServerCertificate:
    """A server's certificate, all in PEM.

    Attributes:
        authority: certificate of the authority.
        certificate: the server's certificate.
        key: the server's private key, secret.
        ends: when the server's certificate ends, in seconds since 1970.
    """

    authority: pulumi.Output[str]
    certificate: pulumi.Output[str]
    key: pulumi.Output[str]
    ends: pulumi.Output[int]


def server_certificate(
    name: str, common_name: str, dns_names: pulumi.Input[list[str]], days: int, opts: pulumi.ResourceOptions
) -> ServerCertificate:
    """Make an authority and a certificate signed by it, for server and client alike.

    Args:
        name: prefix of every resource's name.
        common_name: whom it is for, as people read it.
        dns_names: host names; ``127.0.0.1`` is added.
        days: how long it is good for.
        opts: options of every resource.
    """
    own_key = tls.PrivateKey(f"{name}-authority", algorithm="ECDSA", ecdsa_curve="P256", opts=opts)
    authority = tls.SelfSignedCert(
        f"{name}-authority",
        private_key_pem=own_key.private_key_pem,
        is_ca_certificate=True,
        validity_period_hours=AUTHORITY_HOURS,
        allowed_uses=["cert_signing", "crl_signing"],
        subject=tls.SelfSignedCertSubjectArgs(common_name=f"{common_name} authority"),
        opts=opts,
    )
    key = tls.PrivateKey(f"{name}-server", algorithm="ECDSA", ecdsa_curve="P256", opts=opts)
    request = tls.CertRequest(
        f"{name}-server",
        private_key_pem=key.private_key_pem,
        dns_names=dns_names,
        ip_addresses=["127.0.0.1"],
        subject=tls.CertRequestSubjectArgs(common_name=common_name),
        opts=opts,
    )
    signed = tls.LocallySignedCert(
        f"{name}-server",
        cert_request_pem=request.cert_request_pem,
        ca_private_key_pem=own_key.private_key_pem,
        ca_cert_pem=authority.cert_pem,
        validity_period_hours=days * 24,
        early_renewal_hours=RENEWAL_HOURS,
        allowed_uses=["digital_signature", "server_auth", "client_auth"],
        opts=opts,
    )
    ends = signed.validity_end_time.apply(lambda time: int(datetime.fromisoformat(time).timestamp()))
    return ServerCertificate(authority.cert_pem, signed.cert_pem, pulumi.Output.secret(key.private_key_pem), ends)
