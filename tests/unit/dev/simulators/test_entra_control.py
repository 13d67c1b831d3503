from __future__ import annotations

from datetime import UTC, datetime

import pytest
from werkzeug.test import Client

from dev.sample import BUSINESS_CENTRAL_RESOURCE, CLIENT_ID, CLIENT_SECRET, TENANT_ID
from dev.simulators.entra.app import Entra
from dev.simulators.entra.control import Settings

DEFAULT_SCOPE = f"{BUSINESS_CENTRAL_RESOURCE}/.default"
CALLBACK = "http://localhost:7071/api/callback"


@pytest.fixture
def client(tmp_path):
    """Return a client of a fresh simulator that signs in by itself."""
    return Client(
        Entra(
            "http://127.0.0.1:7091",
            state=tmp_path,
            settings=Settings(),
            automatic=True,
            now=lambda: datetime(2026, 11, 22, 12, tzinfo=UTC),
        )
    )


def token(client, grant_type="client_credentials", **form):
    """Call the token endpoint."""
    form = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, "scope": DEFAULT_SCOPE} | form
    return client.post(f"/{TENANT_ID}/oauth2/v2.0/token", data={"grant_type": grant_type, **form})


def authorize(client, **changes):
    """Open the authorize URL with some more parameters."""
    query = {
        "client_id": CLIENT_ID,
        "response_type": "code",
        "redirect_uri": CALLBACK,
        "scope": f"offline_access {DEFAULT_SCOPE}",
        # RFC 7636 appendix B.
        "code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
        "code_challenge_method": "S256",
    }
    return client.get("/common/oauth2/v2.0/authorize", query_string=query | changes)


def refresh_token(client, **changes):
    """Sign in and return the refresh token."""
    answer = token(
        client,
        "authorization_code",
        code=authorize(client, **changes).location.partition("code=")[2],
        redirect_uri=CALLBACK,
        code_verifier="dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
    )
    return answer.json["refresh_token"]


def change(client, **settings):
    """Change settings and return them all."""
    response = client.post("/_control/settings", json=settings)
    assert response.status_code == 200
    return response.json


def test_settings_keep_what_is_not_named(client):
    """A change is merged into the settings, which can be read."""
    change(client, access_token_seconds=5)
    answer = change(client, rotate=False)

    assert (answer["access_token_seconds"], answer["rotate"]) == (5, False)
    assert client.get("/_control/settings").json == answer


@pytest.mark.parametrize(
    ("name", "body"),
    [
        pytest.param("settings", {"unheard_of": 1}, id="unknown-setting"),
        pytest.param("settings", {"access_token_seconds": "5"}, id="wrong-type"),
        pytest.param("revoke", {"person": "anna"}, id="unknown-field"),
        pytest.param("certificates", {"certificate": "none"}, id="no-certificate"),
    ],
)
def test_faulty_control_request_is_refused(client, name, body):
    """A mistake in a test shows at once."""
    assert client.post(f"/_control/{name}", json=body).status_code == 400


def test_unknown_control_url_is_not_found(client):
    """Likewise a mistyped URL."""
    assert client.get("/_control/unheard-of").status_code == 404


def test_access_token_seconds_shorten_tokens(client):
    """Short lives let tests see a refresh soon."""
    change(client, access_token_seconds=5)

    assert token(client).json["expires_in"] == 5


def test_expires_in_as_text_answers_like_the_old_endpoint(client):
    """The v1.0 endpoint gives numbers as strings."""
    change(client, expires_in_as_text=True)

    assert token(client).json["expires_in"] == "3600"


def test_secret_expired_refuses_the_right_secret(client):
    """Secrets end, and Entra says that it was the right one."""
    change(client, secret_expired=True)

    body = token(client).json

    assert (body["error"], body["error_codes"]) == ("invalid_client", [7000222])


def test_html_error_answers_no_json(client):
    """A front end may answer in the place of the service."""
    change(client, html_error=True)

    response = token(client)

    assert (response.status_code, response.mimetype) == (503, "text/html")


def test_deny_refuses_the_next_calls_only(client):
    """A denial is spent call by call."""
    claims = '{"access_token":{"capolids":{"essential":true,"values":["1"]}}}'
    denial = {
        "error": "interaction_required",
        "error_codes": [50076],
        "error_description": "AADSTS50076: A second factor is needed.",
        "suberror": "basic_action",
        "claims": claims,
        "times": 2,
    }
    change(client, deny=denial)

    answers = [token(client) for _ in range(3)]

    assert [answer.status_code for answer in answers] == [400, 400, 200]
    body = answers[0].json
    assert body["error"] == "interaction_required"
    assert body["error_codes"] == [50076]
    assert body["error_description"].startswith("AADSTS50076: A second factor is needed. Trace")
    assert (body["suberror"], body["claims"]) == ("basic_action", claims)


def test_deny_may_choose_the_status(client):
    """Throttling comes with a status of its own."""
    denial = {"error": "temporarily_unavailable", "error_codes": [90055], "status": 429}
    change(client, deny=denial)

    assert token(client).status_code == 429


def test_rotate_off_repeats_the_refresh_token(client):
    """Some providers keep one refresh token."""
    change(client, rotate=False, strict_rotation=True)
    first = refresh_token(client)

    answers = [token(client, "refresh_token", refresh_token=first).json for _ in range(2)]

    assert [answer["refresh_token"] for answer in answers] == [first, first]


def test_omit_refresh_token_leaves_it_out_of_a_refresh(client):
    """Others say nothing about it, which means the same."""
    change(client, omit_refresh_token=True)
    first = refresh_token(client)

    answer = token(client, "refresh_token", refresh_token=first)

    assert answer.status_code == 200
    assert "refresh_token" not in answer.json


def test_counters_tell_calls_by_kind(client):
    """Tests see how often the gateway came, refused calls included."""
    token(client, "refresh_token", refresh_token=refresh_token(client))
    token(client, "refresh_token", refresh_token="made up")

    assert client.get("/_control/counters").json == {
        "authorize": 1,
        "token": {"authorization_code": 1, "refresh_token": 2},
        "reuse_detections": 0,
    }
