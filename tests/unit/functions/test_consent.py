"""An administrator's consent over HTTP: the link to its page, and the way back from there."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from tests.builders import TENANT_ID
from tests.fakes import json_answer
from tests.scenes import CODE, TOKEN_URL, parameters, refusal
from tests.unit.functions.test_every_answer import INTEGRATION, Gateway
from tests.unit.functions.test_result_page import ATTACKS, Page
from tests.unit.functions.test_sign_in import AUTHORIZE, HTML, JSON, way_back

LINK = f"https://login.microsoftonline.com/{TENANT_ID}/v2.0/adminconsent?"
GRANTED = f"/api/callback?admin_consent=True&tenant={TENANT_ID}&scope=x"
DECLINED = (
    "/api/callback?admin_consent=True&error=consent_required"
    "&error_description=AADSTS65004%3a+The+administrator+declined."
)


@pytest.fixture
def gateway(monkeypatch):
    """Return a gateway with an integration that nobody is signed in to."""
    gateway = Gateway(monkeypatch)
    gateway.scene.integrate()
    return gateway


def links(answer):
    """Return where the links of a page lead."""
    elements = Page(answer.text).elements
    return [attributes["href"] for tag, attributes in elements if tag == "a"]


def refused(gateway, headers, **changes):
    """Return the answer to a sign-in that the provider's redirect ends so."""
    address, cookie = way_back(gateway.call("GET", AUTHORIZE), code="", **changes)
    return gateway.call("GET", address, headers=cookie | headers)


@pytest.mark.parametrize(
    "changes",
    [
        {"error": "consent_required"},
        {"error": "access_denied", "error_description": "AADSTS65004:+Declined."},
        {"error": "access_denied", "error_description": "AADSTS90094:+An+admin+is+needed."},
    ],
)
def test_page_links_to_the_administrator_s_consent(gateway, changes):
    """One click away for an administrator, and easy to hand on for everybody else."""
    answer = refused(gateway, HTML, **changes)

    (link,) = links(answer)
    assert answer.status_code == 400
    assert link.startswith(LINK)
    assert "state" not in parameters(link)


def test_page_links_to_the_consent_that_the_token_endpoint_asks_for(gateway):
    """The code was redeemed, and the permission was missing."""
    gateway.scene.provider.instead = refusal("invalid_grant", 65001)
    address, cookie = way_back(gateway.call("GET", AUTHORIZE))

    (link,) = links(gateway.call("GET", address, headers=cookie | HTML))

    assert link.startswith(LINK)


def test_script_finds_the_link_in_the_hint(gateway):
    """A problem document has no link to click."""
    answer = refused(gateway, JSON, error="consent_required")

    assert f"An administrator can consent here: {LINK}" in answer.json["hint"]


def test_other_refusals_have_no_link(gateway):
    """A person whose account is unknown needs no administrator's consent."""
    answer = refused(gateway, HTML, error="invalid_grant", error_description="AADSTS50034:+No.")

    assert links(answer) == []


def test_caller_and_status_are_told_the_link(gateway):
    """Whoever looks into the failed flow can hand it to an administrator."""
    gateway.scene.offer()
    gateway.scene.sign_in()
    gateway.scene.clock.advance(minutes=60)
    gateway.scene.provider.instead = refusal("invalid_grant", 65001)

    calls = [gateway.call("POST", f"/api/invoke/{CODE}/GET_WHSE_SHPT_LINES") for _ in range(2)]

    for answer in calls:
        assert (answer.status_code, answer.json["code"]) == (424, "sign_in_required")
        assert LINK in answer.json["hint"]
    cause = gateway.manage("GET", f"{INTEGRATION}/status")["cause"]
    assert cause["admin_consent_url"].startswith(LINK)


def test_granted_consent_is_told_in_plain_words(gateway):
    """No cookie comes with it; the page stays open, for somebody has to sign in next."""
    answer = gateway.call("GET", GRANTED)

    assert (answer.status_code, answer.mimetype) == (200, "text/html")
    assert "Consent was granted" in answer.text
    assert "Now sign in to the integration" in answer.text
    assert 'data-outcome="consent"' in answer.text
    assert gateway.scene.provider.calls == 0
    assert gateway.manage("GET", INTEGRATION)["status"] == "not_authorized"


def test_declined_consent_is_explained(gateway):
    """With Entra's number in our words."""
    answer = gateway.call("GET", DECLINED)

    assert answer.status_code == 400
    assert "Consent was declined. (AADSTS65004)" in answer.text


@pytest.mark.parametrize("attack", ATTACKS)
@pytest.mark.parametrize("name", ["admin_consent", "tenant", "scope", "error", "error_description"])
def test_nothing_of_the_query_is_shown(gateway, attack, name):
    """Anybody can make up such an address."""
    told = {"admin_consent": "True", name: attack}
    query = "&".join(f"{each}={quote(value)}" for each, value in told.items())

    page = Page(gateway.call("GET", f"/api/callback?{query}").text)

    assert attack not in page.text
    assert "img" not in {tag for tag, _ in page.elements}


def test_sign_in_that_was_consented_on_the_way_is_a_sign_in(gateway):
    """Entra's v1.0 pages say admin_consent beside the code as well."""
    address, cookie = way_back(gateway.call("GET", AUTHORIZE), admin_consent="True")

    answer = gateway.call("GET", address, headers=cookie)

    assert "is connected" in answer.text
    assert gateway.manage("GET", INTEGRATION)["status"] == "authorized"


def test_claims_in_the_redirect_are_not_kept(gateway):
    """They come through the browser, and could spoil the next sign-in of somebody else."""
    refused(gateway, HTML, error="interaction_required", claims="{}")

    asked = parameters(gateway.call("GET", AUTHORIZE).headers["Location"])

    assert "claims" not in asked


def test_claims_of_the_token_endpoint_go_into_the_next_sign_in(gateway):
    """They come from the provider itself."""
    body = {"error": "interaction_required", "claims": "{}"}
    gateway.scene.http.on(TOKEN_URL, json_answer(body, status=400))
    address, cookie = way_back(gateway.call("GET", AUTHORIZE))
    gateway.call("GET", address, headers=cookie)

    asked = parameters(gateway.call("GET", AUTHORIZE).headers["Location"])

    assert asked["claims"] == "{}"
