"""Round `provider-outages`: the identity provider fails for longer than the token lives.

No call may fail while the token is valid. After that the gateway says so and when to come back, and
it mends itself once the provider is back.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any

from dev.soak.load import Call, Load, failed, outcomes, running_load
from dev.soak.stage import INSTANCES, TOKEN_PATH, stage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    from dev.soak.report import Report
    from dev.soak.stage import Stage

# A call of the token endpoint is given up after this.
TOKEN_CALL_SECONDS = 2
CODE = "PROVIDER"
THREADS = 4
THINK_SECONDS = 0.1
LIFE_SECONDS = 8
PAST_EXPIRY_SECONDS = 3
# The provider cuts the second of a token's expiry, and a call is a moment on its way.
LAST_SECONDS = 1.2
RETRY_AFTER_SECONDS = 4
# Between the moment that a caller was told to come back and its first good answer.
SLACK_SECONDS = 3
LONGEST_RECOVERY_SECONDS = 60


def _retry_after_date() -> str:
    back_on = datetime.now(UTC) + timedelta(seconds=LIFE_SECONDS + RETRY_AFTER_SECONDS)
    return format_datetime(back_on, usegmt=True)


# What the provider does -> the rule that lets it, made when the outage begins.
OUTAGES: Mapping[str, Callable[[], dict[str, Any]]] = {
    "drops connections": lambda: {"drop": True},
    "answers 500": lambda: {"status": 500, "body": "<html>Internal Server Error</html>"},
    "answers 429 with seconds": lambda: {
        "status": 429,
        "headers": {"Retry-After": str(RETRY_AFTER_SECONDS)},
    },
    "answers 429 with a date": lambda: {
        "status": 429,
        "headers": {"Retry-After": _retry_after_date()},
    },
    "hangs": lambda: {"latency_seconds": 2 * TOKEN_CALL_SECONDS, "drop": True},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """When what happened, in Unix seconds."""

    valid_until: float  # until then a call must succeed
    expired: float  # from then on no call can
    back: float  # the provider answers again


def run(report: Report, folder: Path) -> None:
    """Play all outages."""
    with stage(folder, TOKEN_CALL_SECONDS=str(TOKEN_CALL_SECONDS)) as set_up:
        for outage in OUTAGES:
            play(report, set_up, outage)


def play(report: Report, set_up: Stage, outage: str, *, life: int = LIFE_SECONDS) -> None:
    """Play one outage, with a new sign-in and a token of so many seconds."""
    set_up.token_life(life)
    set_up.add_integration(CODE)
    expires = set_up.token_expires(CODE)
    urls = [set_up.call_url(CODE, number) for number in INSTANCES]
    with running_load(urls, threads=THREADS, think_seconds=THINK_SECONDS) as load:
        with set_up.entra.failing(path=TOKEN_PATH, **OUTAGES[outage]()):
            time.sleep(expires + PAST_EXPIRY_SECONDS - time.time())
            back = time.time()
        recovered = _wait_for_recovery(load, urls, since=back)
    times = Times(valid_until=expires - LAST_SECONDS, expired=expires, back=back)
    judge(report, f"while the provider {outage}", load.calls, times)
    allowed = told_to_wait(load.calls, until=back) + SLACK_SECONDS
    report.check(
        f"after the provider {outage}, calls succeed by themselves when callers were told",
        is_ok=recovered <= back + allowed,
        figures=f"{recovered - back:.1f} s after it was back, {allowed:.1f} s allowed",
    )
    status = set_up.status(CODE)
    report.check(
        f"after the provider {outage}, nobody has to sign in",
        is_ok=status["status"] == "authorized" and set_up.reuse_detections() == 0,
        figures=f"status {status['status']}, {set_up.reuse_detections()} reuse detections",
    )


def judge(report: Report, what: str, calls: Sequence[Call], times: Times) -> None:
    """Check the answers of one outage against when the token was valid and expired."""
    valid = [call for call in calls if call.began < times.valid_until]
    report.check(
        f"{what}, no call fails before the token expires",
        is_ok=bool(valid) and not failed(valid),
        figures=f"{len(failed(valid))} of {len(valid)} failed ({outcomes(valid)})",
    )
    expired = [
        call
        for call in calls
        if call.began >= times.expired and call.began + call.seconds < times.back
    ]
    others = [call for call in failed(calls) if not _is_told_to_come_back(call)]
    report.check(
        f"{what}, calls past expiry are told to come back",
        is_ok=len(failed(expired)) == len(expired) > 0 and not others,
        figures=f"{outcomes(expired)}; {len(others)} failed in another way ({outcomes(others)})",
    )


def _is_told_to_come_back(call: Call) -> bool:
    told = (call.retry_after or "").isdigit() and int(call.retry_after or 0) > 0
    return told and (call.status, call.code) == (503, "identity_unavailable")


def told_to_wait(calls: Iterable[Call], *, until: float) -> float:
    """Give how long after a moment those still had to wait who called before it."""
    told = [
        call.began + call.seconds + int(call.retry_after) - until
        for call in calls
        if call.began < until and call.retry_after is not None
    ]
    return max([0, *told])


def _wait_for_recovery(load: Load, urls: Sequence[str], *, since: float) -> float:
    """Wait until every instance has answered a call well, and give when that call began."""
    while time.time() < since + LONGEST_RECOVERY_SECONDS:
        good = [call for call in load.since(since) if not failed([call])]
        firsts = [next((call.began for call in good if call.url == url), None) for url in urls]
        if None not in firsts:
            return max(filter(None, firsts))
        time.sleep(0.1)
    return math.inf
