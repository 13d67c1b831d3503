"""A warm call on every way to the service, side by side: `python -m dev.bench.calls`.

It is a process of the app, and the caller of the ways that lead out of it as well.
"""

from __future__ import annotations

import itertools
import logging
import os
from contextlib import suppress
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from dev.bench.as_app import Assignment
from dev.bench.findings import Findings, Goal
from dev.bench.places import TRANSPORTS
from dev.bench.report import say, say_table
from dev.bench.turns import median, ratio, take_turns
from dev.bench.ways import DIRECT, HOST_STAND_IN, IN_PROCESS, NAIVE, ways

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dev.bench.places import Transport
    from dev.bench.turns import Turn

SIZES = {"300 B": 300, "100 kB": 100_000}
CALLERS = (1, 16)
ROUNDS, QUICK_ROUNDS = 11, 2
TURN_SECONDS = 0.1
P50, RATE = attrgetter("p50"), attrgetter("rate")


class Compared(msgspec.Struct, frozen=True, kw_only=True):
    """One way under one load; ratios are to the direct call and to the naive design."""

    transport: Transport
    body: str
    callers: int
    way: str
    p50_ms: float
    calls_per_second: float
    p50_to_direct: float
    rate_to_direct: float
    p50_to_naive: float
    rate_to_naive: float


def main() -> None:
    """Measure, print and deliver."""
    assignment = Assignment.read()
    log_as_the_worker()
    rounds = QUICK_ROUNDS if assignment.is_quick else ROUNDS
    found = []
    for transport in TRANSPORTS:
        there = ways(assignment.places, transport)
        for (size, length), callers in itertools.product(SIZES.items(), CALLERS):
            turns = take_turns(
                there, body_of(length), callers=callers, rounds=rounds, seconds=TURN_SECONDS
            )
            found += compared(turns, transport=transport, body=size, callers=callers)
    for transport in TRANSPORTS:
        say(f"\nThe service speaks {transport}:\n")
        say_table(HEADERS, rows([each for each in found if each.transport == transport]))
    assignment.deliver(Findings(found, goals(found)))


def log_as_the_worker() -> None:
    """Write what the app logs, and throw it away: formatting it is a part of a call."""
    nowhere = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 - until the process ends
    logging.basicConfig(level=logging.INFO, stream=nowhere)


def body_of(length: int) -> bytes:
    """Return a JSON object of so many bytes, in lines as a list has them."""
    line = {"no": "SHPT-000123", "description": 'Desk "Oslo", 1,200 mm', "quantity": 12.50}
    frame = len(msgspec.json.encode({"value": [], "fill": ""}))
    each = len(msgspec.json.encode(line)) + 1
    lines = (length - frame) // each
    fill = length - len(msgspec.json.encode({"value": [line] * lines, "fill": ""}))
    return msgspec.json.encode({"value": [line] * lines, "fill": "x" * fill})


def compared(
    turns: Mapping[str, Sequence[Turn]], *, transport: Transport, body: str, callers: int
) -> list[Compared]:
    """Return the figures of each way."""
    return [
        Compared(
            transport=transport,
            body=body,
            callers=callers,
            way=way,
            p50_ms=median(mine, P50),
            calls_per_second=median(mine, RATE),
            p50_to_direct=ratio(mine, turns[DIRECT], P50),
            rate_to_direct=ratio(mine, turns[DIRECT], RATE),
            p50_to_naive=ratio(mine, turns[NAIVE], P50),
            rate_to_naive=ratio(mine, turns[NAIVE], RATE),
        )
        for way, mine in turns.items()
    ]


HEADERS = (
    *("way, body, callers", "p50 ms", "to direct", "to naive"),
    *("calls/s", "to direct", "to naive"),
)


def rows(found: Sequence[Compared]) -> list[list[str]]:
    """Return the rows of the table."""
    return [
        [
            f"{each.way}, {each.body}, {each.callers}",
            *(f"{each.p50_ms:.2f}", f"{each.p50_to_direct:.2f}", f"{each.p50_to_naive:.2f}"),
            f"{each.calls_per_second:.0f}",
            *(f"{each.rate_to_direct:.2f}", f"{each.rate_to_naive:.2f}"),
        ]
        for each in found
    ]


def goals(found: Sequence[Compared]) -> list[Goal]:
    """Return what was aimed at, with what came out."""
    reached = []
    for each in found:
        load = f"{each.transport}, {each.body}"
        match each.way, each.callers:
            case (way, 1) if way == IN_PROCESS:
                text = f"in-process p50 to that of a direct call ({load}, 1 caller)"
                reached.append(Goal(text=text, figure=each.p50_to_direct, at_most=1.1))
            case (way, _) if way == IN_PROCESS:
                text = f"in-process calls/s to those of direct calls ({load}, 16 callers)"
                reached.append(Goal(text=text, figure=each.rate_to_direct, at_least=0.9))
            case (way, 1) if way == HOST_STAND_IN:
                text = f"host p50 to that of the naive design ({load}, 1 caller)"
                most = 0.5 if each.transport == "http" else 0.1
                reached.append(Goal(text=text, figure=each.p50_to_naive, at_most=most))
            case (way, _) if way == HOST_STAND_IN:
                text = f"host calls/s to those of the naive design ({load}, 16 callers)"
                least = 2.5 if each.transport == "http" else 10
                reached.append(Goal(text=text, figure=each.rate_to_naive, at_least=least))
    return reached


if __name__ == "__main__":
    # Ctrl+C reaches this process as well as the one that started it, which tells of it.
    with suppress(KeyboardInterrupt):
        main()
