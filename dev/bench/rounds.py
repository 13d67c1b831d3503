"""The timer over a growing fleet: a round with everything due, and one with nothing due."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from dev.bench.fleet import LIFE, Fleet
from dev.bench.instruments import Calls, TurnedClock
from dev.errors import DevError
from shared.bootstrap import build, real_ports

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Iterator, Sequence

    from shared.services.refresh_due import DueRefresh
    from shared.settings import Settings

# How much of a token's life is left when the timer finds it.
LEFT = timedelta(minutes=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What it took to renew so many tokens."""

    renewed: int
    seconds: float
    own_seconds: float  # of the processor, in this process
    calls: Counter[str]

    @property
    def each(self) -> tuple[float, float]:
        """The seconds of one token: all in all, and of this process' processor time."""
        return self.seconds / self.renewed, self.own_seconds / self.renewed


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What the timer took at one size of the fleet."""

    size: int
    all_due: Cost
    none_due: Cost


def measure(settings: Settings, sizes: Sequence[int]) -> Iterator[Measured]:
    """Let the fleet grow from size to size, and measure at each."""
    ports = real_ports(settings)
    clock, calls = TurnedClock(ports.clock), Calls()
    ports = replace(ports, clock=clock)
    fleet = Fleet(ports)
    counted = replace(
        ports,
        integrations=calls.counted(ports.integrations, "tables"),
        states=calls.counted(ports.states, "tables"),
        sign_ins=calls.counted(ports.sign_ins, "tables"),
        secrets=calls.counted(ports.secrets, "vault"),
        http=calls.counted(ports.http, "provider"),
    )
    due_refresh = build(settings, counted).due_refresh
    for size in sizes:
        fleet.grow(size)
        clock.turn(LIFE - LEFT)
        calls.taken()
        all_due = _renew(due_refresh, size, calls)
        yield Measured(size=size, all_due=all_due, none_due=_renew(due_refresh, 0, calls))


def _renew(due_refresh: DueRefresh, due: int, calls: Calls) -> Cost:
    """Let the timer renew what is due, in as many rounds as its limit of time makes of it."""
    started, own_started = time.perf_counter(), time.process_time()
    renewed = in_round = due_refresh.run().renewed
    while in_round > 0 and renewed < due:
        in_round = due_refresh.run().renewed
        renewed += in_round
    seconds, own_seconds = time.perf_counter() - started, time.process_time() - own_started
    if renewed != due:
        raise DevError(f"The timer renewed {renewed} tokens where {due} were due.")
    return Cost(renewed=renewed, seconds=seconds, own_seconds=own_seconds, calls=calls.taken())
