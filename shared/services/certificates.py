"""Sign a client assertion with a certificate that Key Vault holds.

Heavy imports: loaded only when an integration signs in by certificate.
"""

from __future__ import annotations

import base64
import binascii
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

import jwt
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key, pkcs12

from shared.domain.oauth import base64url
from shared.domain.secret import Secret

_LIFE = timedelta(minutes=5)


class CertificateError(Exception):
    """The certificate cannot be used; the text goes on a sentence about it."""


@dataclass(frozen=True, slots=True)
class Assertion:
    """A client assertion, and when the certificate that signed it expires."""

    text: Secret
    certificate_expires_on: datetime


def signed_assertion(kept: Secret, *, client_id: str, audience: str, now: datetime) -> Assertion:
    """Return a JWT signed with PS256 and marked with the certificate's SHA-256 thumbprint.

    `kept` is the secret behind a Key Vault certificate: PEM, or PKCS #12 in base64.
    """
    key, certificate = _load(kept.reveal())
    if now >= certificate.not_valid_after_utc:
        raise CertificateError("has expired")
    claims = {
        "aud": audience,
        "iss": client_id,
        "sub": client_id,
        "jti": str(uuid.uuid4()),
        "nbf": now,
        "iat": now,
        "exp": now + _LIFE,
    }
    thumbprint = base64url(certificate.fingerprint(hashes.SHA256()))
    text = jwt.encode(claims, key, algorithm="PS256", headers={"x5t#S256": thumbprint})
    return Assertion(Secret(text), certificate.not_valid_after_utc)


def _load(text: str) -> tuple[RSAPrivateKey, x509.Certificate]:
    try:
        if "-----BEGIN" in text:
            pem = text.encode()
            return _usable(load_pem_private_key(pem, None), x509.load_pem_x509_certificate(pem))
        bundle = base64.b64decode(text, validate=True)
        key, certificate, _ = pkcs12.load_key_and_certificates(bundle, password=None)
        return _usable(key, certificate)
    except (ValueError, TypeError, binascii.Error) as error:
        raise CertificateError("is neither PEM nor PKCS #12 without a password") from error


def _usable(
    key: object, certificate: x509.Certificate | None
) -> tuple[RSAPrivateKey, x509.Certificate]:
    if not isinstance(key, RSAPrivateKey) or certificate is None:
        raise CertificateError("needs an exportable RSA key")
    return key, certificate
