"""The verb `bench`: each benchmark under a headline of its own, all on one stack."""

from __future__ import annotations

from typing import TYPE_CHECKING

import requests

from dev.bench import NAMES, cold_start, invoke
from dev.bench.report import say
from dev.bench.stage import run_as_app, stage
from dev.errors import DevError
from dev.stack.signals import raise_on_stop_signals

if TYPE_CHECKING:
    from collections.abc import Collection

    from dev.stack.running import Stack


def run(names: Collection[str], *, is_quick: bool) -> None:
    """Run the named benchmarks, or all, and print their figures."""
    chosen = [name for name in NAMES if not names or name in names]
    raise_on_stop_signals()
    if "cold-start" in chosen:
        _say_title("Cold start: what Python imports before the first answer")
        cold_start.show(is_quick=is_quick)
    if chosen == ["cold-start"]:
        return
    say("\nStarting a stack for the benchmark ...")
    with stage() as stack:
        try:
            _on_the_stack(stack, chosen, is_quick=is_quick)
        except requests.RequestException as error:
            # A part that died explains it better.
            stack.require_alive()
            raise DevError(f"A call got no answer: {error}") from error


def _on_the_stack(stack: Stack, chosen: Collection[str], *, is_quick: bool) -> None:
    if "invoke" in chosen:
        _say_title("Invoke: a warm call, straight to Business Central and through the gateway")
        invoke.show(stack, is_quick=is_quick)
    if "timer" in chosen:
        _say_title("Timer: rounds of refreshes at growing numbers of integrations")
        run_as_app(stack, "dev.bench.timer", *(["--quick"] if is_quick else []))


def _say_title(title: str) -> None:
    say(f"\n{title}\n{'-' * len(title)}")
