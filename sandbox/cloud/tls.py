"""The simulated TLS provider: its keys and certificates are real ones, made here.

Source of the properties' meaning: https://www.pulumi.com/registry/packages/tls/.
"""

from __future__ import annotations

import datetime
import ipaddress
from collections.abc import Callable, Mapping
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from sandbox.cloud.differences import Comparison
from sandbox.cloud.errors import CloudError
from sandbox.cloud.provider import Draft, SimulatedProvider
from sandbox.cloud.sdk_types import Problem, SdkType
from sandbox.cloud.store import Resource

PRIVATE_KEY = "tls:index/privateKey:PrivateKey"
CERT_REQUEST = "tls:index/certRequest:CertRequest"
SELF_SIGNED = "tls:index/selfSignedCert:SelfSignedCert"
LOCALLY_SIGNED = "tls:index/locallySignedCert:LocallySignedCert"

CURVES: dict[str, Callable[[], ec.EllipticCurve]] = {
    "P224": ec.SECP224R1,
    "P256": ec.SECP256R1,
    "P384": ec.SECP384R1,
    "P521": ec.SECP521R1,
}
USES = {
    "key_encipherment": "key_encipherment",
    "digital_signature": "digital_signature",
    "cert_signing": "key_cert_sign",
    "crl_signing": "crl_sign",
    "key_agreement": "key_agreement",
}
EXTENDED_USES = {"server_auth": ExtendedKeyUsageOID.SERVER_AUTH, "client_auth": ExtendedKeyUsageOID.CLIENT_AUTH}
SUBJECT = {
    "commonName": NameOID.COMMON_NAME,
    "organization": NameOID.ORGANIZATION_NAME,
    "organizationalUnit": NameOID.ORGANIZATIONAL_UNIT_NAME,
}


class TlsProvider(SimulatedProvider):
    """Makes a key or a certificate once, and keeps it until one of its inputs changes."""

    package = "tls"

    def problems(self, kind: SdkType, inputs: Mapping[str, Any]) -> list[Problem]:
        found = [] if kind.token in MADE else [Problem("", f"the simulated TLS provider cannot make a {kind.token}")]
        algorithm = inputs.get("algorithm")
        if isinstance(algorithm, str) and algorithm not in ("RSA", "ECDSA", "ED25519"):
            found.append(Problem("algorithm", f"expected RSA, ECDSA or ED25519, got {algorithm}"))
        curve = inputs.get("ecdsaCurve")
        if isinstance(curve, str) and curve not in CURVES:
            found.append(Problem("ecdsaCurve", f"expected one of {', '.join(CURVES)}, got {curve}"))
        uses = inputs.get("allowedUses")
        if isinstance(uses, list) and (
            wrong := sorted({u for u in uses if isinstance(u, str)} - {*USES, *EXTENDED_USES})
        ):
            found.append(Problem("allowedUses", f"the simulated TLS provider does not know {', '.join(wrong)}"))
        return found

    def comparison(self, kind: SdkType) -> Comparison:
        # Of a certificate's inputs, only when it is made anew ahead of its end changes in place.
        return Comparison(replacing=frozenset(kind.inputs) - {"earlyRenewalHours"})

    def make(self, draft: Draft) -> Resource:
        if draft.kind.token not in MADE:
            raise CloudError(f"the simulated TLS provider cannot make a {draft.kind.token}")
        try:
            id, outputs = MADE[draft.kind.token](draft.inputs)
        except ValueError as error:
            raise CloudError(f"{draft.kind.token} {draft.name}: {error}") from None
        return self.stored(draft, id, {**draft.inputs, **outputs})

    def alter(self, resource: Resource, draft: Draft) -> Resource:
        return self.stored(draft, resource.id, {**resource.outputs, **draft.inputs})

    def destroy(self, resource: Resource) -> None:
        self.store.remove(resource)


def _private_key(inputs: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey
    if inputs["algorithm"] == "RSA":
        key = rsa.generate_private_key(public_exponent=65537, key_size=int(inputs.get("rsaBits") or 2048))
    elif inputs["algorithm"] == "ECDSA":
        key = ec.generate_private_key(CURVES[inputs.get("ecdsaCurve") or "P224"]())
    else:
        key = ed25519.Ed25519PrivateKey.generate()
    nothing = serialization.NoEncryption()
    pem = serialization.Encoding.PEM
    public = key.public_key().public_bytes(pem, serialization.PublicFormat.SubjectPublicKeyInfo).decode()
    pkcs8 = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, nothing).decode()
    legacy = serialization.PrivateFormat.PKCS8
    if not isinstance(key, ed25519.Ed25519PrivateKey):
        legacy = serialization.PrivateFormat.TraditionalOpenSSL
    return _serial(), {
        "privateKeyPem": key.private_bytes(pem, legacy, nothing).decode(),
        "privateKeyPemPkcs8": pkcs8,
        "publicKeyPem": public,
    }


def _cert_request(inputs: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    builder = x509.CertificateSigningRequestBuilder(subject_name=_subject(inputs))
    if names := _names(inputs):
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    key = _key(inputs["privateKeyPem"])
    request = builder.sign(key, _hash_for(key))
    return _serial(), {
        "certRequestPem": request.public_bytes(serialization.Encoding.PEM).decode(),
        "keyAlgorithm": "ECDSA" if isinstance(key, ec.EllipticCurvePrivateKey) else "RSA",
    }


def _self_signed(inputs: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    key = _key(inputs["privateKeyPem"])
    return _signed(inputs, _subject(inputs), _names(inputs), key.public_key(), _subject(inputs), key)


def _locally_signed(inputs: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    request = x509.load_pem_x509_csr(inputs["certRequestPem"].encode())
    authority = x509.load_pem_x509_certificate(inputs["caCertPem"].encode())
    try:
        names = list(request.extensions.get_extension_for_class(x509.SubjectAlternativeName).value)
    except x509.ExtensionNotFound:
        names = []
    key = _key(inputs["caPrivateKeyPem"])
    return _signed(inputs, request.subject, names, request.public_key(), authority.subject, key)


def _signed(
    inputs: Mapping[str, Any],
    subject: x509.Name,
    names: list[x509.GeneralName],
    public: Any,
    issuer: x509.Name,
    key: CertificateIssuerPrivateKeyTypes,
) -> tuple[str, dict[str, Any]]:
    start = datetime.datetime.now(datetime.UTC).replace(microsecond=0)
    end = start + datetime.timedelta(hours=int(inputs["validityPeriodHours"]))
    uses = set(inputs["allowedUses"])
    builder = (
        x509.CertificateBuilder(issuer, subject, public, x509.random_serial_number(), start, end)
        .add_extension(x509.BasicConstraints(bool(inputs.get("isCaCertificate")), None), critical=True)
        .add_extension(_key_usage(uses), critical=True)
    )
    if extended := [EXTENDED_USES[use] for use in sorted(uses & EXTENDED_USES.keys())]:
        builder = builder.add_extension(x509.ExtendedKeyUsage(extended), critical=False)
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
    certificate = builder.sign(key, _hash_for(key))
    return str(certificate.serial_number), {
        "certPem": certificate.public_bytes(serialization.Encoding.PEM).decode(),
        "validityStartTime": start.isoformat(),
        "validityEndTime": end.isoformat(),
        "readyForRenewal": False,
        "keyAlgorithm": "ECDSA" if isinstance(key, ec.EllipticCurvePrivateKey) else "RSA",
    }


def _key_usage(uses: set[str]) -> x509.KeyUsage:
    wanted = {USES[use] for use in uses & USES.keys()}
    everything = (
        "digital_signature",
        "content_commitment",
        "key_encipherment",
        "data_encipherment",
        "key_agreement",
        "key_cert_sign",
        "crl_sign",
        "encipher_only",
        "decipher_only",
    )
    return x509.KeyUsage(**{use: use in wanted for use in everything})


def _subject(inputs: Mapping[str, Any]) -> x509.Name:
    stated = inputs.get("subject") or {}
    return x509.Name([x509.NameAttribute(SUBJECT[key], stated[key]) for key in SUBJECT if stated.get(key)])


def _names(inputs: Mapping[str, Any]) -> list[x509.GeneralName]:
    addresses = [x509.IPAddress(ipaddress.ip_address(a)) for a in inputs.get("ipAddresses") or ()]
    return [*(x509.DNSName(name) for name in inputs.get("dnsNames") or ()), *addresses]


def _key(pem: str) -> CertificateIssuerPrivateKeyTypes:
    key = serialization.load_pem_private_key(pem.encode(), password=None)
    if not isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey):
        raise ValueError("privateKeyPem: a key of an algorithm that signs is wanted")
    return key


def _hash_for(key: CertificateIssuerPrivateKeyTypes) -> hashes.SHA256 | None:
    return None if isinstance(key, ed25519.Ed25519PrivateKey) else hashes.SHA256()


def _serial() -> str:
    return str(x509.random_serial_number())


MADE: dict[str, Callable[[Mapping[str, Any]], tuple[str, dict[str, Any]]]] = {
    PRIVATE_KEY: _private_key,
    CERT_REQUEST: _cert_request,
    SELF_SIGNED: _self_signed,
    LOCALLY_SIGNED: _locally_signed,
}
