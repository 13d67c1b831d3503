"""The benchmark's goals: how ways are compared, and when a goal is met."""

from __future__ import annotations

from functools import partial

import pytest

from dev.bench.calls import body_of, compared, goals
from dev.bench.findings import Goal
from dev.bench.turns import Turn, ratio, take_turns


@pytest.mark.parametrize(
    ("bound", "figure", "is_met"),
    [
        ({"at_most": 1.1}, 1.1, True),
        ({"at_most": 1.1}, 1.11, False),
        ({"at_least": 0.9}, 0.9, True),
        ({"at_least": 0.9}, 0.89, False),
    ],
    ids=["at the most", "above it", "at the least", "below it"],
)
def test_goal_is_met_within_its_bound(bound, figure, is_met):
    """The bound itself still counts."""
    assert Goal(text="", figure=figure, **bound).is_met is is_met


@pytest.mark.parametrize("length", [300, 100_000])
def test_body_has_the_length_that_was_asked_for(length):
    """The tables name it."""
    assert len(body_of(length)) == length


def test_ways_take_turns():
    """What disturbs one way in a round disturbs the others too; the first round is not counted."""
    called = []
    ways = {name: partial(called.append, name) for name in ("one", "other")}
    once = {name: lambda _, call=call: call() for name, call in ways.items()}

    turns = take_turns(once, b"", callers=1, rounds=2, seconds=0)

    assert called == ["one", "other"] * 3
    assert {name: len(mine) for name, mine in turns.items()} == {"one": 2, "other": 2}


def test_ratio_is_the_median_of_the_rounds():
    """A round that was disturbed does not count, since both ways met the disturbance."""
    mine = [Turn([each], 1) for each in (2.0, 20.0, 3.0)]
    others = [Turn([each], 1) for each in (1.0, 10.0, 1.0)]

    assert ratio(mine, others, lambda turn: turn.p50) == 2


@pytest.mark.parametrize(
    ("transport", "callers", "bounds"),
    [
        ("http", 1, [1.1, 0.5]),
        ("http", 16, [0.9, 2.5]),
        ("https", 1, [1.1, 0.1]),
        ("https", 16, [0.9, 10]),
    ],
)
def test_gateway_is_held_to_goals(transport, callers, bounds):
    """In-process it is compared with a direct call, behind the host with the naive design."""
    turns = {
        "direct": [Turn([1.0], 1)],
        "in-process": [Turn([1.0], 1)],
        "host": [Turn([2.0], 1)],
        "naive": [Turn([8.0], 1)],
    }

    found = goals(compared(turns, transport=transport, body="300 B", callers=callers))

    assert [goal.at_most or goal.at_least for goal in found] == bounds
    assert [goal.figure for goal in found] == [1, 0.25 if callers == 1 else 1]
