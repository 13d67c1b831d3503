"""Round `rotation`: two processes share tokens that live five seconds, at a strict provider.

Every refresh token may be used once (RFC 9700 section 4.14.2), so two refreshes at the same time,
or one that another instance does not hear of, would end the grant.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from dev.soak import ROTATION_SECONDS
from dev.soak.load import failed, latencies, outcomes, running_load
from dev.soak.stage import INSTANCES, TOKEN_PATH, stage

if TYPE_CHECKING:
    from pathlib import Path

    from dev.soak.report import Report

CODE = "ROTATION"
THREADS = 32
# Two cores carry the whole stack and the load: without a pause, the callers would starve it.
THINK_SECONDS = 0.2
LIFE_SECONDS = 5
# As long as a real provider takes: time enough for the other process to begin a refresh as well.
PROVIDER_SECONDS = 0.4
# REFRESH_AHEAD_SECONDS is longer than half of a token's life, which is then what counts.
AHEAD_SECONDS = LIFE_SECONDS / 2
TOLERANCE = 1.1


def run(report: Report, folder: Path, *, seconds: float = ROTATION_SECONDS) -> None:
    """Call for so many seconds from 32 threads to each of two instances."""
    with stage(folder) as set_up:
        set_up.token_life(LIFE_SECONDS)
        began = time.monotonic()
        set_up.add_integration(CODE)
        urls = [set_up.call_url(CODE, number) for number in INSTANCES]
        with (
            set_up.entra.failing(path=TOKEN_PATH, latency_seconds=PROVIDER_SECONDS),
            running_load(urls, threads=THREADS, think_seconds=THINK_SECONDS) as load,
        ):
            time.sleep(seconds)
        least = (time.monotonic() - began) / (LIFE_SECONDS - AHEAD_SECONDS)
        refreshes = set_up.refreshes()
        bad = failed(load.calls)
        report.check(
            "no call fails while tokens rotate",
            is_ok=bool(load.calls) and not bad,
            figures=f"{len(bad)} of {len(load.calls)} calls failed ({outcomes(load.calls)}),"
            f" {latencies(load.calls)}",
        )
        report.check(
            "no refresh token is used twice",
            is_ok=set_up.reuse_detections() == 0,
            figures=f"{set_up.reuse_detections()} reuse detections",
        )
        report.check(
            "tokens are refreshed no more often than they must be",
            is_ok=0 < refreshes <= least * TOLERANCE,
            figures=f"{refreshes} token calls, the minimum being {least:.1f}",
        )
