"""Whether the gateway can do its work, as a monitor asks, also when it cannot even start."""

from __future__ import annotations

import os

import pytest

from shared import bootstrap
from tests.fakes import json_answer
from tests.scenes import BC
from tests.unit.functions.test_every_answer import INTEGRATION, INVOKE, Gateway

HEALTH = "/api/health"


@pytest.fixture
def gateway(monkeypatch):
    """Return a gateway with somebody signed in."""
    gateway = Gateway(monkeypatch)
    gateway.scene.http.on(BC, json_answer({}))
    gateway.scene.integrate()
    gateway.scene.offer()
    gateway.scene.sign_in()
    return gateway


def down(scene, broken):
    """Let storage or vault fail."""
    {"storage": scene.integrations, "vault": scene.secrets}[broken].fail()


@pytest.fixture
def misconfigured(gateway, monkeypatch):
    """Return a gateway that has not started yet, and whose settings are not good."""
    bad = {
        "KEY_VAULT_URL": "vault-of-ours",
        "MAX_PAYLOAD_BYTES": "plenty",
        "AzureWebJobsStorage": "@Microsoft.KeyVault(SecretUri=https://vault-of-ours/secret)",
    }
    monkeypatch.setattr(bootstrap, "_services", None)
    monkeypatch.setattr(os, "environ", bad)
    return gateway


def test_healthy_gateway_is_ok(gateway):
    """Storage and vault answer, and that is all that is told."""
    answer = gateway.call("GET", HEALTH)

    assert answer.status_code == 200
    assert answer.json == {"status": "ok", "checks": {"storage": "ok", "vault": "ok"}}


@pytest.mark.parametrize("broken", ["storage", "vault"])
def test_outage_degrades_an_instance_that_has_served(gateway, broken):
    """It knows definitions and tokens, and serves on."""
    gateway.call("POST", INVOKE)
    down(gateway.scene, broken)

    answer = gateway.call("GET", HEALTH)

    checks = {"storage": "ok", "vault": "ok"} | {broken: "unavailable"}
    assert (answer.status_code, answer.json) == (200, {"status": "degraded", "checks": checks})
    assert gateway.call("POST", INVOKE).status_code == 200


@pytest.mark.parametrize("broken", ["storage", "vault"])
def test_outage_stops_an_instance_that_has_just_started(gateway, monkeypatch, broken):
    """It knows nothing yet, and its calls fail."""
    monkeypatch.setattr(bootstrap, "_services", gateway.scene.another_instance())
    down(gateway.scene, broken)

    answer = gateway.call("GET", HEALTH)

    checks = {"storage": "ok", "vault": "ok"} | {broken: "unavailable"}
    assert (answer.status_code, answer.json) == (503, {"status": "unavailable", "checks": checks})
    assert gateway.call("POST", INVOKE).json["code"] == f"{broken}_unavailable"


def test_answer_is_kept_for_some_seconds(gateway):
    """A monitor, or an attacker, cannot make the gateway ask the vault all day."""
    asked = [gateway.scene.secrets.calls["ping"]]
    for _ in range(3):
        gateway.call("GET", HEALTH)
        asked.append(gateway.scene.secrets.calls["ping"])
    gateway.scene.clock.advance(seconds=10)
    gateway.call("GET", HEALTH)
    asked.append(gateway.scene.secrets.calls["ping"])

    assert asked == [0, 1, 1, 1, 2]


def test_bad_settings_are_named_all_at_once(misconfigured):
    """503, with the names of the settings and none of their values."""
    answer = misconfigured.call("GET", HEALTH)

    assert (answer.status_code, answer.json["status"]) == (503, "unavailable")
    wrong = [
        "KEY_VAULT_URL",
        "PUBLIC_URL",
        "MAX_PAYLOAD_BYTES",
        "TABLES_URL",
        "AzureWebJobsStorage",
    ]
    assert [name for name in wrong if name not in answer.json["settings"]] == []
    assert "vault-of-ours" not in answer.text
    assert "plenty" not in answer.text


@pytest.mark.parametrize(
    ("method", "address"),
    [
        ("POST", INVOKE),
        ("GET", INTEGRATION),
        ("GET", "/api/authorize/CRONUS"),
        ("GET", "/api/callback?state=x"),
        ("POST", "/api/deauthorize/CRONUS"),
    ],
)
def test_bad_settings_fail_every_call_clearly(misconfigured, method, address):
    """Our fault, and not to be resent: 424 with what is to be corrected."""
    answer = misconfigured.call(method, address)

    assert (answer.status_code, answer.json["code"]) == (424, "gateway_misconfigured")
    assert "PUBLIC_URL is missing" in answer.json["detail"]
