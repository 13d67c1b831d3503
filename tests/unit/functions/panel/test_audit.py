"""The page of changes: who, when, what, and both values of each field."""

from __future__ import annotations

import re
from html import unescape

import pytest

from tests.scenes import CLIENT_SECRET, CODE, LISTING, UNCONDITIONAL
from tests.unit.functions.panel.conftest import ADMINISTRATOR

HOSTILE = ("<script>alert(1)</script>", '"><img src=x onerror=alert(1)>')


@pytest.fixture
def services(panel):
    """Return the services, with an integration and an endpoint stored before."""
    panel.scene.integrate()
    panel.scene.clock.advance(minutes=30)
    panel.scene.offer()
    panel.scene.clock.advance(minutes=30)
    return panel.scene.services


def change(services, *, by=ADMINISTRATOR, **changes):
    """Change the integration."""
    services.integrations.patch(CODE, changes, UNCONDITIONAL, by=by)


def shown(answer):
    """Return each entry's words."""
    assert answer.status_code == 200
    entries = re.findall(r"<article>(.*?)</article>", answer.text, re.DOTALL)
    return [" ".join(unescape(re.sub(r"<[^>]*>", " ", each)).split()) for each in entries]


def test_change_shows_who_when_and_both_values(panel, services):
    """The latest change first; a key has no name."""
    change(services, name="Shop", max_in_flight=9)

    latest, *earlier = shown(panel.get("audit"))

    assert latest == (
        f"Changed: {CODE} 2026-03-02 09:00 UTC by {ADMINISTRATOR} Field Before After "
        "name Business Central Shop max_in_flight 5 9"
    )
    assert [each.split(" 2026")[0] for each in earlier] == [
        f"Created: {CODE} / {LISTING}",
        f"Created: {CODE}",
    ]
    assert "by a key" in earlier[0]


def test_secret_shows_only_as_changed(panel, services):
    """Neither the old nor the new one is in the page."""
    change(services, client_secret="canary-of-the-secret")

    answer = panel.get("audit")

    assert "client_secret changed A secret is never shown." in shown(answer)[0]
    assert "canary" not in answer.text
    assert CLIENT_SECRET not in answer.text


def test_long_value_is_folded(panel, services):
    """Its beginning shows at once."""
    changes = {"description": "x" * 100, "request_schema": {"type": "object"}}
    services.endpoints.patch(CODE, LISTING, changes, UNCONDITIONAL)

    text = panel.get("audit").text

    assert f'<summary>{"x" * 37}...</summary><pre tabindex="0">{"x" * 100}</pre>' in text
    assert '"type": "object"' in unescape(text)
    assert "kept by its beginning only" not in text


def test_value_that_is_not_kept_whole_says_so(panel, services):
    """What is there is no JSON any more."""
    schema = {"type": "object", "description": "x" * 3000}
    services.endpoints.patch(CODE, LISTING, {"request_schema": schema}, UNCONDITIONAL)

    assert "kept by its beginning only" in panel.get("audit").text


def test_missing_value_is_told_in_words(panel, services):
    """An empty cell would look like an error of the page."""
    change(services, company="")

    assert "company CRONUS USA, Inc. nothing" in shown(panel.get("audit"))[0]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("integration=cronus", 3),
        (f"endpoint={LISTING}", 1),
        (f"integration=OTHER&endpoint={LISTING}", 0),
        ("integration=OTHER", 1),
    ],
)
def test_filter_narrows_the_entries(panel, services, query, found):
    """By integration, by endpoint, or both; also of what is gone."""
    panel.scene.integrate(code="OTHER")
    change(services, name="Shop")

    answer = panel.get(f"audit?{query}")

    assert len(shown(answer)) == found
    assert "Show everything" in answer.text


def test_older_changes_come_page_by_page(panel, services):
    """The link keeps the filter; each entry comes once."""
    for number in range(60):
        panel.scene.clock.advance(seconds=1)
        change(services, name=f"Name {number}")

    first = panel.get(f"audit?integration={CODE}")
    link = unescape(re.search(r'href="/api/panel/(audit\?after=[^"]*)">Older', first.text)[1])
    second = panel.get(link)

    assert f"integration={CODE}" in link
    entries = shown(first) + shown(second)
    assert (len(shown(first)), len(entries), len(set(entries))) == (50, 62, 62)
    assert ">Older<" not in second.text
    assert "Back to the latest" in second.text


def test_empty_page_leads_on(panel):
    """To the first integration."""
    answer = panel.get("audit")

    assert "Nothing has been changed yet." in answer.text
    assert 'href="/api/panel/integrations/new"' in answer.text


@pytest.mark.parametrize(
    "query", ["after=x", "after=%3Cscript%3E", "integration=%3Cb%3E", "endpoint=a%20b"]
)
def test_strange_query_is_told(panel, query):
    """On the panel's own page, with what to do."""
    answer = panel.get(f"audit?{query}")

    assert answer.status_code == 400
    assert "What to do next" in answer.text
    assert "<b>" not in answer.text


@pytest.mark.parametrize("text", HOSTILE)
def test_markup_is_shown_as_text(panel, services, text):
    """In values old and new, short and long, and in names."""
    change(services, name=text, by=text)
    services.endpoints.patch(CODE, LISTING, {"description": text * 9}, UNCONDITIONAL)

    page = panel.get("audit").text

    assert text not in page
    assert unescape(page).count(text) >= 11


@pytest.mark.usefixtures("services")
def test_page_takes_one_call_to_storage(panel):
    """However much has changed."""
    before = panel.scene.stored_calls()

    panel.get("audit")

    assert panel.scene.stored_calls() - before == 1
