"""The activity page: calls and sign-in events, their filter, and the chart."""

from __future__ import annotations

import re
from contextlib import suppress
from html import unescape

import pytest

from shared.domain.activity import Batch, CallEntry, TokenEntry
from shared.domain.errors import GatewayError
from tests.builders import call_entry, roll_up
from tests.fakes import json_answer
from tests.scenes import BC, CODE, LISTING

HOSTILE = ("<script>alert(1)</script>", '"><img src=x onerror=alert(1)>')
PAGE = f"activity?integration={CODE}"
HEADER = "x-ms-workflow-run-id"


@pytest.fixture
def scene(panel):
    """Return what lies behind the panel: an integration with an endpoint, somebody signed in."""
    scene = panel.scene
    scene.http.on(BC, json_answer({"value": "done"}))
    scene.integrate()
    scene.offer()
    scene.sign_in()
    return scene


def call(scene, endpoint=LISTING, **changes):
    """Call an endpoint, and have it recorded."""
    with suppress(GatewayError):
        scene.invoke(endpoint, **changes)
    scene.recording.release()


def keep(scene, *entries, integration=CODE):
    """Store entries as they are."""
    name = f"{len(scene.activity.kept):016x}"
    scene.activity.write(integration, [Batch(id=name, entries=entries)], [])


def words(text):
    """Return what is read of a piece of HTML."""
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", text)).split())


def rows(answer):
    """Return the rows of the list, as they are read."""
    assert answer.status_code == 200
    _, _, listed = answer.text.partition("<h2>Calls and sign-in events</h2>")
    return [words(row) for row in re.findall(r"<tr>(.*?)</tr>", listed, re.DOTALL)][1:]


def link(answer, label):
    """Return where the link of this label leads, below the panel's address."""
    found = re.search(rf'href="/api/panel/([^"]*)">{label}</a>', answer.text)
    return unescape(found[1]) if found else None


def test_call_shows_at_once(panel, scene):
    """In the list with all that helps to find it, and in the chart's present slot."""
    call(scene, headers={HEADER: "run-7"})

    answer = panel.get(PAGE)

    assert rows(answer)[0] == (f"2026-03-02 08:00 UTC {LISTING} 200 0 ms a key request-1 run run-7")
    assert "1 call, 0 of them answered with an error." in answer.text
    assert re.search(r'class="well" d="M7\d\d', answer.text), "not at the right end"


def test_signed_in_caller_is_named(panel, scene):
    """Instead of the key."""
    keep(scene, call_entry(caller="anna@cronus.example"))

    assert "anna@cronus.example" in rows(panel.get(PAGE))[0]


def test_error_tells_its_meaning_and_the_next_step(panel, scene):
    """In words that need no mouse, and with a link to where it is mended."""
    call(scene, "NOPE")

    answer = panel.get(PAGE)

    assert (
        rows(answer)[0]
        .split("404 ")[1]
        .startswith(
            "endpoint_not_found There is no such endpoint. Check the code in the URL; "
            f"GET /api/integrations/{CODE}/endpoints lists them. Open {CODE}"
        )
    )
    assert link(answer, f"Open {CODE}") == f"integrations/{CODE}"


def test_code_of_two_statuses_is_explained_by_the_one_that_was_met(panel, scene):
    """The payload may be no JSON, or break the schema."""
    keep(scene, call_entry(status=422, code="invalid_payload"))

    assert "does not fit the endpoint's schema" in rows(panel.get(PAGE))[0]


def test_answer_of_the_service_says_whose_it_is(panel, scene):
    """It has no code of ours to explain."""
    keep(scene, call_entry(status=400))

    assert "400 the service's own answer" in rows(panel.get(PAGE))[0]


def test_sign_in_events_are_told_in_words(panel, scene):
    """With the reason, where something failed."""
    keep(
        scene,
        TokenEntry(moment=scene.clock.now(), integration=CODE, event="renewed"),
        TokenEntry(
            moment=scene.clock.now(),
            integration=CODE,
            event="renewal_refused",
            code="sign_in_required",
            reason="The grant has ended.",
        ),
    )

    refused, renewed = rows(panel.get(f"{PAGE}&kind=token"))[:2]

    assert "Renewal refused failed sign_in_required The grant has ended." in refused
    assert "Token renewed done" in renewed


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("kind=call", "dcba"),
        ("kind=token", "-"),
        (f"endpoint={LISTING.lower()}", "dba"),
        ("outcome=4", "c"),
        ("outcome=5", "d"),
        ("outcome=endpoint_not_found", "c"),
        ("text=RUN-B", "b"),
        ("text=id-a", "a"),
        ("within=1h", "-dcb"),
        ("within=1h&kind=call&outcome=2", "b"),
        ("kind=nonsense&within=nonsense", "-dcba"),
    ],
)
def test_filter_leaves_what_fits(panel, scene, query, found):
    """By each of its fields, and by several."""
    moment = scene.clock.now()
    keep(scene, call_entry(moment, request_id="id-a"))
    scene.clock.advance(minutes=61)
    moment = scene.clock.now()
    keep(
        scene,
        call_entry(moment, request_id="id-b", flow_run="run-b"),
        call_entry(moment, request_id="id-c", status=404, endpoint="X", code="endpoint_not_found"),
        call_entry(moment, request_id="id-d", status=503),
        TokenEntry(moment=moment, integration=CODE, event="renewed"),
    )

    shown = rows(panel.get(f"{PAGE}&{query}"))

    marks = [re.search(r"id-(.)", row) for row in shown]
    assert "".join(mark[1] if mark else "-" for mark in marks) == found


@pytest.mark.usefixtures("scene")
def test_what_was_chosen_stays_in_the_form(panel):
    """And the form is open."""
    text = panel.get(f"{PAGE}&endpoint=X&outcome=5&text=7&kind=call&within=7d&hours=24").text

    assert re.findall(r'<option value="(\w+)" selected>', text) == ["call", "7d"]
    for name, value in (("endpoint", "X"), ("outcome", "5"), ("text", "7"), ("hours", "24"),
                        ("integration", CODE)):  # fmt: skip
        assert re.search(rf'name="{name}"[^>]*value="{value}"', text), name
    assert "<details open>" in text


def test_older_entries_keep_the_filter(panel, scene):
    """Each comes once; the chart stays with the latest, and costs nothing elsewhere."""
    for number in range(120):
        moment = scene.clock.now()
        status = 200 if number % 2 else 404
        keep(scene, call_entry(moment, request_id=f"id-{number}", status=status))
        scene.clock.advance(seconds=3)
    first = panel.get(f"{PAGE}&outcome=4&hours=24")
    charts = scene.activity.calls["roll_ups"]

    second = panel.get(link(first, "Older"))

    entries = rows(first) + rows(second)
    assert (len(rows(first)), len(entries), len(set(entries))) == (50, 60, 60)
    assert link(second, "Older") is None
    assert link(second, "Back to the latest") == f"{PAGE}&outcome=4&hours=24"
    assert scene.activity.calls["roll_ups"] == charts


def test_search_that_was_given_up_on_can_go_on(panel, scene, monkeypatch):
    """It says that there may be more."""
    monkeypatch.setattr("shared.services.activity_report.MOST_BATCHES", 3)
    for number in range(4):
        keep(scene, call_entry(scene.clock.now(), request_id=f"id-{number}"))
        scene.clock.advance(seconds=3)

    answer = panel.get(f"{PAGE}&text=id-0")

    assert "Nothing was found yet" in answer.text
    assert rows(panel.get(link(answer, "Look further back")))


@pytest.mark.parametrize(
    ("hours", "shown"), [("", 6), ("1", 1), ("24", 24), ("25", 6), ("-1", 6), ("x", 6)]
)
def test_chart_shows_the_hours_that_were_chosen(panel, scene, hours, shown):
    """Those that are offered, and no others."""
    scene.activity.write(CODE, [], [roll_up(scene.clock.now(), 10)])

    text = panel.get(f"{PAGE}&hours={hours}").text

    current = re.search(r'aria-current="true">(\d+) hours?</a>', text)
    assert int(current[1]) == shown
    told = "hour" if shown == 1 else f"{shown} hours"
    assert f'<title id="chart-title">Calls, errors and duration over the last {told}<' in text


def test_chart_is_told_in_words_and_as_a_table(panel, scene):
    """For those who do not see it."""
    scene.activity.write(CODE, [], [roll_up(scene.clock.now(), 10, 90, 4000, errors=1)])

    text = panel.get(PAGE).text

    assert 'role="img" aria-labelledby="chart-title chart-told"' in text
    assert "3 calls, 1 of them answered with an error. The table below" in text
    table = text.partition("The numbers as a table")[2].partition("</table>")[0]
    assert "2026-03-02 08:00 UTC 3 1" in words(table)


def test_chart_without_calls_says_so(panel, scene):
    """Instead of an empty picture."""
    text = panel.get(PAGE).text

    assert "No calls in the last 6 hours." in text
    assert "<svg" not in text
    assert scene.activity.calls["roll_ups"] == 1


def test_nothing_that_fits_leads_back(panel, scene):
    """To everything of the same integration."""
    answer = panel.get(f"{PAGE}&text=none")

    assert scene.activity.calls["batches"] == 1
    assert link(answer, "Show everything") == f"{PAGE}&hours=6"


@pytest.mark.parametrize("path", ["activity", PAGE])
def test_empty_page_leads_to_a_first_call(panel, path):
    """To an endpoint that can be tried."""
    panel.scene.integrate()

    text = panel.get(path).text

    assert "Nothing has happened yet. To see a first call here" in text
    assert "Kept for 30 days." in text


def test_page_without_integrations_leads_to_the_first(panel):
    """There is nothing to call yet."""
    assert link(panel.get("activity"), "Add an integration") == "integrations/new"


def test_few_integrations_are_shown_together(panel, scene):
    """With the calls to those that do not exist, which lead nowhere."""
    scene.integrate(code="OTHER")
    keep(scene, call_entry(integration="OTHER"), integration="OTHER")
    keep(scene, call_entry(integration="TYPO"), integration="_")
    keep(scene, call_entry())

    answer = panel.get("activity")

    assert {row.split()[3] for row in rows(answer)} >= {CODE, "OTHER", "TYPO"}
    assert link(answer, "OTHER") == "activity?integration=OTHER&hours=6"
    assert link(answer, "TYPO") is None


def test_many_integrations_are_to_choose_from(panel, scene):
    """Without reading the activity of any; all together only for whoever asks for it."""
    for number in range(2):
        scene.integrate(code=f"SHOP{number}")
    keep(scene, call_entry(integration="SHOP1"), integration="SHOP1")
    before = scene.stored_calls()

    answer = panel.get("activity?text=request")

    assert scene.stored_calls() - before == 1
    assert link(answer, "SHOP1") == "activity?integration=SHOP1&text=request"
    together = panel.get(link(answer, "All of them together"))
    assert "SHOP1" in rows(together)[0]
    assert link(together, "Choose one") == "activity"


def test_page_of_one_integration_takes_three_calls_to_storage(panel, scene):
    """Its definition, the entries, the numbers."""
    call(scene)
    before = scene.stored_calls()

    panel.get(PAGE)

    assert scene.stored_calls() - before == 3


@pytest.mark.parametrize("name", ["NOPE", "%3Cb%3E", "_", "**"])
def test_unknown_integration_is_told(panel, name):
    """On a page of its own, with what to do."""
    answer = panel.get(f"activity?integration={name}")

    assert answer.status_code == 404
    assert "There is no such integration" in answer.text
    assert "What to do next" in answer.text
    assert "<b>" not in answer.text


@pytest.mark.parametrize("before", ["x", "1-%3Cb%3E-1", "9" * 40])
def test_made_up_place_is_told(panel, scene, before):
    """It is not believed."""
    answer = panel.get(f"{PAGE}&before={before}")

    assert scene.activity.calls["batches"] == 0
    assert answer.status_code == 400
    assert "Begin with the latest entries again." in answer.text


@pytest.mark.parametrize("text", HOSTILE)
def test_markup_is_shown_as_text(panel, scene, text):
    """Whatever field it stands in."""
    scene.integrate(code="OTHER", name=text)
    moment = scene.clock.now()
    fields = dict.fromkeys(("endpoint", "caller", "flow_run", "request_id", "code"), text)
    keep(
        scene,
        CallEntry(moment=moment, integration=text, status=400, milliseconds=1, **fields),
        TokenEntry(moment=moment, integration=text, event=text, code="internal_error", reason=text),
        integration="OTHER",
    )

    pages = [panel.get("activity").text, panel.get("activity?integration=OTHER").text]

    assert not any(text in page for page in pages)
    assert unescape(pages[0]).count(text) >= 7


@pytest.mark.parametrize("name", ["endpoint", "outcome", "text"])
def test_markup_in_the_query_is_shown_as_text(panel, scene, name):
    """It comes back in the form and in links."""
    answer = panel.get(f"{PAGE}&{name}=%22%3E%3Cimg%20src=x%3E")

    assert scene.activity.calls["batches"] == 1
    assert answer.status_code == 200
    assert "<img src=x" not in answer.text.lower()
