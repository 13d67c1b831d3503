"""Bearer tokens."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

COMPANIES = "api/v2.0/companies"


def test_valid_token_of_an_application_is_accepted(bc):
    """An application that is registered may call."""
    assert bc.get(COMPANIES).status_code == 200


def test_token_of_a_person_needs_no_registered_application(bc):
    """Only calls without a user are looked up in "Microsoft Entra applications"."""
    token = bc.token(scp="user_impersonation", appid="unregistered")

    assert bc.get(COMPANIES, token=token).status_code == 200


@pytest.mark.parametrize(
    "claims",
    [
        pytest.param({"aud": "https://graph.microsoft.com"}, id="foreign audience"),
        pytest.param({"exp": 1}, id="expired"),
        pytest.param({"nbf": 4_000_000_000}, id="not yet valid"),
        pytest.param({"exp": None}, id="without expiry"),
        pytest.param({"appid": "unregistered"}, id="unregistered application"),
        pytest.param({"kid": "other"}, id="unknown key"),
    ],
)
def test_unfit_token_is_rejected(bc, claims):
    """Whatever is wrong with a token, the answer is the same."""
    response = bc.get(COMPANIES, token=bc.token(**claims))

    assert response.status_code == 401
    assert response.json["error"]["code"] == "Authentication_InvalidCredentials"
    assert response.headers["WWW-Authenticate"] == "Bearer"


def test_signature_of_another_key_is_rejected(bc):
    """A known key id does not vouch for a signature."""
    stranger = rsa.generate_private_key(public_exponent=65537, key_size=2048)

    assert bc.get(COMPANIES, token=bc.token(key=stranger)).status_code == 401


@pytest.mark.parametrize("authorization", ["", "Bearer", "Bearer x.y.z", "Basic YTpi"])
def test_header_without_a_token_is_rejected(bc, authorization):
    """A missing, empty, malformed or other credential is the same 401."""
    response = bc.get(COMPANIES, headers={"Authorization": authorization})

    assert response.status_code == 401


def test_right_token_under_another_scheme_is_rejected(bc):
    """The scheme has to be Bearer."""
    response = bc.get(COMPANIES, headers={"Authorization": f"Basic {bc.token()}"})

    assert response.status_code == 401


def test_token_expires_with_the_clock(bc):
    """A token that was good is refused from its last second on."""
    token = bc.token()
    assert bc.get(COMPANIES, token=token).status_code == 200

    bc.pass_time(3600)

    assert bc.get(COMPANIES, token=token).status_code == 401
