"""The routes of idempotency keys."""

from __future__ import annotations

import pytest

from shared.domain.transport import TimedOut
from tests.fakes import json_answer
from tests.scenes import BC
from tests.unit.functions.test_every_answer import ENDPOINT, INVOKE, Gateway

KEYS = f"{ENDPOINT}/idempotency"
KEY = {"Idempotency-Key": "order-4711"}


@pytest.fixture
def gateway(monkeypatch):
    """Return a gateway with an integration, an endpoint, and a person signed in."""
    gateway = Gateway(monkeypatch)
    gateway.scene.http.on(BC, json_answer({"value": "done"}))
    gateway.scene.integrate()
    gateway.scene.offer()
    gateway.scene.sign_in()
    return gateway


def test_replay_says_so(gateway):
    """The header of the contract, and the upstream's answer below it."""
    first, again = (gateway.call("POST", INVOKE, {}, headers=KEY) for _ in range(2))

    assert "Idempotency-Replayed" not in first.headers
    assert again.headers["Idempotency-Replayed"] == "true"
    assert again.headers["X-Gateway-Source"] == "upstream"
    assert again.text == first.text


def test_key_is_shown(gateway):
    """By the header: a URL would be logged."""
    gateway.call("POST", INVOKE, {}, headers=KEY)

    answer = gateway.call("GET", KEYS, headers=KEY)

    assert answer.status_code == 200
    assert answer.json["state"] == "done"
    assert answer.json["expires_on"].endswith("Z")


@pytest.mark.parametrize(("outcome", "status"), [("done", 200), ("not_done", 204)])
def test_unknown_outcome_is_settled(gateway, outcome, status):
    """200 with what is known now, 204 for a key that is free."""
    gateway.scene.http.on(BC, TimedOut("slow"))
    assert gateway.call("POST", INVOKE, {}, headers=KEY).status_code == 409

    answer = gateway.call("POST", KEYS, {"outcome": outcome}, headers=KEY)

    assert answer.status_code == status


@pytest.mark.parametrize(
    "document", [{}, {"outcome": "maybe"}, {"outcome": None}, {"outcome": "done", "by": "me"}]
)
def test_other_outcomes_are_refused(gateway, document):
    """400, with the two that there are."""
    answer = gateway.call("POST", KEYS, document, headers=KEY)

    assert (answer.status_code, answer.json["code"]) == (400, "invalid_parameter")
    assert "not_done" in answer.json["hint"]
