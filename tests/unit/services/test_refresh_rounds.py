"""The timer's rounds with many integrations: their cost, their order and their limits."""

from __future__ import annotations

import json
import logging
from collections import Counter
from datetime import timedelta

import msgspec
import pytest

from dev.paths import ROOT
from shared.domain.errors import StorageUnavailable
from shared.services.fair_workers import MOST_FOR_ONE
from shared.services.refresh_due import LEAST_WATCH_TIME, ROUND_TIME, RefreshRound
from tests.fakes.machine import START
from tests.rounds import asked_for, fire, seed, soonest_first
from tests.scenes import Scene, failure


def cost(count):
    """Return the calls to the ports that a round with so many due ones makes."""
    scene = Scene()
    seed(scene, count)
    ports = (scene.integrations, scene.states, scene.sign_ins, scene.secrets, scene.http)
    before = [port.calls.copy() for port in ports]

    assert fire(scene) == RefreshRound(renewed=count, failed=0)

    assert scene.provider.calls == count
    made = [port.calls - earlier for port, earlier in zip(ports, before, strict=True)]
    named = zip(("integrations", "states", "sign_ins", "secrets", "http"), made, strict=True)
    return {f"{name}.{method}": n for name, calls in named for method, n in calls.items()}


def test_cost_per_token_does_not_grow_with_their_number():
    """Each takes the same few calls at 1,000 and at 10,000; beside them there are only pages."""
    few, many = cost(1_000), cost(10_000)
    per_token = {name for name, calls in few.items() if calls >= 1_000}

    assert {name: many[name] / 10_000 for name in per_token} == {
        name: few[name] / 1_000 for name in per_token
    }
    assert {name: many[name] for name in many.keys() - per_token} == {
        "integrations.list": 21,
        "states.between": 40,
        "sign_ins.delete_expired": 1,
    }
    assert sum(few[name] for name in per_token) <= 10_000


def test_round_with_nothing_due_reads_pages_only(scene):
    """Whatever else is stored; nothing is written."""
    seed(scene, 1_200, state={"expires_on": START + timedelta(hours=1)})
    before = scene.stored_calls()

    assert fire(scene) == RefreshRound(renewed=0, failed=0)
    assert scene.stored_calls() - before == 4 + 3 + 3  # the last list is empty


@pytest.fixture
def slow(scene):
    """Return a gateway whose provider takes five seconds for each call, by the clock."""
    scene.provider.afterwards = lambda: scene.clock.advance(seconds=5)
    return scene


WITHIN_A_ROUND = ROUND_TIME // timedelta(seconds=5)


def test_round_that_is_out_of_time_begins_nothing_more(slow, caplog):
    """It has reached the tokens that expire soonest, and says how many are left."""
    seed(slow, 100)
    order = soonest_first(slow)
    caplog.set_level(logging.INFO)

    done = fire(slow)

    assert WITHIN_A_ROUND <= done.renewed < WITHIN_A_ROUND + MOST_FOR_ONE
    assert (done.failed, done.left) == (0, 100 - done.renewed)
    assert set(asked_for(slow)) == set(order[: done.renewed])
    (line,) = [each for each in caplog.records if "refresh_round" in each.message]
    assert line.levelno == logging.WARNING
    assert json.loads(line.message) == {
        "event": "refresh_round",
        "renewed": done.renewed,
        "failed": 0,
        "left": done.left,
        "seconds": done.renewed * 5.0,
    }


def test_next_round_takes_what_the_last_one_left(slow):
    """Each token is renewed once, however many rounds that takes."""
    codes = seed(slow, 130)

    rounds = [fire(slow), fire(slow), fire(slow)]

    assert [bool(each.left) for each in rounds] == [True, True, False]
    assert sorted(asked_for(slow)) == sorted(codes)


def test_round_after_a_crash_takes_what_is_left(scene):
    """There is nothing to clean up first."""
    codes = seed(scene, 50)

    class Killed(BaseException):
        """The process ends."""

    def crash():
        if scene.provider.calls == 20:
            raise Killed

    scene.provider.afterwards = crash
    with pytest.raises(Killed):
        fire(scene)
    scene.provider.afterwards = lambda: None
    lost = asked_for(scene)[19]

    done = fire(scene)

    assert (done.failed, done.left) == (0, 0)
    assert Counter(asked_for(scene)) == Counter(codes) + Counter([lost])


def test_those_that_failed_come_last(slow):
    """The more often one has failed, the later; though their tokens have expired long ago."""
    expired = slow.clock.now() - timedelta(days=1)
    often = seed(slow, 30, prefix="OFTEN", state={"failures": 3, "expires_on": expired})
    once = seed(slow, 30, prefix="ONCE", state={"failures": 1, "expires_on": expired})
    never = seed(slow, 30, prefix="NEVER")

    fire(slow)
    fire(slow)

    order = asked_for(slow)
    assert set(order[:18]) <= set(never)
    assert order.index(min(often, key=order.index)) > 60 - MOST_FOR_ONE
    assert sorted(order) == sorted(often + once + never)


def test_waiting_for_another_instance_ends_with_the_round(scene):
    """So that the function ends in its time."""
    (code,) = seed(scene, 1)
    lease = {"lease_owner": "other", "lease_until": scene.clock.now() + timedelta(minutes=6)}
    row = scene.states.rows[code]
    scene.states.put(code, msgspec.structs.replace(row.state, **lease), etag=row.etag)
    began_on = scene.clock.now()
    scene.integrations.before("list", lambda: scene.clock.advance(minutes=3, seconds=50))

    assert fire(scene) == RefreshRound(renewed=0, failed=1)
    assert scene.clock.now() - began_on < ROUND_TIME + timedelta(seconds=1)


def test_page_that_cannot_be_read_costs_no_renewal_of_those_before(scene):
    """What was read is renewed; then the host is told, as of any failed run."""
    seed(scene, 1_200)
    pages = []

    def count_then_fail():
        pages.append(scene.integrations.calls["list"])
        if len(pages) == 3:
            scene.integrations.fail("list")
        else:
            scene.integrations.before("list", count_then_fail)

    scene.integrations.before("list", count_then_fail)

    assert failure(lambda: fire(scene)).kind.code == "storage_unavailable"
    assert scene.provider.calls == 1_000


def slow_down_writes(scene, seconds):
    """Let every change of a token state take so long from now on, by the clock."""
    put = scene.states.put

    def slow_put(integration, state, *, etag):
        scene.clock.advance(seconds=seconds)
        return put(integration, state, etag=etag)

    scene.states.put = slow_put


def changes_told(caplog):
    """Return the integrations whose change of level was told."""
    lines = (each.message for each in caplog.records if '"level_changed"' in each.message)
    return [json.loads(line)["integration"] for line in lines]


EXPIRES_SOON = {"client_secret_expires_on": "2026-03-10"}


def test_many_warnings_cost_no_renewal(scene, caplog):
    """They take the time that the renewals leave; what they lack, the next rounds have."""
    due = seed(scene, 100)
    soon = seed(scene, 3_000, prefix="SOON", state={"status": "none"}, **EXPIRES_SOON)
    slow_down_writes(scene, 0.1)
    caplog.set_level(logging.INFO)
    began_on = scene.clock.now()

    first = fire(scene)
    told_first, took = len(changes_told(caplog)), scene.clock.now() - began_on
    second = fire(scene)

    assert (first, second.renewed) == (RefreshRound(renewed=100, failed=0), 0)
    assert sorted(asked_for(scene)) == sorted(due)
    assert 0 < told_first < len(soon)
    assert took < ROUND_TIME + timedelta(seconds=1)
    assert sorted(changes_told(caplog)) == sorted(soon)


def test_round_that_is_out_of_time_warns_all_the_same(slow, caplog):
    """Otherwise a fleet that is too large would never raise an alert."""
    seed(slow, 100, **EXPIRES_SOON)
    caplog.set_level(logging.INFO)

    assert fire(slow).left > 0
    assert len(changes_told(caplog)) == 100


def test_warnings_of_which_some_fail_leave_out_others_each_time(scene, caplog):
    """Three rows that nobody can change do not silence the rest for ever."""
    codes = seed(scene, 20, state={"status": "none"}, **EXPIRES_SOON)
    bad = codes[:3]
    get = scene.states.get

    def get_unless_bad(integration):
        if integration in bad:
            raise StorageUnavailable("The row cannot be changed.")
        return get(integration)

    scene.states.get = get_unless_bad
    caplog.set_level(logging.INFO)
    for _ in range(200):
        fire(scene)

    assert sorted(changes_told(caplog)) == sorted(codes[3:])


def test_round_ends_before_the_host_ends_it():
    """With the longest token call that the settings allow, begun at the last moment."""
    host = json.loads((ROOT / "host.json").read_text(encoding="utf-8"))
    hours, minutes, seconds = map(int, host["functionTimeout"].split(":"))
    limit = timedelta(hours=hours, minutes=minutes, seconds=seconds)

    assert ROUND_TIME + LEAST_WATCH_TIME + 2 * timedelta(seconds=120) < limit
    assert timedelta(minutes=5) > ROUND_TIME  # the schedule's
