"""How values are shown on the panel's pages."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from functions.panel.filters import as_json, duration, time


def test_time_is_told_in_utc_to_those_without_a_script():
    """The script finds the moment in the attribute, and shows it in the viewer's zone."""
    moment = datetime(2026, 3, 2, 9, 30, 15, 999, tzinfo=timezone(timedelta(hours=1)))

    shown = '<time datetime="2026-03-02T08:30:15+00:00">2026-03-02 08:30 UTC</time>'
    assert time(moment) == shown


def test_missing_time_is_told_in_words():
    """An empty place would look like an error of the page."""
    assert (time(None), time(None, "not yet")) == ("never", "not yet")


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (None, "-"),
        (0, "0 s"),
        (0.4, "0 s"),
        (59.6, "1 min"),
        (61, "1 min 1 s"),
        (3600, "1 h"),
        (3 * 86400 + 2 * 3600 + 59, "3 d 2 h"),
    ],
)
def test_span_is_told_by_its_two_largest_units(seconds, shown):
    """Nobody wants to know of the seconds of a day."""
    assert duration(seconds) == shown


def test_json_is_set_for_reading():
    """Times as the API writes them."""
    value = {"a": [1], "on": datetime(2026, 3, 2, tzinfo=UTC)}

    assert as_json(value) == '{\n  "a": [\n    1\n  ],\n  "on": "2026-03-02T00:00:00Z"\n}'
