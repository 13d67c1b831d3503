"""The rows that all instances share: changed by compare-and-swap, and leased."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import msgspec
import pytest

from shared.domain.errors import IdentityUnavailable, StorageUnavailable
from shared.domain.tokens import TokenState
from shared.ports import Conflict
from shared.services.token_states import Lease, LeaseLost, TokenStates
from tests.fakes import FakeClock, FakeTokenStateStore
from tests.scenes import failure

if TYPE_CHECKING:
    from shared.domain.records import StoredTokenState


TOKEN_CALL = timedelta(seconds=60)


class LossyStore(FakeTokenStateStore):
    """A store that can execute a write and then report what a repeated one would meet."""

    loses_answer = False

    def lose_next_answer(self) -> None:
        """Lose the answer to the next write."""
        self.loses_answer = True

    def put(self, integration: str, state: TokenState, *, etag: str | None) -> StoredTokenState:
        """Store the state; raise Conflict if the answer is to be lost."""
        stored = super().put(integration, state, etag=etag)
        if self.loses_answer:
            self.loses_answer = False
            raise Conflict(integration)
        return stored


class Bench:
    """The service, and the store that another instance writes to as well."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.store = LossyStore()
        self.states = TokenStates(self.store, self.clock, token_call=TOKEN_CALL)

    def interfere(self) -> None:
        """Write as another instance does, just before the next write of this one, and again."""
        row = self.store.rows.get("A")
        state = row.state if row else TokenState()
        self.store.put("A", count(state), etag=row.etag if row else None)
        self.store.before("put", self.interfere)

    def lease(self) -> Lease:
        """Take the lease, waiting for it if need be."""
        return self.states.wait_for_lease("A")


def count(state: TokenState) -> TokenState:
    """Return the state with its failures counted up."""
    return msgspec.structs.replace(state, failures=state.failures + 1)


@pytest.fixture
def bench() -> Bench:
    """Return the service with an empty store."""
    return Bench()


def test_unknown_integration_has_the_empty_state(bench):
    """Where nothing was ever stored, nothing is known."""
    assert bench.states.read("A") == TokenState()


def test_change_makes_the_row_and_changes_it(bench):
    """The first change inserts, the next ones replace."""
    bench.states.change("A", count)

    assert bench.states.change("A", count).failures == 2
    assert bench.states.read("A").failures == 2


def test_change_is_applied_anew_to_what_somebody_else_wrote(bench):
    """No other instance's change is lost."""

    def once():
        bench.store.put("A", TokenState(failures=10), etag=None)

    bench.store.before("put", once)

    assert bench.states.change("A", count).failures == 11


def test_change_gives_up_in_the_end(bench):
    """A row that others change all the time is an outage like any other."""
    bench.store.before("put", bench.interfere)

    error = failure(lambda: bench.states.change("A", lambda _: TokenState(status="deauthorized")))

    assert isinstance(error, StorageUnavailable)
    assert bench.states.read("A").status == "none"


def test_change_that_changes_nothing_writes_nothing(bench):
    """A row is not written for its own sake."""
    bench.states.change("A", lambda state: state)

    assert bench.store.calls["put"] == 0


def test_lease_is_taken_and_lasts_for_a_token_call(bench):
    """It names its owner, and outlives the longest call to a token endpoint."""
    lease = bench.lease()

    state = bench.states.read("A")
    lasting = state.lease_until - bench.clock.now()
    assert (state.lease_owner, lasting) == (lease.owner, bench.states.lease_life)
    assert bench.states.lease_life > TOKEN_CALL


def test_every_lease_has_its_own_mark(bench):
    """Even the same process can tell its leases apart."""
    first = bench.lease()
    bench.states.release(first)

    assert bench.lease() != first


def test_lease_that_is_held_is_waited_for(bench):
    """It is taken once it is released."""
    first = bench.lease()
    bench.clock.before("sleep", lambda: bench.states.release(first))
    started_on = bench.clock.now()

    assert bench.lease() != first
    assert bench.clock.now() - started_on < timedelta(seconds=1)


def test_lease_that_nobody_releases_is_taken_when_it_ends(bench):
    """A process that died with it blocks the others for its time and no longer."""
    first = bench.lease()
    started_on = bench.clock.now()

    assert bench.lease() != first
    assert bench.states.lease_life <= bench.clock.now() - started_on < bench.states.lease_patience


def test_lease_that_is_held_on_to_is_given_up(bench):
    """Nobody waits for ever."""
    holder = bench.lease()

    def hold_on():
        bench.states.extend(holder)
        bench.clock.before("sleep", hold_on)

    bench.clock.before("sleep", hold_on)

    assert isinstance(failure(bench.lease), IdentityUnavailable)


def test_lease_is_taken_by_one_of_two(bench):
    """Who loses the race for the row does not have it."""
    winners = []
    bench.store.before("put", lambda: winners.append(bench.states.try_lease("A", "faster")))

    assert bench.states.try_lease("A", "slower") is None
    assert [winner.owner for winner in winners] == ["faster"]


def test_lease_can_be_taken_again_by_its_owner(bench):
    """Whoever asks again under the same mark has it still."""
    lease = bench.states.try_lease("A", "me")

    assert bench.states.try_lease("A", "me") == lease


@pytest.mark.parametrize("is_first_row", [True, False], ids=["new row", "old row"])
def test_lost_answer_to_the_taking_write_is_no_obstacle(bench, is_first_row):
    """The storage client repeats a write whose answer was lost, and is told of a conflict."""
    if not is_first_row:
        bench.states.change("A", count)
    bench.store.lose_next_answer()

    lease = bench.states.try_lease("A", "me")

    assert lease is not None
    assert bench.states.read("A").lease_owner == "me"


def test_lost_answer_to_an_extension_is_no_obstacle(bench):
    """The lease is extended, and still held."""
    lease = bench.lease()
    bench.clock.advance(seconds=30)
    bench.store.lose_next_answer()
    until = bench.clock.now() + bench.states.lease_life

    bench.states.extend(lease)

    assert bench.states.read("A").lease_until == until


def test_lost_answer_to_an_outcome_does_not_void_it(bench):
    """The outcome counts: its own release must not look like a lease that somebody took away."""
    lease = bench.lease()
    bench.store.lose_next_answer()

    assert bench.states.finish(lease, count) == TokenState(failures=1)


def test_extension_at_the_same_moment_still_sees_a_lost_lease(bench):
    """What was seen before proves nothing about what is stored now."""
    lease = bench.lease()
    bench.states.change("A", lambda _: TokenState(status="deauthorized"))

    with pytest.raises(LeaseLost):
        bench.states.extend(lease)
    assert bench.states.read("A").lease_owner is None


def test_leased_row_is_read_no_more_than_needed(bench):
    """Whoever holds the lease knows the row: each further step is one write."""
    lease = bench.lease()
    before = bench.store.calls.copy()

    bench.clock.advance(seconds=1)
    bench.states.extend(lease)
    bench.states.finish(lease, count)

    assert bench.store.calls - before == {"put": 2}


def test_extended_lease_begins_anew(bench):
    """Slow preparations do not cost the holder its time."""
    lease = bench.lease()
    bench.clock.advance(seconds=30)

    bench.states.extend(lease)

    assert bench.states.read("A").lease_until == bench.clock.now() + bench.states.lease_life


def test_lost_lease_cannot_be_extended(bench):
    """Whoever was void must not go on to the provider."""
    lease = bench.lease()
    bench.states.change("A", lambda _: TokenState(status="deauthorized"))

    with pytest.raises(LeaseLost):
        bench.states.extend(lease)


def test_outcome_is_recorded_with_the_release(bench):
    """One write does both, so that nothing can come between."""
    lease = bench.lease()
    written = bench.store.calls["put"]

    state = bench.states.finish(lease, count)

    assert state == bench.states.read("A") == TokenState(failures=1)
    assert bench.store.calls["put"] == written + 1


def test_outcome_of_a_lost_lease_does_not_count(bench):
    """Somebody whose lease has ended neither writes nor takes the next owner's away."""
    lost = bench.lease()
    bench.clock.advance(seconds=bench.states.lease_life.total_seconds())
    owner = bench.lease().owner

    assert bench.states.finish(lost, count) is None
    bench.states.release(lost)
    assert (bench.states.read("A").failures, bench.states.read("A").lease_owner) == (0, owner)


def test_lease_ends_by_its_time(bench):
    """A dead owner blocks nobody for longer."""
    bench.lease()
    state = bench.states.read("A")

    assert state.is_leased(bench.clock.now())
    assert not state.is_leased(bench.clock.now() + bench.states.lease_life)
    assert not TokenState().is_leased(bench.clock.now())
