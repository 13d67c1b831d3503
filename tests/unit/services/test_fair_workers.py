"""How threads are shared out among providers that answer and providers that do not."""

from __future__ import annotations

import threading

import pytest

from shared.services.fair_workers import MOST_FOR_ONE, MOST_ON_TRIAL, WORKERS, FairQueue, run_fairly


def items(**counts):
    """Return so many items of each provider, one provider after the other."""
    return [
        (provider, f"{provider}{n}") for provider, count in counts.items() for n in range(count)
    ]


def take_all(queue):
    """Take what may begin, without an end to anything."""
    taken = []
    while (found := queue.take()) is not None:
        taken.append(found)
    return taken


def answer(queue, provider, *answers):
    """Let items of the provider end one by one, each time taking the next that may begin."""
    for has_answered in answers:
        queue.give_back(provider, has_answered=has_answered)
        take_all(queue)


def test_provider_begins_with_one_thread():
    """Nobody knows yet whether it answers."""
    queue = FairQueue(items(a=3, b=3))

    assert take_all(queue) == [("a", "a0"), ("b", "b0")]


def test_first_in_order_comes_first():
    """Whichever provider it belongs to."""
    queue = FairQueue([("a", 1), ("b", 2), ("a", 3), ("b", 4), ("c", 5)])

    assert [item for _, item in take_all(queue)] == [1, 2, 5]
    queue.give_back("b", has_answered=True)
    assert [item for _, item in take_all(queue)] == [4]
    queue.give_back("a", has_answered=True)
    assert [item for _, item in take_all(queue)] == [3]


def test_every_answer_earns_a_thread():
    """Up to the most that one provider may have."""
    queue = FairQueue(items(a=100))
    held = [len(take_all(queue))]
    for _ in range(20):
        queue.give_back("a", has_answered=True)
        held.append(held[-1] - 1 + len(take_all(queue)))

    assert held == [*range(1, MOST_FOR_ONE), *[MOST_FOR_ONE] * (22 - MOST_FOR_ONE)]


def test_every_silence_costs_half_of_the_threads():
    """Down to one, with which it can prove itself again."""
    queue = FairQueue(items(a=100))
    take_all(queue)
    answer(queue, "a", *[True] * 20)
    held, running = [], MOST_FOR_ONE
    for _ in range(MOST_FOR_ONE + 3):
        queue.give_back("a", has_answered=False)
        running += len(take_all(queue)) - 1
        held.append(running)

    assert held == [*range(MOST_FOR_ONE - 1, 0, -1), 1, 1, 1, 1]


def test_provider_recovers_with_its_first_answers():
    """What it lost comes back thread by thread."""
    queue = FairQueue(items(a=100))
    take_all(queue)
    answer(queue, "a", *[False, False, False, True])

    assert queue.take() is None
    queue.give_back("a", has_answered=True)
    assert len(take_all(queue)) == 2


def test_end_that_tells_nothing_of_the_provider_changes_nothing():
    """Somebody else held the lease, or the vault failed: it was not asked."""
    queue = FairQueue(items(a=100))
    take_all(queue)
    answer(queue, "a", *[True] * 2)
    queue.give_back("a", has_answered=None)

    assert len(take_all(queue)) == 1


MANY = {f"p{number:02}": 2 for number in range(WORKERS)}


def test_providers_that_have_not_answered_yet_hold_half_of_all_threads():
    """However many they are; one that answers makes room, for itself and for the next."""
    queue = FairQueue(items(**MANY))
    taken = take_all(queue)
    queue.give_back("p03", has_answered=True)

    assert [item for _, item in taken] == [f"p{number:02}0" for number in range(MOST_ON_TRIAL)]
    assert [item for _, item in take_all(queue)] == ["p031", "p080"]


def test_provider_that_was_silent_comes_after_those_that_nobody_has_tried():
    """They might be the ones that answer; then it is tried again, and not forgotten."""
    queue = FairQueue(items(**MANY))
    order = take_all(queue)
    for provider, _ in order:
        queue.give_back(provider, has_answered=False)
        order += take_all(queue)

    assert [item for _, item in order] == [f"{p}0" for p in MANY] + [f"{p}1" for p in MANY]


def test_answer_makes_up_for_former_silence():
    """From then on the order of the items counts alone."""
    queue = FairQueue([("a", 1), ("b", 2), ("a", 3), ("a", 4), ("b", 5)])
    take_all(queue)
    answer(queue, "a", *[False])
    queue.give_back("b", has_answered=True)
    queue.give_back("a", has_answered=True)

    assert [item for _, item in take_all(queue)] == [4, 5]


def test_item_is_offered_once():
    """Also where several end before the next one is taken."""
    queue = FairQueue(items(a=4))
    take_all(queue)
    answer(queue, "a", *[True])
    queue.give_back("a", has_answered=True)
    queue.give_back("a", has_answered=True)

    assert take_all(queue) == [("a", "a3")]


def test_everything_is_taken_once():
    """Whatever the providers do meanwhile."""
    queue = FairQueue(items(a=40, b=1, c=17))
    running, seen, turn = take_all(queue), [], 0
    while running:
        turn += 1
        provider, item = running.pop(turn % len(running))
        seen.append(item)
        queue.give_back(provider, has_answered=turn % 3 > 0)
        running += take_all(queue)

    assert sorted(seen) == sorted(item for _, item in items(a=40, b=1, c=17))


def test_nothing_is_nothing():
    """A round with nothing due."""
    assert FairQueue([]).take() is None
    assert list(run_all([], lambda item: item)) == []


def run_all(given, work, **options):
    """Run with providers that always answer, and no end."""
    options = {"has_answered": lambda _: True, "may_begin": lambda: True} | options
    return run_fairly(given, work, **options)


def test_work_is_done_in_other_threads():
    """And what comes of it is given to the caller's."""
    own = threading.current_thread()

    workers = set(run_all(items(a=50), lambda _: threading.current_thread()))

    assert own not in workers
    assert len(workers) <= MOST_FOR_ONE


def test_single_provider_has_most_threads():
    """The usual case: every integration signs in at Entra."""
    together = threading.Barrier(MOST_FOR_ONE, timeout=10)

    def work(number):
        if number >= 100:
            together.wait()  # breaks, and fails the test, if fewer run at the same time

    given = [("a", number) for number in range(100 + MOST_FOR_ONE)]

    assert len(list(run_all(given, work))) == len(given)
    assert MOST_FOR_ONE < WORKERS


def test_hanging_provider_delays_no_other():
    """Its calls end only after all others have."""
    left = threading.Semaphore(0)

    def work(item):
        if item.startswith("b"):
            for _ in range(200):
                assert left.acquire(timeout=10)
        else:
            left.release()
        return item

    ended = list(
        run_all(items(b=1, a=200), work, has_answered=lambda item: not item.startswith("b"))
    )

    assert ended[-1] == "b0"
    assert len(ended) == 201


def test_nothing_begins_after_the_time():
    """What has begun ends, and its results are given."""
    begun = []

    ended = list(run_all(items(a=50), begun.append, may_begin=lambda: len(begun) < 10))

    assert 10 <= len(begun) == len(ended) <= 10 + MOST_FOR_ONE


def test_error_in_the_work_reaches_the_caller():
    """It is for the work to say what a failure is; nothing waits for ever."""
    with pytest.raises(ZeroDivisionError):
        list(run_all(items(a=5), lambda _: 1 / 0))
