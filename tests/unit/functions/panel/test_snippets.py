"""Calls written for other tools: what they would send is what was meant."""

from __future__ import annotations

import json
import re

import pytest

from functions.panel.snippets import (
    KEY_PLACEHOLDER,
    GatewayCall,
    power_automate,
    powershell,
    snippets,
)

PAYLOADS = {
    "plain": '{"shipmentNo": "SH000002"}',
    "quotes": """{"a": "it's \\"quoted\\""}""",
    "shell": '{"a": "$(id) `id` $HOME !x \\\\ %PATH%"}',
    "lines": '{\n  "a": 1,\n  "b": "\'@"\n}',
    "unicode": '{"a": "Åre, 東京, \u2019typographic\u2019"}',
    "numbers": '{"a": 9223372036854775807, "b": 1.10}',
}
URL = "https://gateway.example/api/invoke/CRONUS/POST?$filter=city%20eq%20'Oslo'&$top=5"


def call(body="", url=URL):
    """Return a call with a key of its own."""
    return GatewayCall(method="POST", url=url, headers={"Idempotency-Key": "it's 1"}, body=body)


def powershell_strings(text):
    """Return the values of the single-quoted strings, as PowerShell's own tokenizer ends them."""
    quotes = "'\u2018\u2019\u201a\u201b"
    found = re.findall(f"[{quotes}]((?:[^{quotes}]|[{quotes}]{{2}})*)[{quotes}]", text)
    return [re.sub(f"[{quotes}]([{quotes}])", r"\1", each) for each in found]


@pytest.mark.parametrize("body", PAYLOADS.values(), ids=PAYLOADS)
def test_powershell_quotes_every_value_as_one_string(body):
    """Quotes of every kind are doubled, and nothing else means anything inside of them."""
    strings = powershell_strings(powershell(call(body)))

    assert strings[:2] == [body, URL]
    assert "it's 1" in strings


@pytest.mark.parametrize("body", PAYLOADS.values(), ids=PAYLOADS)
def test_power_automate_gets_the_payload_with_every_digit(body):
    """The action's body is the payload itself, as JSON."""
    text = power_automate(call(body))

    action = json.loads(text, parse_int=str, parse_float=str)
    assert action["type"] == "Http"
    assert action["inputs"]["body"] == json.loads(body, parse_int=str, parse_float=str)
    assert action["inputs"]["headers"]["x-functions-key"] == KEY_PLACEHOLDER


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("@{workflow()}", "@@{workflow()}"),
        ("@workflow()", "@@workflow()"),
        ("a @{b} c", "a @@{b} c"),
        ("anna@cronus.example", "anna@cronus.example"),
    ],
)
def test_power_automate_takes_no_text_for_an_expression(text, written):
    """A payload is data; a flow evaluates what begins with an at sign."""
    action = json.loads(power_automate(call(json.dumps({"a": text}))))

    assert action["inputs"]["body"]["a"] == written


def test_payload_that_is_no_json_goes_along_as_text():
    """What was typed is what is copied."""
    action = json.loads(power_automate(call("no json")))

    assert action["inputs"]["body"] == "no json"


def test_call_without_payload_announces_none():
    """No tool sends an empty body with a type."""
    for snippet in snippets(call()):
        assert "application/json" not in snippet.text
        assert KEY_PLACEHOLDER in snippet.text
