"""The thread that ends exchanges: in time, the right ones, and the same thread for all."""

from __future__ import annotations

import threading
import time

from shared.adapters.http_deadlines import Deadlines

PATIENCE_SECONDS = 10


class FakeEnding:
    """Something that ends, and knows when that happened."""

    def __init__(self, seconds):
        """End in so many seconds."""
        self.ends_on = time.monotonic() + seconds
        self.ended_on = None
        self.has_ended = threading.Event()

    def end(self):
        """End now."""
        self.ended_on = time.monotonic()
        self.has_ended.set()


def test_shorter_deadline_that_comes_later_is_kept():
    """The thread sleeps for the longer one, and is woken."""
    deadlines = Deadlines()
    longer, shorter = FakeEnding(60), FakeEnding(0.1)

    deadlines.watch(longer)
    time.sleep(0.02)
    deadlines.watch(shorter)

    assert shorter.has_ended.wait(PATIENCE_SECONDS)
    assert shorter.ended_on >= shorter.ends_on
    assert not longer.has_ended.is_set()


def test_next_deadline_is_kept_after_the_first():
    """Whatever the order in which they came."""
    deadlines = Deadlines()
    endings = [FakeEnding(seconds) for seconds in (0.15, 0.05, 0.1)]

    for ending in endings:
        deadlines.watch(ending)

    assert all(ending.has_ended.wait(PATIENCE_SECONDS) for ending in endings)
    assert all(ending.ended_on >= ending.ends_on for ending in endings)


def test_what_left_is_not_ended():
    """Its answer was there in time; the next one is watched over all the same."""
    deadlines = Deadlines()
    done, next_one = FakeEnding(0.05), FakeEnding(0.15)

    deadlines.watch(done)
    deadlines.leave(done)
    deadlines.watch(next_one)

    assert next_one.has_ended.wait(PATIENCE_SECONDS)
    assert not done.has_ended.is_set()


def test_one_thread_watches_over_all():
    """Starting a thread for each call would be a good part of what the call takes."""
    deadlines = Deadlines()
    before = threading.active_count()

    for _ in range(100):
        deadlines.watch(FakeEnding(60))

    assert threading.active_count() - before == 1
