"""What one integration in a round of the timer's can do to the others, and they to it."""

from __future__ import annotations

import itertools
import logging
import threading
from datetime import timedelta

import pytest

from shared.domain.errors import StorageUnavailable
from shared.domain.tokens import TokenState
from shared.domain.transport import TimedOut
from shared.services.activity_clearing import ActivityClearing
from shared.services.fair_workers import MOST_FOR_ONE, MOST_ON_TRIAL, WORKERS
from shared.services.housekeeping import Housekeeping
from shared.services.refresh_due import DueRefresh, RefreshRound
from shared.services.token_states import OutOfTime
from tests.fakes.machine import START
from tests.rounds import asked_for, fire, seed, soonest_first
from tests.scenes import TOKEN_URL, UNCONDITIONAL

HANGING = "https://hanging.example/token"


def test_hanging_provider_with_many_integrations_delays_no_other(scene):
    """It holds one thread until all the others have what they need."""
    seed(scene, 500, prefix="HANGING", token_url=HANGING)
    seed(scene, 500, prefix="SOUND")
    others_are_done = threading.Event()
    held, ended_in_time = [], []

    def answer(request):
        try:
            return scene.provider(request)
        finally:
            if scene.provider.calls >= 500:
                others_are_done.set()

    def hang(_):
        held.append(others_are_done.is_set())
        ended_in_time.append(others_are_done.wait(10))
        return TimedOut("time was up")

    scene.http.script(TOKEN_URL, answer)
    scene.http.script(HANGING, hang)

    assert fire(scene) == RefreshRound(renewed=500, failed=500)
    assert held.count(False) == 1
    assert all(ended_in_time)


def test_many_hanging_providers_leave_threads_to_the_one_that_answers(scene):
    """Half of them; it comes first, as its tokens expire sooner."""
    seed(scene, 200, prefix="SOUND")
    hanging = [f"https://hanging-{number}.example/token" for number in range(2 * WORKERS)]
    later = {"expires_on": START + timedelta(minutes=1)}
    for number, url in enumerate(hanging):
        seed(scene, 2, prefix=f"HANGING_{number}", state=later, token_url=url)
    running = threading.Semaphore(WORKERS - MOST_ON_TRIAL - 1)
    half_are_running, sound_is_done = threading.Event(), threading.Event()

    def answer(request):
        if not half_are_running.is_set() and scene.provider.calls > 50:
            if not running.acquire(blocking=False):
                half_are_running.set()
            assert half_are_running.wait(5)
        try:
            return scene.provider(request)
        finally:
            if scene.provider.calls >= 200:
                sound_is_done.set()

    def hang(_):
        assert sound_is_done.wait(30)
        return TimedOut("time was up")

    scene.http.script(TOKEN_URL, answer)
    for url in hanging:
        scene.http.script(url, hang)

    assert fire(scene) == RefreshRound(renewed=200, failed=4 * WORKERS)
    assert half_are_running.is_set()


def test_unreadable_rows_are_passed_over(scene):
    """One whose definition and one whose token state cannot be read; the others are renewed."""
    codes = seed(scene, 20)
    scene.integrations.spoiled.add(codes[3])
    scene.states.spoiled.add(codes[7])

    assert fire(scene) == RefreshRound(renewed=18, failed=0)
    assert sorted(asked_for(scene)) == sorted(set(codes) - {codes[3], codes[7]})


@pytest.mark.parametrize(
    "act",
    [
        lambda administration, code: administration.delete(code, UNCONDITIONAL),
        lambda administration, code: administration.patch(
            code, {"client_id": "other", "client_secret": "x"}, UNCONDITIONAL
        ),
    ],
    ids=["deleted", "another-identity"],
)
def test_integration_without_its_tokens_since_the_round_began_is_left_alone(scene, act):
    """A definition is not used for longer than calls would: no token comes back."""
    seed(scene, 2)
    first, second = soonest_first(scene)

    def afterwards():
        scene.provider.afterwards = lambda: None
        act(scene.services.integrations, second)
        scene.clock.advance(seconds=30)

    scene.provider.afterwards = afterwards

    assert fire(scene) == RefreshRound(renewed=1, failed=0)
    assert asked_for(scene) == [first]


def test_integration_changed_during_the_round_is_renewed_as_it_is_now(scene):
    """The provider would refuse what was true when the round began."""
    seed(scene, 2)
    _, second = soonest_first(scene)

    def change():
        scene.provider.afterwards = lambda: None
        scene.services.integrations.patch(second, {"scope": "changed"}, UNCONDITIONAL)
        scene.clock.advance(seconds=30)

    scene.provider.afterwards = change

    assert fire(scene) == RefreshRound(renewed=2, failed=0)
    assert scene.provider.forms[-1]["scope"] == "changed"


def test_every_line_of_a_round_comes_from_its_own_thread(scene, caplog):
    """The host drops what other threads log."""
    seed(scene, 30)
    scene.secrets.before("get", lambda: 1 / 0)
    caplog.set_level(logging.INFO)

    fire(scene)

    told = ("scheduled_refresh_failed", "refresh_round")
    lines = [each for each in caplog.records if any(event in each.message for event in told)]
    assert len(lines) == 2
    assert {line.thread for line in lines} == {threading.get_ident()}


class FakeWatch:
    """Notes what it sees; fails if it is told to."""

    def __init__(self, error=None):
        self.seen = []
        self.error = error

    def look(self, record, state):
        """See one."""
        self.seen.append((record.code, state))
        if self.error is not None:
            raise self.error


def fire_watched(scene, watch, tokens=None):
    """Let the timer do a round that is watched, perhaps with a TokenService of the test's."""
    settings = scene.settings
    return DueRefresh(
        integrations=scene.integrations,
        states=scene.states,
        tokens=tokens or scene.services.tokens,
        watch=watch,
        housekeeping=Housekeeping(
            sign_ins=scene.sign_ins,
            idempotency=scene.idempotency,
            activity=ActivityClearing(
                scene.activity, scene.integrations, kept_for=settings.activity_kept_for
            ),
        ),
        refresh_ahead=settings.refresh_ahead,
        definition_lifetime=settings.definition_lifetime,
        clock=scene.clock,
    ).run()


def test_watch_sees_every_integration_once_as_the_renewals_left_it(scene):
    """Due or not, signed in or not: it is for the watch to judge."""
    seed(scene, 3)
    seed(scene, 2, prefix="FRESH", state={"expires_on": START + timedelta(hours=1)})
    seed(scene, 1, prefix="FORMER", state={"binding": "of a former definition"})
    scene.integrate(code="NEVER_SIGNED_IN")
    watch = FakeWatch()

    assert fire_watched(scene, watch).renewed == 3

    assert len(watch.seen) == 7
    left = {code: row.state for code, row in scene.states.rows.items()}
    assert dict(watch.seen) == left | {"NEVER_SIGNED_IN": TokenState()}


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (StorageUnavailable("Table Storage cannot be reached."), "cannot be reached"),
        (KeyError("canary"), "Unexpected KeyError."),
    ],
    ids=["outage", "bug"],
)
def test_failing_watch_costs_no_renewal(scene, caplog, error, reason):
    """It is told once, and not tried for every single integration."""
    seed(scene, 20)
    watch = FakeWatch(error)

    assert fire_watched(scene, watch) == RefreshRound(renewed=20, failed=0)
    assert len(watch.seen) == 3
    (line,) = [each.message for each in caplog.records if "early_warning" in each.message]
    assert reason in line
    assert "canary" not in line


class BusyTokens:
    """A TokenService that renews 30 tokens, and then finds every lease taken by others."""

    def __init__(self, count):
        self.numbers = itertools.count()
        self.last = count - MOST_FOR_ONE
        self.together = threading.Barrier(MOST_FOR_ONE, timeout=10)

    def renew(self, *_, **__):
        """Renew, or wait in vain; the last ones wait until all of them do."""
        number = next(self.numbers)
        if number < 30:
            return
        if number >= self.last:
            self.together.wait()
        raise OutOfTime("Another call is renewing this sign-in, and takes long.")


def test_lease_that_others_hold_is_no_silence_of_the_provider(scene):
    """Nobody has asked it: it keeps the threads that it has earned."""
    seed(scene, 80)
    tokens = BusyTokens(80)

    assert fire_watched(scene, FakeWatch(), tokens) == RefreshRound(renewed=30, failed=50)
    assert not tokens.together.broken
