"""Errors as callers read them: one form, and enough in it to go on."""

from __future__ import annotations

import pytest

from shared.domain.transport import NotSent
from tests.fakes import json_answer
from tests.scenes import BC
from tests.support import make_settings
from tests.unit.functions.test_every_answer import ENDPOINT, INTEGRATION, INVOKE, Gateway

MEMBERS = {
    "type": str,
    "title": str,
    "status": int,
    "detail": str,
    "instance": str,
    "code": str,
    "source": str,
    "retryable": bool,
    "hint": str,
    "request_id": str,
}
KIBIBYTE = 1024


@pytest.fixture
def gateway(monkeypatch):
    """Return a gateway with somebody signed in that takes payloads of 1 KiB."""
    gateway = Gateway(monkeypatch, settings=make_settings(MAX_PAYLOAD_BYTES=str(KIBIBYTE)))
    gateway.scene.http.on(BC, json_answer({"value": "done"}))
    gateway.scene.integrate()
    gateway.scene.offer()
    gateway.scene.sign_in()
    return gateway


@pytest.mark.parametrize(
    ("method", "address", "code"),
    [
        ("GET", "/api/integrations/NOBODY", "integration_not_found"),
        ("POST", "/api/invoke/CRONUS/NOTHING", "endpoint_not_found"),
        ("GET", "/api/signin/unknown", "sign_in_expired"),
        ("POST", "/api/deauthorize/NOBODY", "integration_not_found"),
        ("DELETE", f"{INTEGRATION}/endpoints", "method_not_allowed"),
    ],
)
def test_problem_has_every_member(gateway, method, address, code):
    """RFC 9457's members, and what the gateway adds to them, none of them empty."""
    answer = gateway.call(method, f"{address}?code=a-function-key")

    problem = answer.json
    assert answer.mimetype == "application/problem+json"
    assert {name: type(value) for name, value in problem.items()} == MEMBERS
    assert all(problem[name] for name in MEMBERS if MEMBERS[name] is str)
    assert (problem["code"], problem["status"]) == (code, answer.status_code)
    assert problem["type"].endswith(f":{code}")
    assert problem["instance"] == address
    assert problem["request_id"] == answer.headers["X-Gateway-Request-Id"]
    assert problem["source"] == answer.headers["X-Gateway-Source"]


def test_problem_of_a_definition_names_every_place(gateway):
    """All problems come at once, each with a JSON pointer."""
    answer = gateway.call("PATCH", INTEGRATION, {"base_url": "ftp://x", "colour": "red"})

    assert (answer.status_code, answer.json["code"]) == (422, "invalid_definition")
    assert {each["pointer"]: set(each) for each in answer.json["errors"]} == {
        "/base_url": {"pointer", "message"},
        "/colour": {"pointer", "message"},
    }


def test_problem_that_passes_tells_when_to_come_back(gateway):
    """An outage of ours is retryable, and Retry-After says when."""
    gateway.scene.integrations.fail()

    answer = gateway.call("GET", INTEGRATION)

    assert (answer.status_code, answer.json["code"]) == (503, "storage_unavailable")
    assert answer.json["retryable"]
    assert int(answer.headers["Retry-After"]) > 0


def test_problem_of_a_call_that_was_not_sent_is_retryable(gateway):
    """Nothing left the gateway, so that sending it again is safe."""
    gateway.scene.http.on(BC, NotSent("no connection"))

    answer = gateway.call("POST", INVOKE)

    assert (answer.status_code, answer.json["code"]) == (503, "upstream_unreachable")
    assert (answer.json["retryable"], answer.headers["X-Gateway-Source"]) == (True, "upstream")
    assert int(answer.headers["Retry-After"]) > 0


def test_problem_of_a_lost_write_shows_the_answer_of_the_service(gateway):
    """Whoever reads it has to look first; what Business Central said stands below `upstream`."""
    said = {"error": {"code": "Internal_ServerError", "message": "crashed"}}
    headers = {"request-id": "their-id"}
    gateway.scene.http.on(BC, json_answer(said, status=500, headers=headers))

    answer = gateway.call("POST", INVOKE)

    assert (answer.status_code, answer.json["code"]) == (409, "outcome_unknown")
    assert not answer.json["retryable"]
    assert answer.json["upstream"] == {"status": 500, "request_id": "their-id", "body": said}


@pytest.mark.parametrize(
    ("address", "method", "allowed"),
    [
        *(("/api/integrations", method, {"GET", "POST"}) for method in ("PUT", "PATCH", "DELETE")),
        (INTEGRATION, "POST", {"GET", "PUT", "PATCH", "DELETE"}),
        *(
            (f"{INTEGRATION}/endpoints", method, {"GET", "POST"})
            for method in ("PUT", "PATCH", "DELETE")
        ),
        (ENDPOINT, "POST", {"GET", "PUT", "PATCH", "DELETE"}),
        *((INVOKE, method, {"POST"}) for method in ("GET", "PUT", "PATCH", "DELETE")),
    ],
)
def test_wrong_method_is_told_which_are_right(gateway, address, method, allowed):
    """405 names the methods that would do, and nothing was done."""
    rows = dict(gateway.scene.integrations.rows), dict(gateway.scene.endpoints.rows)

    answer = gateway.call(method, address, {})

    assert (answer.status_code, answer.json["code"]) == (405, "method_not_allowed")
    assert set(answer.headers["Allow"].split(", ")) == allowed
    assert (gateway.scene.integrations.rows, gateway.scene.endpoints.rows) == rows
    assert gateway.scene.http.sent_to(BC) == []


def test_stored_method_is_named_beside_post(gateway):
    """The method of the endpoint is right too."""
    gateway.scene.offer(code="CHANGE", method="PATCH", kind="odata", api_url="Items")

    answer = gateway.call("PUT", "/api/invoke/CRONUS/CHANGE")

    assert (answer.status_code, answer.headers["Allow"]) == (405, "PATCH, POST")


@pytest.mark.parametrize(
    ("method", "address"),
    [
        ("POST", "/api/integrations"),
        ("PUT", INTEGRATION),
        ("PATCH", INTEGRATION),
        ("PATCH", ENDPOINT),
        ("POST", INVOKE),
    ],
)
def test_body_that_did_not_arrive_is_no_empty_body(gateway, method, address):
    """The host hands a chunked body over empty: 411, and nothing is done without it."""
    answer = gateway.call(method, address, headers={"Transfer-Encoding": "chunked"})

    assert (answer.status_code, answer.json["code"]) == (411, "length_required")
    assert gateway.scene.http.sent_to(BC) == []


@pytest.mark.parametrize(
    ("method", "address", "size", "status"),
    [
        ("PUT", INTEGRATION, 256 * KIBIBYTE, 422),
        ("PUT", INTEGRATION, 256 * KIBIBYTE + 1, 413),
        ("PATCH", ENDPOINT, 256 * KIBIBYTE + 1, 413),
        ("POST", INVOKE, KIBIBYTE, 200),
        ("POST", INVOKE, KIBIBYTE + 1, 413),
    ],
)
def test_body_over_the_limit_is_too_large(gateway, method, address, size, status):
    """The last byte that fits is taken, the next one is not."""
    start, end = b'{"a":"', b'"}'
    body = start + b"x" * (size - len(start) - len(end)) + end

    answer = gateway.call(method, address, body=body)

    assert (len(body), answer.status_code) == (size, status)
    assert (answer.json.get("code") == "payload_too_large") == (status == 413)


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b'{"name": NaN}', b"\xff"])
@pytest.mark.parametrize(
    ("method", "address"),
    [("POST", "/api/integrations"), ("PUT", INTEGRATION), ("PATCH", ENDPOINT)],
)
def test_body_that_is_no_json_object_is_refused(gateway, method, address, body):
    """A torn or foreign body changes nothing."""
    rows = dict(gateway.scene.integrations.rows), dict(gateway.scene.endpoints.rows)

    answer = gateway.call(method, address, body=body)

    assert (answer.status_code, answer.json["code"]) == (400, "invalid_payload")
    assert (gateway.scene.integrations.rows, gateway.scene.endpoints.rows) == rows


def test_hint_names_the_integration(gateway):
    """What to do next can be copied, without a gap to fill in."""
    gateway.scene.services.sign_off.deauthorize(gateway.scene.record())

    hint = gateway.call("POST", INVOKE).json["hint"]

    assert "/api/panel/integrations/CRONUS" in hint
    assert "{" not in hint
