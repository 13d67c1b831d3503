"""The recorder: off the caller's path, within a second, and without losing or doubling anything."""

from __future__ import annotations

import json
import threading
import time
from datetime import timedelta

import pytest

from shared.adapters.system import DaemonBackground, SystemClock
from shared.domain.activity import BATCH_SPAN
from shared.services import activity
from shared.services.activity import MOST_WAITING, ActivityLog
from tests.builders import call_entry
from tests.fakes import FakeActivityStore, FakeBackground, FakeClock
from tests.support import held

CODE = "CRONUS"


class Recorder:
    """A log on fakes; nothing is written before `recording` is released."""

    def __init__(self):
        self.store = FakeActivityStore()
        self.clock = FakeClock()
        self.recording = held()
        self.log = ActivityLog(self.store, self.clock, self.recording)

    def record(self, *names, **changes):
        """Record calls with these request ids."""
        for name in names:
            self.log.record(call_entry(self.clock.now(), request_id=name, **changes))

    def written(self, partition=CODE):
        """Return the request ids that are kept, in the order of writing."""
        return [entry.request_id for entry in self.store.entries(partition)]

    def outage(self, attempts):
        """Let so many writes fail."""
        self.store.fail("write")

        def attempt():
            if self.store.calls["write"] > attempts:
                self.store.recover()
            else:
                self.store.before("write", attempt)

        self.store.before("write", attempt)


@pytest.fixture
def recorder():
    """Return a recorder with nothing recorded."""
    return Recorder()


def test_entries_of_a_second_are_written_together(recorder):
    """One write, a second after the first of them came."""
    began_on = recorder.clock.now()
    recorder.record("one", "two", "three")

    recorder.store.before("write", lambda: came_on.append(recorder.clock.now()))
    came_on = []
    recorder.recording.release()

    assert recorder.written() == ["one", "two", "three"]
    assert recorder.store.calls["write"] == 1
    assert came_on == [began_on + timedelta(seconds=1)]


def test_caller_makes_no_storage_call(recorder):
    """Whatever the storage does: all that a caller does is to leave a note."""
    recorder.store.fail()

    recorder.record(*map(str, range(100)))

    assert recorder.store.calls.total() == 0
    assert recorder.recording.calls["submit"] == 1


def test_writer_ends_when_nothing_comes_and_begins_anew(recorder):
    """An idle instance does nothing."""
    recorder.recording.is_held = False

    recorder.record("one")
    recorder.record("two")

    assert recorder.written() == ["one", "two"]
    assert recorder.recording.calls["submit"] == 2


def test_entry_that_comes_while_others_are_written_follows(recorder):
    """By the same writer: there is never a second one."""
    recorder.record("one")
    recorder.store.before("write", lambda: recorder.record("two"))

    recorder.recording.release()

    assert recorder.written() == ["one", "two"]
    assert recorder.recording.calls["submit"] == 1


def test_outage_loses_nothing_and_keeps_the_order(recorder):
    """The pauses grow to half a minute, and what comes meanwhile waits in turn."""
    recorder.record("one", "two")
    recorder.outage(8)
    recorder.clock.before("sleep", lambda: recorder.record("three"))
    began_on = recorder.clock.now()

    recorder.recording.release()
    recorder.record("four")
    recorder.recording.release()

    assert recorder.written() == ["one", "two", "three", "four"]
    assert recorder.clock.now() - began_on >= timedelta(seconds=1 + 1 + 2 + 4 + 8 + 16 + 30 + 30)
    assert recorder.clock.now() - began_on <= timedelta(seconds=130)


def test_write_that_is_repeated_is_the_same_write(recorder):
    """An answer that got lost doubles nothing: neither entries nor numbers."""
    recorder.record("one")
    write, seen = recorder.store.write, []

    def written_and_lost(*arguments):
        seen.append(arguments)
        write(*arguments)
        if len(seen) == 1:
            raise FakeActivityStore.outage("The answer was lost.")

    recorder.store.write = written_and_lost
    recorder.recording.release()

    assert seen[0] == seen[1]
    assert recorder.written() == ["one"]
    (counted,) = recorder.store.counted.values()
    assert counted.tally.calls == 1


def test_entries_of_an_outage_lie_close_together_in_a_batch(recorder):
    """A reader that goes on from some moment need not look far back."""
    for second in range(10):
        recorder.record(str(second))
        recorder.clock.advance(seconds=1)

    recorder.recording.release()

    spans = [batch.newest - batch.entries[0].moment for batch in recorder.store.kept.values()]
    assert len(spans) == 4
    assert max(spans) == BATCH_SPAN
    assert recorder.written() == list("0123456789")


def test_bounded_number_waits_and_the_rest_is_told_once(recorder, caplog):
    """By the next caller that finds room: the host forwards no other thread's lines."""
    recorder.record(*map(str, range(MOST_WAITING + 5)))
    assert caplog.messages == []

    recorder.recording.release()
    recorder.record("later", "last")

    assert recorder.written()[-3:] == [str(MOST_WAITING - 1), "later", "last"]
    assert [json.loads(line) for line in caplog.messages] == [
        {"event": "activity_dropped", "entries": 5}
    ]


def test_what_is_being_written_counts_as_waiting(recorder):
    """Memory is bounded during an outage, too."""
    recorder.record(*map(str, range(MOST_WAITING)))
    recorder.store.before("write", lambda: recorder.record("too many"))

    recorder.recording.release()

    assert "too many" not in recorder.written()


def test_missing_thread_disturbs_nobody_and_loses_nothing(recorder):
    """The next entry asks for one again."""
    recorder.recording.fail("submit", error=RuntimeError("can't start new thread"))
    recorder.record("one")
    recorder.recording.recover()
    recorder.record("two")

    recorder.recording.release()

    assert recorder.written() == ["one", "two"]


def test_unexpected_error_does_not_end_the_recording(recorder):
    """The writer is replaced with the next entry; the background has logged the error."""
    recorder.record("one")
    recorder.store.fail("write", error=ZeroDivisionError("on purpose"))
    recorder.recording.release()
    recorder.store.recover()

    recorder.record("two")

    assert [type(error) for error in recorder.recording.errors] == [ZeroDivisionError]
    assert recorder.written() == ["two"]


def test_unknown_integrations_make_no_partitions(recorder):
    """Whoever types names fills one, which is nobody's."""
    for name in ("NOPE", "NADA"):
        recorder.log.record(call_entry(integration=name, request_id=name), is_known=False)

    recorder.recording.release()

    assert recorder.store.partitions(after="", limit=10) == ["_"]
    assert recorder.written("_") == ["NOPE", "NADA"]


def test_calls_are_counted_by_slot_and_each_count_is_written_whole(recorder):
    """A later write of a slot holds the earlier calls as well."""
    recorder.recording.is_held = False
    recorder.record("one", milliseconds=10)
    recorder.record("two", status=503, milliseconds=99)
    recorder.log.token_event(CODE, "renewed")
    recorder.clock.advance(minutes=5)
    recorder.record("three", status=404)

    counts = sorted(recorder.store.counted.values(), key=lambda each: each.began_on)

    assert [(each.tally.calls, each.tally.errors) for each in counts] == [(2, 1), (1, 1)]
    assert counts[1].began_on - counts[0].began_on == timedelta(minutes=5)


def test_slot_that_was_forgotten_is_counted_beside_and_not_over(recorder):
    """A clock that is set back must not make earlier calls disappear."""
    recorder.recording.is_held = False
    recorder.record("one")
    recorder.clock.advance(minutes=30)
    recorder.record("two")
    recorder.clock.advance(minutes=-30)
    recorder.record("three")

    assert sum(each.tally.calls for each in recorder.store.counted.values()) == 3


def test_token_event_has_a_reason_that_fits_into_a_row(recorder):
    """However long an explanation is."""
    recorder.log.token_event(CODE, "renewal_failed", code="identity_unavailable", reason="x" * 9999)

    recorder.recording.release()

    (entry,) = recorder.store.entries(CODE)
    assert (entry.event, entry.code) == ("renewal_failed", "identity_unavailable")
    assert len(entry.reason) == 500


@pytest.fixture
def running():
    """Return a log as the app has it, on a store in memory."""
    store = FakeActivityStore()
    return ActivityLog(store, SystemClock(), DaemonBackground()), store


def test_end_of_the_process_writes_what_waits(running):
    """At once, without the second that entries are gathered for."""
    log, store = running
    log.record(call_entry())
    began = time.monotonic()

    log.close()

    assert len(store.entries(CODE)) == 1
    assert time.monotonic() - began < 0.9


def test_end_of_the_process_does_not_wait_for_an_outage(running):
    """One attempt; after that the entries are lost, as with a crash."""
    log, store = running
    store.fail("write")
    log.record(call_entry())
    began = time.monotonic()

    log.close()

    assert store.calls["write"] == 1
    assert time.monotonic() - began < 0.9


def test_end_of_the_process_does_not_wait_long_for_a_storage_that_hangs(running, monkeypatch):
    """Its own time limits are longer."""
    monkeypatch.setattr(activity, "_ENDING_SECONDS", 0.2)
    log, store = running
    is_over = threading.Event()
    store.before("write", is_over.wait)
    log.record(call_entry())
    began = time.monotonic()

    log.close()

    assert 0.2 <= time.monotonic() - began < 2
    is_over.set()


def test_nothing_recorded_ends_at_once():
    """Nor is a thread begun for it."""
    recording = FakeBackground()

    ActivityLog(FakeActivityStore(), FakeClock(), recording).close()

    assert recording.calls.total() == 0


def test_many_callers_at_once_lose_nothing(running):
    """Each leaves its notes with others beside it."""
    log, store = running

    def call(number):
        for step in range(200):
            log.record(call_entry(SystemClock().now(), request_id=f"{number}-{step}"))

    callers = [threading.Thread(target=call, args=(number,)) for number in range(8)]
    for each in callers:
        each.start()
    for each in callers:
        each.join()
    log.close()

    assert len({entry.request_id for entry in store.entries(CODE)}) == 1600
    assert sum(each.tally.calls for each in store.counted.values()) == 1600
