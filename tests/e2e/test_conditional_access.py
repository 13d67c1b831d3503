"""What a tenant's policy asks for in between, from the call that meets it to the one that works."""

import base64

import pytest

from dev.demo.warehouse_definitions import ENDPOINTS, integration
from tests.e2e.gateway import consent, problem
from tests.e2e.standing import LISTING
from tests.scenes import parameters

CLAIMS = '{"access_token":{"acrs":{"essential":true,"value":"c1"}}}'


@pytest.fixture
def policy(control):
    """Return a function that changes the tenant's policy until the test ends."""

    def change(**settings):
        control("entra", "POST", "settings", settings)

    yield change
    change(required_claims=None, consent="personally")


@pytest.fixture
def refusing(control):
    """Return a function that lets Business Central refuse the next token with these headers."""

    def refuse(**headers):
        rule = {"path": "ODataV4", "status": 401, "times": 1, "headers": headers}
        control("business_central", "POST", "faults", rule)

    yield refuse
    control("business_central", "DELETE", "faults")


def test_claims_challenge_is_answered_by_the_next_sign_in(gateway, code, policy, refusing):
    """Refused with claims, shown, asked for at the sign-in, and over."""
    gateway.store(integration(gateway.ports) | {"code": code}, *ENDPOINTS)
    gateway.sign_in(code)
    policy(required_claims=CLAIMS)
    claims = base64.b64encode(CLAIMS.encode()).decode()
    refusing(**{"WWW-Authenticate": f'Bearer error="insufficient_claims", claims="{claims}"'})
    refused = problem(gateway.invoke(f"{code}/{LISTING}"), 424, "sign_in_required")
    status = gateway.status(code)
    browser, address = gateway.begin_sign_in(code, instance=2)
    page = consent(browser, browser.open(address))
    assert (status["status"], status["cause"]["detail"]) == ("needs_sign_in", refused["detail"])
    assert "AADSTS50076" in refused["detail"]
    assert parameters(address)["claims"] == CLAIMS
    assert (page.status, page.texts[1]) == (200, "Signed in")
    assert gateway.invoke(f"{code}/{LISTING}").status_code == 200
    assert gateway.status(code)["cause"] is None
    assert "claims" not in parameters(gateway.begin_sign_in(code)[1])


def test_consent_of_an_administrator_makes_calls_work_again(gateway, code, policy, refusing):
    """The link in the error leads to the page where it is given, and from there to a sign-in."""
    gateway.store(integration(gateway.ports) | {"code": code}, *ENDPOINTS)
    gateway.sign_in(code)
    policy(consent="withdrawn")
    refusing()
    refused = problem(gateway.invoke(f"{code}/{LISTING}"), 424, "sign_in_required")
    link = gateway.status(code)["cause"]["admin_consent_url"]
    without = gateway.sign_in(code)
    browser, _ = gateway.begin_sign_in(code)
    page = browser.open(link)
    granted = browser.press(page, "Accept") if "Accept" in page.buttons else page
    signed_in = gateway.sign_in(code)
    assert link in refused["hint"]
    assert (without.status, without.texts[1]) == (400, "The sign-in was not completed")
    assert (granted.status, granted.texts[1]) == (200, "Consent was granted")
    assert granted.url.startswith(gateway.url("callback?admin_consent=True"))
    assert (signed_in.status, signed_in.texts[1]) == (200, "Signed in")
    assert gateway.invoke(f"{code}/{LISTING}").status_code == 200
