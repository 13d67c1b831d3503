"""Idempotency keys: which calls they make one, and what is stored under them."""

from __future__ import annotations

import pytest

from shared.domain.transport import AnswerLost
from tests.fakes import json_answer
from tests.scenes import CODE, LISTING, UNCONDITIONAL, failure
from tests.unit.services.keyed_calls import KEY, posting, rows


def test_other_keys_and_other_endpoints_are_other_calls():
    """The scope of a key is its endpoint."""
    scene, effects = posting()
    scene.offer(code="OTHER")

    scene.invoke(headers=KEY)
    scene.invoke(headers={"idempotency-key": "order-4712"})
    scene.invoke("OTHER", headers=KEY)

    assert effects.count == 3


def test_call_without_a_key_touches_no_store():
    """The warm path."""
    scene, _ = posting()
    scene.invoke()
    before = scene.stored_calls()

    scene.invoke()

    assert scene.stored_calls() == before


def test_call_with_a_key_writes_twice():
    """The reservation, and the outcome."""
    scene, _ = posting()
    scene.invoke(headers={"idempotency-key": "warm"})
    before = scene.stored_calls()

    scene.invoke(headers=KEY)

    assert scene.stored_calls() - before == 2
    assert scene.idempotency.calls["get"] == 0


@pytest.mark.parametrize(
    "other",
    [
        {"body": b'{"no": 2}'},
        {"query": "x=1"},
        {"query": "gw_company=OTHER"},
        {"headers": KEY | {"if-match": "*"}},
    ],
    ids=["body", "query", "company", "if-match"],
)
def test_key_with_another_call_is_refused(other):
    """422, and nothing is sent."""
    scene, effects = posting()
    scene.services.integrations.patch(CODE, {"allowed_companies": ["*"]}, UNCONDITIONAL)
    sent = {"headers": KEY, "body": b'{"no": 1}'}
    scene.invoke(**sent)

    error = failure(lambda: scene.invoke(**sent | other))

    assert (error.kind.status, error.kind.code) == (422, "idempotency_key_reused")
    assert effects.count == 1


def test_key_with_and_without_all_pages_is_refused():
    """It is part of the call, and the error says so."""
    scene, effects = posting(read_only=True)
    scene.invoke(headers=KEY)

    error = failure(lambda: scene.invoke(headers=KEY, query="gw_all_pages=true"))

    assert error.kind.code == "idempotency_key_reused"
    assert "gw_all_pages" in error.detail
    assert effects.count == 1


def test_key_with_another_method_is_refused():
    """An administrator has changed what the endpoint does meanwhile."""
    scene, effects = posting(kind="custom", method="POST")
    scene.invoke(headers=KEY)
    scene.services.endpoints.patch(CODE, LISTING, {"method": "PUT"}, UNCONDITIONAL)

    assert failure(lambda: scene.invoke(headers=KEY)).kind.code == "idempotency_key_reused"
    assert effects.count == 1


def test_derived_key_counts_where_the_endpoint_asks_for_it():
    """The retries of one action of one run are one call."""
    flow = {"x-ms-workflow-run-id": "run-1", "x-ms-action-tracking-id": "action-1"}
    scene, effects = posting(derive_idempotency_key=True)
    scene.offer(code="PLAIN")

    scene.invoke(headers=flow)
    scene.invoke(headers=flow)
    scene.invoke(headers=flow | {"x-ms-action-tracking-id": "action-2"})
    assert effects.count == 2

    scene.invoke("PLAIN", headers=flow)
    scene.invoke("PLAIN", headers=flow)
    assert effects.count == 4


@pytest.mark.parametrize("derives", [True, False])
def test_missing_key_is_told_where_one_was_to_be_derived(derives):
    """A maker sees in the run that the protection which an administrator relies on is not there."""
    scene, _ = posting(derive_idempotency_key=derives)

    reply = scene.invoke(headers={"x-ms-workflow-run-id": "run-1"})

    assert ("X-Gateway-Warning" in reply.headers) is derives


@pytest.mark.parametrize("derives", [True, False])
def test_missing_key_is_told_above_all_where_the_outcome_is_unknown(derives):
    """There, whoever sends the call again relies on the key."""
    scene, _ = posting(AnswerLost("connection lost"), derive_idempotency_key=derives)

    error = failure(scene.invoke)

    assert error.kind.code == "outcome_unknown"
    assert ("X-Gateway-Warning" in error.headers) is derives


def test_malformed_key_is_refused_before_anything_is_sent():
    """400: its sender relies on it."""
    scene, effects = posting()

    error = failure(lambda: scene.invoke(headers={"idempotency-key": ""}))

    assert error.kind.code == "invalid_idempotency_key"
    assert effects.count == 0


def test_nothing_that_is_stored_can_be_read():
    """Neither key nor answer nor what was sent."""
    scene, _ = posting(json_answer({"secret": "canary-answer"}))
    scene.invoke(headers=KEY, body=b"canary-body", query="q=canary-query")

    (row,) = rows(scene)
    stored = repr(row)

    assert row.sealed
    assert not [word for word in ("canary", "order-4711") if word in stored]


def test_deleted_integration_takes_its_keys_along():
    """One that is made anew under the same code begins with none."""
    scene, _ = posting()
    scene.integrate(code="OTHER")
    scene.offer("OTHER")
    scene.sign_in("OTHER")
    scene.invoke(headers=KEY)
    scene.invoke(headers=KEY, integration="OTHER")

    scene.services.integrations.delete(CODE, UNCONDITIONAL)

    assert [row.integration for row in rows(scene)] == ["OTHER"]


def test_timer_removes_what_is_over():
    """And nothing else."""
    scene, _ = posting()
    scene.invoke(headers=KEY)
    scene.clock.advance(days=1)
    scene.sign_in()
    scene.invoke(headers={"idempotency-key": "younger"})
    scene.clock.advance(days=1)

    scene.services.due_refresh.run()

    assert len(rows(scene)) == 1
