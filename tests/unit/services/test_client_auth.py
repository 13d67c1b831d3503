"""How the gateway proves to a token endpoint that it is the registered client."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
from urllib.parse import unquote_plus

import jwt
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    pkcs12,
)
from cryptography.x509.oid import NameOID

from shared.domain.secret import Secret
from tests.builders import CLIENT_ID
from tests.scenes import CLIENT_SECRET, TOKEN_URL, failure

JWT_BEARER = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
LAST_DAY = dt.datetime(2027, 1, 1, tzinfo=dt.UTC)


def certify(key, last_day=LAST_DAY) -> x509.Certificate:
    """Return a certificate that the key has signed for itself."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "gateway")])
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(dt.datetime(2026, 1, 1, tzinfo=dt.UTC))
        .not_valid_after(last_day)
        .sign(key, hashes.SHA256())
    )


def as_pem(key, certificate) -> str:
    """Return both as Key Vault keeps a certificate of the content type PEM."""
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return (private + certificate.public_bytes(Encoding.PEM)).decode()


def as_pkcs12(key, certificate, protection=None) -> str:
    """Return both as Key Vault keeps a certificate of the content type PKCS #12."""
    protection = protection or NoEncryption()
    bundle = pkcs12.serialize_key_and_certificates(b"gateway", key, certificate, None, protection)
    return base64.b64encode(bundle).decode()


@pytest.fixture(scope="module")
def rsa_key() -> rsa.RSAPrivateKey:
    """Return one key for all tests, since making one takes its time."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest.fixture(scope="module")
def certificate(rsa_key) -> x509.Certificate:
    """Return the key's certificate."""
    return certify(rsa_key)


def integrate(scene, client_auth, **changes):
    """Store an integration that signs in by itself."""
    scene.integrate(grant_type="client_credentials", client_auth=client_auth, **changes)


def integrate_certificate(scene, kept: str | None):
    """Store an integration whose certificate lies in the vault as `kept`."""
    integrate(scene, "certificate", certificate_name="bc-certificate", client_secret=None)
    if kept is not None:
        scene.secrets.set("bc-certificate", Secret(kept))


def test_client_secret_goes_in_the_form(scene):
    """As Entra and most others want it."""
    integrate(scene, "client_secret")
    scene.token()

    (form,) = scene.provider.forms
    assert (form["client_id"], form["client_secret"]) == (CLIENT_ID, CLIENT_SECRET)
    assert "Authorization" not in scene.http.sent[0].headers


@pytest.mark.parametrize("secret", ["plain", "a:b", "a b+c", "100%&=?/#", "pässwörd €", "%41"])
@pytest.mark.parametrize("client_id", ["app", "app:1 +%/"])
def test_basic_encodes_both_parts(scene, client_id, secret):
    """RFC 6749 section 2.3.1: each is form-encoded first, so that any character passes."""
    integrate(scene, "client_secret_basic", client_id=client_id, client_secret=secret)
    scene.token()

    scheme, _, credentials = scene.http.sent[0].headers["Authorization"].partition(" ")
    parts = base64.b64decode(credentials).decode("ascii").split(":")
    assert scheme == "Basic"
    assert [unquote_plus(part) for part in parts] == [client_id, secret]


def test_basic_keeps_the_credentials_out_of_the_form(scene):
    """RFC 6749 section 2.3: a client uses one method in a request."""
    integrate(scene, "client_secret_basic")
    scene.token()

    assert set(scene.provider.forms[0]) == {"grant_type", "scope"}


def test_secret_is_used_in_the_version_that_the_definition_names(scene):
    """A newer version, left by a write that failed, does not count."""
    integrate(scene, "client_secret")
    scene.secrets.set("CRONUS-client-secret", Secret("of a failed write"))

    scene.token()

    assert scene.provider.forms[0]["client_secret"] == CLIENT_SECRET


def test_secret_that_vanished_from_the_vault_is_told(scene):
    """Somebody deleted it by hand: the error says what to do."""
    integrate(scene, "client_secret")
    scene.secrets.versions.clear()

    error = failure(scene.token)

    assert error.kind.code == "identity_misconfigured"
    assert "not in Key Vault any more" in error.detail
    assert "client_secret" in error.hint


@pytest.mark.parametrize("pack", [as_pem, as_pkcs12])
def test_certificate_signs_an_assertion(scene, rsa_key, certificate, pack):
    """PS256, the certificate's SHA-256 thumbprint, and the token endpoint as audience."""
    integrate_certificate(scene, pack(rsa_key, certificate))
    scene.token()

    (form,) = scene.provider.forms
    assertion = form["client_assertion"]
    claims = jwt.decode(
        assertion,
        rsa_key.public_key(),
        algorithms=["PS256"],
        audience=TOKEN_URL,
        options=dict.fromkeys(("verify_exp", "verify_nbf", "verify_iat"), False),
    )
    now = int(scene.clock.now().timestamp())
    thumbprint = hashlib.sha256(certificate.public_bytes(Encoding.DER)).digest()
    encoded = base64.urlsafe_b64encode(thumbprint).decode().rstrip("=")
    assert (form["client_assertion_type"], form["client_id"]) == (JWT_BEARER, CLIENT_ID)
    assert "client_secret" not in form
    assert jwt.get_unverified_header(assertion)["x5t#S256"] == encoded
    assert (claims["iss"], claims["sub"]) == (CLIENT_ID, CLIENT_ID)
    assert (claims["nbf"], claims["iat"], claims["exp"]) == (now, now, now + 300)


def test_every_assertion_is_its_own(scene, rsa_key, certificate):
    """An endpoint may refuse an assertion that it has seen before (RFC 7523 section 3)."""
    integrate_certificate(scene, as_pem(rsa_key, certificate))
    scene.token()
    scene.clock.advance(minutes=60)
    scene.token()

    first, second = (
        jwt.decode(form["client_assertion"], options={"verify_signature": False})["jti"]
        for form in scene.provider.forms
    )
    assert first != second


def test_expired_certificate_is_told_without_asking_the_provider(scene, rsa_key, certificate):
    """The error names the certificate and what is wrong with it."""
    integrate_certificate(scene, as_pem(rsa_key, certificate))
    scene.clock.advance(days=365)

    error = failure(scene.token)

    assert error.kind.code == "identity_misconfigured"
    assert error.detail == "The certificate bc-certificate has expired."
    assert scene.provider.calls == 0


@pytest.mark.parametrize("pack", [as_pem, as_pkcs12])
def test_end_of_a_certificate_is_warned_of(scene, rsa_key, certificate, pack):
    """It is read when it signs, so that status tells it without a call to Key Vault."""
    integrate_certificate(scene, pack(rsa_key, certificate))
    shown = []
    for days in (0, 275, 24):
        scene.clock.advance(days=days)
        scene.token()
        shown.append(scene.services.token_status.of("CRONUS"))

    assert [(each["level"], [found.code for found in each["findings"]]) for each in shown] == [
        ("ok", []),
        ("warning", ["certificate_expires"]),
        ("action_needed", ["certificate_expires"]),
    ]
    credential = {"kind": "certificate", "expires_on": LAST_DAY, "expires_in_days": 5}
    assert shown[-1]["credential"] == credential


def test_renewed_certificate_ends_the_warning(scene, rsa_key, certificate):
    """With the next token that it signs for."""
    integrate_certificate(scene, as_pem(rsa_key, certificate))
    scene.clock.advance(days=300)
    scene.token()
    warned = scene.services.token_status.of("CRONUS")["level"]
    renewed = certify(rsa_key, LAST_DAY + dt.timedelta(days=365))
    scene.secrets.set("bc-certificate", Secret(as_pem(rsa_key, renewed)))
    scene.clock.advance(minutes=60)
    scene.token()

    assert (warned, scene.services.token_status.of("CRONUS")["level"]) == ("action_needed", "ok")


@pytest.mark.parametrize(
    ("kept", "told"),
    [
        (None, "is not in Key Vault"),
        ("not base64 at all!", "is neither PEM nor PKCS #12 without a password"),
        (base64.b64encode(b"something").decode(), "is neither PEM nor PKCS #12"),
        ("-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----", "is neither PEM nor"),
    ],
    ids=["missing", "text", "other-binary", "broken-pem"],
)
def test_unusable_certificate_is_told(scene, kept, told):
    """Whatever lies in the vault under the name, the answer is a clear error."""
    integrate_certificate(scene, kept)

    error = failure(scene.token)

    assert error.kind.code == "identity_misconfigured"
    assert error.detail.startswith(f"The certificate bc-certificate {told}")


def test_certificate_under_a_password_is_told(scene, rsa_key, certificate):
    """Key Vault keeps none with a password; somebody stored a file of their own."""
    protection = BestAvailableEncryption(b"password")
    integrate_certificate(scene, as_pkcs12(rsa_key, certificate, protection))

    assert "without a password" in failure(scene.token).detail


def test_certificate_of_another_kind_is_told(scene):
    """PS256 needs an RSA key."""
    key = ec.generate_private_key(ec.SECP256R1())
    integrate_certificate(scene, as_pem(key, certify(key)))

    assert "needs an exportable RSA key" in failure(scene.token).detail


def test_managed_identity_stands_for_the_app(scene):
    """No secret at all: the platform's own token is the proof, a new one each time."""
    integrate(scene, "managed_identity", client_secret=None)
    scene.token()
    scene.clock.advance(minutes=60)
    scene.token()

    first, second = scene.provider.forms
    assert (first["client_assertion_type"], first["client_assertion"]) == (
        JWT_BEARER,
        "assertion-1",
    )
    assert second["client_assertion"] == "assertion-2"
    assert scene.secrets.versions.keys() == {"CRONUS-tokens"}


@pytest.mark.parametrize("client_auth", ["certificate", "managed_identity"])
def test_no_secret_is_asked_for_where_none_is_needed(scene, client_auth):
    """Such an integration is complete without client_secret."""
    integrate(scene, client_auth, client_secret=None, certificate_name="bc-certificate")

    shown = scene.services.integrations.get("CRONUS").document

    assert (shown["has_client_secret"], shown["status"]) == (False, "not_authorized")
