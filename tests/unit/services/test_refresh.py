"""Obtaining new tokens: once for all, stored before they are used, and safe to break off."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from tests.scenes import PERSON, failure

HOUR = 3600


def events(caplog) -> set[str]:
    """Return the names of the events that were logged."""
    return {record.message.split('"')[3] for record in caplog.records}


def test_refresh_token_is_traded(expired):
    """The request is RFC 6749's, with Entra's scope and the client's secret."""
    expired.token()

    assert expired.provider.forms[-1] == {
        "grant_type": "refresh_token",
        "refresh_token": "refresh-1",
        "scope": "https://api.businesscentral.dynamics.com/.default openid profile offline_access",
        "client_id": expired.record().definition.client_id,
        "client_secret": "the client secret",
    }
    assert expired.http.timeouts[-1] == 60


def test_rotated_refresh_token_serves_again_and_again(signed_in):
    """Each refresh trades the token that the last one brought."""
    for number in range(2, 6):
        signed_in.clock.advance(seconds=HOUR)
        assert signed_in.token() == f"access-{number}"


def test_rotated_refresh_token_is_in_the_vault_before_anybody_learns_of_it(expired):
    """When the state tells of new tokens, they are safe."""
    seen = []

    def look():
        seen.append(expired.kept_tokens()["refresh_token"])

    expired.provider.afterwards = lambda: expired.states.before("put", look)
    expired.token()

    assert seen == ["refresh-2"]


def test_storage_outage_after_the_answer_costs_nothing(expired, caplog):
    """The tokens go to the vault and serve; the state follows later, without another refresh."""
    expired.provider.afterwards = expired.states.fail
    token = expired.token()
    expired.states.recover()
    expired.provider.afterwards = lambda: None

    assert token == "access-2"
    assert expired.kept_tokens()["refresh_token"] == "refresh-2"
    assert "token_state_behind" in events(caplog)
    assert expired.token(expired.another_instance()) == "access-2"
    assert expired.provider.calls == 2
    expired.clock.advance(seconds=HOUR)
    assert expired.token() == "access-3"
    assert expired.kept_tokens()["generation"] == 3


def test_vault_hiccup_while_saving_is_sat_out(expired):
    """A rotated refresh token exists nowhere else, so that saving it is tried again."""
    expired.provider.afterwards = lambda: expired.secrets.fail("set")
    expired.clock.before("sleep", expired.secrets.recover)

    assert expired.token() == "access-2"
    assert expired.kept_tokens()["refresh_token"] == "refresh-2"


def test_vault_outage_while_saving_hands_out_no_token(expired, caplog):
    """What cannot be kept is not used, and the loss is logged as what it is."""
    expired.provider.afterwards = lambda: expired.secrets.fail("set")

    error = failure(expired.token)

    assert error.kind.code == "vault_unavailable"
    assert expired.secrets.calls["set"] == 2 + 4
    assert "tokens_lost" in events(caplog)
    assert expired.state().lease_owner is None


def test_vault_outage_while_saving_is_told_though_the_storage_fails_too(expired):
    """What happened first is what the caller learns."""

    def fail():
        expired.secrets.fail("set")
        expired.states.fail()

    expired.provider.afterwards = fail

    assert failure(expired.token).kind.code == "vault_unavailable"


def test_slow_vault_does_not_cost_the_lease(expired):
    """It begins anew before the provider is asked, which may take its full time."""
    held = []

    def look():
        expired.clock.advance(seconds=60)
        held.append(expired.state().is_leased(expired.clock.now()))

    expired.secrets.before("get", lambda: expired.clock.advance(seconds=80))
    expired.provider.afterwards = look

    assert expired.token() == "access-2"
    assert held == [True]


def test_lease_begins_anew_with_each_try_to_save(expired):
    """Nobody else trades the refresh token while its successor is not safe yet."""
    left = []

    def hang():
        expired.clock.advance(seconds=80)
        expired.secrets.fail("set")

    def look():
        left.append(expired.state().lease_until - expired.clock.now())
        expired.secrets.recover()

    expired.secrets.before("set", hang)
    expired.clock.before("sleep", look)

    assert expired.token() == "access-2"
    assert left == [timedelta(seconds=90)]


def test_vault_outage_at_the_end_of_a_sign_in_blocks_nobody(signed_in):
    """The person is told to try again, and can do so at once."""
    signed_in.secrets.fail("set")
    error = failure(signed_in.sign_in)
    signed_in.secrets.recover()
    started_on = signed_in.clock.now()

    signed_in.sign_in()

    assert error.kind.code == "vault_unavailable"
    assert signed_in.clock.now() == started_on


def test_vault_outage_before_the_call_leaves_the_grant_untouched(expired):
    """The provider is not asked as long as its answer could not be kept anyway."""
    expired.secrets.fail("get")
    error = failure(lambda: expired.token(expired.another_instance()))
    expired.secrets.recover()

    assert (error.kind.code, expired.provider.calls) == ("vault_unavailable", 1)
    assert expired.token(expired.another_instance()) == "access-2"


@pytest.mark.parametrize(
    ("expires_in", "life"),
    [
        (1800, 1800),
        ("1800", 1800),
        (" 1800 ", 1800),
        (1800.9, 1800.9),
        (None, 3600),
        ("", 3600),
        ("soon", 3600),
        (0, 3600),
        (-60, 3600),
        ([1800], 3600),
        (10**12, 365 * 86400),
        ("1e400", 3600),
        ("NaN", 3600),
    ],
)
def test_life_of_a_token_is_read_with_good_will(expired, expires_in, life):
    """Some providers send expires_in as a text, some not at all: then an hour is assumed."""
    expired.provider.changes = {"expires_in": expires_in}

    tokens = expired.tokens()

    assert (tokens.expires_on - expired.clock.now()).total_seconds() == life


def test_answer_without_a_refresh_token_keeps_the_old_one(expired):
    """RFC 6749 section 6: the provider may leave the old one in force."""
    expired.provider.is_rotating = False

    expired.token()

    assert expired.kept_tokens()["refresh_token"] == "refresh-1"
    expired.clock.advance(seconds=HOUR)
    assert expired.token() == "access-3"


def test_sign_in_without_a_refresh_token_keeps_none(signed_in):
    """Another person's refresh token would be worse than none."""
    signed_in.provider.changes = {"refresh_token": None}

    finished = signed_in.sign_in()

    assert finished.is_renewable is False
    assert signed_in.kept_tokens()["refresh_token"] is None
    signed_in.clock.advance(seconds=HOUR)
    assert failure(signed_in.token).kind.code == "sign_in_required"


def test_refresh_keeps_the_person_s_name(expired):
    """Most providers tell it at the sign-in only."""
    expired.token()

    assert expired.state().signed_in_as == PERSON


def test_threads_of_one_process_renew_once(expired):
    """All calls that meet the expired token get the one new token."""
    with ThreadPoolExecutor(8) as threads:
        tokens = list(threads.map(lambda _: expired.token(), range(32)))

    assert set(tokens) == {"access-2"}
    assert expired.provider.calls == 2
