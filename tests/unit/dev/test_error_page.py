"""The page of all errors."""

import pytest

from dev import commands, error_page
from dev.options import parse
from shared.domain.error_kinds import INVALID_PAYLOAD, PAYLOAD_AGAINST_SCHEMA


def test_page_is_up_to_date():
    """Whoever changes an error lets its page follow."""
    page = error_page.PAGE.read_text(encoding="utf-8")

    assert page == error_page.text(), "run: python -m dev docs"


def test_command_writes_the_page(monkeypatch, tmp_path):
    """One command makes the page anew."""
    monkeypatch.setattr(error_page, "PAGE", tmp_path / "errors.md")

    assert commands.run(parse(["docs"])) == 0

    assert error_page.PAGE.read_bytes() == error_page.text().encode()


def test_code_with_two_statuses_has_one_section():
    """A code is an anchor, and an anchor stands on a page once."""
    text = error_page.text()

    assert text.count("\n## invalid_payload\n") == 1
    section = text.partition("\n## invalid_payload\n")[2].partition("\n## ")[0]
    for kind in (INVALID_PAYLOAD, PAYLOAD_AGAINST_SCHEMA):
        assert f"**{kind.status}: {kind.title}.** {kind.when}" in section
        assert kind.hint in section


@pytest.mark.parametrize("told", ["`NoEnvironment`", "| 7000222 |", "`Authorization` (group)"])
def test_codes_of_others_are_told_too(told):
    """Whoever meets a code of Business Central or Entra finds it on the same page."""
    assert told in error_page.text()
