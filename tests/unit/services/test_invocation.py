"""The main job: every situation of the contract's table "Invoke", and what happens to payloads."""

from __future__ import annotations

import json
import logging

import pytest

from shared.domain.transport import AnswerLost, NotSent, OutboundAnswer, TimedOut
from tests.builders import COMPANY_ID
from tests.fakes import json_answer
from tests.scenes import BC, CODE, LISTING, TOKEN_URL, UNCONDITIONAL, Scene, failure, refusal
from tests.support import make_settings

JSON = {"content-type": "application/json"}
SCHEMA = {
    "type": "object",
    "required": ["no"],
    "properties": {"no": {"type": "string"}, "lines": {"items": {"type": "integer"}}},
}


def situation(*, endpoint=None, sent=None, **arrange):
    """Return a gateway whose only endpoint is as `endpoint` says, and what a caller sends."""
    scene = Scene(settings=make_settings(MAX_PAYLOAD_BYTES="2000", MAX_ANSWER_BYTES="5000"))
    scene.http.on(BC, arrange.get("answer", json_answer({"value": "done"})))
    scene.integrate()
    scene.offer(**(endpoint or {}))
    scene.sign_in()
    return scene, sent or {}


def read(**changes):
    """Return the situation of a call that changes nothing."""
    return situation(endpoint={"read_only": True}, **changes)


def with_schema(body):
    """Return the situation of a payload that an endpoint checks."""
    return situation(endpoint={"request_schema": SCHEMA}, sent={"body": body, "headers": JSON})


def with_wrong_secret():
    """Return the situation of an integration whose secret the provider refuses."""
    scene, sent = situation()
    scene.provider.instead = refusal("invalid_client", 7000215, status=401)
    scene.clock.advance(minutes=60)
    return scene, sent


def without_provider():
    """Return the situation of an expired token while the provider is down."""
    scene, sent = situation()
    scene.http.on(TOKEN_URL, NotSent("no connection"))
    scene.clock.advance(minutes=60)
    return scene, sent


def without_sign_in():
    """Return the situation after a deauthorization."""
    scene, sent = situation()
    scene.services.tokens.deauthorize(scene.record())
    return scene, sent


def cold_without(port):
    """Return the situation of an instance that has just started, while a store is down."""
    scene, sent = situation()
    sent["services"] = scene.another_instance()
    getattr(scene, port).fail()
    return scene, sent


def disabled():
    """Return the situation of an endpoint that was switched off."""
    return situation(endpoint={"is_enabled": False})


def moved(status):
    """Return the situation of a service that redirects."""
    headers = {"location": "https://elsewhere.example/?code=key"}
    return read(answer=json_answer({}, status=status, headers=headers))


SITUATIONS = [
    ("integration", lambda: situation(sent={"integration": "NOPE"}), 404, "integration_not_found"),
    ("endpoint", lambda: situation(sent={"endpoint": "NOPE"}), 404, "endpoint_not_found"),
    ("disabled", disabled, 404, "endpoint_disabled"),
    ("no-json", lambda: situation(sent={"body": b"{", "headers": JSON}), 400, "invalid_payload"),
    ("no-utf-8", lambda: situation(sent={"body": b'"\xff"', "headers": JSON}), 400,
     "invalid_payload"),
    ("two-values", lambda: situation(sent={"body": b"{} {}", "headers": JSON}), 400,
     "invalid_payload"),
    ("too-deep", lambda: with_schema(b"[" * 1000 + b"]" * 1000), 422, "invalid_payload"),
    ("against-schema", lambda: with_schema(b'{"lines": [1, "x"]}'), 422, "invalid_payload"),
    ("no-payload", lambda: with_schema(b""), 400, "invalid_payload"),
    ("too-large", lambda: situation(sent={"body": b"x" * 2001}), 413, "payload_too_large"),
    ("no-length", lambda: situation(sent={"has_lost_body": True}), 411, "length_required"),
    ("method", lambda: situation(sent={"method": "PUT"}), 405, "method_not_allowed"),
    ("answer-too-large", lambda: read(answer=json_answer("x" * 5000)), 424, "answer_too_large"),
    ("written-answer-too-large", lambda: situation(answer=json_answer("x" * 5000)), 424,
     "answer_too_large"),
    ("no-sign-in", without_sign_in, 424, "sign_in_required"),
    ("wrong-secret", with_wrong_secret, 424, "identity_misconfigured"),
    ("token-refused", lambda: situation(answer=json_answer({}, status=401)), 424,
     "upstream_unauthorized"),
    ("provider-down", without_provider, 503, "identity_unavailable"),
    ("storage-down", lambda: cold_without("integrations"), 503, "storage_unavailable"),
    ("endpoints-down", lambda: cold_without("endpoints"), 503, "storage_unavailable"),
    ("states-down", lambda: cold_without("states"), 503, "storage_unavailable"),
    ("vault-down", lambda: cold_without("secrets"), 503, "vault_unavailable"),
    ("unreachable", lambda: situation(answer=NotSent("no connection")), 503,
     "upstream_unreachable"),
    ("read-lost", lambda: read(answer=AnswerLost("cut")), 503, "upstream_unreachable"),
    ("forbidden", lambda: situation(answer=NotSent("private", is_forbidden=True)), 424,
     "upstream_not_allowed"),
    ("read-timeout", lambda: read(answer=TimedOut("slow")), 504, "upstream_timeout"),
    ("write-timeout", lambda: situation(answer=TimedOut("slow")), 409, "outcome_unknown"),
    ("write-lost", lambda: situation(answer=AnswerLost("cut")), 409, "outcome_unknown"),
    ("redirect-301", lambda: moved(301), 424, "upstream_redirect"),
    ("redirect-302", lambda: moved(302), 424, "upstream_redirect"),
    ("redirect-303", lambda: moved(303), 424, "upstream_redirect"),
    ("redirect-307", lambda: moved(307), 424, "upstream_redirect"),
    ("redirect-308", lambda: moved(308), 424, "upstream_redirect"),
]  # fmt: skip
CAN_BE_RESENT = {
    "identity_unavailable", "storage_unavailable", "vault_unavailable", "upstream_unreachable",
    "upstream_timeout",
}  # fmt: skip
SOURCES = {"identity": "identity", "sign": "identity", "upstream": "upstream",
           "outcome": "upstream", "answer": "upstream"}  # fmt: skip
IDS = [name for name, *_ in SITUATIONS]
TABLE = pytest.mark.parametrize(
    ("arrange", "status", "code"), [row[1:] for row in SITUATIONS], ids=IDS
)


@TABLE
def test_situation_has_its_answer(arrange, status, code):
    """Status and code are what the contract says, and there is always a next step."""
    scene, sent = arrange()

    error = failure(lambda: scene.invoke(**sent))

    assert (error.kind.status, error.kind.code) == (status, code)
    assert error.kind.title
    assert error.detail.endswith(".")
    assert error.hint


@TABLE
def test_situation_says_whether_to_send_it_again(arrange, status, code):
    """Only what is safe and may help is marked so; Power Automate resends 408, 429 and 5xx."""
    scene, sent = arrange()

    error = failure(lambda: scene.invoke(**sent))

    assert error.kind.retryable == (code in CAN_BE_RESENT) == (status >= 500)
    if status == 503:
        assert 0 < error.retry_after_seconds <= 60


@TABLE
def test_situation_names_its_source(arrange, status, code):
    """Whoever reads the error knows whom to ask."""
    scene, sent = arrange()

    error = failure(lambda: scene.invoke(**sent))

    assert error.kind.source == SOURCES.get(code.partition("_")[0], "gateway")
    assert error.kind.status == status


@pytest.mark.parametrize("name", IDS[: IDS.index("answer-too-large")])
def test_refused_call_is_not_sent(name):
    """What the gateway itself refuses never reaches the service."""
    scene, sent = SITUATIONS[IDS.index(name)][1]()

    failure(lambda: scene.invoke(**sent))

    assert not scene.http.sent_to(BC)


@pytest.mark.parametrize("status", [408, 500, 502, 503, 504])
def test_answer_that_leaves_a_change_open_is_unknown(status):
    """409, with the service's answer below: nobody resends it by himself."""
    answer = json_answer({"error": {"code": "X"}}, status=status, headers={"request-id": "r-1"})
    scene, _ = situation(answer=answer)

    error = failure(scene.invoke)

    assert (error.kind.status, error.kind.code) == (409, "outcome_unknown")
    assert error.upstream["status"] == status
    assert error.upstream["request_id"] == "r-1"
    assert json.loads(bytes(error.upstream["body"])) == {"error": {"code": "X"}}


def test_unreadable_answer_is_shown_as_text():
    """A proxy's page in place of JSON helps to find out what happened; a part of it will do."""
    scene, _ = situation(answer=OutboundAnswer(502, {}, b"<h1>Bad \xff gateway</h1>" + b"x" * 4900))

    shown = failure(scene.invoke).upstream["body"]

    assert shown.startswith("<h1>Bad \ufffd gateway</h1>")
    assert len(shown) == 4000


@pytest.mark.parametrize("status", [400, 403, 404, 408, 409, 412, 422, 429, 500, 502, 503, 504])
def test_answer_to_a_read_comes_back_as_it_is(status):
    """Nothing was changed: the caller decides what to make of it."""
    answer = json_answer({"error": {"code": "X"}}, status=status, headers={"retry-after": "7"})
    scene, _ = read(answer=answer)

    reply = scene.invoke()

    assert (reply.status, json.loads(reply.body)) == (status, {"error": {"code": "X"}})
    assert reply.headers["Retry-After"] == "7"


@pytest.mark.parametrize("status", [200, 201, 202, 204, 400, 403, 404, 409, 412, 422, 423, 429])
def test_answer_that_tells_the_outcome_of_a_change_comes_back_as_it_is(status):
    """Business Central's own answer, good or bad, is the caller's."""
    scene, _ = situation(answer=OutboundAnswer(status, {}, b"" if status == 204 else b"told"))

    assert scene.invoke().status == status
    assert len(scene.http.sent_to(BC)) == 1


def test_not_modified_comes_back_as_it_is():
    """304 is no redirect but the answer to If-None-Match."""
    scene, _ = read(answer=OutboundAnswer(304, {"etag": 'W/"1"'}, b""))

    reply = scene.invoke()

    assert (reply.status, reply.headers) == (304, {"ETag": 'W/"1"'})


def test_error_after_a_change_says_that_it_was_made():
    """Who gets no answer, since it is too large, must not send the change again."""
    scene, _ = situation(answer=json_answer("x" * 5000))

    assert "do not send it again" in failure(scene.invoke).detail


def test_error_of_a_method_names_those_that_are_allowed():
    """RFC 9110 section 15.5.6."""
    scene, _ = situation(endpoint={"kind": "api", "api_url": "items", "method": "PATCH"})

    error = failure(lambda: scene.invoke(method="GET"))

    assert error.headers == {"Allow": "PATCH, POST"}


@pytest.mark.parametrize("method", ["GET", "POST", "PATCH", "PUT", "DELETE"])
def test_post_runs_every_endpoint_with_its_own_method(method):
    """ "Run it" is a POST for callers; towards Business Central the stored method counts."""
    endpoint = {"kind": "custom", "api_url": "items", "method": method}
    scene, _ = situation(endpoint=endpoint)

    scene.invoke(method="POST", body=b"{}", headers=JSON)
    scene.invoke(method=method)

    assert [request.method for request in scene.http.sent_to(BC)] == [method, method]


@pytest.mark.parametrize(
    ("method", "expected"), [("GET", None), ("DELETE", None), ("PATCH", b"{}"), ("PUT", b"{}")]
)
def test_body_goes_only_with_methods_that_have_one(method, expected):
    """Power Automate sends a body with each POST."""
    scene, _ = situation(endpoint={"kind": "custom", "api_url": "items", "method": method})

    scene.invoke(body=b"{}", headers=JSON)

    (request,) = scene.http.sent_to(BC)
    assert request.body == expected
    assert ("content-type" in request.headers) == (expected is not None)


@pytest.mark.parametrize(
    "body",
    [
        b'{"n": 12345678901234567890123, "d": 0.10, "e": 1E400, "z": 1.50}',
        b'  { "a" :\t1 ,"a": 2 }\n',
        '{"text": "\u20ac \\u20ac \\/"}'.encode(),
        b'"just a text"',
    ],
)
def test_body_goes_on_byte_for_byte(body):
    """Nothing is parsed and written anew on the way."""
    scene, _ = situation()

    scene.invoke(body=body, headers=JSON)

    assert scene.http.sent_to(BC)[0].body == body


def test_body_of_another_type_is_not_looked_into():
    """What is not announced as JSON may be anything."""
    scene, _ = situation()

    scene.invoke(body=b"\x00\xff{", headers={"content-type": "application/octet-stream"})

    request = scene.http.sent_to(BC)[0]
    assert request.body == b"\x00\xff{"
    assert request.headers["content-type"] == "application/octet-stream"


def test_payload_that_fits_its_schema_goes_on():
    """Also where it is not announced as JSON: the schema says what it has to be."""
    scene, _ = with_schema(b"")

    assert scene.invoke(body=b'{"no": "1", "lines": [1]}').status == 200


def test_schema_names_every_place():
    """All problems at once, by JSON pointer."""
    scene, sent = with_schema(b'{"lines": [1, "x", 2, "y"]}')

    error = failure(lambda: scene.invoke(**sent))

    assert {problem.pointer for problem in error.errors} == {"", "/lines/1", "/lines/3"}
    assert all(problem.message for problem in error.errors)


def test_encoded_parameters_become_texts_of_json():
    """Business Central's Text parameters take JSON in a string; digits stay what they are."""
    scene, _ = situation(endpoint={"encode_parameters": ["order", "tags", "note", "missing"]})

    scene.invoke(
        body=b'{"order": {"amount": 0.10, "id": 9007199254740993.000}, "tags": [1E2, null],'
        b' "note": "plain", "count": 12345678901234567890}',
        headers=JSON,
    )

    sent = scene.http.sent_to(BC)[0].body
    assert json.loads(sent) == {
        "order": '{"amount": 0.10, "id": 9007199254740993.000}',
        "tags": "[1E2, null]",
        "note": "plain",
        "count": 12345678901234567890,
    }
    assert b'"count":12345678901234567890' in sent


@pytest.mark.parametrize("body", [b"[1]", b'"x"', b"5", b"not json", b'{"order": {"a": "\xff"}}'])
def test_parameters_are_encoded_in_objects_only(body):
    """There is nothing to encode in anything else."""
    scene, _ = situation(endpoint={"encode_parameters": ["order"]})

    error = failure(lambda: scene.invoke(body=body))

    assert (error.kind.status, error.kind.code) == (400, "invalid_payload")


def test_missing_payload_needs_no_encoding():
    """A call without a body goes on without one."""
    scene, _ = situation(endpoint={"encode_parameters": ["order"]})

    scene.invoke()

    assert not scene.http.sent_to(BC)[0].body


def in_a_text(inner: str) -> bytes:
    """Return an answer of a codeunit: JSON in a text."""
    return json.dumps({"@odata.context": "c", "value": inner}).encode()


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (in_a_text('{"a": 1.50, "n": 12345678901234567890}'),
         b'{"@odata.context":"c","value":{"a": 1.50, "n": 12345678901234567890}}'),
        (in_a_text("[0.10,1E400]"), b'{"@odata.context":"c","value":[0.10,1E400]}'),
        (in_a_text('{"inner": "{\\"a\\": 1}"}'),
         b'{"@odata.context":"c","value":{"inner": "{\\"a\\": 1}"}}'),
        (in_a_text('"\u20ac"'), '{"@odata.context":"c","value":"\u20ac"}'.encode()),
        (in_a_text("plain text"), in_a_text("plain text")),
        (in_a_text(""), in_a_text("")),
        (in_a_text("[" * 100_000), in_a_text("[" * 100_000)),
        (in_a_text("[" * 100_000 + "]" * 100_000), in_a_text("[" * 100_000 + "]" * 100_000)),
        (b'{"value": 5}', b'{"value": 5}'),
        (b'{"value": {"a": 1}}', b'{"value": {"a": 1}}'),
        (b'{"other": "{}"}', b'{"other": "{}"}'),
        (b'["{}"]', b'["{}"]'),
        (b"<html>", b"<html>"),
        (b'{"value": "\xff"}', b'{"value": "\xff"}'),
        (b"", b""),
    ],
    ids=[
        "object", "list", "one-level-only", "text", "plain", "empty", "broken", "deep", "number",
        "json", "missing", "no-object", "html", "no-utf-8", "nothing",
    ],
)  # fmt: skip
def test_decoded_value_comes_back_as_json(body, expected):
    """In the same envelope, digit for digit; a value that is no JSON stays as it is."""
    scene = Scene()
    scene.http.on(BC, OutboundAnswer(200, dict(JSON), body))
    scene.integrate()
    scene.offer(decode_value=True)
    scene.sign_in()

    assert scene.invoke().body == expected


def test_value_stays_a_text_unless_asked_otherwise(signed_in):
    """The answer is Business Central's, byte for byte."""
    signed_in.http.on(BC, OutboundAnswer(200, dict(JSON), in_a_text('{"a":1}')))

    assert signed_in.invoke().body == in_a_text('{"a":1}')


@pytest.mark.parametrize(
    "body",
    [b'{"no": 5}', b"not json", b'"\xff"', b"[" * 100_000 + b"]" * 100_000, b'{"no": 1e400}'],
)
def test_answer_against_its_schema_is_logged_and_passed_on(caplog, body):
    """The call was made; the caller gets its answer, and an operator learns of the change."""
    scene, _ = situation(endpoint={"response_schema": SCHEMA})
    scene.http.on(BC, OutboundAnswer(200, dict(JSON), body[:4000]))

    reply = scene.invoke()

    assert (reply.status, reply.body) == (200, body[:4000])
    assert "answer_against_schema" in caplog.text


def test_answer_within_its_schema_is_not_remarked(caplog):
    """Nor one without a body, or of another type."""
    scene, _ = situation(endpoint={"response_schema": SCHEMA}, answer=json_answer({"no": "1"}))
    scene.invoke()
    scene.http.on(BC, OutboundAnswer(204, dict(JSON), b""))
    scene.invoke()
    scene.http.on(BC, OutboundAnswer(200, {"content-type": "text/plain"}, b"{}"))
    scene.invoke()

    assert "answer_against_schema" not in caplog.text


@pytest.mark.parametrize(
    ("name", "expected"),
    [("GET_WHSE_SHPT_LINES", '"code":null'), ("NOPE", '"code":"endpoint_not_found"')],
)
def test_every_call_is_logged(caplog, name, expected):
    """One line says what was called, how it ended, and which flow run it was."""
    caplog.set_level(logging.INFO)
    scene, _ = situation()

    try:
        scene.invoke(name, headers={"x-ms-workflow-run-id": "run-7"}, body=b"payload")
    except Exception:  # noqa: BLE001, S110 - the log is what counts here
        pass

    (line,) = [each.message for each in caplog.records if '"invoked"' in each.message]
    assert f'"endpoint":"{name}"' in line
    assert expected in line
    assert '"request_id":"request-1","flow_run":"run-7"' in line
    assert "payload" not in line


API = {"kind": "api", "method": "GET", "api_url": "customers"}
COMPANIES = f"{BC}/v2.0/11111111-2222-4333-8444-555555555555/Production/api/v2.0/companies"
LISTED = json_answer(
    {
        "value": [
            {"id": COMPANY_ID, "name": "CRONUS USA, Inc.", "displayName": ""},
            {"id": "9e1b6ea7-0000-4000-8000-000000000002", "name": "Other A/S"},
        ]
    }
)


@pytest.fixture
def api():
    """Return a gateway with an endpoint that names its company by id."""
    scene, _ = situation(endpoint=API)
    scene.http.on(COMPANIES, LISTED)
    scene.http.on(f"{COMPANIES}(", json_answer({"value": []}))
    return scene


def test_company_s_id_is_looked_up_once(api):
    """The definition holds the name, the URL needs the id."""
    api.invoke()
    api.invoke()

    urls = [request.url for request in api.http.sent_to(BC)]
    assert urls == [COMPANIES, *[f"{COMPANIES}({COMPANY_ID})/customers"] * 2]


def test_looked_up_id_is_no_part_of_the_definition(api):
    """The definition stays what the administrator wrote."""
    api.invoke()

    assert api.services.integrations.get(CODE).document["company_id"] is None


def test_known_id_is_not_looked_up(api):
    """Neither the integration's nor the caller's choice of an id."""
    api.services.integrations.patch(CODE, {"company_id": COMPANY_ID}, UNCONDITIONAL)

    api.invoke()
    api.invoke(query=f"gw_company={COMPANY_ID}")

    assert len(api.http.sent_to(BC)) == 2


@pytest.mark.parametrize("kind", ["codeunit", "odata"])
def test_other_kinds_use_the_name(kind):
    """No lookup, where the URL can do without."""
    scene, _ = situation(endpoint={"kind": kind, "api_url": "Items"})

    scene.invoke()

    (request,) = scene.http.sent_to(BC)
    assert "CRONUS%20USA%2C%20Inc." in request.url


def test_chosen_company_is_looked_up_too(api):
    """The list that was read once answers for all its companies."""
    api.services.integrations.patch(CODE, {"allowed_companies": ["Other A/S"]}, UNCONDITIONAL)
    api.invoke()

    api.invoke(query="gw_company=Other%20A/S")

    assert api.http.sent[-1].url.endswith("000000000002)/customers")
    assert len(api.http.sent_to(BC)) == 3


def test_company_that_is_not_allowed_is_not_looked_up(api):
    """403, before anything is sent."""
    error = failure(lambda: api.invoke(query="gw_company=Other"))

    assert (error.kind.status, error.kind.code) == (403, "company_not_allowed")
    assert not api.http.sent_to(BC)


@pytest.mark.parametrize(
    "listed",
    [
        json_answer({"value": []}),
        json_answer({"value": [{"id": COMPANY_ID, "name": "cronus usa, inc."}]}),
        json_answer({"error": {"code": "Internal"}}, status=500),
        json_answer({}, status=404),
        OutboundAnswer(200, {}, b"<html>"),
        json_answer({"value": [{"id": 5, "name": None}]}),
    ],
    ids=["none", "another-case", "500", "404", "html", "other-form"],
)
def test_company_that_cannot_be_found_is_told(api, listed):
    """Without its id there is no URL: 424, and the call is not sent to some other company."""
    api.http.on(COMPANIES, listed)

    error = failure(api.invoke)

    assert (error.kind.status, error.kind.code) == (424, "company_not_found")
    assert len(api.http.sent_to(f"{COMPANIES}(")) == 0


def test_lookup_is_tried_again_after_a_failure(api):
    """A failure is not kept as the answer for good."""
    api.http.on(COMPANIES, json_answer({}, status=500), LISTED)
    failure(api.invoke)
    api.clock.advance(minutes=5)

    assert api.invoke().status == 200


def test_query_goes_along(signed_in):
    """What the gateway does not need goes on byte for byte."""
    signed_in.services.endpoints.patch(
        CODE, LISTING, {"kind": "odata", "method": "GET", "api_url": "Items"}, UNCONDITIONAL
    )

    signed_in.invoke(query="code=the-key&$filter=No%20eq%20%271%27&$top=3")

    assert signed_in.http.sent_to(BC)[-1].url.endswith("/Items?$filter=No%20eq%20%271%27&$top=3")
