"""Payloads on their way in and out: untouched, unless the endpoint asks for more."""

from __future__ import annotations

import gzip
import json

import pytest

from shared.domain.transport import OutboundAnswer
from tests.fakes import json_answer
from tests.scenes import BC, Scene, failure, serving

JSON = {"content-type": "application/json"}
SCHEMA = {
    "type": "object",
    "required": ["no"],
    "properties": {"no": {"type": "string"}, "lines": {"items": {"type": "integer"}}},
}


def sent_body(scene):
    """Return the body of the one request that was sent."""
    (request,) = scene.http.sent_to(BC)
    return request.body


@pytest.mark.parametrize(
    ("method", "expected"), [("GET", None), ("DELETE", None), ("PATCH", b"{}"), ("PUT", b"{}")]
)
def test_body_goes_only_with_methods_that_have_one(method, expected):
    """Power Automate sends a body with each POST."""
    scene = serving(kind="custom", api_url="items", method=method)

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
    scene = serving()

    scene.invoke(body=body, headers=JSON)

    assert sent_body(scene) == body


def test_body_of_another_type_is_not_looked_into():
    """What is not announced as JSON may be anything."""
    scene = serving()

    scene.invoke(body=b"\x00\xff{", headers={"content-type": "application/octet-stream"})

    request = scene.http.sent_to(BC)[0]
    assert request.body == b"\x00\xff{"
    assert request.headers["content-type"] == "application/octet-stream"


@pytest.mark.parametrize("content_type", ["application/json", "application/octet-stream"])
def test_compressed_body_is_refused(content_type):
    """Sent on without its Content-Encoding, it would be taken for something else."""
    scene = serving()
    headers = {"content-type": content_type, "content-encoding": "gzip"}

    error = failure(lambda: scene.invoke(body=gzip.compress(b"{}"), headers=headers))

    assert (error.kind.code, "Content-Encoding" in error.hint) == ("invalid_payload", True)
    assert scene.http.sent_to(BC) == []


def test_payload_that_fits_its_schema_goes_on():
    """Also where it is not announced as JSON: the schema says what it has to be."""
    scene = serving(request_schema=SCHEMA)

    assert scene.invoke(body=b'{"no": "1", "lines": [1]}').status == 200


def test_schema_names_every_place():
    """All problems at once, by JSON pointer."""
    scene = serving(request_schema=SCHEMA)

    error = failure(lambda: scene.invoke(body=b'{"lines": [1, "x", 2, "y"]}', headers=JSON))

    assert {problem.pointer for problem in error.errors} == {"", "/lines/1", "/lines/3"}
    assert all(problem.message for problem in error.errors)


def test_encoded_parameters_become_texts_of_json():
    """Business Central's Text parameters take JSON in a string; digits stay what they are."""
    scene = serving(encode_parameters=["order", "tags", "note", "missing"])

    scene.invoke(
        body=b'{"order": {"amount": 0.10, "id": 9007199254740993.000}, "tags": [1E2, null],'
        b' "note": "plain", "count": 12345678901234567890}',
        headers=JSON,
    )

    sent = sent_body(scene)
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
    scene = serving(encode_parameters=["order"])

    error = failure(lambda: scene.invoke(body=body))

    assert (error.kind.status, error.kind.code) == (400, "invalid_payload")


def test_missing_payload_needs_no_encoding():
    """A call without a body goes on without one."""
    scene = serving(encode_parameters=["order"])

    scene.invoke()

    assert not sent_body(scene)


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
    scene = serving(response_schema=SCHEMA)
    scene.http.on(BC, OutboundAnswer(200, dict(JSON), body[:4000]))

    reply = scene.invoke()

    assert (reply.status, reply.body) == (200, body[:4000])
    assert "answer_against_schema" in caplog.text


def test_answer_within_its_schema_is_not_remarked(caplog):
    """Nor one without a body, or of another type."""
    scene = serving(json_answer({"no": "1"}), response_schema=SCHEMA)
    scene.invoke()
    scene.http.on(BC, OutboundAnswer(204, dict(JSON), b""))
    scene.invoke()
    scene.http.on(BC, OutboundAnswer(200, {"content-type": "text/plain"}, b"{}"))
    scene.invoke()

    assert "answer_against_schema" not in caplog.text
