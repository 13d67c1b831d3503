"""Sign-in: what the browser and the token endpoint are asked, and when nobody is asked."""

from __future__ import annotations

import base64
import hashlib

from tests.builders import CLIENT_ID
from tests.scenes import (
    CALLBACK,
    CODE,
    ENTRA,
    TOKEN_URL,
    UNCONDITIONAL,
    cookies,
    failure,
    parameters,
    refusal,
)
from tests.unit.services.authorization.steps import begin

IDP = "https://idp.example.com"
ELSEWHERE = {"authorize_url": f"{IDP}/authorize", "token_url": f"{IDP}/token"}


def test_browser_is_sent_to_the_sign_in_page(scene):
    """The request is RFC 6749's and RFC 7636's, with Entra's defaults."""
    started, asked = begin(scene)

    assert started.authorization_url.startswith(f"{ENTRA}/authorize?")
    assert asked == asked | {
        "client_id": CLIENT_ID,
        "response_type": "code",
        "response_mode": "query",
        "redirect_uri": CALLBACK,
        "scope": "https://api.businesscentral.dynamics.com/.default openid profile offline_access",
        "code_challenge_method": "S256",
    }
    assert "prompt" not in asked


def test_other_provider_is_asked_by_its_own_urls(scene):
    """Its URL may hold a query; OpenID Connect wants consent for offline access."""
    scene.integrate(
        code="SHOP",
        tenant_id="",
        authorize_url=f"{IDP}/authorize?brand=x",
        token_url=f"{IDP}/token",
        scope="orders offline_access",
        redirect_uri="https://gateway.example/elsewhere",
    )

    url = scene.services.authorization.begin("SHOP").authorization_url

    assert url.startswith(f"{IDP}/authorize?brand=x&")
    asked = parameters(url)
    assert (asked["scope"], asked["prompt"]) == ("orders offline_access", "consent")
    assert asked["redirect_uri"] == "https://gateway.example/elsewhere"
    assert "nonce" not in asked


def test_code_is_redeemed_with_the_verifier_of_the_challenge(scene):
    """RFC 7636 section 4.6: the challenge is the verifier's hash."""
    started, asked = begin(scene)
    scene.services.authorization.finish(scene.consent(started), cookies(started))

    (form,) = scene.provider.forms
    hashed = hashlib.sha256(form["code_verifier"].encode()).digest()
    assert base64.urlsafe_b64encode(hashed).decode().rstrip("=") == asked["code_challenge"]
    assert form == form | {
        "grant_type": "authorization_code",
        "code": "the-code",
        "redirect_uri": CALLBACK,
        "client_id": CLIENT_ID,
    }


def test_provider_elsewhere_gets_the_code_and_no_scope(scene):
    """RFC 6749 section 4.1.3 knows no scope there; only Entra wants it."""
    scene.http.script(ELSEWHERE["token_url"], scene.provider)
    scene.services.integrations.patch(CODE, ELSEWHERE | {"client_secret": "x"}, UNCONDITIONAL)

    scene.sign_in()

    assert "scope" not in scene.provider.forms[0]
    assert not scene.http.sent_to(TOKEN_URL)


def test_app_connects_without_a_person(scene):
    """With client credentials, authorize obtains a token at once, and says if that fails."""
    changes = {"grant_type": "client_credentials", "client_secret": "x"}
    scene.services.integrations.patch(CODE, changes, UNCONDITIONAL)

    assert scene.services.authorization.begin(CODE) is None
    assert scene.services.integrations.get(CODE).document["status"] == "authorized"
    scene.provider.instead = refusal("invalid_client", 7000215, status=401)
    error = failure(lambda: scene.services.authorization.begin(CODE))
    assert error.kind.code == "identity_misconfigured"


def test_sign_in_without_a_secret_is_not_begun(scene):
    """The person would sign in for nothing."""
    scene.services.integrations.patch(CODE, {"client_secret": None}, UNCONDITIONAL)

    error = failure(lambda: begin(scene))

    assert (error.kind.code, error.kind.status) == ("identity_misconfigured", 424)
    assert not scene.sign_ins.rows


def test_sign_in_to_an_unknown_integration_is_not_begun(scene):
    """The code is checked first."""
    error = failure(lambda: scene.services.authorization.begin("NOPE"))

    assert error.kind.code == "integration_not_found"


def test_storage_outage_begins_no_sign_in(scene):
    """It could not be finished."""
    scene.sign_ins.fail()

    assert failure(lambda: begin(scene)).kind.code == "storage_unavailable"
