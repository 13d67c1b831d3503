"""Bad input: each is told clearly, and leaves what is stored as it was."""

import pytest

from dev import sample
from tests.e2e import wire
from tests.e2e.gateway import problem, refused_at
from tests.e2e.processes import INSTANCES
from tests.e2e.standing import LISTING, STANDING

OVER_THE_LIMIT = 100_001
NO_OBJECTS = (
    *(b"", b"{", b"[]", b'"text"', b"{}{}", b"[" * 50_000, b'{"code": }', b"NaN", b"\0"),
    *(b"\xff\xfe", b'{"name": "\xff"}', b'{"name": "\\ud800"}', b"\xef\xbb\xbf{}"),
)


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("POST", "invoke/NOBODY/X", 404, "integration_not_found"),
        ("POST", "invoke/bad-code/X", 404, "integration_not_found"),
        ("POST", f"invoke/{STANDING}/NOTHING", 404, "endpoint_not_found"),
        ("POST", f"invoke/{STANDING}/%2e%2e%2fX", 404, "endpoint_not_found"),
        ("GET", f"invoke/{STANDING}/{LISTING}", 405, "method_not_allowed"),
        ("DELETE", f"invoke/{STANDING}/GET_CUSTOMERS", 405, "method_not_allowed"),
        ("PUT", "integrations", 405, "method_not_allowed"),
        ("POST", f"integrations/{STANDING}", 405, "method_not_allowed"),
        ("DELETE", f"integrations/{STANDING}/endpoints", 405, "method_not_allowed"),
        ("POST", f"integrations/{STANDING}/endpoints/{LISTING}", 405, "method_not_allowed"),
        ("GET", "integrations/NOBODY", 404, "integration_not_found"),
        ("DELETE", "integrations/NOBODY", 404, "integration_not_found"),
        ("GET", "integrations/NOBODY/status", 404, "integration_not_found"),
        ("GET", "integrations/NOBODY/endpoints", 404, "integration_not_found"),
        ("GET", f"integrations/{STANDING}/endpoints/NOTHING", 404, "endpoint_not_found"),
        ("GET", "authorize/NOBODY", 404, "integration_not_found"),
        ("POST", "deauthorize/NOBODY", 404, "integration_not_found"),
        ("POST", "integrations/NOBODY/signin-link", 404, "integration_not_found"),
        ("GET", "signin/no-such-link", 400, "sign_in_expired"),
        ("GET", "callback?state=x&code=y", 400, "sign_in_expired"),
        ("GET", "callback", 400, "sign_in_expired"),
        ("GET", "integrations?limit=0", 400, "invalid_parameter"),
    ],
)
@pytest.mark.usefixtures("unchanged")
def test_unknown_names_and_methods_are_told_as_problems(gateway, method, path, status, code):
    """Each gets its own code, and 405 says which methods there are."""
    for instance in INSTANCES:
        answer = gateway.call(method, path, instance=instance)
        problem(answer, status, code)
        assert ("Allow" in answer.headers) == (status == 405)


def test_route_or_method_that_no_function_lists_is_404_by_the_host(gateway, standing):
    """The host answers by itself, and knows no 405."""
    unknown = [
        ("POST", path) for path in ("", "nothing", "invoke", f"invoke/{standing}", "invoke/A/B/C")
    ]
    unlisted = [(method, f"invoke/{standing}/{LISTING}") for method in ("HEAD", "OPTIONS", "TRACE")]
    for method, path in unknown + unlisted:
        answer = gateway.call(method, path)
        assert (answer.status_code, answer.content) == (404, b"")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "integrations"),
        ("PUT", f"integrations/{STANDING}"),
        ("PATCH", f"integrations/{STANDING}"),
        ("POST", f"integrations/{STANDING}/endpoints"),
        ("PATCH", f"integrations/{STANDING}/endpoints/{LISTING}"),
    ],
)
@pytest.mark.usefixtures("unchanged")
def test_definition_that_is_no_json_object_is_refused(gateway, method, path):
    """Whatever is no JSON object is told as such, and changes nothing."""
    for body in NO_OBJECTS:
        problem(gateway.call(method, path, data=body), 400, "invalid_payload")


@pytest.mark.parametrize(
    ("path", "body", "expected"),
    [
        ("integrations", {}, ["/client_id", "/code", "/tenant_id"]),
        (
            "integrations",
            {"code": "1X", "client_id": 7, "colour": "red", "timeout": None, "query": {"sig": "1"}},
            ["/client_id", "/code", "/colour", "/query/sig", "/tenant_id", "/timeout"],
        ),
        (
            f"integrations/{STANDING}/endpoints",
            {"code": "A-B", "method": "BREW", "kind": "odata", "api_url": "../x", "speed": 1},
            ["/api_url", "/code", "/method", "/speed"],
        ),
        (
            f"integrations/{STANDING}/endpoints",
            {"code": "A", "api_url": "x", "timeout_seconds": "9", "headers": {"Cookie": "a"}},
            ["/headers/Cookie", "/timeout_seconds"],
        ),
    ],
    ids=["empty", "integration", "endpoint", "types"],
)
@pytest.mark.usefixtures("unchanged")
def test_bad_definition_is_told_with_all_its_problems_at_once(gateway, path, body, expected):
    """Unknown fields, wrong types, bad codes: one answer names them all."""
    assert refused_at(gateway.call("POST", path, body)) == expected


@pytest.mark.parametrize("member", ["", f"/endpoints/{LISTING}"], ids=["integration", "endpoint"])
@pytest.mark.usefixtures("unchanged")
def test_conflicting_writes_are_refused(gateway, member):
    """A taken code, another code than the URL's, and a stale ETag change nothing."""
    path = f"integrations/{STANDING}{member}"
    shown = gateway.manage("GET", path)
    taken = gateway.call("POST", path.rpartition("/")[0], shown | {"code": shown["code"].lower()})
    problem(taken, 409, "already_exists")
    for method in ("PUT", "PATCH"):
        renamed = gateway.call(method, path, shown | {"code": "OTHER"})
        assert refused_at(renamed) == ["/code"]
    for method in ("PUT", "PATCH", "DELETE"):
        stale = gateway.call(method, path, shown, headers={"If-Match": 'W/"stale"'})
        problem(stale, 412, "changed_meanwhile")
    exists = gateway.call("PUT", path, shown, headers={"If-None-Match": "*"})
    problem(exists, 412, "changed_meanwhile")


@pytest.mark.usefixtures("unchanged")
def test_chunked_body_is_411(gateway):
    """The host hands chunked bodies over empty; they never count as calls without a payload."""
    chunked = b'7\r\n{"a":1}\r\n0\r\n\r\n'
    for method, path in (
        ("POST", f"invoke/{STANDING}/{LISTING}"),
        ("PUT", f"integrations/{STANDING}"),
        ("POST", f"integrations/{STANDING}/endpoints"),
    ):
        answer = wire.send(
            gateway.ports.instance(1),
            f"/api/{path}",
            "Transfer-Encoding: chunked",
            "Content-Type: application/json",
            method=method,
            body=chunked,
            key=sample.HOST_KEY,
        )
        assert (answer.status, b'"length_required"' in answer.body) == (411, True)


@pytest.mark.usefixtures("unchanged")
def test_payload_that_is_too_large_or_no_json_is_not_sent(gateway, control):
    """Payloads over the limit and broken ones end at the gateway; definitions have a limit too."""
    control("business_central", "DELETE", "log")
    json = {"Content-Type": "application/json"}
    path = f"invoke/{STANDING}/{LISTING}"
    large = gateway.call("POST", path, data=b" " * OVER_THE_LIMIT, headers=json)
    problem(large, 413, "payload_too_large")
    for body in (b"{", b"\xff", b"{} x", b"{'a': 1}"):
        answer = gateway.call("POST", path, data=body, headers=json)
        problem(answer, 400, "invalid_payload")
    definition = gateway.call("PUT", f"integrations/{STANDING}", {"name": "x" * 300_000})
    problem(definition, 413, "payload_too_large")
    assert control("business_central", "GET", "log") == []


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ("company=Other", 400, "query_not_allowed"),
        ("COMPANY=Other", 400, "query_not_allowed"),
        ("%63ompany=Other", 400, "query_not_allowed"),
        ("%2563ompany=Other", 400, "query_not_allowed"),
        ("tenant=other", 400, "query_not_allowed"),
        ("x=1;company=Other", 400, "query_not_allowed"),
        ("gw_company=O%27Brien", 403, "company_not_allowed"),
        ("gw_company=a&gw_company=b", 403, "company_not_allowed"),
    ],
)
@pytest.mark.usefixtures("unchanged")
def test_query_that_would_change_the_company_is_refused(gateway, control, query, status, code):
    """No spelling gets a caller into another company or tenant."""
    control("business_central", "DELETE", "log")
    problem(gateway.invoke(f"{STANDING}/GET_CUSTOMERS?{query}", method="GET"), status, code)
    paths = [entry["target"] for entry in control("business_central", "GET", "log")]
    assert all(path.endswith("/companies") for path in paths), "nothing but the company's id"
