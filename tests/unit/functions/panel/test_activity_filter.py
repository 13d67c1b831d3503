"""The filter of the activity page, from the query to what is wanted."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace

import pytest

from functions.panel.forms import activity_filter
from functions.panel.request import PanelRequest
from shared.domain.activity import ActivityFilter


def entered(**query):
    """Return the form that a query fills in."""
    return activity_filter.entered(PanelRequest(SimpleNamespace(parameters=query), {}, "Anna"))


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ({}, {}),
        ({"kind": "call"}, {"kind": "call"}),
        ({"kind": "token"}, {"kind": "token"}),
        ({"kind": "other"}, {}),
        ({"endpoint": " post_whse_shpt "}, {"endpoint": "POST_WHSE_SHPT"}),
        ({"outcome": "4"}, {"status_class": 4}),
        ({"outcome": "Outcome_Unknown"}, {"code": "outcome_unknown"}),
        ({"outcome": "3"}, {"code": "3"}),
        ({"outcome": "\u00b2"}, {"code": "\u00b2"}),
        ({"text": " 0858 "}, {"text": "0858"}),
    ],
    ids=str,
)
def test_query_becomes_a_filter(query, wanted):
    """What is no choice leaves everything in."""
    assert activity_filter.wanted(entered(**query)) == ActivityFilter(**wanted)


@pytest.mark.parametrize(
    ("given", "span"),
    [("", None), ("1h", timedelta(hours=1)), ("7d", timedelta(days=7)), ("9y", None)],
)
def test_span_of_time_is_one_of_those_offered(given, span):
    """Anything else is any time."""
    assert activity_filter.within(entered(within=given)) == span


def test_link_repeats_what_was_chosen():
    """And nothing else of the query."""
    form = entered(integration="cronus", kind="no", text="7", before="x", done="saved")

    given = {name: value for name, value in activity_filter.parameters(form).items() if value}

    assert given == {"integration": "CRONUS", "text": "7"}
