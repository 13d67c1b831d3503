"""Fires timer functions.

On the platform one instance runs a timer (a singleton by blob lease); here the stack says which.
The next occurrence is computed after a run has ended, so runs of a timer never overlap and a long
one skips occurrences. A failed run is logged and not repeated. What the platform remembers across
restarts in a status blob is not modelled, so no run is ever past due.
(azure-webjobs-sdk-extensions: TimerListener, TimerSchedule)
"""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING

from azure.functions.timer import TimerRequest

from dev.host.ncrontab import Schedule, ScheduleError, parse
from dev.host.worker import InvocationError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from dev.host.indexing import Function
    from dev.host.worker import Worker

_SETTING = re.compile(r"%([^%]*)%")
_NEVER = "0001-01-01T00:00:00"
# TimerSchedule drops the monitor of a schedule that is more frequent.
_MONITORED_INTERVAL = timedelta(minutes=1)


def schedule_of(function: Function, settings: Mapping[str, str]) -> Schedule:
    """Read a timer function's schedule, each `%NAME%` replaced by that app setting.

    ScheduleError for a setting that is missing or empty, and for what is no schedule.
    """

    def resolve(name: re.Match[str]) -> str:
        value = settings.get(name[1])
        if not value:
            raise ScheduleError(f"{name[0]} does not resolve to a value: no such app setting")
        return value

    return parse(_SETTING.sub(resolve, function.trigger["schedule"]))


def fire(worker: Worker, function: Function, status: Mapping[str, str] | None = None) -> None:
    """Run a timer function once; the worker logs a failure, and that is all."""
    request = TimerRequest(
        past_due=False,
        schedule_status=dict(status) if status else None,
        schedule={"AdjustForDST": True},
    )
    with suppress(InvocationError):
        worker.invoke(function, request)


class Timer:
    """One timer function and its schedule."""

    def __init__(
        self,
        function: Function,
        *,
        worker: Worker,
        settings: Mapping[str, str],
        now: Callable[[], datetime],
        wait: Callable[[float], bool],
    ) -> None:
        """Take `wait`, which waits some seconds and returns true once the host stops."""
        self._function = function
        self._worker = worker
        self._schedule = schedule_of(function, settings)
        self._now = now
        self._wait = wait

    def run(self) -> None:
        """Fire the function on its schedule until the host stops."""
        if self._function.trigger.get("runOnStartup"):
            fire(self._worker, self._function)
        last = _NEVER
        while True:
            due = self._schedule.next_after(self._now())
            while (seconds := (due - self._now()).total_seconds()) > 0:
                if self._wait(seconds):
                    return
            fire(self._worker, self._function, self._status(last, due))
            last = due.isoformat()

    def _status(self, last: str, due: datetime) -> dict[str, str] | None:
        if not self._function.trigger.get("useMonitor", True):
            return None
        if self._schedule.next_after(due) - due < _MONITORED_INTERVAL:
            return None
        return {"Last": last, "Next": due.isoformat(), "LastUpdated": last}
