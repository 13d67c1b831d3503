"""Policy of the simulated tenant: claims challenges, and the consent of administrators."""

from __future__ import annotations

import pytest

from dev.sample import CLIENT_ID, TENANT_ID
from tests.scenes import parameters
from tests.unit.dev.simulators.test_entra_authorize import entra
from tests.unit.dev.simulators.test_entra_control import (
    CALLBACK,
    DEFAULT_SCOPE,
    authorize,
    change,
    refresh_token,
    token,
)

CLAIMS = '{"access_token":{"acrs":{"essential":true,"value":"c1"}}}'
PATH = f"/{TENANT_ID}/v2.0/adminconsent"
QUERY = {"client_id": CLIENT_ID, "scope": DEFAULT_SCOPE, "redirect_uri": CALLBACK}


@pytest.fixture
def client(tmp_path):
    """Return a client of a fresh simulator that signs in by itself."""
    return entra(tmp_path, automatic=True)


def refresh(client, refresh_token):
    """Trade the refresh token."""
    return token(client, "refresh_token", refresh_token=refresh_token)


def consent(client, method="GET", *, form=None, **changes):
    """Open the admin consent page, or send its form."""
    query = {name: value for name, value in (QUERY | changes).items() if value is not None}
    return client.open(PATH, method=method, query_string=query, data=form)


def result(response):
    """Return what the browser brings back to the callback."""
    assert response.status_code == 302
    assert response.location.startswith(f"{CALLBACK}?")
    return parameters(response.location)


def test_refresh_is_challenged_until_a_sign_in_asks_for_the_claims(client):
    """The refused refresh token is not spent: without the challenge it goes on."""
    old = refresh_token(client)
    change(client, required_claims=CLAIMS)
    challenged = refresh(client, old)
    without = result(authorize(client))
    change(client, required_claims=None)

    assert (challenged.status_code, challenged.json["error"]) == (400, "interaction_required")
    assert (challenged.json["error_codes"], challenged.json["claims"]) == ([50076], CLAIMS)
    assert without["error"] == "interaction_required"
    assert refresh(client, old).status_code == 200


def test_sign_in_that_asks_for_the_claims_satisfies_the_policy(client):
    """Its refresh tokens then go on as any other."""
    change(client, required_claims=CLAIMS)

    assert refresh(client, refresh_token(client, claims=CLAIMS)).status_code == 200


def test_withdrawn_consent_ends_grants_until_an_administrator_consents(client):
    """Neither refresh nor sign-in goes on before."""
    old = refresh_token(client)
    change(client, consent="withdrawn")
    refused = refresh(client, old).json
    sign_in = result(authorize(client))

    granted = result(consent(client, state="s"))

    assert (refused["error_codes"], refused["suberror"]) == ([65001], "consent_required")
    assert sign_in["error"] == "consent_required"
    assert granted == {
        "admin_consent": "True",
        "tenant": TENANT_ID,
        "scope": DEFAULT_SCOPE,
        "state": "s",
    }
    assert refresh(client, old).status_code == 200
    assert "code" in result(authorize(client))


def test_administrator_decides_on_a_page(tmp_path):
    """Accept and Cancel both lead back, without a state where none was sent."""
    client = entra(tmp_path)
    page = consent(client)
    declined = result(consent(client, "POST", form={"decision": "no"}))
    still = client.get("/_control/settings").json["consent"]
    granted = result(consent(client, "POST", form={"decision": "yes"}))

    assert "Permissions requested" in page.text
    assert 'value="yes">Accept' in page.text
    assert (declined["admin_consent"], declined["error"]) == ("True", "consent_required")
    assert declined["error_description"].startswith("AADSTS65004")
    assert (still, set(granted)) == ("personally", {"admin_consent", "tenant", "scope"})
    assert client.get("/_control/settings").json["consent"] == "for_everybody"


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"client_id": "unknown"}, "AADSTS700016"),
        ({"redirect_uri": None}, "AADSTS900971"),
        ({"redirect_uri": "https://elsewhere.example"}, "AADSTS50011"),
        ({"scope": None}, "AADSTS900144"),
    ],
)
def test_wrong_request_for_consent_ends_on_a_page(client, changes, told):
    """Nobody is sent back to where the app did not register."""
    answer = consent(client, **changes)

    assert answer.status_code == 400
    assert told in answer.text


def test_grants_can_be_answered_oddly(client):
    """With fields that nobody knows, with other values, and without what is expected."""
    change(
        client,
        answer_changes={"foo": {"bar": 1}, "expires_in": None, "refresh_token_expires_in": 7200},
    )

    answer = token(client).json

    assert (answer["foo"], answer["refresh_token_expires_in"]) == ({"bar": 1}, 7200)
    assert "expires_in" not in answer
    assert "access_token" in answer
