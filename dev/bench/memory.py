"""The memory of a process of the app after many calls: `python -m dev.bench.memory`."""

from __future__ import annotations

import itertools
import sys
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING

from dev.bench.as_app import Assignment
from dev.bench.calls import SIZES, body_of, log_as_the_worker
from dev.bench.findings import Findings, Goal
from dev.bench.report import say, say_table
from dev.bench.stage import APPS
from dev.bench.ways import in_process

if TYPE_CHECKING:
    from dev.bench.ways import Call

CALLS, QUICK_CALLS = (1_000, 10_000), (100, 1_000)
CALLERS = 16
MEBIBYTE = 1024 * 1024


def main() -> None:
    """Call, measure, print and deliver."""
    assignment = Assignment.read()
    if sys.platform == "win32":
        say("Not measured here: Windows has no getrusage.")
        assignment.deliver(Findings({}))
        return
    log_as_the_worker()
    call = in_process(APPS["http"])
    found: dict[int, float] = {}
    for before, after in itertools.pairwise((0, *(QUICK_CALLS if assignment.is_quick else CALLS))):
        call_often(call, after - before)
        found[after] = peak_mebibytes()
    say_table(("calls", "peak MiB"), [(str(calls), f"{peak:.1f}") for calls, peak in found.items()])
    first, last = found.values()
    goals = [
        Goal(text="memory after all calls to that after a tenth", figure=last / first, at_most=1.1),
        Goal(text="memory after all calls, MiB", figure=last, at_most=150),
    ]
    assignment.deliver(Findings(found, goals))


def call_often(call: Call, times: int) -> None:
    """Call so many times; nothing is kept of a call, which would count as the gateway's memory."""
    bodies = [body_of(length) for length in SIZES.values()]

    def call_in_turn(caller: int) -> None:
        for number in range(caller, times, CALLERS):
            call(bodies[number // CALLERS % len(bodies)])

    with ThreadPoolExecutor(CALLERS) as workers:
        deque(workers.map(call_in_turn, range(CALLERS)), maxlen=0)


def peak_mebibytes() -> float:
    """Return the most memory that this process ever had; getrusage(2) counts in kB, macOS in B."""
    if sys.platform == "win32":
        raise NotImplementedError("Windows has no getrusage")
    import resource  # noqa: PLC0415 - not on Windows

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / MEBIBYTE if sys.platform == "darwin" else peak * 1024 / MEBIBYTE


if __name__ == "__main__":
    # Ctrl+C reaches this process as well as the one that started it, which tells of it.
    with suppress(KeyboardInterrupt):
        main()
