from __future__ import annotations

from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

import pytest
from werkzeug.test import Client

from dev.sample import BUSINESS_CENTRAL_RESOURCE, CLIENT_ID, TENANT_ID
from dev.simulators.entra.app import Entra
from dev.simulators.entra.control import Settings

BASE = "http://127.0.0.1:7091"
CALLBACK = "http://127.0.0.1:7071/api/callback"
PATH = f"/{TENANT_ID}/oauth2/v2.0/authorize"
QUERY = {
    "client_id": CLIENT_ID,
    "response_type": "code",
    "redirect_uri": CALLBACK,
    "response_mode": "query",
    "scope": f"openid profile offline_access {BUSINESS_CENTRAL_RESOURCE}/.default",
    "state": "a state & more",
    "code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
    "code_challenge_method": "S256",
}


def entra(state, *, automatic=False):
    """Return a client of a simulator with this state."""
    return Client(
        Entra(
            BASE,
            state=state,
            settings=Settings(),
            automatic=automatic,
            now=lambda: datetime(2026, 11, 22, 12, tzinfo=UTC),
        )
    )


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    """Return a client of one simulator for all tests here."""
    return entra(tmp_path_factory.mktemp("state"))


def ask(client, *, path=PATH, headers=None, **changes):
    """Open the authorize URL with some parameters changed; None leaves one out."""
    query = {name: value for name, value in (QUERY | changes).items() if value is not None}
    return client.get(path, query_string=query, headers=headers)


def decide(client, **form):
    """Send the form of the sign-in page."""
    return client.post(PATH, query_string=QUERY, data=form)


def parameters(response):
    """Return what the browser brings back to the callback."""
    assert response.status_code == 302
    target = urlsplit(response.location)
    assert target._replace(query="").geturl() == CALLBACK
    return {name: values[0] for name, values in parse_qs(target.query).items()}


def test_sign_in_page_names_accounts_and_permissions(client):
    """A person sees who can sign in and what the application will be able to do."""
    page = ask(client).text

    assert "Anna Lindqvist" in page
    assert "Bob Holm" in page
    assert "Stay connected while you are away" in page
    assert f"{BUSINESS_CENTRAL_RESOURCE}/.default" in page


def test_sign_in_page_runs_no_script_and_leaves_its_opener(client):
    """The policy allows the page's own style and its form, and nothing else."""
    response = ask(client)

    policy = response.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; style-src 'nonce-")
    assert "form-action 'self' http://127.0.0.1:7071;" in policy
    assert "<script" not in response.text
    assert response.headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert response.headers["Cache-Control"] == "no-store"


def test_sign_in_returns_code_and_state(client):
    """The button leads back to the redirect URI."""
    result = parameters(decide(client, account="anna@cronus.example", decision="yes"))

    assert result.keys() == {"code", "state"}
    assert result["state"] == QUERY["state"]


def test_form_without_decision_shows_the_page_again(client):
    """Nothing happens before a button is pressed."""
    response = decide(client, account="bob@cronus.example")

    assert response.status_code == 200
    assert 'value="bob@cronus.example" checked' in response.text


def test_cancel_returns_access_denied(client):
    """A person who declines is sent back as Entra does it."""
    result = parameters(decide(client, account="anna@cronus.example", decision="no"))

    assert result["error"] == "access_denied"
    assert result["error_subcode"] == "cancel"
    assert result["error_description"].startswith("AADSTS65004: ")
    assert result["state"] == QUERY["state"]


@pytest.mark.parametrize(
    ("account", "error", "number"),
    [
        pytest.param("bob@cronus.example", "consent_required", "AADSTS65001", id="no-consent"),
        pytest.param("eve@cronus.example", "invalid_grant", "AADSTS50034", id="unknown"),
    ],
)
def test_account_that_cannot_sign_in_returns_error(client, account, error, number):
    """Not everybody may use the application."""
    result = parameters(decide(client, account=account, decision="yes"))

    assert (result["error"], result["error_description"].split(":")[0]) == (error, number)


@pytest.mark.parametrize(
    ("query", "headers"),
    [
        pytest.param({"login_hint": "auto@cronus.example"}, {}, id="login-hint"),
        pytest.param({}, {"X-Simulator-Sign-In": "yes"}, id="header"),
    ],
)
def test_automatic_mode_signs_in_at_once(client, query, headers):
    """Scripts walk through the sign-in without a page."""
    assert "code" in parameters(ask(client, headers=headers, **query))


def test_started_automatic_signs_in_at_once(tmp_path):
    """The whole simulator can do without pages."""
    assert "code" in parameters(ask(entra(tmp_path, automatic=True)))


def test_automatic_refusal_returns_access_denied(client):
    """Scripts can decline, too."""
    result = parameters(ask(client, headers={"X-Simulator-Sign-In": "no"}))

    assert result["error"] == "access_denied"


def test_automatic_mode_takes_the_hinted_account(client):
    """A hint decides who signs in."""
    result = parameters(
        ask(client, headers={"X-Simulator-Sign-In": "yes"}, login_hint="bob@cronus.example")
    )

    assert result["error"] == "consent_required"


@pytest.mark.parametrize(
    ("path", "changes", "number"),
    [
        pytest.param(PATH, {"client_id": "another"}, "AADSTS700016", id="unknown-client"),
        pytest.param(PATH, {"client_id": None}, "AADSTS700016", id="no-client"),
        pytest.param(PATH, {"redirect_uri": None}, "AADSTS900971", id="no-redirect-uri"),
        pytest.param(
            PATH, {"redirect_uri": f"{CALLBACK}/"}, "AADSTS50011", id="other-redirect-uri"
        ),
        pytest.param(
            PATH,
            {"redirect_uri": "http://127.0.0.1:7071@evil.example/api/callback"},
            "AADSTS50011",
            id="foreign-redirect-uri",
        ),
        pytest.param("/contoso/oauth2/v2.0/authorize", {}, "AADSTS90002", id="unknown-tenant"),
    ],
)
def test_request_that_cannot_be_sent_back_ends_on_a_page(client, path, changes, number):
    """Without a trusted redirect URI the person reads the error at Entra."""
    response = ask(client, path=path, **changes)

    assert response.status_code == 400
    assert number in response.text


@pytest.mark.parametrize(
    ("changes", "error", "number"),
    [
        pytest.param({"response_type": None}, "invalid_request", "AADSTS900144", id="no-type"),
        pytest.param(
            {"response_type": "token"}, "unsupported_response_type", "AADSTS70005", id="type"
        ),
        pytest.param({"response_mode": "fragment"}, "invalid_request", "AADSTS70007", id="mode"),
        pytest.param({"scope": None}, "invalid_request", "AADSTS900144", id="no-scope"),
        pytest.param({"scope": "openid"}, "invalid_scope", "AADSTS70011", id="no-resource"),
        pytest.param({"scope": "User.Read"}, "invalid_scope", "AADSTS70011", id="short-scope"),
        pytest.param(
            {"scope": f"{BUSINESS_CENTRAL_RESOURCE}/Nothing"},
            "invalid_scope",
            "AADSTS70011",
            id="unknown-permission",
        ),
        pytest.param(
            {
                "scope": f"{BUSINESS_CENTRAL_RESOURCE}/.default "
                f"{BUSINESS_CENTRAL_RESOURCE}/user_impersonation"
            },
            "invalid_scope",
            "AADSTS70011",
            id="default-and-more",
        ),
        pytest.param(
            {"scope": "https://graph.example/.default"},
            "invalid_resource",
            "AADSTS500011",
            id="unknown-resource",
        ),
        pytest.param({"code_challenge": None}, "invalid_request", "AADSTS50147", id="no-pkce"),
        pytest.param(
            {"code_challenge_method": "plain"}, "invalid_request", "AADSTS50147", id="plain"
        ),
    ],
)
def test_faulty_request_returns_error_and_state(client, changes, error, number):
    """Later errors go to the redirect URI."""
    result = parameters(ask(client, **changes))

    assert (result["error"], result["error_description"].split(":")[0]) == (error, number)
    assert result["state"] == QUERY["state"]


@pytest.mark.parametrize("tenant", ["common", "organizations", TENANT_ID.upper()])
def test_tenant_is_found_by_other_names(client, tenant):
    """The shared names lead to the sample tenant."""
    assert ask(client, path=f"/{tenant}/oauth2/v2.0/authorize").status_code == 200


def test_discovery_describes_the_tenant_without_revocation(client):
    """Every address is below the tenant's, and there is no endpoint to revoke a token."""
    document = client.get("/common/v2.0/.well-known/openid-configuration").json

    assert document["issuer"] == f"{BASE}/{TENANT_ID}/v2.0"
    assert document["token_endpoint"] == f"{BASE}/{TENANT_ID}/oauth2/v2.0/token"
    assert "revocation_endpoint" not in document


def test_sign_out_returns_to_registered_address(client):
    """Entra sends the browser to no other place than a registered one."""
    path = f"/{TENANT_ID}/oauth2/v2.0/logout"

    back = client.get(path, query_string={"post_logout_redirect_uri": CALLBACK})
    stay = client.get(path, query_string={"post_logout_redirect_uri": "https://evil.example"})

    assert back.location == CALLBACK
    assert stay.status_code == 200
