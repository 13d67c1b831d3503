from __future__ import annotations

from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
from werkzeug.test import Client

from dev.sample import BUSINESS_CENTRAL_RESOURCE, CLIENT_ID, CLIENT_SECRET, TENANT_ID
from dev.simulators.entra.app import Entra
from dev.simulators.entra.control import Settings

BASE = "http://127.0.0.1:7091"
ISSUER = f"{BASE}/{TENANT_ID}/v2.0"
CALLBACK = "http://127.0.0.1:7071/api/callback"
# RFC 7636 appendix B.
VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
DEFAULT_SCOPE = f"{BUSINESS_CENTRAL_RESOURCE}/.default"
SCOPE = f"openid profile offline_access {DEFAULT_SCOPE}"


class Clock:
    """A clock that tests turn."""

    def __init__(self):
        self.moment = datetime(2026, 11, 22, 12, tzinfo=UTC)

    def __call__(self):
        """Return the time."""
        return self.moment


class Tenant:
    """The simulator and the steps that an application takes with it."""

    def __init__(self, state):
        self.state = state
        self.clock = Clock()
        self.restart()

    def restart(self):
        """Start the simulator anew with the state that is there."""
        self.client = Client(
            Entra(BASE, state=self.state, settings=Settings(), automatic=True, now=self.clock)
        )

    def sign_in(self, **changes):
        """Return an authorization code."""
        query = {
            "client_id": CLIENT_ID,
            "response_type": "code",
            "redirect_uri": CALLBACK,
            "scope": SCOPE,
            "code_challenge": CHALLENGE,
            "code_challenge_method": "S256",
        } | changes
        response = self.client.get(f"/{TENANT_ID}/oauth2/v2.0/authorize", query_string=query)
        return parse_qs(urlsplit(response.location).query)["code"][0]

    def token(self, grant_type, *, tenant=TENANT_ID, headers=None, **form):
        """Call the token endpoint with the right secret."""
        form = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET} | form
        return self.client.post(
            f"/{tenant}/oauth2/v2.0/token",
            data={"grant_type": grant_type, **form},
            headers=headers,
        )

    def redeem(self, code=None, **changes):
        """Redeem a code, by default a new one."""
        code = code or self.sign_in()
        form = {"code": code, "redirect_uri": CALLBACK, "code_verifier": VERIFIER} | changes
        return self.token("authorization_code", **form)

    def refresh(self, refresh_token, **changes):
        """Use a refresh token."""
        return self.token("refresh_token", refresh_token=refresh_token, **changes)

    def control(self, name, **body):
        """Post to a control URL."""
        return self.client.post(f"/_control/{name}", json=body).json

    def claims(self, token, audience):
        """Return the claims of a token that the published keys confirm."""
        keys = self.client.get(f"/{TENANT_ID}/discovery/v2.0/keys").json
        key = jwt.PyJWKSet.from_dict(keys)[jwt.get_unverified_header(token)["kid"]]
        options = {"verify_exp": False, "verify_nbf": False, "verify_iat": False}
        return jwt.decode(
            token, key, algorithms=["RS256"], audience=audience, issuer=ISSUER, options=options
        )


@pytest.fixture
def tenant(tmp_path):
    """Return a fresh simulator."""
    return Tenant(tmp_path)


def error(response):
    """Return status, error, number and suberror of a refusal."""
    body = response.json
    return response.status_code, body["error"], body["error_codes"][0], body.get("suberror")


def test_code_is_redeemed_for_tokens(tenant):
    """The answer has the documented members, and may not be cached."""
    response = tenant.redeem()

    answer = response.json
    assert answer == {
        "token_type": "Bearer",
        "scope": " ".join(
            f"{BUSINESS_CENTRAL_RESOURCE}/{name}"
            for name in ("Financials.ReadWrite.All", "user_impersonation", ".default")
        ),
        "expires_in": 3600,
        "ext_expires_in": 3600,
        "access_token": answer["access_token"],
        "refresh_token": answer["refresh_token"],
        "id_token": answer["id_token"],
    }
    assert response.headers["Cache-Control"] == "no-store"


def test_access_token_speaks_for_the_person(tenant):
    """Business Central reads from the claims who calls and until when."""
    token = tenant.redeem().json["access_token"]

    claims = tenant.claims(token, BUSINESS_CENTRAL_RESOURCE)
    assert claims["tid"] == TENANT_ID
    assert claims["appid"] == CLIENT_ID
    assert claims["upn"] == "anna@cronus.example"
    assert claims["scp"] == "Financials.ReadWrite.All user_impersonation"
    assert claims["exp"] == int(tenant.clock().timestamp()) + 3600
    assert claims["jti"]
    assert claims["oid"]


def test_id_token_names_the_person_and_echoes_the_nonce(tenant):
    """The application learns who signed in, in answer to its own request."""
    token = tenant.redeem(tenant.sign_in(nonce="once")).json["id_token"]

    claims = tenant.claims(token, CLIENT_ID)
    assert claims["nonce"] == "once"
    assert claims["tid"] == TENANT_ID
    assert claims["name"] == "Anna Lindqvist"
    assert claims["preferred_username"] == "anna@cronus.example"


def test_scope_decides_what_comes_along(tenant):
    """Without `offline_access` and `openid` there is an access token and nothing more."""
    scope = f"{BUSINESS_CENTRAL_RESOURCE}/user_impersonation"

    answer = tenant.redeem(tenant.sign_in(scope=scope)).json

    assert answer["scope"] == scope
    assert answer.keys() == {
        "token_type",
        "scope",
        "expires_in",
        "ext_expires_in",
        "access_token",
    }


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        pytest.param(
            {"code_verifier": "x" * 43}, (400, "invalid_grant", 501481, None), id="verifier"
        ),
        pytest.param({"code_verifier": ""}, (400, "invalid_grant", 501481, None), id="no-verifier"),
        pytest.param(
            {"redirect_uri": "http://localhost:1/api/callback"},
            (401, "invalid_client", 500112, None),
            id="redirect-uri",
        ),
        pytest.param({"code": "made up"}, (400, "invalid_grant", 9002313, None), id="code"),
    ],
)
def test_code_with_wrong_companions_is_refused(tenant, changes, expected):
    """A code is worth nothing alone."""
    assert error(tenant.redeem(**changes)) == expected


def test_code_works_once(tenant):
    """A second use is told from an unknown code."""
    code = tenant.sign_in()
    tenant.redeem(code)

    assert error(tenant.redeem(code)) == (400, "invalid_grant", 54005, None)


def test_code_expires_after_ten_minutes(tenant):
    """A late callback has to start again."""
    code = tenant.sign_in()
    tenant.clock.moment += timedelta(minutes=10)

    assert error(tenant.redeem(code)) == (400, "invalid_grant", 70008, None)


def test_refresh_gives_new_tokens_and_leaves_the_old_one_valid(tenant):
    """Entra rotates without revoking, so that concurrent refreshes are safe."""
    first = tenant.redeem().json["refresh_token"]

    second = tenant.refresh(first).json
    again = tenant.refresh(first).json

    assert second.keys() >= {"access_token", "refresh_token", "id_token"}
    assert len({first, second["refresh_token"], again["refresh_token"]}) == 3


def test_refresh_may_narrow_the_scope(tenant):
    """The scope of a refresh decides about its answer."""
    token = tenant.redeem().json["refresh_token"]
    scope = f"{BUSINESS_CENTRAL_RESOURCE}/user_impersonation"

    answer = tenant.refresh(token, scope=scope).json

    assert answer["scope"] == scope
    assert "id_token" not in answer


@pytest.mark.parametrize("token", ["made up", "ümlaut"])
def test_unknown_refresh_token_counts_as_expired(tenant, token):
    """What cannot be read is treated like a grant long forgotten."""
    assert error(tenant.refresh(token)) == (400, "invalid_grant", 700082, "bad_token")


def test_refresh_token_expires_after_ninety_days_without_use(tenant):
    """Each use gives ninety more days."""
    token = tenant.redeem().json["refresh_token"]
    tenant.clock.moment += timedelta(days=90)
    newer = tenant.refresh(token).json["refresh_token"]
    tenant.clock.moment += timedelta(days=1)

    assert error(tenant.refresh(token)) == (400, "invalid_grant", 700082, "bad_token")
    assert tenant.refresh(newer).status_code == 200


def test_grants_and_key_survive_a_restart(tenant):
    """Old refresh tokens work, and old access tokens are still confirmed."""
    answer = tenant.redeem().json

    tenant.restart()

    assert tenant.refresh(answer["refresh_token"]).status_code == 200
    assert tenant.claims(answer["access_token"], BUSINESS_CENTRAL_RESOURCE)


def test_strict_rotation_revokes_the_grant_of_a_replaced_token(tenant):
    """Who shows an old token ends it for both, also after a restart."""
    tenant.control("settings", strict_rotation=True)
    first = tenant.redeem().json["refresh_token"]
    second = tenant.refresh(first).json["refresh_token"]

    refused = tenant.refresh(first)
    counters = tenant.client.get("/_control/counters").json
    tenant.restart()

    assert error(refused) == (400, "invalid_grant", 50173, "bad_token")
    assert counters["reuse_detections"] == 1
    assert error(tenant.refresh(second)) == (400, "invalid_grant", 50173, "bad_token")


def test_strict_rotation_keeps_a_token_whose_refresh_was_refused(tenant):
    """An invalid scope does not use the token up."""
    tenant.control("settings", strict_rotation=True)
    token = tenant.redeem().json["refresh_token"]

    assert error(tenant.refresh(token, scope="nonsense"))[2] == 70011
    assert tenant.refresh(token).status_code == 200


@pytest.mark.parametrize(
    ("who", "revoked"),
    [
        pytest.param({"upn": "anna@cronus.example"}, 1, id="person"),
        pytest.param({"client_id": CLIENT_ID}, 1, id="application"),
        pytest.param({}, 1, id="all"),
        pytest.param({"upn": "bob@cronus.example"}, 0, id="somebody-else"),
    ],
)
def test_revoked_grant_needs_a_new_sign_in(tenant, who, revoked):
    """Revoking meets the grants that exist, not later ones."""
    token = tenant.redeem().json["refresh_token"]

    answer = tenant.control("revoke", **who)

    assert answer == {"revoked": revoked}
    assert (tenant.refresh(token).status_code == 400) is bool(revoked)
    assert tenant.redeem().status_code == 200


def test_client_credentials_give_an_access_token_alone(tenant):
    """The application speaks for itself, by its roles."""
    answer = tenant.token("client_credentials", scope=DEFAULT_SCOPE).json

    assert answer.keys() == {"token_type", "expires_in", "ext_expires_in", "access_token"}
    claims = tenant.claims(answer["access_token"], BUSINESS_CENTRAL_RESOURCE)
    assert "API.ReadWrite.All" in claims["roles"]
    assert "upn" not in claims


@pytest.mark.parametrize(
    ("scope", "expected"),
    [
        pytest.param("", (400, "invalid_request", 900144, None), id="none"),
        pytest.param(
            f"{BUSINESS_CENTRAL_RESOURCE}/API.ReadWrite.All",
            (400, "invalid_scope", 1002012, None),
            id="not-default",
        ),
        pytest.param(
            f"offline_access {DEFAULT_SCOPE}", (400, "invalid_scope", 70011, None), id="openid"
        ),
        pytest.param(
            "https://graph.example/.default",
            (400, "invalid_resource", 500011, None),
            id="unknown-resource",
        ),
    ],
)
def test_client_credentials_with_other_scope_are_refused(tenant, scope, expected):
    """Only `.default` of a known resource will do."""
    assert error(tenant.token("client_credentials", scope=scope)) == expected


def test_client_credentials_need_a_concrete_tenant(tenant):
    """Nobody signs in, so nothing tells which tenant `common` is."""
    response = tenant.token("client_credentials", tenant="common", scope=DEFAULT_SCOPE)

    assert error(response) == (400, "invalid_request", 50059, None)


@pytest.mark.parametrize(
    ("grant_type", "expected"),
    [
        pytest.param("", (400, "invalid_request", 900144, None), id="none"),
        pytest.param("password", (400, "unsupported_grant_type", 70003, None), id="unknown"),
    ],
)
def test_other_grant_types_are_refused(tenant, grant_type, expected):
    """The simulator knows the three grants that the gateway uses."""
    assert error(tenant.token(grant_type)) == expected


@pytest.mark.parametrize("grant_type", ["authorization_code", "refresh_token"])
def test_missing_parameter_is_refused(tenant, grant_type):
    """A grant without its code or token is no grant."""
    assert error(tenant.token(grant_type)) == (400, "invalid_request", 900144, None)


def test_unknown_tenant_is_refused(tenant):
    """A tenant id that is mistyped has its own number."""
    response = tenant.token("client_credentials", tenant="contoso", scope=DEFAULT_SCOPE)

    assert error(response) == (400, "invalid_request", 90002, None)


def test_error_body_is_complete(tenant):
    """A refusal tells when and under which correlation id it happened."""
    body = tenant.token("password", headers={"client-request-id": "our-id"}).json

    assert body == {
        "error": "unsupported_grant_type",
        "error_description": body["error_description"],
        "error_codes": [70003],
        "timestamp": "2026-11-22 12:00:00Z",
        "trace_id": body["trace_id"],
        "correlation_id": "our-id",
        "error_uri": "https://login.microsoftonline.com/error?code=70003",
    }
    assert body["error_description"].startswith("AADSTS70003: ")
    assert body["error_description"].endswith(
        f"Trace ID: {body['trace_id']} Correlation ID: our-id Timestamp: 2026-11-22 12:00:00Z"
    )
