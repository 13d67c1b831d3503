"""The chart's geometry, and that its colours can be told apart."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from functions import panel
from functions.panel.chart import BARS_HEIGHT, LINE_HEIGHT, WIDTH, draw
from shared.domain.activity_tally import SLOT, Slot

BEGAN_ON = datetime(2026, 3, 2, 7, 55, tzinfo=UTC)
STYLES = (Path(panel.__file__).parent / "static" / "panel.css").read_text(encoding="utf-8")
CARDS = {"light": "#ffffff", "dark": "#1a212a"}


def slots(*numbers):
    """Return slots that follow each other, of (calls, errors, p95) or None each."""
    given = [each or (0, 0, None) for each in numbers]
    return [
        Slot(began_on=BEGAN_ON + SLOT * n, calls=calls, errors=errors, p95_ms=p95)
        for n, (calls, errors, p95) in enumerate(given)
    ]


def bars(path):
    """Return the bars of a path by left, right, upper and lower edge."""
    found = re.findall(r"M([\d.]+) ([\d.]+)V([\d.]+)H([\d.]+)V([\d.]+)z", path)
    for _, lower, _, _, lower_again in found:
        assert lower == lower_again
    return [
        (float(left), float(right), float(upper), float(lower))
        for left, lower, upper, right, _ in found
    ]


def points(line):
    """Return the points of a line."""
    return [tuple(float(each) for each in point.split(",")) for point in line.split()]


def test_chart_without_calls_is_empty():
    """There is nothing to draw, and nothing to divide by."""
    chart = draw(slots(*[None] * 12))

    assert chart.is_empty
    assert (chart.well, chart.failed, chart.lines, chart.slots) == ("", "", [], [])


def test_calls_that_went_well_stand_on_those_that_failed():
    """The highest bar is measured by the round number above it."""
    chart = draw(slots(None, (10, 4, 20)))

    assert chart.most_calls == 10
    assert bars(chart.failed) == [(396, 684, 72, BARS_HEIGHT)]
    assert bars(chart.well) == [(396, 684, 0, 72)]
    assert (chart.calls, chart.errors) == (10, 4)


def test_slot_of_errors_alone_has_one_bar():
    """There is none of no height."""
    chart = draw(slots((5, 5, 1)))

    assert chart.well == ""
    assert bars(chart.failed) == [(72, 648, 0, BARS_HEIGHT)]


@pytest.mark.parametrize(
    ("numbers", "lines"),
    [
        ([(1, 0, 100)], [[(0, 0), (360, 0), (720, 0)]]),
        ([None, (1, 0, 50), None, (1, 0, 100)], [[(180, 30), (270, 30), (360, 30)],
                                                 [(540, 0), (630, 0), (720, 0)]]),
        ([(1, 0, 100), (1, 0, 50)], [[(0, 0), (180, 0), (540, 30), (720, 30)]]),
        ([(1, 0, 0)], [[(0, LINE_HEIGHT), (360, LINE_HEIGHT), (720, LINE_HEIGHT)]]),
    ],
    ids=["alone", "gap", "neighbours", "instant"],
)  # fmt: skip
def test_line_leaves_gaps_where_nobody_called(numbers, lines):
    """A slot alone is a dash of its width."""
    assert [points(line) for line in draw(slots(*numbers)).lines] == lines


@pytest.mark.parametrize(
    ("most", "axis"),
    [(1, 1), (2, 2), (3, 5), (6, 10), (10, 10), (11, 20), (101, 200), (4_999_999, 5_000_000)],
)
def test_axis_ends_at_a_round_number(most, axis):
    """At least as high as the highest."""
    chart = draw(slots((most, 0, most)))

    assert (chart.most_calls, chart.most_ms) == (axis, axis)


@pytest.mark.parametrize("count", [1, 12, 72, 288])
@pytest.mark.parametrize("calls", [1, 7, 123_456_789])
def test_everything_stays_within_the_picture(count, calls):
    """However many slots and calls there are; bars do not touch each other."""
    chart = draw(slots(*[(calls, n % (calls + 1), n) for n in range(count)]))

    drawn = bars(chart.well) + bars(chart.failed)
    assert all(0 <= left < right <= WIDTH for left, right, _, _ in drawn)
    assert all(0 <= upper <= lower <= BARS_HEIGHT for _, _, upper, lower in drawn)
    edges = sorted({(left, right) for left, right, _, _ in drawn})
    assert len(edges) == count
    assert all(one[1] < other[0] for one, other in pairwise(edges))
    line = points(chart.lines[0])
    assert len(line) == count + 2
    assert all(0 <= x <= WIDTH and 0 <= y <= LINE_HEIGHT for x, y in line)


@pytest.mark.parametrize(
    ("hours", "labels"),
    [
        (1, ["08:00", "08:10", "08:20", "08:30", "08:40"]),
        (6, ["08:00", "09:00", "10:00", "11:00", "12:00", "13:00"]),
        (24, ["08:00", "12:00", "16:00", "20:00", "00:00", "04:00"]),
    ],
)
def test_ticks_are_round_moments(hours, labels):
    """And the last label has room."""
    count = timedelta(hours=hours) // SLOT

    ticks = draw(slots(*[None] * count)).ticks

    assert [f"{tick.moment:%H:%M}" for tick in ticks] == labels
    assert ticks[0].x == round(WIDTH / count, 2)
    assert ticks[-1].x <= 610


def test_table_of_numbers_leaves_empty_slots_out():
    """They say nothing."""
    chart = draw(slots(None, (1, 1, 3), None))

    assert [slot.began_on for slot in chart.slots] == [BEGAN_ON + SLOT]


def luminance(colour):
    """Return the relative luminance of a colour (w3.org/TR/WCAG22)."""
    shares = [int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5)]
    linear = [x / 12.92 if x <= 0.04045 else ((x + 0.055) / 1.055) ** 2.4 for x in shares]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("name", ["--well", "--failed", "--pico-muted-color"])
@pytest.mark.parametrize("theme", list(CARDS))
def test_colours_of_the_chart_stand_out(name, theme):
    """Shapes by 3 to 1 and texts by 4.5 to 1, in both themes (WCAG 2.2, 1.4.3 and 1.4.11)."""
    light, dark = re.findall(rf"{name}: (#[0-9a-f]{{6}});", STYLES)

    colours = luminance(light if theme == "light" else dark), luminance(CARDS[theme])

    needed = 4.5 if name == "--pico-muted-color" else 3
    assert (max(colours) + 0.05) / (min(colours) + 0.05) >= needed
