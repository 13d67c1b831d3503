"""The benchmark's arithmetic: what its figures are made of, and how they are set."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import pytest

from dev.bench.cold_start import heaviest, read_own_milliseconds
from dev.bench.instruments import Calls, TurnedClock
from dev.bench.report import percentile, table
from dev.bench.rounds import Cost, Measured
from dev.bench.timer import due, idle, outlook
from tests.fakes import FakeClock, FakeSecretStore

IMPORTS = """\
import time: self [us] | cumulative | imported package
import time:      1500 |       1500 |   encodings.aliases
import time:       250 |       1750 | encodings
"""


@pytest.mark.parametrize(
    ("values", "percent", "expected"),
    [([7], 50, 7), ([3, 1, 2], 50, 2), ([4, 3, 2, 1], 50, 2), (range(1, 101), 95, 95), ([5], 0, 5)],
    ids=["single", "odd", "even", "hundred", "least"],
)
def test_percentile_is_a_value_that_was_measured(values, percent, expected):
    """Nothing is interpolated: so many percent of the values do not exceed the one returned."""
    assert percentile(list(values), percent) == expected


def test_table_sets_names_left_and_figures_right():
    """Columns are as wide as their widest cell."""
    lines = table(("size", "ms"), [("250", "1.0"), ("2000", "12.5")]).splitlines()

    assert lines == ["size    ms", "----  ----", "250    1.0", "2000  12.5"]


def test_imports_are_read_by_their_own_time():
    """A module's own time is without the modules that it imports itself."""
    assert read_own_milliseconds(IMPORTS) == {"encodings.aliases": 1.5, "encodings": 0.25}


def test_heaviest_modules_are_told_with_the_program_that_needs_them_first():
    """What the app adds is told apart from what Microsoft's package brings by itself."""
    base = {"json": 3.0}
    app = base | {"shared.paths": 9.0}
    runs = {"azure.functions": [base], "function_app": [app], "first call": [app | {"ssl": 5.0}]}

    assert heaviest(runs) == [
        ("shared.paths", "9.0", "function_app"),
        ("ssl", "5.0", "first call"),
        ("json", "3.0", "azure.functions"),
    ]


def test_heavy_modules_are_told_by_their_median():
    """One slow run says nothing."""
    run = {"json": 2.0}
    runs = {name: [run, {"json": 90.0}, run] for name in ("azure.functions", "function_app")}

    assert heaviest({**runs, "first call": [run, {"json": 90.0}, run]}) == [
        ("json", "2.0", "azure.functions")
    ]


def test_counted_port_works_as_before_and_is_counted():
    """The services notice nothing; taking the counts begins anew."""
    calls, vault = Calls(), FakeSecretStore()
    counted = calls.counted(vault, "vault")

    assert counted.get("absent") is None
    assert vault.calls == {"get": 1}
    assert calls.taken() == {"vault": 1}
    assert calls.taken() == {}


def test_turned_clock_goes_ahead_of_the_other():
    """Each turn adds to those before it."""
    clock = FakeClock()
    turned = TurnedClock(clock)

    turned.turn(timedelta(hours=1))
    turned.turn(timedelta(hours=1))

    assert turned.now() - clock.now() == timedelta(hours=2)


def measured(size, *, seconds, own_seconds, tables):
    """Return rounds of which the idle one took a tenth of a second and four calls."""
    calls = Counter(tables=tables, vault=3 * size, provider=size)
    all_due = Cost(renewed=size, seconds=seconds, own_seconds=own_seconds, calls=calls)
    none_due = Cost(renewed=0, seconds=0.1, own_seconds=0.1, calls=Counter(tables=4))
    return Measured(size=size, all_due=all_due, none_due=none_due)


ROUNDS = [
    measured(100, seconds=4, own_seconds=2, tables=602),
    measured(1000, seconds=50, own_seconds=20, tables=6002),
]


def test_due_rounds_are_told_by_token_and_compared_with_the_first():
    """A ratio of 1.00 says that a token costs the same, however many there are."""
    assert due(ROUNDS) == [
        ["100", "40.0", "1.00", "20.0", "1.00", "6.02", "3.00", "1.00", "1500"],
        ["1000", "50.0", "1.25", "20.0", "1.00", "6.00", "3.00", "1.00", "1200"],
    ]


def test_idle_rounds_are_told_by_integration():
    """Looking through the fleet is what remains when nothing is due."""
    assert idle(ROUNDS) == [["100", "100", "1000", "4"], ["1000", "100", "100", "4"]]


@pytest.mark.parametrize(
    ("ahead", "expected"),
    [
        (timedelta(minutes=15), ("every 45 minutes: 1111", "33 s of its 300 s (11%)")),
        (timedelta(minutes=50), ("every 30 minutes: 1667", "50 s of its 300 s (17%)")),
    ],
    ids=["as shipped", "never ahead of half of the life"],
)
def test_outlook_tells_what_the_timer_has_to_carry(ahead, expected):
    """10,000 integrations come due over the time between two renewals of a token."""
    told = outlook(0.03, ahead)

    assert all(text in told for text in (*expected, "5.0 minutes"))
