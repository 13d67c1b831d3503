"""A provider that is not ours works too, connected by nothing but its URLs."""

import time

import pytest

from tests.e2e.foreign.provider import PERSON
from tests.e2e.foreign.shop import endpoint
from tests.e2e.foreign.upstream import GREETING
from tests.e2e.gateway import problem
from tests.e2e.processes import INSTANCES


@pytest.fixture(params=["client_secret_basic", "client_secret_post"])
def for_person(request, shop):
    """Return an integration that people sign in to; its secret travels in one way or the other."""
    return shop.for_person(request.param)


def test_sign_in_at_a_strict_provider_serves_calls_on_both_instances(gateway, shop, for_person):
    """Code, PKCE, consent for offline access, `iss` in the redirect: all at once, and it works."""
    gateway.store(for_person, endpoint())
    page = gateway.sign_in(shop.code)
    assert (page.status, page.texts[1:3]) == (
        200,
        ["Signed in", f"The shop is connected as {PERSON}."],
    )
    for instance in INSTANCES:
        answer = gateway.invoke(f"{shop.code}/ORDERS", method="GET", instance=instance)
        assert (answer.status_code, answer.json()) == (200, GREETING)
    [redeemed] = shop.provider.calls("/token")
    assert redeemed["grant_type"] == "authorization_code"
    assert "scope" not in redeemed
    assert ("client_secret" in redeemed) == (for_person["client_auth"] == "client_secret")


def test_rotating_refresh_tokens_are_never_used_twice(gateway, shop):
    """Refreshed again and again by either instance, the family of tokens stays alive."""
    shop.provider.expires_in = 0.5
    gateway.store(shop.for_person(), endpoint())
    gateway.sign_in(shop.code)
    for instance in (1, 2, 1):
        time.sleep(0.5)
        answer = gateway.invoke(f"{shop.code}/ORDERS", method="GET", instance=instance)
        assert answer.status_code == 200, answer.text
    refreshes = shop.provider.calls("/token", "refresh_token")
    assert len({form["refresh_token"] for form in refreshes}) == len(refreshes) == 3
    assert all("scope" not in form for form in refreshes)


def test_deauthorize_revokes_at_the_provider(gateway, shop, for_person):
    """Deauthorizing revokes the newest refresh token, with the client's own proof."""
    gateway.store(for_person, endpoint())
    gateway.sign_in(shop.code)
    ended = gateway.manage("POST", f"deauthorize/{shop.code}", instance=2)
    assert ended["revoked"] is True
    [revoked] = shop.provider.calls("/revoke")
    assert revoked["token"] in shop.provider.grants.issued
    assert revoked["token_type_hint"] == "refresh_token"
    problem(
        gateway.invoke(f"{shop.code}/ORDERS", method="GET", instance=2), 424, "sign_in_required"
    )


def test_grant_that_the_provider_revokes_asks_for_a_sign_in(gateway, shop):
    """A revoked family costs one refused refresh; after that nobody asks the provider again."""
    gateway.store(shop.for_person(), endpoint())
    gateway.sign_in(shop.code)
    shop.provider.grants.revoke_all()
    for instance in (*INSTANCES, *INSTANCES):
        answer = gateway.invoke(f"{shop.code}/ORDERS", method="GET", instance=instance)
        problem(answer, 424, "sign_in_required")
    assert len(shop.provider.calls("/token", "refresh_token")) == 1
    assert gateway.status(shop.code)["status"] == "needs_sign_in"
    gateway.sign_in(shop.code)
    assert gateway.invoke(f"{shop.code}/ORDERS", method="GET", instance=2).status_code == 200


def test_sign_in_without_offline_access_says_that_it_ends_with_its_token(gateway, shop):
    """A provider that gives no refresh token is no error, and the page tells what to do."""
    gateway.store(shop.for_person(scope="openid orders"), endpoint())
    page = gateway.sign_in(shop.code)
    assert page.texts[1] == "Signed in"
    assert "offline_access" in page.texts[3]
    shop.provider.grants.expire_access_tokens()
    answer = gateway.invoke(f"{shop.code}/ORDERS", method="GET")
    problem(answer, 424, "sign_in_required")


def test_client_credentials_need_no_person(gateway, shop):
    """The app's own token is fetched at the first call, shared, and fetched anew when it ends."""
    gateway.store(shop.for_app(), endpoint())
    for instance in INSTANCES:
        answer = gateway.invoke(f"{shop.code}/ORDERS", method="GET", instance=instance)
        assert answer.status_code == 200, answer.text
    assert shop.provider.calls("/token") == [
        {"grant_type": "client_credentials", "scope": "orders"}
    ]
    shop.provider.grants.expire_access_tokens()
    for instance in INSTANCES:
        answer = gateway.invoke(f"{shop.code}/ORDERS", method="GET", instance=instance)
        assert answer.status_code == 200, answer.text
    assert len(shop.provider.calls("/token")) == 2
