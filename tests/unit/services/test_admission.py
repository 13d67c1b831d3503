"""Who may call now, who waits for a turn, and who is told to come back."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from shared.domain.errors import GatewayError
from shared.services.admission import Admission
from tests.fakes import FakeClock
from tests.fakes.machine import START
from tests.scenes import failure

LATER = START + timedelta(seconds=10)
CODE = "CRONUS"


class Entrance:
    """An admission in front of a service that works until it is told to finish."""

    def __init__(self, *, most_inside=100, limit=2) -> None:
        self.clock = FakeClock()
        self.admission = Admission(most_inside=most_inside, clock=self.clock)
        self.limit = limit
        self.order: list[int] = []
        self.most_running = 0
        self._running = 0
        self._lock = threading.Lock()
        self._threads = ThreadPoolExecutor(32)
        self._gates: dict[int, threading.Event] = {}
        self._begun: dict[int, threading.Event] = {}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for gate in self._gates.values():
            gate.set()
        self._threads.shutdown()

    def arrive(self, number, *, waits=False):
        """Let a call come; return it once it runs or, if it `waits`, once it stands in line."""
        self._gates[number], self._begun[number] = threading.Event(), threading.Event()
        stands_in_line = threading.Event()
        self.clock.before("now", stands_in_line.set)  # asked for then: how long may it wait?
        call = self._threads.submit(self._work, number)
        assert stands_in_line.wait(10) if waits else self.has_begun(number)
        return call

    def has_begun(self, number):
        """Wait until a call runs."""
        return self._begun[number].wait(10)

    def finish(self, number):
        """Let a call come to its end."""
        self._gates[number].set()

    def run_at_once(self, number):
        """Let a call come, run and end, in the calling thread."""
        self._gates[number], self._begun[number] = threading.Event(), threading.Event()
        self.finish(number)
        self._work(number)

    def _work(self, number):
        with self.admission.slot(CODE, limit=self.limit, deadline=LATER):
            with self._lock:
                self.order.append(number)
                self._running += 1
                self.most_running = max(self.most_running, self._running)
            self._begun[number].set()
            assert self._gates[number].wait(10)
            with self._lock:
                self._running -= 1


def holding(admission, code=CODE, *, limit=1, deadline=LATER):
    """Return an entered slot's context."""
    return admission.slot(code, limit=limit, deadline=deadline)


def busy(act):
    """Require that what is tried ends as `integration_busy`."""
    error = failure(act)
    assert (error.kind.status, error.kind.code) == (429, "integration_busy")
    assert error.kind.retryable
    assert error.retry_after_seconds > 0


def take(admission, code=CODE, *, limit=1, deadline=LATER):
    """Take a slot and give it back."""
    with holding(admission, code, limit=limit, deadline=deadline):
        pass


def test_calls_come_in_the_order_of_their_arrival():
    """First come, first served; never more at once than the limit says."""
    with Entrance(limit=2) as entrance:
        first, second = entrance.arrive(1), entrance.arrive(2)
        others = [entrance.arrive(number, waits=True) for number in range(3, 8)]
        for number, call in enumerate([first, second, *others], start=1):
            assert entrance.has_begun(number)
            entrance.finish(number)
            call.result(10)
            assert number > 5 or entrance.has_begun(number + 2)

    assert entrance.order == [1, 2, 3, 4, 5, 6, 7]
    assert entrance.most_running == 2


def test_newcomer_does_not_overtake_those_who_wait():
    """Also where it arrives just when a slot becomes free."""
    with Entrance(limit=1) as entrance:
        first = entrance.arrive(1)
        waiting = entrance.arrive(2, waits=True)
        entrance.finish(1)
        first.result(10)
        entrance.arrive(3, waits=True)
        entrance.finish(2)
        waiting.result(10)
        entrance.finish(3)

    assert entrance.order == [1, 2, 3]


def test_raised_limit_lets_in_who_waits():
    """The definition may change at any time; the next call brings the change."""
    with Entrance(limit=1) as entrance:
        entrance.arrive(1)
        waiting = [entrance.arrive(number, waits=True) for number in (2, 3)]
        entrance.limit = 4
        entrance.arrive(4)
        for number in (2, 3):
            entrance.finish(number)
        for call in waiting:
            call.result(10)

    assert sorted(entrance.order) == [1, 2, 3, 4]


def test_lowered_limit_holds_from_the_next_call_on():
    """Who runs goes on; nobody follows until few enough are left."""
    with Entrance(limit=3) as entrance:
        running = [entrance.arrive(number) for number in (1, 2, 3)]
        entrance.limit = 1
        last = entrance.arrive(4, waits=True)
        for number in (1, 2):
            entrance.finish(number)
            running[number - 1].result(10)
        assert entrance.order == [1, 2, 3]
        entrance.finish(3)
        entrance.finish(4)
        last.result(10)

    assert entrance.order == [1, 2, 3, 4]


@pytest.mark.parametrize("seconds", [-5, 0, 0.01])
def test_waiting_ends_with_the_deadline(seconds):
    """429, and the place in line is gone."""
    admission = Admission(most_inside=1, clock=FakeClock())
    deadline = START + timedelta(seconds=seconds)

    with holding(admission):
        busy(lambda: take(admission, deadline=deadline))
        busy(lambda: take(admission, deadline=deadline))

    take(admission)


def test_free_slot_is_taken_whatever_the_time():
    """Who need not wait is not asked how long it could."""
    clock = FakeClock()
    take(Admission(most_inside=1, clock=clock), deadline=START)

    assert clock.calls["now"] == 0


def test_turn_that_comes_too_late_is_passed_on(monkeypatch):
    """Let in at the very moment in which it gives up: the slot is not lost."""
    admission = Admission(most_inside=1, clock=FakeClock())
    held = holding(admission)
    held.__enter__()
    wait = threading.Event.wait

    def give_up_just_when_let_in(event, _seconds):
        held.__exit__(None, None, None)
        assert wait(event, 0)
        return False

    monkeypatch.setattr(threading.Event, "wait", give_up_just_when_let_in)
    busy(lambda: take(admission))
    monkeypatch.undo()

    take(admission, deadline=START)
    assert not admission._lanes


def test_failed_call_gives_its_slot_back():
    """However it ends, and its place inside as well."""
    admission = Admission(most_inside=1, clock=FakeClock())

    for error in (ValueError, GatewayError, KeyboardInterrupt) * 2:
        with (
            pytest.raises(error),
            admission.enter(CODE),
            holding(admission),
        ):
            raise error.__new__(error)

    assert not admission._lanes


def test_no_more_are_inside_than_may_be():
    """Whatever they wait for: the rest is told at once."""
    admission = Admission(most_inside=2, clock=FakeClock())

    with admission.enter(CODE), admission.enter(CODE):
        busy(lambda: admission.enter(CODE).__enter__())
    with admission.enter(CODE), admission.enter(CODE):
        pass


def test_integrations_do_not_meet():
    """One that is full keeps nobody out of another."""
    admission = Admission(most_inside=1, clock=FakeClock())

    with (
        admission.enter("A"),
        holding(admission, "A"),
        admission.enter("B"),
        holding(admission, "B", deadline=START),
    ):
        assert set(admission._lanes) == {"A", "B"}


def test_nothing_is_kept_of_those_who_left():
    """A thousand codes leave no trace, also those that were told to come back."""
    admission = Admission(most_inside=1, clock=FakeClock())

    for number in range(1000):
        with admission.enter(f"A{number}"), holding(admission, f"A{number}"):
            busy(lambda code=f"A{number}": admission.enter(code).__enter__())
            busy(lambda code=f"A{number}": take(admission, code, deadline=START))

    assert not admission._lanes


def test_crowd_is_served_whole_and_in_bounds():
    """Hundreds of calls from many threads: the limit holds, and none is forgotten."""
    entrance = Entrance(limit=3)

    def run(number):
        with entrance.admission.enter(CODE):
            entrance.run_at_once(number)

    with entrance, ThreadPoolExecutor(16) as threads:
        list(threads.map(run, range(500)))

    assert sorted(entrance.order) == list(range(500))
    assert entrance.most_running <= 3
    assert not entrance.admission._lanes
