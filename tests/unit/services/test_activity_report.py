"""Looking through the activity: every entry once, newest first, in pages; and the chart."""

from __future__ import annotations

from datetime import timedelta
from itertools import count

import pytest

from shared.domain.activity import ActivityFilter, Batch
from shared.services import activity_report
from shared.services.activity_report import NOBODY
from tests.builders import call_entry, roll_up
from tests.fakes.machine import START
from tests.scenes import CODE, UNCONDITIONAL, Scene, failure

LATER = START + timedelta(hours=1)
SLOT = timedelta(minutes=5)
_ids = count(1)


def at(seconds, name, **changes):
    """Return a call so many seconds after the scene's hour."""
    return call_entry(LATER + timedelta(seconds=seconds), request_id=name, **changes)


def keep(scene, *entries, integration=CODE):
    """Store entries as one instance's batch."""
    scene.activity.write(integration, [Batch(id=f"{next(_ids):016x}", entries=entries)], [])


@pytest.fixture
def scene():
    """Return a gateway with one integration, an hour after it was stored."""
    scene = Scene()
    scene.integrate()
    scene.clock.advance(minutes=60)
    return scene


def sources(scene, *integrations):
    """Return what is read of the integrations, of the scene's own if none is named."""
    return [scene.services.activity_report.source(each) for each in integrations or (CODE,)]


def read(scene, *integrations, limit=3, within=None, **wanted):
    """Read all pages, and return the request ids on each."""
    pages, before = [], None
    while True:
        page = scene.services.activity_report.entries(
            sources(scene, *integrations),
            wanted=ActivityFilter(**wanted),
            within=within,
            before=before,
            limit=limit,
        )
        pages.append("".join(entry.request_id for entry in page.entries))
        before = page.before
        if before is None:
            return pages


def test_entries_come_newest_first_page_by_page(scene):
    """The last page says that it is the last."""
    keep(scene, at(0, "g"), at(1, "f"))
    keep(scene, at(2, "e"), at(3, "d"), at(3.5, "c"))
    keep(scene, at(9, "b"), at(10, "a"))

    assert read(scene) == ["abc", "def", "g"]
    assert read(scene, limit=7) == ["abcdefg"]
    assert read(scene, limit=1) == list("abcdefg")


@pytest.mark.parametrize("limit", range(1, 8))
def test_batches_of_several_instances_are_interleaved(scene, limit):
    """Each entry once, in the order of time, wherever a page ends."""
    keep(scene, at(0.0, "g"), at(1.0, "d"), at(1.9, "a"))
    keep(scene, at(0.1, "f"), at(1.5, "b"))
    keep(scene, at(0.5, "e"), at(1.2, "c"))

    assert "".join(read(scene, limit=limit)) == "abcdefg"


@pytest.mark.parametrize("limit", [1, 2, 3])
def test_entries_of_the_same_moment_come_once_each(scene, limit):
    """Where a page ends among them, the next one begins with the others."""
    keep(scene, at(1, "a"), at(1, "b"))
    keep(scene, at(1, "c"), at(1, "d"))

    assert sorted("".join(read(scene, limit=limit))) == list("abcd")


def test_what_comes_between_two_pages_does_not_shift_them(scene):
    """New entries are for whoever begins anew."""
    keep(scene, at(0, "c"), at(1, "b"), at(2, "a"))
    report = scene.services.activity_report
    before = report.entries(sources(scene), limit=1).before
    keep(scene, at(3, "new"))

    page = report.entries(sources(scene), before=before)
    assert [each.request_id for each in page.entries] == ["b", "c"]


def test_all_integrations_are_shown_together(scene):
    """With the calls to those that do not exist."""
    scene.integrate(code="OTHER")
    keep(scene, at(0, "d"), at(3, "a"))
    keep(scene, at(1, "c"), integration="OTHER")
    keep(scene, at(2, "b"), integration="_")

    report = scene.services.activity_report
    page = report.entries([NOBODY, *report.sources()])
    assert "".join(each.request_id for each in page.entries) == "abcd"
    assert read(scene, CODE, "other") == ["acd"]
    assert read(scene, "other") == ["c"]


def test_unknown_integration_is_told(scene):
    """It has no activity of its own."""
    error = failure(lambda: read(scene, "NOPE"))

    assert error.kind.code == "integration_not_found"


def test_integration_that_was_made_anew_does_not_show_its_predecessors_activity(scene):
    """Whatever the deletion has not got round to yet."""
    keep(scene, at(0, "b"))
    scene.activity.write(CODE, [], [roll_up(LATER, 10)])
    scene.clock.advance(minutes=60)
    scene.integrations.rows.clear()
    scene.integrate()
    keep(scene, at(3601, "a"))

    assert read(scene) == ["a"]
    assert sum(slot.calls for slot in scene.services.activity_report.chart(sources(scene))) == 0


def test_deleting_an_integration_clears_its_activity(scene):
    """And nobody else's."""
    scene.integrate(code="OTHER")
    for code in (CODE, "OTHER"):
        keep(scene, at(-1, "a"), integration=code)

    scene.services.integrations.delete(CODE, UNCONDITIONAL)

    assert scene.activity.partitions(after="", limit=10) == ["OTHER"]


def test_sources_are_the_integrations(scene):
    """By code and name; those before they were created belong to a predecessor."""
    scene.integrate(code="A", name="Another")

    found = scene.services.activity_report.sources()

    assert [(each.partition, each.name) for each in found] == [
        ("A", "Another"),
        (CODE, "Business Central"),
    ]
    assert [each.began_on for each in found] == [LATER, START]


def test_filter_finds_across_pages(scene):
    """Pages are as full as they can be."""
    for number in range(20):
        status = 404 if number % 4 == 0 else 200
        keep(scene, at(number, str(number % 10), status=status))

    assert read(scene, status_class=4, limit=2) == ["62", "84", "0"]


def test_times_are_cut_to_the_moment(scene):
    """Though batches reach beyond them."""
    keep(scene, at(0, "d"), at(1, "c"), at(1.8, "b"), at(2, "a"))

    since, until = LATER + timedelta(seconds=1), LATER + timedelta(seconds=1.8)
    assert read(scene, since=since, until=until) == ["bc"]


def test_last_minutes_are_counted_from_now(scene):
    """By the service's own clock."""
    keep(scene, at(0, "b"))
    keep(scene, at(60, "a"))
    scene.clock.advance(minutes=2)

    assert read(scene, within=timedelta(minutes=1)) == ["a"]
    assert read(scene, within=timedelta(minutes=2)) == ["ab"]


def test_page_that_costs_too_much_is_cut_and_can_be_continued(scene, monkeypatch):
    """It says so, and what follows begins where it was given up on."""
    monkeypatch.setattr(activity_report, "MOST_BATCHES", 10)
    for number in range(35):
        keep(scene, at(number * 10, "x", status=404 if number == 3 else 200))
    report, pages, before = scene.services.activity_report, [], None
    while not pages or before is not None:
        wanted = ActivityFilter(status_class=4)
        page = report.entries(sources(scene), wanted=wanted, before=before)
        pages.append((len(page.entries), page.is_cut))
        before = page.before

    assert pages[:3] == [(0, True)] * 3
    assert pages[-1] == (1, False)
    assert len(pages) <= 5


def test_page_gets_on_past_many_batches_of_the_same_moment(scene, monkeypatch):
    """However many instances wrote at once, no page stands still."""
    monkeypatch.setattr(activity_report, "MOST_BATCHES", 5)
    for number in range(26):
        keep(scene, at(number / 100, "abcdefghijklmnopqrstuvwxyz"[25 - number]))

    assert "".join(read(scene, limit=2)) == "abcdefghijklmnopqrstuvwxyz"


@pytest.mark.parametrize("before", ["", "x", "1-2", "1-a-0-", "-1-a-0", "9" * 17 + "-a-0", "1-<-0"])
def test_place_that_is_none_is_refused(scene, before):
    """It comes back from a browser."""
    error = failure(lambda: scene.services.activity_report.entries([], before=before))

    assert (error.kind.status, error.kind.code) == (400, "invalid_parameter")


def test_chart_has_a_slot_for_every_five_minutes(scene):
    """The last one is the present; a gap is zero calls and no percentile."""
    scene.activity.write(CODE, [], [roll_up(LATER, 10, 1000, errors=1, name="1")])
    scene.activity.write(CODE, [], [roll_up(LATER - 3 * SLOT, 100, name="2")])

    slots = scene.services.activity_report.chart(sources(scene), hours=1)

    assert [slot.began_on for slot in slots] == [LATER - n * SLOT for n in range(11, -1, -1)]
    numbers = [(slot.calls, slot.errors, slot.p95_ms) for slot in slots]
    assert numbers == [(0, 0, None)] * 8 + [(1, 0, 100)] + [(0, 0, None)] * 2 + [(2, 1, 1000)]


def test_chart_adds_instances_and_integrations_up(scene):
    """What is older than asked for, or comes from a clock that is ahead, is in no slot."""
    scene.integrate(code="OTHER")
    scene.integrations.rows["OTHER", ""] = scene.record()  # as old as the first
    for number, began_on in enumerate([LATER, LATER, LATER - SLOT, LATER + SLOT, START]):
        scene.activity.write(CODE, [], [roll_up(began_on, 10, name=str(number))])
    scene.activity.write("_", [], [roll_up(LATER, 10, errors=1, name="5")])

    report = scene.services.activity_report
    alone = report.chart(sources(scene), hours=1)
    together = report.chart([NOBODY, *report.sources()], hours=1)

    assert [(slot.calls, slot.errors) for slot in alone[-2:]] == [(1, 0), (2, 0)]
    assert sum(slot.calls for slot in alone) == 3
    assert (together[-1].calls, together[-1].errors) == (5, 1)


def test_chart_reads_no_entry(scene):
    """Nor more than the slots of its hours."""
    keep(scene, at(0, "a"))
    before = scene.activity.calls["batches"]

    scene.services.activity_report.chart(sources(scene))

    assert scene.activity.calls["batches"] == before
    assert scene.activity.calls["roll_ups"] == 1
