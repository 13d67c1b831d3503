"""How the walk-through shows calls."""

from __future__ import annotations

import io
import json

import pytest

from dev.demo.narration import Narrator
from dev.demo.shortening import masked_url, shortened_json


@pytest.mark.parametrize("name", ["client_secret", "access_token", "refresh_token"])
def test_secrets_in_json_are_masked(name):
    """No secret is printed, however deep it is."""
    assert "canary" not in shortened_json({"a": [{name: "canary"}]})


@pytest.mark.parametrize(
    "name", ["token_url", "has_client_secret", "client_secret_expires_on", "code"]
)
def test_names_that_only_sound_secret_are_shown(name):
    """The reader sees what is no secret."""
    assert "visible" in shortened_json({name: "visible"})


def test_secrets_in_urls_are_masked():
    """What could finish a sign-in or open a function is not printed."""
    url = "http://127.0.0.1:7091/authorize?client_id=id&state=canary&code_challenge=canary#code"

    assert masked_url(url) == (
        "http://127.0.0.1:7091/authorize?client_id=id&state=********&code_challenge=********#code"
    )
    assert "canary" not in shortened_json({"authorization_url": url})


def test_long_json_is_cut_and_says_so():
    """Long lists, texts and documents show their beginning and how much is left out."""
    assert json.loads(shortened_json(list(range(10)))) == [0, 1, "... 8 more"]
    assert shortened_json("x" * 200).endswith('..."')
    assert shortened_json([{str(n): n for n in range(500)}]).endswith("more lines)")


def test_short_json_stands_on_few_lines():
    """What fits stays on one line, plain members share theirs, and the rest is indented."""
    lines = [{"no": 1, "name": "A" * 40}, {"no": 2, "name": "B" * 40}]

    assert shortened_json({"pickNo": "PI000001"}) == '{"pickNo": "PI000001"}'
    assert shortened_json({"a": 1, "b": 2, "lines": lines, "c": "C" * 40}).splitlines() == [
        "{",
        '  "a": 1, "b": 2,',
        '  "lines": [',
        f'    {{"no": 1, "name": "{"A" * 40}"}},',
        f'    {{"no": 2, "name": "{"B" * 40}"}}',
        "  ],",
        f'  "c": "{"C" * 40}"',
        "}",
    ]
    assert json.loads(shortened_json(lines)) == lines


def test_output_is_ascii_without_a_terminal():
    """An old Windows console and a log file can show every line, without colour codes."""
    out = io.StringIO()
    narrator = Narrator(out)

    narrator.start_step("Step", "Explained.")
    narrator.show_page(["Zürich \u2014 done"])
    narrator.show_request("POST", "http://127.0.0.1/x", "key: (masked)", {"city": "Malmö"})

    assert out.getvalue().isascii()
    assert "\033" not in out.getvalue()
    assert "1. Step" in out.getvalue()
