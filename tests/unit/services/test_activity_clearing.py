"""The timer clears old activity, and what deleted integrations left; a bounded part each time."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise

import pytest

from shared.domain.activity import Batch
from shared.domain.activity_tally import slot_of
from shared.domain.errors import StorageUnavailable
from shared.services import activity_clearing
from shared.services.activity_clearing import ActivityClearing
from tests.builders import call_entry, roll_up
from tests.fakes.machine import START
from tests.scenes import CODE, Scene
from tests.support import make_settings

DAY = timedelta(days=1)


@pytest.fixture
def scene():
    """Return a gateway that keeps activity for two days, with an integration of long ago."""
    scene = Scene(settings=make_settings(ACTIVITY_DAYS="2"))
    scene.integrate()
    scene.clock.advance(days=10)
    return scene


def keep(scene, partition, *ages):
    """Store a call and a count of so many days ago each."""
    now = scene.clock.now()
    for number, age in enumerate(ages):
        moment = now - age * DAY
        batch = Batch(id=str(number), entries=(call_entry(moment),))
        scene.activity.write(partition, [batch], [roll_up(moment, 1, name=str(number))])


def ages(scene, partition):
    """Return how many days old the calls are that are kept."""
    return [(scene.clock.now() - entry.moment) / DAY for entry in scene.activity.entries(partition)]


def test_round_clears_what_is_too_old(scene):
    """Entries and numbers alike, of integrations and of nobody's calls."""
    for partition in (CODE, "_"):
        keep(scene, partition, 0, 1.9, 2, 2.1, 9)

    scene.services.due_refresh.run()

    for partition in (CODE, "_"):
        assert ages(scene, partition) == [0, 1.9, 2]
    assert len(scene.activity.counted) == 6


def test_numbers_of_the_first_calls_stay():
    """They are counted in five minutes that began before the integration was there."""
    scene = Scene()
    scene.clock.advance(seconds=4)
    scene.integrate()
    first = slot_of(scene.clock.now())
    batch = Batch(id="first", entries=(call_entry(scene.clock.now()),))
    scene.activity.write(CODE, [batch], [roll_up(first, 1, name="first")])

    scene.services.due_refresh.run()

    report = scene.services.activity_report
    assert sum(slot.calls for slot in report.chart([report.source(CODE)])) == 1


def test_round_clears_what_deleted_integrations_left(scene):
    """Calls that were under way during the deletion come after it."""
    keep(scene, "GONE", 0.1, 1)
    scene.clock.advance(seconds=1)

    scene.services.due_refresh.run()

    assert scene.activity.partitions(after="", limit=10) == []


def test_round_clears_what_is_older_than_the_integration(scene):
    """It was another one's, of the same code."""
    scene.integrate(code="ANEW")
    keep(scene, "ANEW", 0, 1)

    scene.services.due_refresh.run()

    assert ages(scene, "ANEW") == [0]


def test_unreadable_integration_keeps_its_activity(scene):
    """It exists, and an administrator is about to look what happened."""
    keep(scene, CODE, 1, 3)
    scene.integrations.spoiled.add(CODE)

    scene.services.due_refresh.run()

    assert ages(scene, CODE) == [1]


def clearing(scene):
    """Return what the timer uses, to be run on its own."""
    return ActivityClearing(scene.activity, scene.integrations, kept_for=2 * DAY)


def test_round_clears_no_more_than_it_may(scene, monkeypatch):
    """The next one goes on with the same partition."""
    monkeypatch.setattr(activity_clearing, "_MOST_ROWS", 2)
    keep(scene, CODE, 3, 4, 5, 6, 7)
    keep(scene, "_", 3)
    rounds = clearing(scene)

    left = []
    for _ in range(6):
        rounds.run(scene.clock.now())
        left.append(len(scene.activity.kept) + len(scene.activity.counted))

    assert left == sorted(left, reverse=True)
    assert all(before - after <= 4 for before, after in pairwise(left))
    assert left[-1] == 0


def test_round_that_has_done_enough_leaves_the_other_partitions(scene, monkeypatch):
    """It takes its time elsewhere."""
    monkeypatch.setattr(activity_clearing, "_MOST_ROWS", 2)
    keep(scene, CODE, 3, 4, 5)
    keep(scene, "_", 3)

    clearing(scene).run(scene.clock.now())

    assert scene.activity.calls["delete_before"] == 1
    assert ages(scene, "_") == [3]


def test_rounds_go_through_all_partitions_in_turn(scene, monkeypatch):
    """And begin anew after the last."""
    monkeypatch.setattr(activity_clearing, "_MOST_PARTITIONS", 2)
    names = ["A", "B", "C", "D", "E"]
    rounds = clearing(scene)
    for name in names:
        scene.integrate(code=name)
    scene.clock.advance(days=10)
    for name in names:
        keep(scene, name, 0, 3)

    cleared = []
    for _ in range(3):
        rounds.run(scene.clock.now())
        cleared.append([name for name in names if ages(scene, name) == [0]])
    keep(scene, "A", 0, 3)
    rounds.run(scene.clock.now())

    assert cleared == [names[:2], names[:4], names]
    assert ages(scene, "A") == [0]


def test_outage_is_told(scene):
    """The timer's round fails, and the next one tries again."""
    keep(scene, CODE, 3)
    scene.activity.fail("delete_before")

    with pytest.raises(StorageUnavailable):
        clearing(scene).run(START)
