"""A lease that somebody else had, has, or takes away: nobody asks in vain, nobody waits in vain."""

from __future__ import annotations

import threading
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import timedelta

import msgspec
import pytest

from shared.domain.errors import IdentityUnavailable
from shared.services.token_states import OutOfTime
from tests.fakes import json_answer
from tests.scenes import CODE, UNCONDITIONAL, failure, refusal
from tests.unit.services.surroundings import Crash

LEASE = 90
TOKEN_CALL = 60


@pytest.fixture(params=["authorization_code", "client_credentials"])
def outlived(request, scene):
    """Return a gateway whose token has expired, with a provider that keeps refresh tokens."""
    scene.provider.is_rotating = False
    scene.integrate(grant_type=request.param)
    if request.param == "authorization_code":
        scene.sign_in()
    scene.token()
    scene.clock.advance(minutes=60)
    return scene


def hold_lease(scene, **lasting):
    """Let another instance hold the lease for that time."""
    row = scene.states.rows[CODE]
    until = scene.clock.now() + timedelta(**lasting)
    state = msgspec.structs.replace(row.state, lease_owner="other", lease_until=until)
    scene.states.put(CODE, state, etag=row.etag)


def outlive(scene, taken):
    """Let the lease run out, and another instance take it and renew."""
    scene.provider.afterwards = lambda: None
    scene.clock.advance(seconds=LEASE + 1)
    taken.append(scene.token(scene.another_instance()))


def test_winner_s_tokens_are_given_to_whoever_lost_the_lease_over_the_call(outlived):
    """What it was granted too late is void, and its caller is served all the same."""
    taken = []
    outlived.provider.afterwards = lambda: outlive(outlived, taken)

    token = outlived.token()

    assert taken == [token] == [outlived.kept_tokens()["access_token"]]
    assert outlived.state().lease_owner is None
    assert outlived.state().generation == 2


def test_winner_s_tokens_are_given_to_whoever_lost_the_lease_over_the_vault(outlived):
    """Whoever comes late from the vault does not even ask the provider."""
    taken = []
    outlived.secrets.before("get", lambda: outlive(outlived, taken))

    assert outlived.token() == "access-2"
    assert (taken, outlived.provider.calls) == (["access-2"], 2)


def test_slow_client_secret_does_not_cost_the_lease(expired):
    """The proof is at hand before the lease begins anew, which then outlasts the longest call."""
    held = []

    def look():
        expired.clock.advance(seconds=TOKEN_CALL)
        held.append(expired.state().is_leased(expired.clock.now()))

    def hang():
        expired.clock.advance(seconds=LEASE - 10)

    expired.secrets.before("get", lambda: expired.secrets.before("get", hang))
    expired.provider.afterwards = look

    assert expired.token() == "access-2"
    assert held == [True]


def test_tokens_that_a_dead_holder_had_stored_are_taken_at_once(expired):
    """An instance with an older, expired set does not wait for the dead one's lease."""
    other = expired.another_instance()
    expired.token(other)
    expired.clock.advance(minutes=60)
    expired.secrets.before("set", lambda: expired.states.fail("put", error=Crash()))
    with pytest.raises(Crash):
        expired.token()
    expired.states.recover()
    died_on, calls = expired.clock.now(), expired.provider.calls

    token = expired.token(other)

    assert token == expired.kept_tokens()["access_token"] == "access-3"
    assert (expired.clock.now(), expired.provider.calls) == (died_on, calls)
    assert expired.state().is_leased(died_on)


@pytest.mark.parametrize("days", [1, 3650])
def test_lease_from_a_clock_that_was_wrong_blocks_nobody(expired, days):
    """No lease lives so long; its holder must have erred about the time."""
    hold_lease(expired, days=days)
    started_on = expired.clock.now()

    assert expired.token() == "access-2"
    assert expired.clock.now() - started_on < timedelta(seconds=1)


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (refusal("invalid_grant", 700082), "sign_in_required"),
        (refusal("invalid_client", 7000215, status=401), "identity_misconfigured"),
        (json_answer({}, status=503), "identity_unavailable"),
    ],
    ids=["sign-in-ended", "misconfigured", "down"],
)
def test_next_holder_does_not_ask_again_what_the_last_one_was_told(expired, answer, code):
    """Its look at the state was too early: it is judged again once the lease is held."""
    other = expired.another_instance()
    expired.provider.instead = answer
    expired.states.before("put", lambda: failure(lambda: expired.token(other)))

    error = failure(expired.token)

    assert (error.kind.code, expired.provider.calls) == (code, 2)
    assert expired.state().lease_owner is None
    assert expired.state().failures == 1


def test_instance_with_an_older_definition_leaves_a_refused_one_alone(scene):
    """Otherwise the two would take the other's refusal for a corrected definition, by turns."""
    scene.integrate(grant_type="client_credentials")
    scene.provider.instead = refusal("invalid_client", 7000215, status=401)
    older, other = scene.record(), scene.another_instance()
    failure(lambda: other.tokens.for_call(older))
    scene.clock.advance(seconds=1)
    scene.services.integrations.patch(CODE, {"client_secret": "also wrong"}, UNCONDITIONAL)

    for _ in range(5):
        here = failure(scene.token)
        there = failure(lambda: other.tokens.for_call(older))

    assert here.kind.code == "identity_misconfigured"
    assert isinstance(there, IdentityUnavailable)
    assert scene.provider.calls == 2
    assert scene.state().lease_owner is None


class Awaited(Future):
    """An outcome that tells when somebody waits for it."""

    def __init__(self) -> None:
        super().__init__()
        self.is_awaited = threading.Event()

    def result(self, timeout=None):
        """Wait as usual."""
        self.is_awaited.set()
        return super().result(timeout)


def test_caller_with_time_left_does_not_fail_with_the_one_it_waited_for(expired):
    """The thread that did the work had half a second left; the others go on without it."""
    tokens, record = expired.services.tokens, expired.record()
    hold_lease(expired, seconds=LEASE)
    soon = expired.clock.now() + timedelta(seconds=0.5)
    late = expired.clock.now() + timedelta(seconds=2 * LEASE)
    followers = []

    def let_them_follow():
        flight = tokens._flights._flights[CODE]
        flight.outcome = Awaited()
        followers.append(threads.submit(tokens.for_call, record, until=late))
        assert flight.outcome.is_awaited.wait(10)

    expired.clock.before("sleep", let_them_follow)
    with ThreadPoolExecutor(1) as threads:
        error = failure(lambda: tokens.for_call(record, until=soon))
        (follower,) = followers
        token = follower.result(10).access_token.reveal()

    assert isinstance(error, OutOfTime)
    assert (token, expired.provider.calls) == ("access-2", 2)
