"""Idempotency keys under administration: shown, and settled where the outcome is unknown."""

from __future__ import annotations

from contextlib import suppress

import pytest

from shared.domain.errors import GatewayError
from shared.domain.idempotency import KEY_LIFE
from shared.domain.transport import TimedOut
from tests.fakes import json_answer
from tests.fakes.machine import START
from tests.scenes import BC, CODE, LISTING, failure, serving

KEY = {"idempotency-key": "order-4711"}
FLOW = {"x-ms-workflow-run-id": "run-1", "x-ms-action-tracking-id": "action-1"}


def called(reply, headers=KEY, **endpoint):
    """Return a gateway after one call with a key, which the service replied to so."""
    scene = serving(reply, **endpoint)
    with suppress(GatewayError):
        scene.invoke(headers=headers)
    return scene


def crashed():
    """Return a gateway that died while the service executed a call."""
    scene = serving()

    def die(_):
        raise SystemExit

    scene.http.script(BC, die)
    with pytest.raises(SystemExit):
        scene.invoke(headers=KEY)
    return scene


def show(scene, headers=KEY, endpoint=LISTING):
    """Return what an administrator sees."""
    return scene.services.kept_calls.show(CODE, endpoint, headers)


def settle(scene, outcome, headers=KEY):
    """Do what an administrator does after a look into Business Central."""
    return scene.services.kept_calls.settle(CODE, LISTING, headers, outcome)


def test_done_call_is_shown():
    """Without its answer, which is the caller's."""
    assert show(called(json_answer({"no": "S-1"}, status=201))) == {
        "state": "done",
        "status": 201,
        "created_on": START,
        "expires_on": START + KEY_LIFE,
        "request_id": "request-1",
        "is_body_kept": True,
    }


def test_unknown_outcome_is_shown():
    """With the status that callers get."""
    shown = show(called(TimedOut("slow")))

    assert (shown["state"], shown["status"], shown["is_body_kept"]) == ("unknown", 409, False)


def test_call_of_a_dead_process_is_running_until_its_time_is_over():
    """Then nobody can tell what became of it."""
    scene = crashed()
    running = show(scene)
    scene.clock.advance(seconds=160)

    assert (running["state"], show(scene)["state"]) == ("running", "unknown")


def test_derived_key_is_shown_by_the_headers_of_the_flow():
    """Nobody ever saw the key itself."""
    scene = called(json_answer({}), headers=FLOW, derive_idempotency_key=True)

    assert show(scene, FLOW)["state"] == "done"


def test_unknown_key_is_not_found():
    """So is one whose time is over, and one of another endpoint."""
    scene = called(json_answer({}))
    scene.offer(code="OTHER")
    asked = [({"idempotency-key": "x"}, LISTING), (KEY, "OTHER"), (FLOW, LISTING)]

    errors = [failure(lambda each=each: show(scene, *each)) for each in asked]
    scene.clock.advance(days=2)
    errors.append(failure(lambda: show(scene)))

    assert {error.kind.code for error in errors} == {"idempotency_key_not_found"}


def test_missing_key_is_told():
    """The header may have been forgotten."""
    error = failure(lambda: show(called(json_answer({})), {}))

    assert (error.kind.code, "missing" in error.detail) == ("invalid_idempotency_key", True)


@pytest.mark.parametrize(
    ("integration", "endpoint", "code"),
    [("NOPE", LISTING, "integration_not_found"), (CODE, "NOPE", "endpoint_not_found")],
)
def test_unknown_place_is_told(integration, endpoint, code):
    """Before anything is said about keys."""
    scene = serving()

    error = failure(lambda: scene.services.kept_calls.show(integration, endpoint, KEY))

    assert error.kind.code == code


@pytest.mark.parametrize("arrange", [lambda: called(TimedOut("slow")), crashed],
                         ids=["timeout", "crash"])  # fmt: skip
def test_call_that_was_not_done_frees_its_key(arrange):
    """The next call with the key is executed."""
    scene = arrange()
    scene.clock.advance(seconds=160)
    scene.http.on(BC, json_answer({"no": "S-2"}))

    assert settle(scene, "not_done") is None
    reply = scene.invoke(headers=KEY)

    assert (reply.status, "Idempotency-Replayed" in reply.headers) == (200, False)


@pytest.mark.parametrize("arrange", [lambda: called(TimedOut("slow")), crashed],
                         ids=["timeout", "crash"])  # fmt: skip
def test_call_that_was_done_is_never_executed_again(arrange):
    """Its callers get 204: it is done, and nobody knows the answer."""
    scene = arrange()
    scene.clock.advance(seconds=160)
    before = len(scene.http.sent_to(BC))

    shown = settle(scene, "done")
    reply = scene.invoke(headers=KEY)

    assert shown == show(scene)
    assert (shown["state"], shown["status"], shown["is_body_kept"]) == ("done", None, False)
    assert (reply.status, reply.body) == (204, b"")
    assert reply.headers["Idempotency-Replayed"] == "true"
    assert "not known" in reply.headers["X-Gateway-Warning"]
    assert len(scene.http.sent_to(BC)) == before


@pytest.mark.parametrize("outcome", ["done", "not_done"])
@pytest.mark.parametrize("arrange", [lambda: called(json_answer({})), crashed],
                         ids=["done", "running"])  # fmt: skip
def test_known_outcome_cannot_be_settled(arrange, outcome):
    """Nor can that of a call that is still under way."""
    scene = arrange()
    before = dict(scene.idempotency.rows)

    error = failure(lambda: settle(scene, outcome))

    assert (error.kind.status, error.kind.code) == (409, "nothing_to_settle")
    assert scene.idempotency.rows == before


@pytest.mark.parametrize(
    ("first", "second", "method"),
    [("not_done", "done", "replace"), ("done", "not_done", "delete")],
    ids=["freed", "kept"],
)
def test_two_who_settle_at_once_do_not_undo_each_other(first, second, method):
    """The second one is told to look again."""
    scene = called(TimedOut("slow"))
    scene.idempotency.before(method, lambda: settle(scene, first))

    error = failure(lambda: settle(scene, second))

    assert error.kind.code == "changed_meanwhile"
    assert len(scene.idempotency.rows) == (first == "done")


def test_key_that_is_settled_already_as_it_should_is_no_conflict():
    """Somebody else agreed, or the storage executed the write and its answer was lost."""
    scene = called(TimedOut("slow"))
    scene.idempotency.before("replace", lambda: settle(scene, "done"))

    assert settle(scene, "done") == show(scene)
    assert show(scene)["state"] == "done"


def test_settling_is_logged(caplog):
    """Who looks for a missing change finds who settled what."""
    caplog.set_level("INFO")

    settle(called(TimedOut("slow")), "not_done")

    assert '"event":"key_settled"' in caplog.text
    assert "order-4711" not in caplog.text
