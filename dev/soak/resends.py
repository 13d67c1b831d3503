"""Round `resends`: Business Central fails in random ways, and nobody gives an idempotency key.

Every call has a record of its own, which no company holds: that Business Central itself says so is
how a call succeeds here, and its log tells how often each call came to be executed.
"""

from __future__ import annotations

import random
import uuid
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from dev.demo.gateway_client import TIMEOUT_SECONDS, http_session
from dev.sample import INVOKE_KEY
from dev.soak.holds import hold_next
from dev.soak.stage import INSTANCES, Stage, stage

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    import requests

    from dev.soak.report import Report

CODE = "RESENDS"
ROUNDS = 10_000
# At the same time; the simulator's log holds what comes of them, and an instance lets half in.
BATCH = 60
REACHED = HTTPStatus.NOT_FOUND
READ, CHANGE = "GET", "PATCH"
# Fewer than the gateway has attempts: patience is enough for every read.
FAULTS_OF_A_ROUND = (0, 1, 1, 2)
# The sum of the longest waits between attempts fits, and an answer that never comes costs no more.
TIMEOUT_OF_A_CALL = 10

THROTTLED: dict[str, Any] = {"status": 429}
OPEN: tuple[dict[str, Any], ...] = (
    *({"status": status} for status in (408, 500, 502, 503, 504)),
    *({"status": status, "after": True} for status in (408, 500, 502, 503, 504)),
    {"drop": True},
    {"drop": True, "after": True},
)


@dataclass(frozen=True, slots=True)
class Ended:
    """One round: what was called, what came of it, and how often Business Central worked on it."""

    method: str
    status: int
    code: str
    executed: int

    @property
    def is_true(self) -> bool:
        """Tell whether the caller was told what happened."""
        if self.status == REACHED:
            return self.executed >= 1
        return self.code == "outcome_unknown" or self.executed == 0


def run(report: Report, folder: Path, *, rounds: int = ROUNDS) -> None:
    """Play so many rounds, half of them changes."""
    with stage(folder) as set_up, ThreadPoolExecutor(BATCH) as callers:
        set_up.add_integration(CODE)
        _add_endpoints(set_up)
        ended = [
            each
            for first in range(0, rounds, BATCH)
            for each in _batch(set_up, callers, min(BATCH, rounds - first))
        ]
    judge(report, ended)


def judge(report: Report, ended: Iterable[Ended]) -> None:
    """Check that changes were executed once at most, and that reads got through."""
    changes = [each for each in ended if each.method == CHANGE]
    reads = [each for each in ended if each.method == READ]
    twice = sum(each.executed > 1 for each in changes)
    report.check(
        "no change that may have been executed is sent twice",
        is_ok=bool(changes) and twice == 0,
        figures=f"{twice} of {len(changes)} executed twice ({_endings(changes)})",
    )
    report.check(
        "every caller of a change is told what happened to it",
        is_ok=all(each.is_true for each in changes),
        figures=f"{sum(not each.is_true for each in changes)} of {len(changes)} were not",
    )
    failed = [each for each in reads if each.status != REACHED]
    report.check(
        "every read gets through",
        is_ok=bool(reads) and not failed,
        figures=f"{len(failed)} of {len(reads)} failed ({_endings(reads)})",
    )


def _endings(ended: Iterable[Ended]) -> str:
    counted = Counter(f"{each.status} {each.code}".rstrip() for each in ended)
    return ", ".join(f"{count} x {ending}" for ending, count in counted.most_common())


def _add_endpoints(set_up: Stage) -> None:
    set_up.manage("PATCH", f"integrations/{CODE}", {"max_in_flight": BATCH})
    for method in (READ, CHANGE):
        set_up.manage(
            "PUT",
            f"integrations/{CODE}/endpoints/{method}",
            {
                "code": method,
                "kind": "api",
                "method": method,
                "api_url": "customers({id})",
                "parameters": {"id": "guid"},
                "headers": {"If-Match": "*"} if method == CHANGE else {},
                "timeout_seconds": TIMEOUT_OF_A_CALL,
            },
        )


def _batch(set_up: Stage, callers: ThreadPoolExecutor, count: int) -> list[Ended]:
    """Play rounds side by side, and then look up what became of each."""
    planned = {str(uuid.uuid4()): random.choice((READ, CHANGE)) for _ in range(count)}  # noqa: S311
    for record in planned:
        for _ in range(random.choice(FAULTS_OF_A_ROUND)):  # noqa: S311
            fault = random.choice((THROTTLED, random.choice(OPEN)))  # noqa: S311
            hold_next(set_up.business_central, path=record, **fault)
    set_up.business_central.control("DELETE", "log")
    urls = [
        f"{set_up.call_url(CODE, INSTANCES[place % 2], endpoint=method)}?id={record}"
        for place, (record, method) in enumerate(planned.items())
    ]
    answers = list(callers.map(_call, urls))
    set_up.business_central.control("DELETE", "faults")
    executed = _executed(set_up, planned)
    return [
        Ended(method, answer.status_code, _code(answer), executed[record])
        for (record, method), answer in zip(planned.items(), answers, strict=True)
    ]


def _call(url: str) -> requests.Response:
    with http_session() as session:
        session.headers["x-functions-key"] = INVOKE_KEY
        return session.post(url, json={}, timeout=TIMEOUT_SECONDS)


def _executed(set_up: Stage, planned: Mapping[str, str]) -> Counter[str]:
    log = set_up.business_central.control("GET", "log")
    return Counter(
        record for entry in log for record in planned if f"customers({record})" in entry["target"]
    )


def _code(answer: requests.Response) -> str:
    is_ours = answer.headers.get("Content-Type") == "application/problem+json"
    return str(answer.json()["code"]) if is_ours else ""
