"""What reaches a service that is not ours, and what comes back from it."""

import gzip

import pytest

from tests.e2e import wire
from tests.e2e.foreign.server import Reply
from tests.e2e.foreign.shop import CLIENT_ID, endpoint

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
LONG_TEMPLATE = (
    "{base_url}/{api_version}/{environment}/{tenant_id}/APICodeunits_{endpoint}?Company={company}"
)


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
        "Retry-After": "30",
    }
    other = {"Set-Cookie": "a=b", "Server": "Shop", "Access-Control-Allow-Origin": "*"}
    body = "<påse/>".encode()
    shop.upstream.replies["/orders"] = Reply(429, body, worth_having | other)
    answer = gateway.invoke(f"{shop.code}/ORDERS", method="GET")
    assert (answer.status_code, answer.content) == (429, body)
    assert {name: answer.headers[name] for name in worth_having} == worth_having
    assert not {"Set-Cookie", "Access-Control-Allow-Origin"} & answer.headers.keys()
    assert answer.headers.get("Server") != "Shop"
    assert answer.headers["X-Gateway-Source"] == "upstream"
    assert answer.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"


def test_compressed_answer_arrives_readable(gateway, shop):
    """What the gateway unpacks it also describes as unpacked."""
    gateway.store(shop.for_app(), endpoint())
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    shop.upstream.replies["/orders"] = Reply(200, gzip.compress(b'{"price": 1.10}'), headers)
    answer = gateway.invoke(f"{shop.code}/ORDERS", method="GET")
    assert (answer.status_code, answer.content) == (200, b'{"price": 1.10}')
    assert "Content-Encoding" not in answer.headers
