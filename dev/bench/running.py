"""The verb `bench`: each benchmark under a headline of its own, all on one stack."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import msgspec
import requests

from dev.bench import NAMES, cold_start, panel
from dev.bench.as_app import run_as_app
from dev.bench.findings import say_goals
from dev.bench.report import say
from dev.bench.stage import stage
from dev.errors import DevError
from dev.stack.signals import raise_on_stop_signals

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from dev.bench.findings import Findings
    from dev.bench.stage import Stage

TITLES = {
    "cold-start": "Cold start: what Python imports, and the first answer of a new process",
    "invoke": "Invoke: a warm call on every way to the service",
    "memory": "Memory: a process of the app after many calls",
    "panel": "Control panel: each page, warm, and the first load",
    "timer": "Timer: rounds of refreshes at growing numbers of integrations",
}


def run(names: Collection[str], *, is_quick: bool) -> None:
    """Run the named benchmarks, or all; print their figures, the goals, and all of it as JSON."""
    chosen = [name for name in NAMES if not names or name in names]
    raise_on_stop_signals()
    say("Starting a stack for the benchmark ...")
    with stage() as here:
        try:
            found = {name: _run(name, here, is_quick=is_quick) for name in chosen}
        except requests.RequestException as error:
            # A part that died explains it better.
            here.stack.require_alive()
            raise DevError(f"A call got no answer: {error}") from error
    _say_title("Goals")
    say_goals([goal for findings in found.values() for goal in findings.goals])
    _say_title("The same as JSON")
    say(msgspec.json.encode(found).decode())


def _run(name: str, here: Stage, *, is_quick: bool) -> Findings:
    _say_title(TITLES[name])
    benchmarks: Mapping[str, Callable[..., Findings]] = {
        "cold-start": cold_start.run,
        "invoke": partial(run_as_app, module="dev.bench.calls"),
        "memory": partial(run_as_app, module="dev.bench.memory"),
        "panel": panel.run,
        "timer": partial(run_as_app, module="dev.bench.timer"),
    }
    return benchmarks[name](here, is_quick=is_quick)


def _say_title(title: str) -> None:
    say(f"\n{title}\n{'-' * len(title)}")
