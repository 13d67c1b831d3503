"""What calls leave behind for the timer, the use of an integration; and the timer for calls."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.rounds import fire
from tests.scenes import failure


@pytest.fixture(params=["authorization_code", "client_credentials"])
def in_use(request, scene):
    """Return a gateway with an integration whose token was used just now."""
    scene.integrate(grant_type=request.param)
    if request.param == "authorization_code":
        scene.sign_in()
    scene.token()
    return scene


def test_call_that_has_to_renew_is_a_use(in_use):
    """Calls so rare that each one meets an expired token still keep it in use, at one note each."""
    for _ in range(20):
        in_use.clock.advance(minutes=90)
        in_use.token()
        assert in_use.clock.now() - in_use.state().last_used_on < timedelta(hours=1)
    in_use.clock.advance(minutes=50)

    assert fire(in_use).renewed == 1


def test_call_that_takes_over_tokens_is_a_use(in_use):
    """An instance that was just started knows the tokens from the vault alone."""
    in_use.clock.advance(days=2)
    in_use.services.tokens.renew(in_use.record(), beyond=1)

    in_use.token(in_use.another_instance())

    assert in_use.state().last_used_on == in_use.clock.now()


def test_renewal_by_the_timer_is_no_use(in_use):
    """Otherwise it would keep in use for ever what no call needs."""
    used_on = in_use.state().last_used_on
    in_use.clock.advance(minutes=90)

    assert fire(in_use).renewed == 1
    assert in_use.state().last_used_on == used_on


def test_use_that_another_instance_noted_is_not_noted_again(in_use):
    """The hour counts for all instances together."""
    other = in_use.another_instance()
    in_use.clock.advance(minutes=90)
    in_use.token()
    in_use.clock.advance(minutes=30)
    writes = in_use.states.calls["put"]

    in_use.token(other)

    assert in_use.states.calls["put"] == writes


def test_call_that_gets_no_token_is_no_use(in_use):
    """There is nothing that it could have used."""
    used_on = in_use.state().last_used_on
    in_use.clock.advance(minutes=90)
    in_use.secrets.fail()

    error = failure(in_use.token)

    assert error.kind.code == "vault_unavailable"
    assert in_use.state().last_used_on == used_on


def test_timer_s_renewals_do_not_stay_in_a_process_that_serves_no_calls(signed_in):
    """It may renew thousands, and nobody there would ever use them."""
    timer = signed_in.another_instance()
    signed_in.clock.advance(minutes=45)

    assert timer.due_refresh.run().renewed == 1
    assert not timer.tokens.holds_tokens
    assert not timer.tokens._known


def test_timer_s_renewals_stay_where_calls_use_them(signed_in):
    """The next call reads neither the vault nor the storage for them."""
    signed_in.clock.advance(minutes=45)
    signed_in.services.due_refresh.run()
    calls = signed_in.stored_calls()

    assert (signed_in.token(), signed_in.stored_calls()) == ("access-2", calls)
