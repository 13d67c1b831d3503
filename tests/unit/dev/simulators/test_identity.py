from __future__ import annotations

from datetime import UTC, datetime

import jwt
import pytest
from werkzeug.test import Client

from dev.sample import TENANT_ID
from dev.simulators.identity import (
    CLIENT_ID,
    PRINCIPAL_ID,
    ManagedIdentity,
    read_claims,
    signing_key,
)

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
KEY = bytes(range(32))
VAULT = "https://vault.azure.net"


@pytest.fixture
def client():
    """Return a client of the endpoint."""
    return Client(ManagedIdentity(header="secret", key=KEY, now=lambda: NOW))


def ask(client, *, header="secret", path="/msi/token", **changes):
    """Send the documented request with some parameters changed; None leaves one out."""
    query = {"api-version": "2019-08-01", "resource": VAULT} | changes
    present = {name: value for name, value in query.items() if value is not None}
    return client.get(path, query_string=present, headers={"X-IDENTITY-HEADER": header})


def test_token_comes_as_documented(client):
    """The answer has the documented members, `expires_on` being a string of Unix seconds."""
    answer = ask(client).json

    assert answer == {
        "access_token": answer["access_token"],
        "client_id": CLIENT_ID.upper(),
        "expires_on": str(int(NOW.timestamp()) + 24 * 60 * 60),
        "resource": VAULT,
        "token_type": "Bearer",
    }


@pytest.mark.parametrize(
    ("resource", "issuer"),
    [
        pytest.param(VAULT, f"https://sts.windows.net/{TENANT_ID}/", id="azure-service"),
        pytest.param(
            "api://AzureADTokenExchange",
            f"https://login.microsoftonline.com/{TENANT_ID}/v2.0",
            id="federated-credential",
        ),
    ],
)
def test_token_names_audience_issuer_and_subject(client, resource, issuer):
    """A token is for the asked resource and about the identity's principal."""
    claims = read_claims(ask(client, resource=resource).json["access_token"], key=KEY)

    assert (claims["aud"], claims["iss"], claims["sub"]) == (resource, issuer, PRINCIPAL_ID)
    assert claims["exp"] - claims["iat"] == 24 * 60 * 60


@pytest.mark.parametrize(
    "changes",
    [
        {"client_id": CLIENT_ID},
        {"client_id": CLIENT_ID.upper()},
        {"principal_id": PRINCIPAL_ID},
        {"object_id": PRINCIPAL_ID},
    ],
    ids=["client-id", "upper-case", "principal-id", "object-id"],
)
def test_identity_named_by_an_id_gets_a_token(client, changes):
    """A user-assigned identity is chosen by any of its ids."""
    assert ask(client, **changes).status_code == 200


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        pytest.param({"header": "guess"}, 401, id="wrong-header"),
        pytest.param({"path": "/token"}, 404, id="other-path"),
        pytest.param({"api-version": None}, 400, id="no-version"),
        pytest.param({"api-version": "2017-09-01"}, 400, id="old-version"),
        pytest.param({"resource": None}, 400, id="no-resource"),
        pytest.param({"client_id": PRINCIPAL_ID}, 400, id="unknown-identity"),
        pytest.param({"resource": f"{VAULT}/.default"}, 500, id="scope-for-resource"),
    ],
)
def test_refusal_has_the_shape_of_the_platform(client, changes, status):
    """Errors are JSON with `statusCode`, `message` and `correlationId`."""
    answer = ask(client, **changes)

    assert answer.status_code == status
    assert answer.json["statusCode"] == status
    assert set(answer.json) == {"statusCode", "message", "correlationId"}


def test_token_of_another_key_is_not_read(client):
    """Only what this identity signed counts as its token."""
    with pytest.raises(jwt.InvalidTokenError):
        read_claims(ask(client).json["access_token"], key=bytes(32))


def test_signing_key_stays_the_same(tmp_path):
    """Tokens outlive a restart of the endpoint."""
    state = tmp_path / "state"

    assert signing_key(state) == signing_key(state)
