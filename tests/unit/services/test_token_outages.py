"""Outages around a token: no call notices one while the token is valid."""

from __future__ import annotations

import pytest

from shared.domain.transport import AnswerLost, NotSent, TimedOut
from tests.fakes import json_answer
from tests.scenes import CODE, TOKEN_URL, failure, refusal

# A token lives for an hour here, and its refresh begins 15 minutes (900 seconds) ahead of its end.
STALE = 3600 - 900
LAST = 3600 - 1

OUTAGES = {
    "provider-silent": lambda scene: scene.http.on(TOKEN_URL, TimedOut("slow")),
    "provider-gone": lambda scene: scene.http.on(TOKEN_URL, NotSent("no connection")),
    "provider-cut": lambda scene: scene.http.on(TOKEN_URL, AnswerLost("cut")),
    "provider-503": lambda scene: scene.http.on(TOKEN_URL, json_answer({}, status=503)),
    "provider-429": lambda scene: scene.http.on(TOKEN_URL, json_answer({}, status=429)),
    "vault": lambda scene: scene.secrets.fail(),
    "states": lambda scene: scene.states.fail(),
    "everything": lambda scene: (scene.secrets.fail(), scene.states.fail()),
}
EXPECTED = {
    "vault": "vault_unavailable",
    "states": "storage_unavailable",
    "everything": "storage_unavailable",
}


def end_outage(scene):
    """Bring everything back."""
    scene.http.script(TOKEN_URL, scene.provider)
    scene.secrets.recover()
    scene.states.recover()


@pytest.mark.parametrize("outage", OUTAGES)
def test_outage_never_fails_a_call_while_the_token_is_valid(signed_in, outage):
    """A failed refresh ahead of expiry is nobody's problem yet."""
    OUTAGES[outage](signed_in)

    for _ in range(LAST // 60):
        signed_in.clock.advance(seconds=60)
        assert signed_in.token() == "access-1"


@pytest.mark.parametrize("outage", OUTAGES)
def test_outage_past_the_expiry_is_told_and_heals_by_itself(signed_in, outage):
    """503 with Retry-After; when that time is over and the outage too, calls go on."""
    OUTAGES[outage](signed_in)
    signed_in.clock.advance(seconds=STALE)
    signed_in.token()
    signed_in.clock.advance(seconds=3600)

    error = failure(signed_in.token)
    end_outage(signed_in)
    signed_in.clock.advance(seconds=error.retry_after_seconds)

    assert error.kind.status == 503
    assert error.kind.code == EXPECTED.get(outage, "identity_unavailable")
    assert error.kind.retryable
    assert signed_in.token() == "access-2"


@pytest.mark.parametrize("outage", ["vault", "states"])
def test_outage_at_a_cold_start_is_told(signed_in, outage):
    """An instance that holds nothing yet cannot guess a token."""
    OUTAGES[outage](signed_in)

    error = failure(lambda: signed_in.token(signed_in.another_instance()))

    assert (error.kind.code, error.kind.status) == (EXPECTED[outage], 503)
    assert error.retry_after_seconds


@pytest.mark.parametrize("outage", OUTAGES)
def test_failed_early_refresh_is_tried_again_after_a_pause(signed_in, outage):
    """Not every call waits for what is down, and the first one after its end renews."""
    OUTAGES[outage](signed_in)
    signed_in.clock.advance(seconds=STALE)
    for _ in range(50):
        signed_in.token()
    attempts = signed_in.background.calls["submit"]
    end_outage(signed_in)

    signed_in.clock.advance(seconds=60)
    signed_in.token()

    assert attempts <= 2  # the other one may be a cache's
    assert signed_in.token() == "access-2"


def test_vault_outage_leaves_the_other_instance_its_older_valid_token(signed_in):
    """Newer tokens lie in the vault, but the one at hand is still good."""
    other = signed_in.another_instance()
    signed_in.token(other)
    signed_in.clock.advance(seconds=STALE)
    signed_in.token()
    signed_in.secrets.fail()

    signed_in.clock.advance(seconds=30)

    assert signed_in.token(other) == "access-1"


def test_refusal_while_the_state_is_behind_lets_the_newer_token_serve_to_its_end(signed_in):
    """The vault holds a later set than the state tells of, and that one counts."""
    signed_in.clock.advance(seconds=STALE)
    signed_in.provider.afterwards = signed_in.states.fail
    signed_in.token()  # renewed, kept, and not recorded
    signed_in.provider.afterwards = lambda: None
    signed_in.states.recover()
    signed_in.provider.instead = refusal("invalid_grant", 50173)
    signed_in.clock.advance(seconds=STALE)
    early = signed_in.token()

    signed_in.clock.advance(seconds=31)

    assert (early, signed_in.token()) == ("access-2", "access-2")


def test_connecting_a_misconfigured_app_lets_its_valid_token_serve_on(scene):
    """An administrator's new attempt meets an outage, and costs no call anything."""
    scene.integrate(grant_type="client_credentials")
    scene.token()
    scene.provider.instead = refusal("invalid_client", 7000222, status=401)
    scene.clock.advance(seconds=STALE)
    scene.token()
    scene.secrets.fail()

    failure(lambda: scene.services.authorization.begin(CODE))
    scene.clock.advance(seconds=31)

    assert scene.token() == "access-1"
