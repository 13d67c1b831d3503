"""Sign-in as scripts and browsers go through it."""

import pytest

from dev import sample
from dev.demo.gateway_client import http_session
from dev.demo.warehouse_definitions import integration
from tests.e2e.gateway import consent, problem
from tests.e2e.processes import INSTANCES

KEY = {"x-functions-key": sample.HOST_KEY}


@pytest.fixture
def jar():
    """Return a session with cookies of its own."""
    with http_session() as session:
        yield session


def test_sign_in_with_a_plain_cookie_jar_authorizes_on_both_instances(gateway, code, jar):
    """A script walks the sign-in with requests alone; the keys never go to the provider."""
    bc = gateway.store(integration(gateway.ports) | {"code": code})
    as_json = {"Accept": "application/json"}
    started = jar.get(gateway.url(f"authorize/{bc}", instance=2), headers=KEY | as_json)
    address = started.json()["authorization_url"]
    callback = jar.get(address, headers={"X-Simulator-Sign-In": "yes"}, allow_redirects=False)
    finished = jar.get(callback.headers["Location"], headers=as_json)
    again = jar.get(callback.headers["Location"], headers=as_json)
    expected = {"integration": bc, "status": "authorized"}
    assert finished.json() == expected | {"signed_in_as": sample.USER_PRINCIPAL_NAME}
    problem(again, 400, "sign_in_expired")
    shown = [gateway.manage("GET", f"integrations/{bc}", instance=each) for each in INSTANCES]
    assert shown[0] == shown[1]
    assert shown[0]["is_valid_auth"]
    assert shown[0]["signed_in_as"] == sample.USER_PRINCIPAL_NAME
    assert "client_secret" not in shown[0]
    first, second = (gateway.status(bc, instance=each) for each in INSTANCES)
    left = [status["access_token"].pop("expires_in_seconds") for status in (first, second)]
    ages = [status["access_token"].pop("age_seconds") for status in (first, second)]
    assert first == second
    assert all(3500 < seconds <= 3600 for seconds in left)
    assert all(0 <= seconds < 100 for seconds in ages)


def test_browser_that_starts_a_sign_in_gets_a_cookie_of_its_own(gateway, code, jar):
    """The cookie is out of reach of scripts and other sites, and the key leaves no trace."""
    gateway.store(integration(gateway.ports) | {"code": code})
    address = f"{gateway.url(f'authorize/{code}')}?code={sample.HOST_KEY}"
    started = [jar.get(address, allow_redirects=False) for _ in range(2)]
    cookies = [answer.headers["Set-Cookie"].lower() for answer in started]
    for cookie in cookies:
        attributes = set(cookie.split("; ")[1:])
        assert {"httponly", "samesite=lax", "path=/", "max-age=600"} <= attributes
    assert len({cookie.partition("=")[0] for cookie in cookies}) == 2
    for answer in started:
        assert (answer.status_code, answer.headers["Referrer-Policy"]) == (302, "no-referrer")
        assert sample.HOST_KEY not in answer.headers["Location"]


def test_sign_ins_side_by_side_in_one_browser_all_end_well(gateway, shop, jar):
    """Each sign-in has its own cookie, so that none is in the way of another."""
    gateway.store(shop.for_person())
    address = gateway.url(f"authorize/{shop.code}")
    started = [jar.get(address, headers=KEY, allow_redirects=False) for _ in range(3)]
    for answer in reversed(started):
        assert jar.get(answer.headers["Location"]).status_code == 200
    assert not jar.cookies
    assert gateway.status(shop.code)["status"] == "authorized"


def test_code_of_another_browser_is_refused(gateway, shop):
    """Whoever takes a redirect over without the cookie finishes nothing, and redeems nothing."""
    gateway.store(shop.for_person())
    _, address = gateway.begin_sign_in(shop.code)
    thief, _ = gateway.begin_sign_in(shop.code)
    page = consent(thief, thief.open(address))
    assert (page.status, page.texts[1]) == (400, "This sign-in cannot be finished")
    assert shop.provider.calls("/token") == []
