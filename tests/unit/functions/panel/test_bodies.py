"""Bodies as the panel shows them."""

from __future__ import annotations

from functions.panel.bodies import shown_body


def test_json_is_laid_out_and_keeps_every_digit():
    """A 64-bit number and a decimal are those that Business Central sent."""
    found = shown_body(b'{"a":9223372036854775807,"b":1.10,"c":[1e3]}')

    assert found is not None
    assert found.text is not None
    assert "9223372036854775807" in found.text
    assert "1.10" in found.text
    assert "1e3" in found.text
    assert found.text.count("\n") > 3


def test_text_stays_as_it_is():
    """An answer that is no JSON is shown whole."""
    assert shown_body("<é>".encode()).text == "<é>"


def test_bytes_that_are_no_text_are_described():
    """A file is not poured into the page."""
    found = shown_body(b"\x89PNG\xff\x00")

    assert found.text is None
    assert "6 bytes" in found.remark


def test_long_body_is_cut_off_and_says_so():
    """A browser is spared what nobody reads."""
    found = shown_body(b"x" * 300_000)

    assert len(found.text) == 200_000
    assert "300,000" in found.remark


def test_empty_body_is_none():
    """There is nothing to show."""
    assert shown_body(b"") is None
