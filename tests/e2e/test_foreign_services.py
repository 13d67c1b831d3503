"""A provider and a service that are not ours work too, connected by nothing but their URLs."""

import time

import pytest

from tests.e2e import wire
from tests.e2e.foreign.provider import PERSON
from tests.e2e.foreign.server import Reply
from tests.e2e.foreign.shop import CLIENT_ID, endpoint
from tests.e2e.foreign.upstream import GREETING
from tests.e2e.gateway import consent, problem
from tests.e2e.processes import INSTANCES

# What may reach a service: the caller's headers of the contract's list, and those of any client.
PASSED_ON = {
    "accept": "application/json;odata.metadata=none",
    "accept-language": "sv-SE",
    "content-type": "application/vnd.shop+json",
    "if-match": 'W/"7"',
    "if-none-match": "*",
    "prefer": "odata.maxpagesize=3",
    "isolation": "snapshot",
    "data-access-intent": "ReadOnly",
    "odata-version": "4.0",
    "odata-maxversion": "4.01",
}
OWN = {
    *("host", "user-agent", "accept-encoding", "connection", "content-length"),
    *("authorization", "client-request-id"),
}
KEPT_BACK = {
    "Authorization": "Bearer of-the-caller",
    "Cookie": "session=of-the-caller",
    "Forwarded": "for=192.0.2.1",
    "X-Forwarded-For": "192.0.2.1",
    "X-Forwarded-Host": "evil.example",
    "X-Original-URL": "/admin",
    "X-HTTP-Method-Override": "DELETE",
    "X-MS-CLIENT-PRINCIPAL": "e30=",
    "Origin": "https://evil.example",
    "Referer": "https://evil.example/?code=secret",
    "Traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    "Idempotency-Key": "of-the-caller",
    "X-Anything": "else",
}


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


def test_rotating_refresh_tokens_are_never_used_twice(gateway, shop, for_person):
    """Refreshed again and again by either instance, the family of tokens stays alive."""
    shop.provider.expires_in = 0.5
    gateway.store(for_person, endpoint())
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


def test_grant_that_the_provider_revokes_asks_for_a_sign_in(gateway, shop, for_person):
    """A revoked family costs one refused refresh; after that nobody asks the provider again."""
    gateway.store(for_person, endpoint())
    gateway.sign_in(shop.code)
    shop.provider.grants.revoke_all()
    for instance in (*INSTANCES, *INSTANCES):
        answer = gateway.invoke(f"{shop.code}/ORDERS", method="GET", instance=instance)
        problem(answer, 424, "sign_in_required")
    assert len(shop.provider.calls("/token", "refresh_token")) == 1
    assert gateway.status(shop.code)["status"] == "needs_sign_in"
    gateway.sign_in(shop.code)
    assert gateway.invoke(f"{shop.code}/ORDERS", method="GET", instance=2).status_code == 200


def test_sign_in_without_offline_access_says_that_it_ends_with_its_token(gateway, shop, for_person):
    """A provider that gives no refresh token is no error, and the page tells what to do."""
    definition = for_person | {"scope": "openid orders"}
    gateway.store(definition, endpoint())
    page = gateway.sign_in(shop.code)
    assert page.texts[1] == "Signed in"
    assert "offline_access" in page.texts[3]
    shop.provider.grants.expire_access_tokens()
    answer = gateway.invoke(f"{shop.code}/ORDERS", method="GET")
    problem(answer, 424, "sign_in_required")


def test_code_of_another_browser_is_refused(gateway, shop, for_person):
    """Whoever takes a redirect over without the cookie finishes nothing, and redeems nothing."""
    gateway.store(for_person)
    _, address = gateway.begin_sign_in(shop.code)
    thief, _ = gateway.begin_sign_in(shop.code)
    page = consent(thief, thief.open(address))
    assert (page.status, page.texts[1]) == (400, "This sign-in cannot be finished")
    assert shop.provider.calls("/token") == []


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


def test_nothing_reaches_the_service_but_what_the_contract_lists(gateway, shop):
    """Keys, cookies, the caller's credentials and forwarding headers end at the gateway."""
    stored = endpoint("NEW_ORDER", method="POST", headers={"X-Shop": "7"})
    gateway.store(shop.for_app(), stored)
    body = b'{"no":  "1002", "price": 12.30, "weight": 1e2}'
    answer = gateway.call(
        "POST",
        f"invoke/{shop.code}/NEW_ORDER?code=dev-invoke-key&gw_trace=1&x=1",
        data=body,
        headers=PASSED_ON | KEPT_BACK,
    )
    assert answer.status_code == 200, answer.text
    [seen] = shop.upstream.seen
    assert (seen.line, seen.body) == ("POST /orders?x=1 HTTP/1.1", body)
    assert seen.header_names - OWN == PASSED_ON.keys() | {"x-shop"}
    assert {name: seen.header(name) for name in PASSED_ON} == PASSED_ON
    assert len(seen.headers) == len(seen.header_names)
    assert seen.header("Authorization").removeprefix("Bearer ") in shop.provider.grants.issued
    assert seen.header("Host") == shop.upstream.url.removeprefix("http://")
    assert seen.header("Client-Request-Id") == answer.headers["X-Gateway-Request-Id"]
    for kept_back in [*KEPT_BACK.values(), "dev-host-key", "dev-invoke-key", CLIENT_ID]:
        assert kept_back not in str(seen)
    for call in shop.provider.seen:
        assert call.header_names - OWN == {"accept", "content-type"}


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        ("", ""),
        ("$filter=no%20eq%20%27O%27%27Brien%27", "$filter=no%20eq%20%27O%27%27Brien%27"),
        ("$filter=no+eq+'1'&%24top=2", "$filter=no+eq+'1'&%24top=2"),
        ("a=%C3%A9%2f%2F&b=~%7e*&c=%25", "a=%C3%A9%2f%2F&b=~%7e*&c=%25"),
        ("b=2&a=1&b=1&flag&empty=&=3", "b=2&a=1&b=1&flag&empty=&=3"),
        ("code=dev-invoke-key&x=1&Code=2&gw_x=3&GW_y=4", "x=1"),
        ("x=1&%63ode=2&y=%26code%3D3", "x=1&y=%26code%3D3"),
        ("x=a;b&y=[1]&z=a?b/c:d@e", "x=a;b&y=[1]&z=a?b/c:d@e"),
    ],
    ids=["none", "filter", "plus", "escapes", "repeated", "keys", "hidden-key", "reserved"],
)
def test_query_goes_along_byte_for_byte(gateway, shop, sent, expected):
    """What the caller writes after the question mark is not rewritten, only keys are left out."""
    gateway.store(shop.for_app(), endpoint())
    answer = wire.send(gateway.ports.instance(1), f"/api/invoke/{shop.code}/ORDERS?{sent}")
    assert answer.status == 200, answer.body
    assert shop.upstream.seen[-1].target == "/orders" + (f"?{expected}" if expected else "")


LONG_TEMPLATE = (
    "{base_url}/{api_version}/{environment}/{tenant_id}/APICodeunits_{endpoint}?Company={company}"
)


@pytest.mark.parametrize(
    ("of_integration", "of_endpoint", "target"),
    [
        ({}, {}, "/orders"),
        ({"url_template": "{base_url}/{endpoint}"}, {"api_url": "v1/orders"}, "/v1/orders"),
        (
            {
                "url_template": LONG_TEMPLATE,
                "api_version": "v2.0",
                "environment": "Production",
                "tenant_id": "cronus.example",
                "company": "O'Brien A/S",
            },
            {"api_url": "GetList"},
            "/v2.0/Production/cronus.example/APICodeunits_GetList?Company=O%27Brien%20A%2FS",
        ),
        (
            {"url_template": LONG_TEMPLATE, "company": "CRONUS"},
            {"api_url": "GetList"},
            "/APICodeunits_GetList?Company=CRONUS",
        ),
        (
            {"company": "CRONUS AG", "query": {"tenant": "default"}},
            {"kind": "odata", "api_url": "Customer"},
            "/ODataV4/Company('CRONUS%20AG')/Customer?tenant=default",
        ),
        ({}, {"kind": "odata", "api_url": "Customer"}, "/ODataV4/Customer"),
        (
            {"company_id": "9e1b6ea7-0000-4000-8000-000000000001"},
            {"kind": "api", "api_route": "shop/sales/v1.0", "api_url": "orders"},
            "/api/shop/sales/v1.0/companies(9e1b6ea7-0000-4000-8000-000000000001)/orders",
        ),
    ],
    ids=["default", "short", "long", "long-empty", "on-premises", "odata", "api"],
)
def test_every_kind_of_url_reaches_a_foreign_service(
    gateway, shop, of_integration, of_endpoint, target
):
    """Templates and OData paths are built for any base URL; empty segments drop out."""
    base_url = f"{shop.upstream.url}/BC170"
    definition = shop.for_app(base_url=base_url)
    gateway.store(definition | of_integration, endpoint(**of_endpoint))
    answer = gateway.invoke(f"{shop.code}/ORDERS", method="GET")
    assert answer.status_code == 200, answer.text
    assert [seen.target for seen in shop.upstream.seen] == [f"/BC170{target}"]


def test_answer_comes_back_with_the_headers_that_are_worth_having(gateway, shop):
    """Status, bytes and useful headers come back; cookies and the service's own policies do not."""
    gateway.store(shop.for_app(), endpoint())
    worth_having = {
        "Content-Type": "application/xml",
        "ETag": 'W/"8"',
        "Location": f"{shop.upstream.url}/orders(1)",
        "OData-Version": "4.0",
        "Preference-Applied": "return=minimal",
        "request-id": "4711",
        "Retry-After": "7",
    }
    other = {"Set-Cookie": "a=b", "Server": "Shop", "Access-Control-Allow-Origin": "*"}
    body = "<påse/>".encode()
    shop.upstream.replies["/orders"] = Reply(429, body, worth_having | other)
    answer = gateway.invoke(f"{shop.code}/ORDERS", method="GET")
    assert (answer.status_code, answer.content) == (429, body)
    assert {name: answer.headers[name] for name in worth_having} == worth_having
    assert not answer.headers.keys() & other.keys() - {"Server"}
    assert answer.headers.get("Server") != "Shop"
    assert answer.headers["X-Gateway-Source"] == "upstream"
    assert answer.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
