"""The timer at growing numbers of integrations: what a token costs, and what looking costs.

It is a process of its own with the settings of the app, `python -m dev.bench.timer`: whatever
processor time that takes is the gateway's.
"""

from __future__ import annotations

import os
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING

from dev.bench.as_app import Assignment
from dev.bench.findings import Findings
from dev.bench.fleet import LIFE
from dev.bench.report import say, say_table
from dev.bench.rounds import measure
from shared.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dev.bench.rounds import Measured

SIZES, QUICK_SIZES = (50, 100, 200), (25, 50, 100)
COUNTED = ("tables", "vault", "provider")
# What the timer has to carry, and how often it runs.
CARRIED = 10_000
EVERY = timedelta(minutes=5)


def main() -> None:
    """Measure, print and deliver."""
    assignment = Assignment.read()
    settings = Settings.from_mapping(os.environ)
    measured = []
    for each in measure(settings, QUICK_SIZES if assignment.is_quick else SIZES):
        say(f"{each.size} tokens renewed in {each.all_due.seconds:.0f} s")
        measured.append(each)
    say("\nWith all of them due:\n")
    headers = ("tokens", "ms/token", "ratio", "own CPU ms/token", "ratio")
    say_table((*headers, *(f"{behind}/token" for behind in COUNTED), "tokens/min"), due(measured))
    say("\nWith none of them due:\n")
    say_table(("integrations", "ms/round", "us/integration", "tables/round"), idle(measured))
    seconds, _ = measured[-1].all_due.each
    say(f"\n{outlook(seconds, settings.refresh_ahead)}")
    assignment.deliver(Findings(measured))


def due(measured: Sequence[Measured]) -> list[list[str]]:
    """Return the rows of the rounds that renewed all; the ratios are those to the first."""
    rows = []
    for cost in (each.all_due for each in measured):
        row = [str(cost.renewed)]
        for seconds, of_first in zip(cost.each, measured[0].all_due.each, strict=True):
            row += [f"{seconds * 1000:.1f}", f"{seconds / of_first:.2f}"]
        row += [f"{cost.calls[behind] / cost.renewed:.2f}" for behind in COUNTED]
        rows.append([*row, f"{cost.renewed / cost.seconds * 60:.0f}"])
    return rows


def idle(measured: Sequence[Measured]) -> list[list[str]]:
    """Return the rows of the rounds that found nothing to do."""
    return [
        [
            str(each.size),
            f"{each.none_due.seconds * 1000:.0f}",
            f"{each.none_due.seconds / each.size * 1_000_000:.0f}",
            str(each.none_due.calls["tables"]),
        ]
        for each in measured
    ]


def outlook(seconds_each: float, refresh_ahead: timedelta) -> str:
    """Tell what it means for the fleet that the timer has to carry."""
    kept = LIFE - min(refresh_ahead, LIFE / 2)
    in_time = CARRIED * EVERY / kept
    seconds = in_time * seconds_each
    return (
        f"{CARRIED} integrations in use renew their tokens every {kept / timedelta(minutes=1):.0f}"
        f" minutes: {in_time:.0f} in each run\nof the timer, which take {seconds:.0f} s of its"
        f" {EVERY.total_seconds():.0f} s ({seconds / EVERY.total_seconds():.0%}). All at once, as"
        f" after an outage:\n{CARRIED * seconds_each / 60:.1f} minutes."
    )


if __name__ == "__main__":
    # Ctrl+C reaches this process as well as the one that started it, which tells of it.
    with suppress(KeyboardInterrupt):
        main()
