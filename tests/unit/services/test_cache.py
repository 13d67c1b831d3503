"""The cache of definitions: never older than its lifetime, and of use in an outage."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from shared.domain.errors import StorageUnavailable
from shared.services import cache
from shared.services.cache import ReadThroughCache
from tests.fakes import FakeBackground, FakeClock

if TYPE_CHECKING:
    from collections.abc import Callable

LIFETIME = 30


class Storage:
    """Values by key, which may be down, and may change while they are read."""

    def __init__(self, **values: str) -> None:
        self.values = values
        self.reads = 0
        self.is_down = False
        self.during_read: Callable[[], None] = lambda: None

    def load(self, key: str) -> str | None:
        """Give the value as it is when the read begins."""
        self.reads += 1
        if self.is_down:
            raise StorageUnavailable("down")
        value = self.values.get(key)
        self.during_read()
        return value


class Bench:
    """A cache and all that is around it."""

    def __init__(self, capacity: int = 100) -> None:
        self.storage = Storage(A="one", B="one")
        self.clock = FakeClock()
        self.background = FakeBackground()
        self.cache: ReadThroughCache[str, str] = ReadThroughCache(
            self.storage.load,
            lifetime=timedelta(seconds=LIFETIME),
            clock=self.clock,
            background=self.background,
            capacity=capacity,
            what="definition",
        )


@pytest.fixture
def bench() -> Bench:
    """Return a cache whose values live for 30 seconds."""
    return Bench()


def test_second_get_does_not_read(bench):
    """A value is read once as long as it is in the first half of its lifetime."""
    first = bench.cache.get("A")
    bench.clock.advance(seconds=LIFETIME / 2 - 1)

    assert (first, bench.cache.get("A")) == ("one", "one")
    assert bench.storage.reads == 1


def test_second_half_of_the_lifetime_reads_in_the_background(bench):
    """The caller gets the kept value without waiting, the next one the new value."""
    bench.cache.get("A")
    bench.storage.values["A"] = "two"
    bench.background.is_held = True
    bench.clock.advance(seconds=LIFETIME / 2)

    served = bench.cache.get("A")
    bench.background.release()

    assert (served, bench.cache.get("A")) == ("one", "two")
    assert bench.storage.reads == 2


def test_only_one_background_read_at_a_time(bench):
    """Many callers in the second half cause one read; when it is over, there may be another."""
    bench.cache.get("A")
    bench.background.is_held = True
    bench.clock.advance(seconds=LIFETIME / 2)

    for _ in range(5):
        bench.cache.get("A")
    waiting = len(bench.background.waiting)
    bench.background.release()
    bench.clock.advance(seconds=LIFETIME / 2)
    bench.cache.get("A")

    assert waiting == 1
    assert bench.storage.reads == 3


@pytest.mark.parametrize("steps", [[30], [31], [16, 14], [29, 1], [15, 15, 30], [3600]])
def test_value_is_never_served_past_its_lifetime(bench, steps):
    """A changed value counts after the lifetime, even if no background read ever comes through."""
    bench.background.is_held = True
    bench.cache.get("A")
    bench.storage.values["A"] = "two"

    for seconds in steps:
        bench.clock.advance(seconds=seconds)
        served = bench.cache.get("A")

    assert served == "two"


def test_age_counts_from_the_start_of_a_slow_read(bench):
    """A value that took long to arrive is as old as the read that brought it."""
    bench.storage.during_read = lambda: bench.clock.advance(seconds=20)
    bench.cache.get("A")
    bench.storage.during_read = lambda: None
    bench.storage.values["A"] = "two"
    bench.background.is_held = True

    bench.clock.advance(seconds=10)

    assert bench.cache.get("A") == "two"


def test_outage_serves_the_last_value(bench):
    """While the storage is down, a value lives on, however old it is."""
    bench.cache.get("A")
    bench.storage.is_down = True

    for seconds in (15, 15, 3600, 86400):
        bench.clock.advance(seconds=seconds)
        assert bench.cache.get("A") == "one"


def test_outage_past_the_lifetime_is_asked_about_every_five_seconds(bench):
    """The storage that is down is not asked by every call."""
    bench.cache.get("A")
    bench.storage.is_down = True
    bench.clock.advance(seconds=LIFETIME)

    for _ in range(10):
        bench.cache.get("A")
        bench.clock.advance(seconds=1)

    assert bench.storage.reads == 1 + 2


def test_outage_that_is_known_keeps_nobody_waiting(bench):
    """After one caller has met it, the storage is asked off the callers' path for a while."""
    bench.cache.get("A")
    bench.storage.is_down = True
    bench.clock.advance(seconds=LIFETIME)
    bench.cache.get("A")
    bench.background.is_held = True

    for _ in range(11):
        bench.clock.advance(seconds=5)
        assert bench.cache.get("A") == "one"
    in_the_background = bench.storage.reads
    bench.clock.advance(seconds=5)
    bench.cache.get("A")

    assert (in_the_background, bench.storage.reads) == (2, 3)


def test_end_of_an_outage_brings_the_new_value(bench):
    """The next read in the background succeeds, and from then on its value counts."""
    bench.cache.get("A")
    bench.storage.is_down = True
    bench.clock.advance(seconds=3600)
    bench.cache.get("A")
    bench.storage.is_down = False
    bench.storage.values["A"] = "two"

    bench.clock.advance(seconds=5)
    bench.cache.get("A")

    assert bench.cache.get("A") == "two"


def test_failed_background_read_is_tried_again(bench):
    """A failure in the background reaches no caller; some seconds later there is another try."""
    bench.cache.get("A")
    bench.storage.is_down = True
    bench.clock.advance(seconds=LIFETIME / 2)
    served = bench.cache.get("A")
    bench.storage.is_down = False
    bench.storage.values["A"] = "two"
    bench.clock.advance(seconds=5)

    bench.cache.get("A")

    assert (served, bench.cache.get("A")) == ("one", "two")
    assert not bench.background.errors


@pytest.mark.parametrize("seconds", [LIFETIME / 2, LIFETIME], ids=["ahead", "past"])
def test_stale_value_is_told_in_the_log(bench, caplog, seconds):
    """With what it is, so that an operator learns of the outage."""
    bench.cache.get("A")
    bench.storage.is_down = True
    bench.clock.advance(seconds=seconds)

    bench.cache.get("A")

    assert '"event":"stale_served","what":"definition","key":"A","reason":"down"' in caplog.text


@contextmanager
def hanging_read(bench):
    """Let a caller meet a storage that hangs until the block ends; give threads for others."""
    has_begun, may_go_on = threading.Event(), threading.Event()

    def hang():
        bench.storage.during_read = lambda: None
        has_begun.set()
        may_go_on.wait(5)

    bench.storage.during_read = hang
    with ThreadPoolExecutor(4) as threads:
        threads.submit(bench.cache.get, "A")
        assert has_begun.wait(5)
        try:
            yield threads
        finally:
            may_go_on.set()


def test_value_past_its_lifetime_is_read_by_one_caller(bench):
    """The others wait for what that one brings."""
    bench.cache.get("A")
    bench.storage.values["A"] = "two"
    bench.clock.advance(seconds=LIFETIME)

    with hanging_read(bench) as threads:
        others = [threads.submit(bench.cache.get, "A") for _ in range(3)]

    assert [other.result() for other in others] == ["two"] * 3
    assert bench.storage.reads == 2


def test_storage_that_hangs_holds_up_one_caller_only(bench, monkeypatch):
    """Nobody else waits for long: the last value is better than none."""
    monkeypatch.setattr(cache, "_PATIENCE_SECONDS", 0)
    bench.cache.get("A")
    bench.clock.advance(seconds=LIFETIME)
    bench.background.is_held = True

    with hanging_read(bench) as threads:
        served = [threads.submit(bench.cache.get, "A").result() for _ in range(3)]

    assert served == ["one"] * 3
    assert bench.storage.reads == 2


def test_outage_with_nothing_kept_is_told(bench):
    """What was never read cannot be served."""
    bench.storage.is_down = True

    with pytest.raises(StorageUnavailable):
        bench.cache.get("A")


def test_missing_value_is_never_kept(bench):
    """Something new counts at the next get."""
    before = bench.cache.get("new")
    bench.storage.values["new"] = "one"

    assert (before, bench.cache.get("new")) == (None, "one")


def test_value_that_was_deleted_is_gone_in_an_outage_too(bench):
    """Once seen to be gone, a value does not come back when the storage goes down."""
    bench.cache.get("A")
    del bench.storage.values["A"]
    bench.clock.advance(seconds=LIFETIME)
    seen = bench.cache.get("A")
    bench.storage.is_down = True

    with pytest.raises(StorageUnavailable):
        bench.cache.get("A")
    assert seen is None


def test_background_read_notices_a_deletion(bench):
    """The value that was still served in the second half is gone at the next get."""
    bench.cache.get("A")
    del bench.storage.values["A"]
    bench.clock.advance(seconds=LIFETIME / 2)

    assert (bench.cache.get("A"), bench.cache.get("A")) == ("one", None)


def test_forget_makes_the_next_get_read(bench):
    """A change that was made here counts at once."""
    bench.cache.get("A")
    bench.storage.values["A"] = "two"

    bench.cache.forget("A")

    assert bench.cache.get("A") == "two"


def test_forget_during_a_read_discards_what_it_brings(bench):
    """A read that began before the change does not bring the old value back."""

    def change() -> None:
        bench.storage.during_read = lambda: None
        bench.storage.values["A"] = "two"
        bench.cache.forget("A")

    bench.storage.during_read = change
    bench.cache.get("A")

    assert bench.cache.get("A") == "two"


def test_forget_during_a_background_read_discards_what_it_brings(bench):
    """The same holds for a read that nobody waits for."""
    bench.cache.get("A")
    bench.clock.advance(seconds=LIFETIME / 2)

    def change() -> None:
        bench.storage.during_read = lambda: None
        bench.storage.values["A"] = "two"
        bench.cache.forget("A")

    bench.storage.during_read = change
    bench.cache.get("A")

    assert bench.cache.get("A") == "two"


def test_put_counts_over_a_read_under_way(bench):
    """What was just written is newer than what a read had begun to bring."""
    bench.storage.during_read = lambda: bench.cache.put("A", "written")

    bench.cache.get("A")

    assert bench.cache.get("A") == "written"


def test_put_spares_the_read(bench):
    """A written value is served without a read, for its lifetime."""
    bench.cache.put("A", "written")

    assert bench.cache.get("A") == "written"
    assert bench.storage.reads == 0


def test_full_cache_drops_what_it_has_kept_longest():
    """Memory stays bounded, and what was dropped is simply read again."""
    bench = Bench(capacity=1)
    bench.cache.get("A")

    bench.cache.get("B")

    assert len(bench.cache) == 1
    assert (bench.cache.get("B"), bench.storage.reads) == ("one", 2)
    assert (bench.cache.get("A"), bench.storage.reads) == ("one", 3)


def test_keys_are_apart(bench):
    """Forgetting one value leaves the others kept."""
    bench.cache.get("A")
    bench.cache.get("B")

    bench.cache.forget("A")
    bench.cache.get("B")

    assert bench.storage.reads == 2
