"""NCRONTAB expressions, `{second} {minute} {hour} {day} {month} {day of week}`.

Read as the library NCrontab reads them. A field is `*` or a list of values, ranges and steps: `5`,
`1-5`, `*/15`, `10-40/10`, `5/15` (from 5 to the end). Months and days of the week may be named by
any beginning of the English name. A day must fit both its day and its day-of-week field. There is
no time zone but UTC. Five fields leave out the seconds.
https://learn.microsoft.com/azure/azure-functions/functions-bindings-timer#ncrontab-expressions
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import NamedTuple

# Within it, every date meets every day of the week.
_HORIZON_DAYS = 40 * 366


class ScheduleError(ValueError):
    """An expression that is no schedule."""


class _Kind(NamedTuple):
    label: str
    low: int
    high: int
    names: tuple[str, ...] = ()


_MONTHS = "january february march april may june july august september october november december"
_DAYS = "sunday monday tuesday wednesday thursday friday saturday"
_KINDS = (
    _Kind("second", 0, 59),
    _Kind("minute", 0, 59),
    _Kind("hour", 0, 23),
    _Kind("day", 1, 31),
    _Kind("month", 1, 12, tuple(_MONTHS.split())),
    _Kind("day of week", 0, 6, tuple(_DAYS.split())),
)


@dataclass(frozen=True)
class Schedule:
    """A parsed expression: the values that each field allows, in ascending order."""

    seconds: list[int]
    minutes: list[int]
    hours: list[int]
    days: list[int]
    months: list[int]
    days_of_week: list[int]

    def next_after(self, moment: datetime) -> datetime:
        """Give the first occurrence after `moment`; ScheduleError if there is none."""
        start = moment.astimezone(UTC)
        midnight = start.replace(hour=0, minute=0, second=0, microsecond=0)
        earlier = (start.hour, start.minute, start.second)
        for day in (midnight + timedelta(days=count) for count in range(_HORIZON_DAYS)):
            if self._allows(day):
                times = product(self.hours, self.minutes, self.seconds)
                time = next((each for each in times if day > midnight or each > earlier), None)
                if time is not None:
                    return day.replace(hour=time[0], minute=time[1], second=time[2])
        raise ScheduleError("the schedule never occurs")

    def _allows(self, day: datetime) -> bool:
        return (
            day.month in self.months
            and day.day in self.days
            and day.isoweekday() % 7 in self.days_of_week
        )


def parse(expression: str) -> Schedule:
    """Read an expression; ScheduleError if it is none, or if it never occurs."""
    fields = expression.split()
    if len(fields) == 5:
        fields.insert(0, "0")
    if len(fields) != 6:
        raise ScheduleError(f"the schedule {expression!r} has {len(fields)} fields instead of six")
    try:
        schedule = Schedule(*map(_values, fields, _KINDS))
        schedule.next_after(datetime(2000, 1, 1, tzinfo=UTC))
    except ValueError as error:
        raise ScheduleError(f"the schedule {expression!r} is not valid: {error}") from error
    return schedule


def _values(field: str, kind: _Kind) -> list[int]:
    values: set[int] = set()
    for item in field.split(","):
        span, has_step, step = item.partition("/")
        first, is_range, last = span.partition("-")
        if span == "*":
            low, high = kind.low, kind.high
        elif is_range:
            low, high = sorted((_value(first, kind), _value(last, kind)))
        else:
            low = _value(span, kind)
            high = kind.high if has_step else low
        values.update(range(low, high + 1, max(1, int(step)) if has_step else 1))
    return sorted(values)


def _value(text: str, kind: _Kind) -> int:
    if text.isdecimal() and kind.low <= int(text) <= kind.high:
        return int(text)
    for value, name in enumerate(kind.names, start=kind.low):
        if text and name.startswith(text.lower()):
            return value
    raise ScheduleError(f"{text!r} is no {kind.label}")
