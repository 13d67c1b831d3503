"""The document as the gateway gives it."""

import pytest

from shared import bootstrap
from tests.unit.functions.test_every_answer import Gateway

ADDRESS = "/api/openapi.json"


@pytest.fixture
def gateway(monkeypatch):
    """Return a gateway with an integration."""
    gateway = Gateway(monkeypatch)
    gateway.scene.integrate(code="CANARY_CODE", company="Canary Ltd.")
    return gateway


def test_document_is_given_without_a_key_and_may_be_cached(gateway):
    """Tools read it before anybody has a key."""
    answer = gateway.call("GET", ADDRESS)

    assert (answer.status_code, answer.mimetype) == (200, "application/json")
    assert answer.json["openapi"] == "3.1.0"
    assert answer.headers["Cache-Control"] == "public, max-age=300"


def test_known_document_is_not_sent_again(gateway):
    """A client that has it is told that nothing changed."""
    etag = gateway.call("GET", ADDRESS).headers["ETag"]

    answer = gateway.call("GET", ADDRESS, headers={"If-None-Match": f'W/"other", {etag}'})

    assert (answer.status_code, answer.text) == (304, "")
    assert answer.headers["ETag"] == etag
    assert gateway.call("GET", ADDRESS, headers={"If-None-Match": '"other"'}).status_code == 200


def test_document_tells_nothing_of_what_is_stored(gateway):
    """Anybody can read it: no integration is named, and no store is asked."""
    before = gateway.scene.stored_calls()

    text = gateway.call("GET", ADDRESS).text

    assert "canary" not in text.lower()
    assert "gateway.example" not in text
    assert gateway.scene.stored_calls() == before


def test_document_needs_no_settings(monkeypatch):
    """It can be read while the app is being set up."""
    gateway = Gateway(monkeypatch)
    monkeypatch.setattr(bootstrap, "_services", None)

    assert gateway.call("GET", ADDRESS).status_code == 200
