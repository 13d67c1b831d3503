"""Idempotency keys: which are keys, and which calls are the same."""

from __future__ import annotations

from datetime import timedelta

import pytest

from shared.domain.idempotency import KEY_LIFE, CallRecord, fingerprint, hash_of, key_of
from tests.fakes.machine import START
from tests.scenes import failure

RUN, ACTION = "08584494751", "0f1e2d3c-0000-4000-8000-000000000001"
FLOW = {"x-ms-workflow-run-id": RUN, "x-ms-action-tracking-id": ACTION}
CALL = {
    "method": "POST",
    "url": "https://bc/x",
    "company": "A",
    "if_match": None,
    "all_pages": False,
    "body": b"{}",
}


@pytest.mark.parametrize("key", ["k", " ", "~", "a b", '"quoted"', "x" * 200])
def test_printable_text_is_a_key(key):
    """It is taken as it is, quotes and blanks included."""
    assert key_of({"idempotency-key": key}, derives=False) == key


@pytest.mark.parametrize("key", ["", "x" * 201, "a\tb", "a\nb", "\x7f", "Zo\u00eb", "\0"])
def test_other_text_is_refused(key):
    """Also an empty one: whoever sends the header relies on it."""
    error = failure(lambda: key_of({"idempotency-key": key} | FLOW, derives=True))

    assert (error.kind.status, error.kind.code) == (400, "invalid_idempotency_key")


def test_key_is_derived_only_where_the_endpoint_asks_for_it():
    """And a key that is given counts more."""
    assert key_of(FLOW, derives=False) is None
    assert key_of(FLOW, derives=True) is not None
    assert key_of(FLOW | {"idempotency-key": "mine"}, derives=True) == "mine"


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"x-ms-workflow-run-id": RUN},
        {"x-ms-action-tracking-id": ACTION},
        FLOW | {"x-ms-action-tracking-id": ""},
        FLOW | {"x-ms-workflow-run-id": "\u00e9"},
        FLOW | {"x-ms-workflow-run-id": "x" * 201},
    ],
    ids=["none", "run", "action", "empty", "not-ascii", "too-long"],
)
def test_no_key_is_derived_from_less_than_both_headers(headers):
    """A run alone would make one call of all the calls in it."""
    assert key_of(headers, derives=True) is None


def test_derived_keys_differ_by_run_and_action_and_from_every_given_one():
    """Whatever a caller writes into the headers."""
    derived = [
        key_of({"x-ms-workflow-run-id": run, "x-ms-action-tracking-id": action}, derives=True)
        for run, action in [("a", "b"), ("ab", "c"), ("a", "bc"), ("b", "a")]
    ]

    assert len(set(derived)) == 4
    for key in derived:
        failure(lambda key=key: key_of({"idempotency-key": key}, derives=False))


def test_hash_depends_on_the_endpoint():
    """Which is a key's scope."""
    assert hash_of("k", endpoint="A") != hash_of("k", endpoint="B")
    assert "k1" not in hash_of("k1", endpoint="A")


@pytest.mark.parametrize(
    "change",
    [
        {"method": "PUT"},
        {"url": "https://bc/y"},
        {"company": "B"},
        {"company": None},
        {"if_match": "*"},
        {"if_match": ""},
        {"all_pages": True},
        {"body": b"{} "},
        {"body": b""},
        {"body": None},
    ],
    ids=str,
)
def test_fingerprint_depends_on_every_part(change):
    """Another call is never taken for a repetition."""
    assert fingerprint(**CALL) == fingerprint(**dict(CALL))
    assert fingerprint(**CALL | change) != fingerprint(**CALL)


def test_fingerprint_keeps_its_parts_apart():
    """No text moves from one part into the next."""
    one, two = CALL | {"body": b'"]x'}, CALL | {"if_match": '"]', "body": b"x"}

    assert fingerprint(**one) != fingerprint(**two)


def test_reservation_that_has_run_out_is_unknown():
    """To the moment; what is settled stays as it is."""
    until = START + timedelta(seconds=160)
    record = CallRecord(
        fingerprint="f", owner="o", request_id="r", created_on=START, reserved_until=until
    )

    assert record.state_at(until - timedelta(microseconds=1)) == "running"
    assert record.state_at(until) == "unknown"
    assert record.expires_on == START + KEY_LIFE == START + timedelta(hours=48)
