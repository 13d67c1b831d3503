"""The main job: every situation of the contract's table "Invoke"."""

from __future__ import annotations

import json
import logging
from contextlib import suppress

import pytest

from shared.domain.errors import GatewayError
from shared.domain.transport import AnswerLost, NotSent, OutboundAnswer, TimedOut
from tests.fakes import json_answer
from tests.scenes import BC, CODE, LISTING, TOKEN_URL, failure, refusal, serving

JSON = {"content-type": "application/json"}
SCHEMA = {
    "type": "object",
    "required": ["no"],
    "properties": {"no": {"type": "string"}, "lines": {"items": {"type": "integer"}}},
}


def call(**sent):
    """Return the situation of a good endpoint that is called so."""
    return serving(), sent


def send(body, **endpoint):
    """Return the situation of an endpoint that gets this as JSON."""
    return serving(**endpoint), {"body": body, "headers": JSON}


def read(reply):
    """Return the situation of a service that replies so to a call that changes nothing."""
    return serving(reply, read_only=True), {}


def write(reply):
    """Return the situation of a service that replies so to a change."""
    return serving(reply), {}


def moved(status):
    """Return the situation of a service that redirects."""
    return read(json_answer({}, status=status, headers={"location": "https://elsewhere.example"}))


def expired(reply):
    """Return the situation of an expired token, and a provider that replies so."""
    scene = serving()
    scene.http.on(TOKEN_URL, reply)
    scene.clock.advance(minutes=60)
    return scene, {}


def deauthorized():
    """Return the situation after a deauthorization."""
    scene = serving()
    scene.services.sign_off.deauthorize(scene.record())
    return scene, {}


def cold_without(port):
    """Return the situation of an instance that has just started, while a store is down."""
    scene = serving()
    getattr(scene, port).fail()
    return scene, {"services": scene.another_instance()}


WRONG_SECRET = refusal("invalid_client", 7000215, status=401)
LARGE = json_answer("x" * 5000)
HERE, IDENTITY, SERVICE = "gateway", "identity", "upstream"
SITUATIONS = {
    "integration": (lambda: call(integration="NOPE"), 404, "integration_not_found", HERE),
    "endpoint": (lambda: call(endpoint="NOPE"), 404, "endpoint_not_found", HERE),
    "disabled": (lambda: (serving(is_enabled=False), {}), 404, "endpoint_disabled", HERE),
    "no-json": (lambda: send(b"{"), 400, "invalid_payload", HERE),
    "no-utf-8": (lambda: send(b'"\xff"'), 400, "invalid_payload", HERE),
    "two-values": (lambda: send(b"{} {}"), 400, "invalid_payload", HERE),
    "no-object": (lambda: send(b"[]", encode_parameters=["a"]), 400, "invalid_payload", HERE),
    "no-payload": (lambda: send(b"", request_schema=SCHEMA), 400, "invalid_payload", HERE),
    "schema": (lambda: send(b'{"no": 1}', request_schema=SCHEMA), 422, "invalid_payload", HERE),
    "too-large": (lambda: call(body=b"x" * 2001), 413, "payload_too_large", HERE),
    "no-length": (lambda: call(has_lost_body=True), 411, "length_required", HERE),
    "method": (lambda: call(method="PUT"), 405, "method_not_allowed", HERE),
    "no-sign-in": (deauthorized, 424, "sign_in_required", IDENTITY),
    "wrong-secret": (lambda: expired(WRONG_SECRET), 424, "identity_misconfigured", IDENTITY),
    "provider-down": (lambda: expired(NotSent("gone")), 503, "identity_unavailable", IDENTITY),
    "definitions-down": (lambda: cold_without("integrations"), 503, "storage_unavailable", HERE),
    "endpoints-down": (lambda: cold_without("endpoints"), 503, "storage_unavailable", HERE),
    "states-down": (lambda: cold_without("states"), 503, "storage_unavailable", HERE),
    "vault-down": (lambda: cold_without("secrets"), 503, "vault_unavailable", HERE),
    "401": (lambda: write(json_answer({}, status=401)), 424, "upstream_unauthorized", SERVICE),
    "large-read": (lambda: read(LARGE), 424, "answer_too_large", SERVICE),
    "large-write": (lambda: write(LARGE), 424, "answer_too_large", SERVICE),
    "forbidden": (lambda: write(NotSent("x", is_forbidden=True)), 424, "upstream_not_allowed",
                  HERE),
    "unreachable": (lambda: write(NotSent("gone")), 503, "upstream_unreachable", SERVICE),
    "read-cut": (lambda: read(AnswerLost("cut")), 503, "upstream_unreachable", SERVICE),
    "read-slow": (lambda: read(TimedOut("slow")), 504, "upstream_timeout", SERVICE),
    "write-slow": (lambda: write(TimedOut("slow")), 409, "outcome_unknown", SERVICE),
    "write-cut": (lambda: write(AnswerLost("cut")), 409, "outcome_unknown", SERVICE),
    "301": (lambda: moved(301), 424, "upstream_redirect", SERVICE),
    "302": (lambda: moved(302), 424, "upstream_redirect", SERVICE),
    "303": (lambda: moved(303), 424, "upstream_redirect", SERVICE),
    "307": (lambda: moved(307), 424, "upstream_redirect", SERVICE),
    "308": (lambda: moved(308), 424, "upstream_redirect", SERVICE),
}  # fmt: skip
REFUSED_HERE = list(SITUATIONS)[: list(SITUATIONS).index("401")]


@pytest.mark.parametrize("name", SITUATIONS)
def test_situation_has_its_answer(name):
    """Status, code and source are what the contract says, and there is always a next step."""
    arrange, status, code, source = SITUATIONS[name]
    scene, sent = arrange()

    error = failure(lambda: scene.invoke(**sent))

    assert (error.kind.status, error.kind.code, error.kind.source) == (status, code, source)
    assert all((error.kind.title, error.detail, error.hint))


@pytest.mark.parametrize("name", SITUATIONS)
def test_situation_says_whether_to_send_it_again(name):
    """Only what may help and does no harm: Power Automate resends 408, 429 and 5xx by itself."""
    arrange, status, *_ = SITUATIONS[name]
    scene, sent = arrange()

    error = failure(lambda: scene.invoke(**sent))

    assert error.kind.retryable == (status >= 500)
    assert (error.retry_after_seconds is not None) == (status == 503)
    assert error.retry_after_seconds is None or 0 < error.retry_after_seconds <= 60


@pytest.mark.parametrize("name", REFUSED_HERE)
def test_refused_call_is_not_sent(name):
    """What the gateway itself refuses never reaches the service."""
    scene, sent = SITUATIONS[name][0]()

    failure(lambda: scene.invoke(**sent))

    assert not scene.http.sent_to(BC)


@pytest.mark.parametrize("status", [408, 500, 502, 503, 504, 520, 599])
def test_answer_that_leaves_a_change_open_is_unknown(status):
    """409, with the service's answer below: nobody resends it by himself."""
    told = {"error": {"code": "X"}}
    scene = serving(json_answer(told, status=status, headers={"request-id": "r-1"}))

    error = failure(scene.invoke)

    assert (error.kind.status, error.kind.code) == (409, "outcome_unknown")
    assert (error.upstream["status"], error.upstream["request_id"]) == (status, "r-1")
    assert json.loads(bytes(error.upstream["body"])) == told


def test_unreadable_answer_is_shown_as_text():
    """A proxy's page in place of JSON helps to find out what happened; a part of it will do."""
    scene = serving(OutboundAnswer(502, {}, b"<h1>Bad \xff gateway</h1>" + b"x" * 4900))

    shown = failure(scene.invoke).upstream["body"]

    assert shown.startswith("<h1>Bad \ufffd gateway</h1>")
    assert len(shown) == 4000


@pytest.mark.parametrize("status", [400, 403, 404, 408, 409, 412, 422, 429, 500, 502, 503, 504])
def test_answer_to_a_read_comes_back_as_it_is(status):
    """Nothing was changed: the caller decides what to make of it."""
    told = {"error": {"code": "X"}}
    scene = serving(json_answer(told, status=status, headers={"retry-after": "7"}), read_only=True)

    reply = scene.invoke()

    assert (reply.status, json.loads(reply.body)) == (status, told)
    assert reply.headers["Retry-After"] == "7"


@pytest.mark.parametrize("status", [200, 201, 202, 204, 400, 403, 404, 409, 412, 422, 423, 501])
def test_answer_that_tells_the_outcome_of_a_change_comes_back_as_it_is(status):
    """Business Central's own answer, good or bad, is the caller's; nothing is sent again."""
    scene = serving(OutboundAnswer(status, {}, b"told"))

    assert scene.invoke().status == status
    assert len(scene.http.sent_to(BC)) == 1


def test_not_modified_comes_back_as_it_is():
    """304 is no redirect but the answer to If-None-Match."""
    scene = serving(OutboundAnswer(304, {"etag": 'W/"1"'}, b""), read_only=True)

    reply = scene.invoke()

    assert (reply.status, reply.headers) == (304, {"ETag": 'W/"1"'})


def test_redirect_passes_nothing_on():
    """A client would follow it with its key."""
    scene, _ = moved(302)

    error = failure(scene.invoke)

    assert "elsewhere" not in f"{error.detail} {error.hint} {error.headers} {error.upstream}"
    assert len(scene.http.sent_to(BC)) == 1


@pytest.mark.parametrize(("read_only", "is_said"), [(False, True), (True, False)])
def test_too_large_answer_says_whether_a_change_was_made(read_only, is_said):
    """Who gets no answer, since it is too large, must not send the change again."""
    scene = serving(LARGE, read_only=read_only)

    assert ("do not send it again" in failure(scene.invoke).detail) is is_said


def test_refused_method_names_those_that_are_allowed():
    """RFC 9110 section 15.5.6."""
    scene = serving(kind="api", api_url="items", method="PATCH")

    error = failure(lambda: scene.invoke(method="GET"))

    assert error.headers == {"Allow": "PATCH, POST"}


@pytest.mark.parametrize("method", ["GET", "POST", "PATCH", "PUT", "DELETE"])
def test_post_runs_every_endpoint_with_its_own_method(method):
    """A POST means "run it"; towards Business Central the stored method counts."""
    scene = serving(kind="custom", api_url="items", method=method)

    scene.invoke(method="POST", body=b"{}", headers=JSON)
    scene.invoke(method=method)

    assert [request.method for request in scene.http.sent_to(BC)] == [method, method]


def test_query_goes_along():
    """What the gateway does not need goes on byte for byte."""
    scene = serving(kind="odata", method="GET", api_url="Items")

    scene.invoke(query="code=the-key&$filter=No%20eq%20%271%27&$top=3")

    (request,) = scene.http.sent_to(BC)
    assert request.url.endswith("/Items?$filter=No%20eq%20%271%27&$top=3")


@pytest.mark.parametrize(
    ("name", "expected"),
    [(LISTING, '"status":200,"code":null'), ("NOPE", '"status":404,"code":"endpoint_not_found"')],
)
def test_every_call_is_logged(caplog, name, expected):
    """One line says what was called, how it ended, and which flow run it was."""
    caplog.set_level(logging.INFO)
    scene = serving()

    with suppress(GatewayError):
        scene.invoke(name, headers={"x-ms-workflow-run-id": "run-7"}, body=b"payload")

    (line,) = [each.message for each in caplog.records if '"invoked"' in each.message]
    assert f'"integration":"{CODE}","endpoint":"{name}",{expected}' in line
    assert '"request_id":"request-1","flow_run":"run-7"' in line
    assert "payload" not in line
