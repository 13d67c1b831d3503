"""Wrong credentials, and services that are down or misbehave: each is told clearly."""

import socket

import pytest

from dev import sample
from dev.demo.warehouse_definitions import ENDPOINTS, integration
from dev.stack.ports import HOST
from tests.e2e.foreign.server import Reply
from tests.e2e.foreign.shop import endpoint
from tests.e2e.gateway import consent, problem
from tests.e2e.processes import INSTANCES

LISTING = "GET_WHSE_SHPT_LINES"


def test_missing_secret_is_told_before_anybody_signs_in(gateway, code):
    """Without its secret an integration is stored, misconfigured, and never sent to sign in."""
    definition = integration(gateway.ports) | {"code": code, "client_secret": None}
    gateway.store(definition, *ENDPOINTS[:1])
    assert gateway.manage("GET", f"integrations/{code}")["status"] == "misconfigured"
    document = problem(gateway.call("GET", f"authorize/{code}"), 424, "identity_misconfigured")
    assert "client_secret" in document["hint"]
    problem(gateway.invoke(f"{code}/{LISTING}"), 424, "sign_in_required")


def test_wrong_secret_is_explained_at_the_end_of_the_sign_in(gateway, code):
    """Entra's 7000215 reaches the person in plain words; nothing is kept of the sign-in."""
    definition = integration(gateway.ports) | {"code": code, "client_secret": "wrong"}
    gateway.store(definition)
    before = gateway.manage("GET", f"integrations/{code}")
    page = gateway.sign_in(code)
    assert (page.status, page.texts[1]) == (400, "The sign-in was not completed")
    assert page.texts[2] == "The client secret is wrong. (AADSTS7000215)"
    assert "Store the value (not the id)" in page.texts[3]
    assert gateway.manage("GET", f"integrations/{code}") == before


def test_declined_sign_in_is_explained(gateway, code):
    """A person who says no reads what that means."""
    gateway.store(integration(gateway.ports) | {"code": code})
    browser, address = gateway.begin_sign_in(code)
    page = browser.press(browser.open(address), "Cancel")
    assert (page.status, page.texts[2]) == (400, "Consent was declined. (AADSTS65004)")
    assert gateway.status(code)["status"] == "not_authorized"


def test_wrong_secret_of_an_app_is_told_to_callers_until_it_is_corrected(gateway, code, control):
    """The provider is asked once, not with every call; a new secret counts at once."""
    wrong = {"code": code, "grant_type": "client_credentials", "client_secret": "wrong"}
    gateway.store(integration(gateway.ports) | wrong, *ENDPOINTS[:1])
    before = control("entra", "GET", "counters")["token"].get("client_credentials", 0)
    for instance in (*INSTANCES, *INSTANCES):
        answer = gateway.invoke(f"{code}/{LISTING}", instance=instance)
        document = problem(answer, 424, "identity_misconfigured")
        assert "AADSTS7000215" in document["detail"]
        assert document["source"] == "identity"
    assert control("entra", "GET", "counters")["token"]["client_credentials"] - before == 1
    assert gateway.status(code)["status"] == "misconfigured"
    right = {"client_secret": sample.CLIENT_SECRET}
    gateway.manage("PATCH", f"integrations/{code}", right)
    assert gateway.invoke(f"{code}/{LISTING}").status_code == 200
    assert gateway.status(code, instance=2)["status"] == "authorized"


@pytest.fixture
def closed_port():
    """Return a port that is taken and refuses connections."""
    with socket.socket() as taken:
        taken.bind((HOST, 0))
        yield taken.getsockname()[1]


def test_unreachable_services_are_503_until_they_answer(gateway, shop, closed_port):
    """Provider or service down: callers are told to come back, and that nothing was changed."""
    nowhere = f"http://{HOST}:{closed_port}"
    definition = shop.for_app(base_url=nowhere)
    gateway.store(definition, endpoint(method="POST", timeout_seconds=2))
    unreachable = gateway.invoke(f"{shop.code}/ORDERS")
    document = problem(unreachable, 503, "upstream_unreachable")
    assert (document["source"], document["retryable"]) == ("upstream", True)
    assert int(unreachable.headers["Retry-After"]) > 0
    shown = gateway.manage("GET", f"integrations/{shop.code}")

    other = f"{shop.code}_P"
    gateway.store(definition | {"code": other, "token_url": f"{nowhere}/token"}, endpoint())
    unreachable = gateway.invoke(f"{other}/ORDERS", method="GET")
    document = problem(unreachable, 503, "identity_unavailable")
    assert (document["source"], document["retryable"]) == ("identity", True)
    assert int(unreachable.headers["Retry-After"]) > 0
    assert gateway.status(other)["consecutive_failures"] == 1
    assert gateway.manage("GET", f"integrations/{shop.code}") == shown


def test_unreachable_provider_at_the_end_of_a_sign_in_is_told_on_the_page(
    gateway, shop, closed_port
):
    """The person who signs in reads that the provider does not answer."""
    token_url = f"http://{HOST}:{closed_port}/token"
    gateway.store(shop.for_person(token_url=token_url))
    browser, address = gateway.begin_sign_in(shop.code)
    page = consent(browser, browser.open(address))
    assert (page.status, page.texts[1]) == (503, "The identity provider does not answer")
    assert gateway.status(shop.code)["status"] == "not_authorized"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirect_of_a_service_is_neither_followed_nor_passed_on(gateway, shop, status):
    """A client that followed it would resend its key; the gateway would send its token."""
    gateway.store(shop.for_app(), endpoint(method="POST"))
    target = {"Location": f"{shop.upstream.url}/elsewhere"}
    shop.upstream.replies["/orders"] = Reply(status, headers=target)
    answer = gateway.invoke(f"{shop.code}/ORDERS")
    problem(answer, 424, "upstream_redirect")
    assert "Location" not in answer.headers
    assert [seen.path for seen in shop.upstream.seen] == ["/orders"]


@pytest.mark.parametrize(
    ("status", "method", "expected"),
    [(500, "POST", 409), (503, "POST", 409), (408, "POST", 409), (503, "GET", 503)],
)
def test_server_error_after_a_write_is_an_unknown_outcome(gateway, shop, status, method, expected):
    """Statuses that clients resend by themselves are never passed on for a change."""
    gateway.store(shop.for_app(), endpoint(method=method, timeout_seconds=1))
    shop.upstream.replies["/orders"] = Reply(status, b'{"error": 1}')
    answer = gateway.invoke(f"{shop.code}/ORDERS", method=method)
    if expected == 409:
        told = problem(answer, 409, "outcome_unknown")["upstream"]
        assert told == {"status": status, "body": {"error": 1}}
    else:
        assert (answer.status_code, answer.content) == (status, b'{"error": 1}')
    assert len(shop.upstream.seen) == 1 or method == "GET"


def test_answer_over_the_limit_is_told_and_not_cut(gateway, shop):
    """After a write the error says that the change was made."""
    gateway.store(shop.for_app(), endpoint(method="POST"))
    shop.upstream.replies["/orders"] = Reply(200, b" " * 300_001)
    document = problem(gateway.invoke(f"{shop.code}/ORDERS"), 424, "answer_too_large")
    assert "do not send it again" in document["detail"]


def test_token_that_the_service_never_takes_is_424_after_one_refresh(gateway, shop):
    """A service that refuses fresh tokens costs one refresh, not one for every call."""
    gateway.store(shop.for_app(), endpoint())
    shop.upstream.replies["/orders"] = Reply(401)
    for _ in range(3):
        answer = gateway.invoke(f"{shop.code}/ORDERS", method="GET")
        problem(answer, 424, "upstream_unauthorized")
    assert len(shop.provider.calls("/token")) == 2
