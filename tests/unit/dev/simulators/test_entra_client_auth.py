from __future__ import annotations

import base64
import uuid
from datetime import UTC, datetime, timedelta

import jwt
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from werkzeug.test import Client

from dev.sample import BUSINESS_CENTRAL_RESOURCE, CLIENT_ID, CLIENT_SECRET, TENANT_ID
from dev.simulators.entra.app import Entra
from dev.simulators.entra.client_auth import JWT_BEARER
from dev.simulators.entra.control import Settings
from dev.simulators.identity import KEY_FILE, ManagedIdentity, signing_key

BASE = "http://127.0.0.1:7091"
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
TOKEN_PATH = f"/{TENANT_ID}/oauth2/v2.0/token"
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)


def self_signed(key):
    """Return a certificate for the key."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "gateway")])
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(NOW)
        .not_valid_after(NOW + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )


CERTIFICATE = self_signed(KEY)


def thumbprint(algorithm):
    """Return the certificate's thumbprint as a JWT header gives it."""
    return base64.urlsafe_b64encode(CERTIFICATE.fingerprint(algorithm)).rstrip(b"=").decode()


def entra(state):
    """Return a client of a simulator with this state."""
    return Client(Entra(BASE, state=state, settings=Settings(), automatic=False, now=lambda: NOW))


@pytest.fixture(scope="module")
def state(tmp_path_factory):
    """Return a state folder with the application's certificate and the managed identity's key."""
    folder = tmp_path_factory.mktemp("state")
    signing_key(folder)
    pem = CERTIFICATE.public_bytes(Encoding.PEM).decode()
    entra(folder).post("/_control/certificates", json={"certificate": pem})
    return folder


@pytest.fixture(scope="module")
def client(state):
    """Return a client of one simulator for all tests here."""
    return entra(state)


def ask(client, *, headers=None, **form):
    """Ask for a token with the client credentials grant."""
    form |= {"grant_type": "client_credentials", "scope": f"{BUSINESS_CENTRAL_RESOURCE}/.default"}
    return client.post(TOKEN_PATH, data=form, headers=headers)


def show(client, assertion, **changes):
    """Ask for a token with an assertion instead of a secret."""
    form = {
        "client_id": CLIENT_ID,
        "client_assertion_type": JWT_BEARER,
        "client_assertion": assertion,
    }
    return ask(client, **form | changes)


def assertion(*, key=KEY, algorithm="PS256", headers=None, **changes):
    """Return an assertion as Microsoft describes it, with some claims changed."""
    claims = {
        "aud": f"{BASE}{TOKEN_PATH}",
        "iss": CLIENT_ID,
        "sub": CLIENT_ID,
        "jti": str(uuid.uuid4()),
        "nbf": int(NOW.timestamp()),
        "exp": int(NOW.timestamp()) + 600,
    } | changes
    named = headers or {"x5t#S256": thumbprint(hashes.SHA256())}
    return jwt.encode(claims, key, algorithm, headers=named)


def identity_token(state, resource="api://AzureADTokenExchange"):
    """Return a token of the managed identity that shares the state folder."""
    identity = ManagedIdentity(
        header="secret", key=(state / KEY_FILE).read_bytes(), now=lambda: NOW
    )
    response = Client(identity).get(
        "/msi/token",
        query_string={"api-version": "2019-08-01", "resource": resource},
        headers={"X-IDENTITY-HEADER": "secret"},
    )
    return response.json["access_token"]


def refusal(response):
    """Return status, error and number of a refusal."""
    body = response.json
    return response.status_code, body["error"], body["error_codes"][0]


def basic(client_id, secret):
    """Return the header of HTTP Basic authentication."""
    credentials = base64.b64encode(f"{client_id}:{secret}".encode()).decode()
    return {"Authorization": f"Basic {credentials}"}


def test_secret_in_the_form_is_accepted(client):
    """client_secret_post."""
    assert ask(client, client_id=CLIENT_ID, client_secret=CLIENT_SECRET).status_code == 200


def test_secret_in_the_header_is_accepted(client):
    """client_secret_basic, percent-encoded as RFC 6749 section 2.3.1 says."""
    headers = basic(CLIENT_ID, CLIENT_SECRET.replace("-", "%2D"))

    assert ask(client, headers=headers).status_code == 200


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        pytest.param(
            {"client_id": CLIENT_ID, "client_secret": "wrong"},
            (401, "invalid_client", 7000215),
            id="wrong",
        ),
        pytest.param({"client_id": CLIENT_ID}, (401, "invalid_client", 7000218), id="missing"),
        pytest.param(
            {"client_id": "another", "client_secret": CLIENT_SECRET},
            (400, "unauthorized_client", 700016),
            id="unknown-client",
        ),
        pytest.param({}, (400, "invalid_request", 900144), id="nobody"),
    ],
)
def test_faulty_secret_is_refused(client, form, expected):
    """Each fault of a setup has its own number."""
    assert refusal(ask(client, **form)) == expected


@pytest.mark.parametrize(
    ("algorithm", "headers"),
    [
        pytest.param("PS256", {"x5t#S256": thumbprint(hashes.SHA256())}, id="PS256"),
        pytest.param("RS256", {"x5t": thumbprint(hashes.SHA1())}, id="RS256"),  # noqa: S303
    ],
)
def test_assertion_of_a_registered_certificate_is_accepted(client, algorithm, headers):
    """private_key_jwt, in today's and in the older form."""
    assert show(client, assertion(algorithm=algorithm, headers=headers)).status_code == 200


@pytest.mark.parametrize(
    ("faulty", "number"),
    [
        pytest.param(lambda: "no.jwt", 700027, id="no-jwt"),
        pytest.param(lambda: assertion(headers={"x5t": "other"}), 700027, id="certificate"),
        pytest.param(
            lambda: assertion(key=rsa.generate_private_key(public_exponent=65537, key_size=2048)),
            700027,
            id="signature",
        ),
        pytest.param(lambda: assertion(sub="another"), 700021, id="subject"),
        pytest.param(lambda: assertion(iss="another"), 700021, id="issuer"),
        pytest.param(lambda: assertion(aud=f"{BASE}/common"), 700023, id="audience"),
        pytest.param(lambda: assertion(exp=int(NOW.timestamp())), 700024, id="expired"),
        pytest.param(lambda: assertion(nbf=int(NOW.timestamp()) + 301), 700024, id="too-early"),
    ],
)
def test_faulty_assertion_is_refused(client, faulty, number):
    """Signature, parties, audience and time are all checked."""
    assert refusal(show(client, faulty())) == (401, "invalid_client", number)


def test_assertion_of_unknown_type_is_refused(client):
    """The type says how to read the assertion."""
    response = show(client, assertion(), client_assertion_type="saml")

    assert refusal(response) == (400, "invalid_request", 900144)


def test_token_of_the_managed_identity_is_accepted(client, state):
    """The federated credential takes the place of a secret."""
    assert show(client, identity_token(state)).status_code == 200


@pytest.mark.parametrize(
    ("changes", "number"),
    [
        pytest.param({"iss": "https://sts.example/"}, 700211, id="issuer"),
        pytest.param({"sub": "another"}, 700213, id="subject"),
        pytest.param({"aud": "https://vault.azure.net"}, 700212, id="audience"),
        pytest.param({"exp": int(NOW.timestamp())}, 700024, id="expired"),
    ],
)
def test_foreign_token_that_fits_no_credential_is_refused(client, state, changes, number):
    """Issuer, subject and audience must be the registered ones."""
    key = (state / KEY_FILE).read_bytes()
    claims = jwt.decode(identity_token(state), options={"verify_signature": False}) | changes

    response = show(client, jwt.encode(claims, key, "HS256"))

    assert refusal(response) == (401, "invalid_client", number)


def test_foreign_token_with_wrong_signature_is_refused(client, state):
    """A token that the identity did not sign proves nothing."""
    claims = jwt.decode(identity_token(state), options={"verify_signature": False})

    response = show(client, jwt.encode(claims, bytes(32), "HS256"))

    assert refusal(response) == (401, "invalid_client", 700027)


def test_foreign_token_without_identity_is_refused(tmp_path, state):
    """Where no managed identity runs, nobody can have signed."""
    response = show(entra(tmp_path), identity_token(state))

    assert refusal(response) == (401, "invalid_client", 700027)
