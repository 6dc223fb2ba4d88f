"""What the cluster's programs prove themselves with: an authority of its own, a key for service accounts, tokens."""

from __future__ import annotations

import datetime
import ipaddress
import secrets
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

YEARS = 10
"""Lifetime of a sandbox's certificates; they never leave the machine."""

IDENTITIES = {
    "admin": ("kubernetes-admin", "system:masters"),
    "controller-manager": ("system:kube-controller-manager", ""),
    "scheduler": ("system:kube-scheduler", ""),
    "nodes": ("sandbox-nodes", "system:masters"),
}
"""Holder of a token to the user and the group that the API server takes them for."""


def make_credentials(directory: Path) -> None:
    """Write all files into `directory`, readable by their owner alone; what is there already stays.

    ``ca.crt``, ``server.crt``, ``server.key``, ``service-accounts.key``, ``service-accounts.pub`` and ``tokens.csv``.
    """
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    if (directory / "tokens.csv").exists():
        return
    authority_key = ec.generate_private_key(ec.SECP256R1())
    authority = _certificate("auterity-sandbox", authority_key.public_key(), "auterity-sandbox", authority_key, None)
    server_key = ec.generate_private_key(ec.SECP256R1())
    names = x509.SubjectAlternativeName(
        [
            x509.IPAddress(ipaddress.ip_address("127.0.0.1")),
            x509.DNSName("localhost"),
            x509.DNSName("kubernetes.default.svc"),
        ]
    )
    server = _certificate("kube-apiserver", server_key.public_key(), "auterity-sandbox", authority_key, names)
    accounts = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    _write(directory / "ca.crt", authority.public_bytes(serialization.Encoding.PEM))
    _write(directory / "server.crt", server.public_bytes(serialization.Encoding.PEM))
    _write(directory / "server.key", _private(server_key))
    _write(directory / "service-accounts.key", _private(accounts))
    public = accounts.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    _write(directory / "service-accounts.pub", public)
    rows = [f'{secrets.token_urlsafe(32)},{user},{holder},"{group}"' for holder, (user, group) in IDENTITIES.items()]
    # Last: with it everything else is there.
    _write(directory / "tokens.csv", "\n".join(rows).encode())


def _certificate(
    subject: str,
    public_key: ec.EllipticCurvePublicKey,
    issuer: str,
    issuer_key: ec.EllipticCurvePrivateKey,
    names: x509.SubjectAlternativeName | None,
) -> x509.Certificate:
    """Sign a certificate: of a server where it has `names`, else of the authority itself."""
    now = datetime.datetime.now(datetime.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(minutes=5))
        .not_valid_after(now + datetime.timedelta(days=365 * YEARS))
        .add_extension(x509.BasicConstraints(ca=names is None, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False)
    )
    if names is None:
        usage = x509.KeyUsage(True, False, False, False, False, True, True, False, False)
        builder = builder.add_extension(usage, critical=True)
    else:
        builder = builder.add_extension(names, critical=False).add_extension(
            x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False
        )
    return builder.sign(issuer_key, hashes.SHA256())


def _private(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )


def _write(path: Path, content: bytes) -> None:
    path.touch(mode=0o600)
    path.write_bytes(content)
