from datetime import UTC, datetime, timedelta

import pytest
from azure.functions import TimerRequest

from dev.host.indexing import Function
from dev.host.ncrontab import ScheduleError
from dev.host.timer import Timer, schedule_of
from dev.host.worker import Worker

START = datetime(2026, 11, 22, 12, 0, 30, tzinfo=UTC)


class Clock:
    """A clock that waiting puts forward; it stops the host at a given moment."""

    def __init__(self, stops_at):
        self.time = START
        self.stops_at = stops_at

    def now(self):
        """Give the time."""
        return self.time

    def wait(self, seconds):
        """Let time pass, and tell whether the host stops."""
        self.time += timedelta(seconds=seconds)
        return self.time >= self.stops_at


def make_function(handler, schedule, **arguments):
    """Give a timer function as the worker describes it."""
    trigger = {"type": "timerTrigger", "name": "timer", "schedule": schedule} | arguments
    return Function(name="tick", handler=handler, bindings=(trigger,))


def run(handler, schedule="0 * * * * *", *, minutes=3, settings=None, clock=None, **arguments):
    """Run a timer until the clock stops it."""
    clock = clock or Clock(START + timedelta(minutes=minutes))
    Timer(
        make_function(handler, schedule, **arguments),
        worker=Worker(1),
        settings=settings or {},
        now=clock.now,
        wait=clock.wait,
    ).run()


def test_timer_fires_at_each_occurrence():
    """A function runs on schedule and not at start."""
    clock, fired = Clock(START + timedelta(minutes=3)), []

    def tick(**_):
        fired.append(clock.now())

    run(tick, clock=clock)

    assert [moment.strftime("%H:%M:%S") for moment in fired] == ["12:01:00", "12:02:00", "12:03:00"]


def test_next_occurrence_is_computed_after_the_run():
    """Occurrences that pass while a function runs are left out."""
    clock, fired = Clock(START + timedelta(minutes=5)), []

    def slow(**_):
        fired.append(clock.now())
        clock.time += timedelta(seconds=90)

    run(slow, clock=clock)

    assert [moment.strftime("%H:%M:%S") for moment in fired] == ["12:01:00", "12:03:00", "12:05:00"]


def test_failed_run_does_not_end_the_schedule(caplog):
    """An exception is logged, and the next occurrence comes."""
    fired = []

    def fails(timer):
        fired.append(timer)
        raise RuntimeError("out of order")

    run(fails)

    assert len(fired) == 3
    assert "out of order" in caplog.text


def test_function_may_be_run_at_start():
    """`runOnStartup` runs it once more, at once."""
    fired = []

    def tick(timer):
        fired.append(timer)

    run(tick, runOnStartup=True)

    assert len(fired) == 4


def test_function_gets_a_timer_request():
    """A request tells the status of the schedule, as the SDK decodes it."""
    requests = []

    def tick(timer):
        requests.append(timer)

    run(tick, minutes=2)

    assert all(isinstance(request, TimerRequest) for request in requests)
    assert [request.past_due for request in requests] == [False, False]
    assert requests[0].schedule == {"AdjustForDST": True}
    assert requests[0].schedule_status["Next"] == "2026-11-22T12:01:00+00:00"
    assert requests[1].schedule_status["Last"] == "2026-11-22T12:01:00+00:00"


@pytest.mark.parametrize(
    ("schedule", "arguments"),
    [
        pytest.param("*/30 * * * * *", {}, id="more-often-than-each-minute"),
        pytest.param("0 * * * * *", {"useMonitor": False}, id="switched-off"),
    ],
)
def test_timer_without_monitor_has_no_status(schedule, arguments):
    """The host remembers nothing about such a schedule."""
    requests = []

    def tick(timer):
        requests.append(timer)

    run(tick, schedule, minutes=1, **arguments)

    assert requests[0].schedule_status == {}


def test_schedule_comes_from_an_app_setting():
    """`%NAME%` stands for the setting's value."""

    def tick(): ...

    schedule = schedule_of(make_function(tick, "%WHEN%"), {"WHEN": "0 0 * * * *"})

    assert schedule.next_after(START).hour == 13


@pytest.mark.parametrize("settings", [{}, {"WHEN": ""}], ids=["missing", "empty"])
def test_missing_app_setting_is_named(settings):
    """The host drops empty settings, so both are the same."""

    def tick(): ...

    with pytest.raises(ScheduleError, match="%WHEN%"):
        schedule_of(make_function(tick, "%WHEN%"), settings)
