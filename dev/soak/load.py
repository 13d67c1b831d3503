"""Callers that never pause for long, and what they were answered."""

from __future__ import annotations

import threading
import time
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import requests

from dev import sample
from dev.demo.gateway_client import TIMEOUT_SECONDS, http_session

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

OK = 200


@dataclass(frozen=True, slots=True)
class Call:
    """One call: when it began (Unix seconds), how long it took, and its answer.

    `code` is that of the gateway's problem document; a call without an answer has the status 0 and
    the name of the exception.
    """

    url: str
    began: float
    seconds: float
    status: int
    code: str = ""
    retry_after: str | None = None


@dataclass(frozen=True, slots=True)
class Load:
    """The calls so far; it grows until the load ends."""

    calls: list[Call] = field(default_factory=list)

    def since(self, moment: float) -> list[Call]:
        """Give the calls that began after a moment."""
        return [call for call in list(self.calls) if call.began >= moment]


@contextmanager
def running_load(urls: Iterable[str], *, threads: int, think_seconds: float) -> Iterator[Load]:
    """Call every URL from so many threads, over kept connections, while the block runs.

    A thread pauses for `think_seconds` between an answer and its next call.
    """
    load, stopped = Load(), threading.Event()
    callers = [
        threading.Thread(target=_call_until, args=(stopped, url, load.calls, think_seconds))
        for url in urls
        for _ in range(threads)
    ]
    for caller in callers:
        caller.start()
    try:
        yield load
    finally:
        stopped.set()
        for caller in callers:
            caller.join()


def failed(calls: Iterable[Call]) -> list[Call]:
    """Give the calls that were answered with anything but 200."""
    return [call for call in calls if call.status != OK]


def outcomes(calls: Iterable[Call]) -> str:
    """Tell how many calls ended in which way, the most frequent first."""
    counted = Counter(f"{call.status} {call.code}".rstrip() for call in calls)
    return ", ".join(f"{count} x {outcome}" for outcome, count in counted.most_common()) or "none"


def latencies(calls: Sequence[Call]) -> str:
    """Tell the middle, the 99th percentile and the end of the latencies, in milliseconds."""
    ordered = sorted(call.seconds * 1000 for call in calls)
    if not ordered:
        return "no calls"
    p99 = ordered[min(len(ordered) - 1, len(ordered) * 99 // 100)]
    return f"p50 {ordered[len(ordered) // 2]:.0f} ms, p99 {p99:.0f} ms, max {ordered[-1]:.0f} ms"


def problem_code(answer: requests.Response) -> str:
    """Give the code of the gateway's problem document, or that the answer has none."""
    try:
        return str(answer.json()["code"])
    except (ValueError, KeyError, TypeError):
        return "without a code"


def _call_until(
    stopped: threading.Event, url: str, calls: list[Call], think_seconds: float
) -> None:
    with http_session() as session:
        session.headers["x-functions-key"] = sample.INVOKE_KEY
        while not stopped.wait(think_seconds):
            calls.append(_call(session, url))


def _call(session: requests.Session, url: str) -> Call:
    began, start = time.time(), time.monotonic()
    try:
        answer = session.post(url, json={}, timeout=TIMEOUT_SECONDS, allow_redirects=False)
    except requests.RequestException as error:
        return Call(url, began, time.monotonic() - start, 0, type(error).__name__)
    return Call(
        url,
        began,
        time.monotonic() - start,
        answer.status_code,
        "" if answer.status_code == OK else problem_code(answer),
        answer.headers.get("Retry-After"),
    )
