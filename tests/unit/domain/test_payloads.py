"""JSON from outside: whatever is wrong with it, it is read in one way and fails in one way."""

from __future__ import annotations

import msgspec
import pytest

from shared.domain.errors import GatewayError
from shared.domain.payloads import (
    NotReadable,
    check_json,
    decode_value,
    encode_parameters,
    read_json,
)

DEEP = b"[" * 100_000 + b"]" * 100_000
UNREADABLE = {
    "empty": b"",
    "cut": b'{"a":',
    "more behind": b"{} {}",
    "no UTF-8": b'{"a": "\xff"}',
    "too deep": b'{"a": ' + DEEP + b"}",
}
unreadable = pytest.mark.parametrize("body", UNREADABLE.values(), ids=UNREADABLE)


@unreadable
@pytest.mark.parametrize("form", [object, msgspec.Raw, dict[str, msgspec.Raw]], ids=str)
def test_unreadable_text_is_told_as_such(body, form):
    """One error, whatever the library raises, and whatever form was asked for."""
    with pytest.raises(NotReadable):
        read_json(body, form)


@unreadable
@pytest.mark.parametrize(
    "act", [check_json, lambda body: encode_parameters(body, ["a"])], ids=["check", "encode"]
)
def test_unreadable_payload_is_invalid(act, body):
    """The caller hears of it before anything is sent."""
    with pytest.raises(GatewayError) as caught:
        act(body)

    assert (caught.value.kind.code, caught.value.kind.status) == ("invalid_payload", 400)


@unreadable
def test_unreadable_answer_stays_as_it_is(body):
    """An answer is never lost for what it holds."""
    assert decode_value(body) == body


@pytest.mark.parametrize("inner", [b'"[[["', b'"{\\"a\\": "', b"1", b"null", b'"'])
def test_value_that_is_no_json_stays_as_it_is(inner):
    """Only a text of whole JSON is put in its place."""
    body = b'{"value": ' + inner + b"}"

    assert decode_value(body) == body


def test_deep_value_stays_as_it_is():
    """A text of JSON that nobody can read is a text."""
    body = msgspec.json.encode({"value": DEEP.decode()})

    assert decode_value(body) == body


def test_number_beyond_a_float_is_kept():
    """Nothing is read that need not be."""
    assert decode_value(b'{"value": "{\\"n\\": 1e400}"}') == b'{"value":{"n": 1e400}}'
    assert encode_parameters(b'{"a": [1e400]}', ["a"]) == b'{"a":"[1e400]"}'
