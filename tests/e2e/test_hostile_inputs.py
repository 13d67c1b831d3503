"""Hostile calls: each ends with a clear 4xx, nothing of it is sent on, and the app is unharmed.

`test_hostile_wire` has what breaks the framing of HTTP, `test_bad_requests` the plain mistakes, and
`test_hostile_answers` what comes from the other side.
"""

import json
import sys
from itertools import product

import pytest

from dev import sample
from tests.e2e import wire
from tests.e2e.foreign.provider import Provider
from tests.e2e.foreign.shop import Shop, endpoint
from tests.e2e.foreign.upstream import Upstream
from tests.e2e.gateway import problem, refused_at
from tests.e2e.hosts import MEBIBYTE, HostLog, Memory
from tests.e2e.processes import INSTANCES

JSON = {"Content-Type": "application/json"}
SCHEMA = {
    "type": "object",
    "required": ["no"],
    "additionalProperties": False,
    "properties": {"no": {"type": "string", "maxLength": 20}, "n": {"type": "integer"}},
}
ENDPOINTS = [
    endpoint(),
    endpoint("NEW", method="POST"),
    endpoint("LIMITED", allowed_query=["$top"]),
    endpoint("CHECKED", method="POST", request_schema=SCHEMA),
    endpoint("ENCODED", method="POST", encode_parameters=["lines"]),
    endpoint("TEXT", api_url="orders({p})", parameters={"p": "string"}),
    endpoint("GUID", api_url="orders({p})", parameters={"p": "guid"}),
    endpoint("NUMBER", api_url="orders({p})", parameters={"p": "number"}),
    endpoint("STAFF", allowed_roles=["Orders.Read"]),
]


@pytest.fixture(scope="module")
def shop(gateway, stack):
    """Return a shop with an endpoint of every kind; the app must come through unharmed."""
    logs = [HostLog(stack, instance) for instance in INSTANCES]
    pids = [stack.pid(instance) for instance in INSTANCES]
    memories = [Memory(pid) for pid in pids] if sys.platform.startswith("linux") else []
    with Provider() as provider, Upstream(provider.grants.is_active) as upstream:
        connected = Shop("INPUTS", gateway.url("callback"), provider, upstream)
        gateway.store(connected.for_app(), *ENDPOINTS)
        for instance in INSTANCES:
            gateway.invoke("INPUTS/ORDERS", instance=instance)
        before = [memory.begin() for memory in memories]
        yield connected
        assert [stack.pid(instance) for instance in INSTANCES] == pids
        assert all(gateway.call("GET", "health", instance=each).ok for each in INSTANCES)
        assert gateway.invoke("INPUTS/ORDERS").status_code == 200
    assert [log.errors() for log in logs] == [[], []]
    assert all(
        memory.peak() - start < 64 * MEBIBYTE
        for memory, start in zip(memories, before, strict=True)
    )


@pytest.fixture
def unreached(shop):
    """Require that nothing reaches the service."""
    shop.upstream.seen.clear()
    yield
    assert shop.upstream.seen == []


def refused(answer, code=None):
    """Require a 4xx: the gateway's own as a problem, the host's own without a body."""
    assert 400 <= answer.status < 500, answer.body
    if not answer.body:
        assert code is None
        return
    headers = {name.lower(): value for name, value in answer.headers.items()}
    assert headers["content-type"] == "application/problem+json"
    document = json.loads(answer.body)
    assert document["code"] == (code or document["code"]) != "internal_error", answer.body
    assert document["hint"]


def call(gateway, path, *lines, **options):
    """Send a call byte for byte."""
    return wire.send(gateway.ports.instance(1), f"/api/invoke/INPUTS/{path}", *lines, **options)


RESERVED = [
    *("company", "Company", "tenant", "TENANT", "%63ompany", "com%70any", "%74enant"),
    *("%2563ompany", "%252563ompany", "c%256fmpany", "%20company", "company%20", "+company"),
    *("company+", "$company", "%24company", "?company", "%3Fcompany", "company%00", "company%00x"),
    *("company%0d%0a", "company%09", "tenant%0b", "%EF%BD%83ompany", "%EF%BC%B4enant"),
    *("x;company", "x=1;tenant", "x%3bcompany=1;company", "company%E2%80%8B", "%E2%80%8Btenant"),
]


@pytest.mark.parametrize("name", RESERVED)
@pytest.mark.usefixtures("unreached")
def test_no_spelling_sets_company_or_tenant(gateway, name):
    """Names are compared as the most forgiving of servers might read them."""
    refused(call(gateway, f"ORDERS?{name}=x"), "query_not_allowed")
    refused(call(gateway, f"ORDERS?a=1&{name}=x&b=2"), "query_not_allowed")


OWN = {
    "query_not_allowed": [
        *("gw_compny=A", "gw_pages=x", "GW_ALLPAGES=true", "gw_all_page=true", "gw%5fcompani=A"),
        *(
            "gw_page=x&$top=1",
            "gw_page=x&gw_page=y",
            "gw_page=x&company=A",
            "gw_page=&gw_company=A",
        ),
    ],
    "company_not_allowed": [
        *("gw_company=Other", "gw_company=", "gw_company=a&gw_company=b", "gw_company=.."),
        *("gw_company=..%2f..%2fx", "gw_company=%2e%2e", "gw_company=x%5c..", "gw_company=%00"),
        *("gw_company=a%0d%0aHost:+x", "gw_company=//evil.example", "gw_company=@evil.example"),
        *("gw_company=*", "gw_company=%ED%A0%80", f"gw_company={'a' * 3000}"),
    ],
    "invalid_parameter": [
        *("gw_all_pages=", "gw_all_pages=1", "gw_all_pages=TRUE", "gw_all_pages=true%00"),
        *("gw_all_pages=true&gw_all_pages=true", "gw_all_pages=https://evil.example/"),
    ],
    "invalid_page": [
        *("gw_page=", "gw_page=x", "gw_page=%00", "gw_page=%E2%82%AC", "gw_page=%ff%fe"),
        *("gw_page=https://evil.example/orders", "gw_page=//evil.example", "gw_page=../../x"),
        *(f"gw_page=gAAAAA{'A' * 4000}", f"gw_page=gAAAAA{'=' * 50}", "gw_page=gAAAAABn%0d%0a"),
    ],
}


@pytest.mark.parametrize(("code", "query"), [(code, each) for code in OWN for each in OWN[code]])
@pytest.mark.usefixtures("unreached")
def test_own_parameter_that_is_misused_is_told(gateway, code, query):
    """What asks something of the gateway is understood whole, or refused."""
    refused(call(gateway, f"ORDERS?{query}"), code)


VALUES = {
    "TEXT": [
        *("..", "%2e%2e", "a%2f..%2fb", "%252e%252e%252fb", "a%5cb", "%c0%ae%c0%ae%2fx%00"),
        *("a%00", "a%0d%0ab", "a%0ab", "a%7f", "a%C2%85", "a%E2%80%A8", "a%E2%80%AE", "%EF%BC%8E."),
    ],
    "GUID": [
        *("", "x", "5de545bc-f6f9-ef11-9344-6045bdc8c23", "{5de545bc-f6f9-ef11-9344-6045bdc8c234}"),
        *("5de545bcf6f9ef1193446045bdc8c234", "5de545bc-f6f9-ef11-9344-6045bdc8c234)"),
        *("5de545bc-f6f9-ef11-9344-6045bdc8c23g", "%EF%BC%95de545bc-f6f9-ef11-9344-6045bdc8c234"),
        "5de545bc-f6f9-ef11-9344-6045bdc8c234%0a",
    ],
    "NUMBER": [
        *("", "x", "1e5", "1,5", "+1", "0x1", "NaN", "Infinity", "1)or(1", "1%0a", "%D9%A1"),
        *("1.", "--1", "1%20or%201", "9" * 31, "1;2", "1/../2"),
    ],
}  # fmt: skip


@pytest.mark.parametrize(
    ("name", "value"), [(name, each) for name in VALUES for each in VALUES[name]]
)
@pytest.mark.usefixtures("unreached")
def test_value_that_is_not_of_its_type_is_refused(gateway, name, value):
    """Declared parameters are part of the path."""
    refused(call(gateway, f"{name}?p={value}"), "invalid_parameter")


@pytest.mark.parametrize(
    "query",
    ["$filter=1", "$top=1&$select=x", "%24top=1&x=2", "$top=1;$filter=2", "top;x=1", "%00=1", "=1"],
)
@pytest.mark.usefixtures("unreached")
def test_query_outside_the_list_is_refused(gateway, query):
    """The endpoint names what may be asked."""
    refused(call(gateway, f"LIMITED?{query}"), "query_not_allowed")


PASSED_ON = [
    *("Accept", "Accept-Language", "If-Match", "If-None-Match", "Prefer", "Isolation"),
    *("Data-Access-Intent", "OData-Version", "OData-Anything"),
]


@pytest.mark.parametrize(
    ("name", "value"),
    list(product(PASSED_ON, ["a\x01b", "a\x0bb", "a\x7fb", "caf\xe9", "\xe2\x82\xac"])),
)
@pytest.mark.usefixtures("unreached")
def test_header_that_http_does_not_allow_is_refused(gateway, name, value):
    """Servers differ in what they make of such values, so no service ever sees them."""
    refused(call(gateway, "NEW", f"{name}: {value}", "Content-Length: 0", method="POST"))


@pytest.mark.parametrize(
    "key", ["", " ", "x" * 201, "caf\xe9", "a\x7fb", "a\x01b", "\xe2\x82\xac"], ids=ascii
)
@pytest.mark.usefixtures("unreached")
def test_idempotency_key_that_is_none_is_refused(gateway, key):
    """A caller that relies on a key must not find out later that it was none."""
    line = f"Idempotency-Key: {key}"
    refused(call(gateway, "NEW", line, "Content-Length: 0", method="POST"))


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "x-unknown", "gzip, identity"])
@pytest.mark.usefixtures("unreached")
def test_compressed_body_is_refused(gateway, coding):
    """It would arrive without its Content-Encoding, as something else."""
    answer = gateway.call(
        "POST", "invoke/INPUTS/NEW", data=b"\x1f\x8b\x08\0", headers={"Content-Encoding": coding}
    )
    problem(answer, 400, "invalid_payload")


NO_JSON = [
    *(b"{", b"}", b"{]", b"[1,]", b'{"a":1,}', b"{'a':1}", b"{a:1}", b'{"a" 1}', b'{"a":}'),
    *(b"{} {}", b"NaN", b"-Infinity", b"[Infinity]", b"undefined", b"True", b"0x1", b"01", b"+1"),
    *(b"1.", b".5", b"1e", b"--1", b'"a', b'"\n"', b'"\t"', b'"\\x"', b'"\\u12"', b'"\\'),
    *(b"// x\n1", b"/* x */ 1", b"\xff", b'"\xff"', b'"\xc0\xaf"', b'"\xed\xa0\x80"', b"\0"),
    *(b"\xef\xbb\xbf{}", b'{"a":1}\0', b"\x1f\x8b\x08\0", b"<a/>", b"a=1"),
    *('{"a":1}'.encode("utf-16"), '{"a":1}'.encode("utf-32-le")),
    *(b"[" * 90_000, b'{"a":' * 15_000, b"[" * 45_000 + b"]" * 45_000),
]


@pytest.mark.parametrize("body", NO_JSON, ids=lambda body: ascii(body[:12]))
@pytest.mark.usefixtures("unreached")
def test_body_that_is_announced_as_json_and_is_none_is_refused(gateway, body):
    """Also where the endpoint has no schema, and never by the service."""
    for name in ("NEW", "CHECKED", "ENCODED"):
        answer = gateway.call("POST", f"invoke/INPUTS/{name}", data=body, headers=JSON)
        problem(answer, 400, "invalid_payload")


AGAINST_SCHEMA = [
    *(b"5", b"[]", b"null", b'"x"', b"{}", b'{"no":5}', b'{"no":null}', b'{"no":["x"]}'),
    *(b'{"no":"x","n":1.5}', b'{"no":"x","n":1e400}', b'{"no":"x","__proto__":{}}'),
    *(b'{"no":"x","n":"1"}', b'{"no":"%s"}' % (b"x" * 21), b'{"no":"x","N":1}'),
    *(b'{"No":"x"}', b'{"no":"x","n":true}', b'{"no":"x","\\u0000":1}'),
]


@pytest.mark.parametrize("body", AGAINST_SCHEMA, ids=lambda body: ascii(body[:30]))
@pytest.mark.usefixtures("unreached")
def test_body_against_its_schema_is_told_with_its_places(gateway, body):
    """The caller learns where, before anything is sent."""
    answer = gateway.call("POST", "invoke/INPUTS/CHECKED", data=body, headers=JSON)
    document = problem(answer, 422, "invalid_payload")
    assert all(each["message"] for each in document["errors"])


ORIGINS = ["base_url", "authorize_url", "token_url", "revocation_url"]
NO_URLS = [
    *("evil.example", "//evil.example", "ftp://evil.example", "file:///etc/passwd", "javascript:1"),
    *("https://", "https:///x", "https://user:pw@evil.example", "https://a@b", "https://a:0"),
    *("https://a:99999", "https://[::1", "https://a b", "https://a\r\nX: 1", "https://a\\@b"),
    *(
        "https://a/../b",
        "https://a/%2e%2e/b",
        "https://a#b",
        "https://\u0430.example",
        "https://a\0",
    ),
]


@pytest.mark.parametrize("address", NO_URLS, ids=ascii)
def test_address_that_is_no_plain_url_is_not_stored(gateway, shop, address):
    """By no field, and with all of them told at once."""
    changes = dict.fromkeys(ORIGINS, address) | {"client_secret": "x"}
    answer = gateway.call("PATCH", f"integrations/{shop.code}", changes)
    assert {f"/{name}" for name in ORIGINS} <= set(refused_at(answer))


@pytest.mark.parametrize(
    "path",
    [
        *("callback?state=%00&code=x", "callback?state=a&state=b&code=x", "callback?error=%0d%0ax"),
        *(f"callback?state={'x' * 5000}&code=y", "callback?state=%ff&code=%ff", "callback?code[]"),
        *("callback?state=../x&code=..", "callback?iss=https://evil.example&state=x&code=y"),
        *("signin/%00", "signin/..%5c..", "signin/%ff", f"signin/{'x' * 3000}", "signin/a'or'1"),
        *("signin/%E2%80%AE", "signin/x;y", "signin/x%0d%0aX:1"),
    ],
    ids=lambda path: path[:40],
)  # fmt: skip
def test_anonymous_routes_give_nothing_away(gateway, path):
    """Nobody needs a key for them, so they get everything."""
    for lines in ([], ["Cookie: \x01=;;=; a", "X-Forwarded-Host: evil.example"]):
        answer = wire.send(gateway.ports.instance(1), f"/api/{path}", *lines, key=None)
        assert 400 <= answer.status < 500
        assert "location" not in {name.lower() for name in answer.headers}
        assert b"evil.example" not in answer.body
        assert b"internal_error" not in answer.body


@pytest.mark.parametrize(
    "limit", ["-1", "1e3", "%00", "9999999999", "1;2", "%D9%A1", "true", "0x10"]
)
def test_hostile_page_of_definitions_is_refused(gateway, limit):
    """Numbers are digits."""
    answer = wire.send(
        gateway.ports.instance(1), f"/api/integrations?limit={limit}", key=sample.HOST_KEY
    )
    refused(answer, "invalid_parameter")


@pytest.mark.parametrize(
    "value", ["", "e30=", "x", "%00", "\xe9", "A" * 20_000, "W10=", "bnVsbA=="], ids=lambda v: v[:8]
)
@pytest.mark.usefixtures("unreached")
def test_principal_that_was_sent_along_opens_nothing(gateway, value):
    """It is the platform's to say who calls."""
    refused(call(gateway, "STAFF", f"X-MS-CLIENT-PRINCIPAL: {value}"))
