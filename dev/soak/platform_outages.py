"""Round `platform-outages`: Key Vault and Table Storage are down, throttle, and are slow.

No call may fail as long as the access token is valid: neither where it stays valid for long, nor
where its refresh falls due during the outage and has to wait for the end of it.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from dev.soak.load import failed, latencies, outcomes, running_load
from dev.soak.stage import INSTANCES, stage

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from dev.soak.report import Report
    from dev.soak.stage import Stage

LONG, SHORT = "LONG", "SHORT"
THREADS = 4
THINK_SECONDS = 0.1
LONG_LIFE_SECONDS = 3600
SHORT_LIFE_SECONDS = 12
# A refresh falls due at half of a short life; the outage lasts for this part of it.
OUTAGE = (0.25, 0.6)

# What happens -> the rule that lets it.
_TROUBLES: Mapping[str, Mapping[str, Any]] = {
    "is down": {"drop": True},
    "throttles": {"status": 429, "headers": {"Retry-After": "1"}},
    "is slow": {"latency_seconds": 3},
}
OUTAGES = {
    f"{part} {trouble}": (part, rule)
    for part in ("Key Vault", "Table Storage")
    for trouble, rule in _TROUBLES.items()
}


def run(report: Report, folder: Path) -> None:
    """Play all outages."""
    with stage(folder) as set_up:
        for outage in OUTAGES:
            play(report, set_up, outage)


def play(report: Report, set_up: Stage, outage: str, *, life: int = SHORT_LIFE_SECONDS) -> None:
    """Play one outage, with one token of a long life and one of so many seconds."""
    part, rule = OUTAGES[outage]
    simulator = set_up.vault if part == "Key Vault" else set_up.storage
    for code, seconds in ((LONG, LONG_LIFE_SECONDS), (SHORT, life)):
        set_up.token_life(seconds)
        set_up.add_integration(code)
    expires = set_up.token_expires(SHORT)
    begin, end = (expires - life + share * life for share in OUTAGE)
    urls = {(each, k): set_up.call_url(each, k) for each in (LONG, SHORT) for k in INSTANCES}
    with running_load(urls.values(), threads=THREADS, think_seconds=THINK_SECONDS) as load:
        _sleep_until(begin)
        with simulator.failing(**rule):
            _sleep_until(end)
        _sleep_until(expires + 1)
    for title, each in (("is valid for long", LONG), ("falls due for refresh", SHORT)):
        calls = [call for call in load.calls if call.url in {urls[each, k] for k in INSTANCES}]
        report.check(
            f"{outage} while the token {title}: no call fails",
            is_ok=bool(calls) and not failed(calls),
            figures=f"{len(failed(calls))} of {len(calls)} failed ({outcomes(calls)}),"
            f" {latencies(calls)}",
        )
    status = set_up.status(SHORT)
    report.check(
        f"{outage} no more: the token is renewed and nobody has to sign in",
        is_ok=status["status"] == "authorized"
        and set_up.token_expires(SHORT) > expires
        and set_up.reuse_detections() == 0,
        figures=f"status {status['status']}, {set_up.reuse_detections()} reuse detections",
    )


def _sleep_until(moment: float) -> None:
    time.sleep(max(0, moment - time.time()))
