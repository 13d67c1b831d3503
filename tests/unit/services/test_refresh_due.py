"""The timer's work: renew what is in use, touch what is idle, leave everything else alone."""

from __future__ import annotations

import logging

import pytest

from shared.services.refresh_due import RefreshRound
from tests.fakes import json_answer
from tests.rounds import fire
from tests.scenes import CODE, TOKEN_URL, UNCONDITIONAL, failure, refusal

NOTHING = RefreshRound(renewed=0, failed=0)
ONE = RefreshRound(renewed=1, failed=0)


@pytest.mark.parametrize(("minutes", "expected"), [(0, NOTHING), (44, NOTHING), (45, ONE)])
def test_token_in_use_is_renewed_ahead_of_its_expiry(signed_in, minutes, expected):
    """REFRESH_AHEAD_SECONDS before the end: callers do not meet a stale token."""
    signed_in.clock.advance(minutes=minutes)

    assert fire(signed_in) == expected


def test_renewed_token_reaches_every_instance(signed_in):
    """The timer's instance serves no calls; the others take the token from the vault."""
    signed_in.token()
    signed_in.clock.advance(minutes=45)
    fire(signed_in)

    signed_in.clock.advance(seconds=30)
    signed_in.token()

    assert signed_in.token() == "access-2"
    assert signed_in.provider.calls == 2


def test_expired_token_in_use_is_renewed(signed_in):
    """The timer may have missed its moment."""
    signed_in.clock.advance(minutes=300)

    assert fire(signed_in) == ONE


def test_token_that_nobody_used_for_a_day_is_left_alone(signed_in):
    """No provider is asked for tokens that nobody needs."""
    signed_in.clock.advance(days=1)

    assert fire(signed_in) == NOTHING


def test_idle_grant_is_touched_every_week(signed_in):
    """So that a person's sign-in never ages out for want of calls."""
    touched = []
    for _ in range(30):
        signed_in.clock.advance(days=1)
        touched.append(fire(signed_in).renewed)

    assert touched == [0, 0, 0, 0, 0, 0, 1] * 4 + [0, 0]
    assert signed_in.kept_tokens()["refresh_token"] == "refresh-5"


@pytest.mark.parametrize(("minutes", "expected"), [(14, NOTHING), (15, ONE)])
def test_grant_of_a_short_life_is_touched_at_half_of_it(scene, minutes, expected):
    """Some providers end a refresh token that rests for half an hour."""
    scene.provider.changes = {"refresh_token_expires_in": 1800}
    scene.integrate()
    scene.sign_in()
    scene.clock.advance(minutes=minutes)

    assert fire(scene) == expected


def test_grant_of_a_long_life_is_touched_every_week(scene):
    """Half of a year would leave no room for failures."""
    scene.provider.changes = {"refresh_token_expires_in": 365 * 24 * 3600}
    scene.integrate()
    scene.sign_in()
    scene.clock.advance(days=7)

    assert fire(scene) == ONE


def test_sign_in_without_a_refresh_token_is_left_alone(scene):
    """Nothing can renew it, and it serves until its access token expires."""
    scene.provider.changes = {"refresh_token": None}
    scene.integrate()
    scene.sign_in()
    scene.clock.advance(minutes=50)

    assert fire(scene) == NOTHING
    assert scene.token() == "access-1"


def test_idle_app_is_not_touched(scene):
    """Its own token can be asked for at any time: there is no grant to keep alive."""
    scene.integrate(grant_type="client_credentials")
    scene.token()
    scene.clock.advance(days=8)

    assert fire(scene) == NOTHING


def test_app_in_use_is_renewed(scene):
    """As long as calls use it, they should not have to wait."""
    scene.integrate(grant_type="client_credentials")
    scene.token()
    scene.clock.advance(minutes=45)

    assert fire(scene) == ONE


def test_many_are_renewed_in_one_round(scene):
    """More than there are threads, each once."""
    for number in range(20):
        scene.integrate(code=f"APP_{number}", grant_type="client_credentials")
        scene.token(code=f"APP_{number}")
    scene.clock.advance(minutes=50)

    assert fire(scene) == RefreshRound(renewed=20, failed=0)
    assert scene.provider.calls == 40


def test_one_that_fails_keeps_nobody_waiting(scene, caplog):
    """The others are renewed, and the log says which one failed and why."""
    for code in ("A", "B", "C"):
        scene.integrate(code=code, grant_type="client_credentials")
        scene.token(code=code)
    scene.clock.advance(minutes=50)
    scene.secrets.versions["B-client-secret"].clear()
    caplog.set_level(logging.INFO)

    assert fire(scene) == RefreshRound(renewed=2, failed=1)
    assert '"scheduled_refresh_failed","integration":"B"' in caplog.text
    assert '"refresh_round","renewed":2,"failed":1' in caplog.text


def test_one_that_breaks_keeps_nobody_waiting(scene):
    """Not even a bug in the way of one ends the round for the others."""
    for code in ("A", "B", "C"):
        scene.integrate(code=code, grant_type="client_credentials")
        scene.token(code=code)
    scene.clock.advance(minutes=50)
    scene.secrets.before("get", lambda: 1 / 0)

    assert fire(scene) == RefreshRound(renewed=2, failed=1)


@pytest.mark.parametrize(
    "arrange",
    [
        lambda scene: scene.services.sign_off.deauthorize(scene.record()),
        lambda scene: scene.integrations.rows.clear(),
        lambda scene: scene.states.rows.clear(),
        lambda scene: scene.services.integrations.delete(CODE, UNCONDITIONAL),
    ],
    ids=["deauthorized", "row-gone", "state-gone", "deleted"],
)
def test_what_has_no_sign_in_is_left_alone(signed_in, arrange):
    """There is nothing to renew, and nothing failed."""
    arrange(signed_in)
    signed_in.clock.advance(days=8)

    assert fire(signed_in) == NOTHING
    assert signed_in.provider.calls == 1


def test_ended_sign_in_is_left_alone(signed_in):
    """The provider has said no; only a person can change that."""
    signed_in.provider.instead = refusal("invalid_grant", 700082)
    signed_in.clock.advance(minutes=50)

    first, second = fire(signed_in), fire(signed_in)

    assert (first, second) == (RefreshRound(renewed=0, failed=1), NOTHING)
    assert signed_in.provider.calls == 2


def test_provider_that_is_down_is_not_asked_before_its_time(signed_in):
    """The pause after a failure holds for the timer as for calls."""
    signed_in.http.on(TOKEN_URL, json_answer({}, status=503, headers={"retry-after": "240"}))
    signed_in.clock.advance(minutes=50)
    first = fire(signed_in)
    signed_in.clock.advance(minutes=3)
    second = fire(signed_in)
    signed_in.http.script(TOKEN_URL, signed_in.provider)
    signed_in.clock.advance(minutes=1)

    assert (first, second) == (RefreshRound(renewed=0, failed=1), NOTHING)
    assert fire(signed_in) == ONE


def test_corrected_definition_waits_for_a_provider_that_is_down(signed_in):
    """It is tried anew, but not before the pause is over that a failure since then began."""
    signed_in.provider.instead = refusal("invalid_client", 7000215, status=401)
    signed_in.clock.advance(minutes=50)
    fire(signed_in)
    signed_in.services.integrations.patch(CODE, {"client_secret": "new"}, UNCONDITIONAL)
    signed_in.provider.instead = json_answer({}, status=503, headers={"retry-after": "240"})
    failed = fire(signed_in)
    signed_in.provider.instead = None
    signed_in.clock.advance(minutes=3)
    early = fire(signed_in)
    signed_in.clock.advance(minutes=1)

    assert (failed, early) == (RefreshRound(renewed=0, failed=1), NOTHING)
    assert fire(signed_in) == ONE


def test_tokens_of_the_former_definition_are_left_alone(signed_in):
    """They are void, also where they could not be dropped."""
    signed_in.states.fail("put")
    changes = {"tenant_id": "other.example.com", "client_secret": "x"}
    signed_in.services.integrations.patch(CODE, changes, UNCONDITIONAL)
    signed_in.states.recover()
    signed_in.clock.advance(minutes=50)

    assert fire(signed_in) == NOTHING
    assert len(signed_in.http.sent) == 1


def test_timer_and_calls_renew_once(signed_in):
    """Whoever comes second finds the work done."""
    signed_in.clock.advance(minutes=50)
    signed_in.token()

    assert fire(signed_in) == NOTHING
    assert signed_in.provider.calls == 2


def test_finished_time_of_sign_ins_is_tidied_up(scene):
    """Sign-ins and links that nobody finished do not pile up."""
    scene.integrate()
    scene.services.authorization.begin(CODE)
    scene.services.authorization.create_link(CODE)

    scene.clock.advance(minutes=9)
    fire(scene)
    early = len(scene.sign_ins.rows)
    scene.clock.advance(minutes=1)
    fire(scene)
    after_ten_minutes = len(scene.sign_ins.rows)
    scene.clock.advance(days=1)
    fire(scene)

    assert (early, after_ten_minutes, len(scene.sign_ins.rows)) == (2, 1, 0)


def test_storage_outage_is_told_to_the_host(signed_in):
    """It logs the failed run and fires again; nothing is taken for a round without work."""
    signed_in.states.fail("between")

    assert failure(lambda: fire(signed_in)).kind.code == "storage_unavailable"
