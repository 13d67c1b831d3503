"""The verb `soak`: one round after another, each on a fresh stack of its own."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING

import requests

from dev.errors import DevError
from dev.paths import DEV_FOLDER
from dev.soak import (
    duplicates,
    kills,
    platform_outages,
    provider_outages,
    refusals,
    resends,
    rotation,
    slow_calls,
)
from dev.soak.report import Report
from dev.stack.signals import raise_on_stop_signals

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping
    from pathlib import Path

    Round = Callable[[Report, Path], None]


def rounds(seconds: float) -> Mapping[str, Round]:
    """Give the rounds by their names, with a rotation of so many seconds."""
    return {
        "rotation": partial(rotation.run, seconds=seconds),
        "provider-outages": provider_outages.run,
        "platform-outages": platform_outages.run,
        "kills": kills.run,
        "slow-calls": slow_calls.run,
        "refusals": refusals.run,
        "resends": resends.run,
        "duplicates": duplicates.run,
    }


def run(names: Collection[str], *, seconds: float) -> int:
    """Run the named rounds, or all, and give the exit status: 1 if any check failed."""
    report = Report()
    raise_on_stop_signals()
    for name, play in rounds(seconds).items():
        if not names or name in names:
            _play(name, play, report)
    if report.failed:
        print(f"\n{len(report.failed)} checks failed:", *report.failed, sep="\n  ", flush=True)
        return 1
    print("\nAll checks are ok.", flush=True)
    return 0


def _play(name: str, play: Round, report: Report) -> None:
    print(f"\n{name}", flush=True)
    began = time.monotonic()
    try:
        play(report, DEV_FOLDER / "soak" / name)
    except requests.RequestException as error:
        raise DevError(f"The round {name} got no answer to a call: {error}") from error
    print(f"  ({time.monotonic() - began:.0f} s)", flush=True)
