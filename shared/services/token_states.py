"""The token state rows: read, change by compare-and-swap, and lease.

Whoever holds the lease may call the token endpoint. An outcome counts only as long as the lease
stands: a deauthorization, a changed definition or a deletion ends it, and voids what is under way.
"""

from __future__ import annotations

import uuid
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import msgspec

from shared.domain.errors import IdentityUnavailable, StorageUnavailable, Unavailable
from shared.domain.tokens import TokenState
from shared.ports import Conflict

if TYPE_CHECKING:
    from collections.abc import Callable

    from shared.domain.records import StoredTokenState
    from shared.ports import Clock, TokenStateStore

_ATTEMPTS = 20
_POLL_SECONDS = 0.2


class LeaseLost(Exception):
    """The lease was ended by a sign-off or a change, or it ran out and somebody else has it."""


class OutOfTime(IdentityUnavailable):
    """Whoever waited for somebody else's renewal could not wait any longer."""


@dataclass(slots=True)
class Lease:
    """The right to call the token endpoint of one integration, and the row as last seen."""

    owner: str
    row: StoredTokenState

    @property
    def integration(self) -> str:
        """The integration's code."""
        return self.row.integration


class TokenStates:
    """Changes of token states that no other instance can undo by accident."""

    def __init__(self, store: TokenStateStore, clock: Clock, *, token_call: timedelta) -> None:
        """Keep the rows in `store`; a call to a token endpoint ends within `token_call`.

        A lease outlives such a call, so that it cannot end under its holder; and patience outlives
        a lease, so that whoever waits for one that nobody releases gets it in the end.
        """
        self._store = store
        self._clock = clock
        self.lease_life = token_call * 1.5
        self.lease_patience = self.lease_life + timedelta(seconds=5)

    def read(self, integration: str) -> TokenState:
        """Return the state as it is stored now."""
        stored = self._store.get(integration)
        return stored.state if stored else TokenState()

    def change(self, integration: str, change: Callable[[TokenState], TokenState]) -> TokenState:
        """Apply `change` to the stored state, again if somebody else was faster."""
        row = self._change(integration, change)
        return row.state if row else TokenState()

    def erase(self, integration: str) -> None:
        """Remove the row."""
        self._store.delete(integration)

    def try_lease(self, integration: str, owner: str) -> Lease | None:
        """Take the lease, unless somebody else holds it."""
        now = self._clock.now()

        def take(state: TokenState) -> TokenState:
            # A clock that was wrong must not leave a lease for days.
            is_credible = (state.lease_until or now) < now + self.lease_life * 2
            if state.is_leased(now) and is_credible and state.lease_owner != owner:
                return state
            until = now + self.lease_life
            return msgspec.structs.replace(state, lease_owner=owner, lease_until=until)

        row = self._change(integration, take)
        return Lease(owner, row) if row and row.state.lease_owner == owner else None

    def wait_for_lease(self, integration: str, *, patience: timedelta | None = None) -> Lease:
        """Take the lease as soon as nobody else holds it; OutOfTime if that is never.

        Waits for `patience`; by default until a lease that nobody releases has run out.
        """
        owner, until = new_mark(), self._clock.now() + (patience or self.lease_patience)
        while (lease := self.try_lease(integration, owner)) is None:
            self.wait_a_little(until)
        return lease

    def wait_a_little(self, until: datetime) -> None:
        """Wait before the next try; OutOfTime if the time is up."""
        if self._clock.now() >= until:
            raise OutOfTime("Another call is renewing this sign-in, and takes long.")
        self._clock.sleep(_POLL_SECONDS)

    def extend(self, lease: Lease) -> None:
        """Let the lease begin anew; raise LeaseLost."""
        until = self._clock.now() + self.lease_life
        if self._if_held(lease, lambda s: msgspec.structs.replace(s, lease_until=until)) is None:
            raise LeaseLost(lease.integration)

    def finish(
        self, lease: Lease, outcome: Callable[[TokenState], TokenState]
    ) -> TokenState | None:
        """Record the outcome and release the lease in one write; None if the lease was lost."""
        return self._if_held(
            lease,
            lambda state: msgspec.structs.replace(
                outcome(state), lease_owner=None, lease_until=None
            ),
        )

    def release(self, lease: Lease) -> None:
        """Give the lease back and record nothing."""
        self.finish(lease, lambda state: state)

    def give_back(self, lease: Lease) -> None:
        """Release the lease on the way out of a failure, which an outage here must not hide."""
        with suppress(Unavailable):  # it ends by itself
            self.release(lease)

    def _if_held(
        self, lease: Lease, change: Callable[[TokenState], TokenState]
    ) -> TokenState | None:
        is_held = False

        def change_if_held(state: TokenState) -> TokenState:
            nonlocal is_held
            is_held = state.lease_owner == lease.owner
            return change(state) if is_held else state

        row = self._change(lease.integration, change_if_held, seen=lease.row)
        if row is None or not is_held:
            return None
        lease.row = row
        return row.state

    def _change(
        self,
        integration: str,
        change: Callable[[TokenState], TokenState],
        *,
        seen: StoredTokenState | None = None,
    ) -> StoredTokenState | None:
        """Write the changed row and return it; begin with the row `seen`, which saves a read."""
        attempted = None
        for _ in range(_ATTEMPTS):
            stored = seen or self._store.get(integration)
            state = stored.state if stored else TokenState()
            if state == attempted:
                return stored  # it was written, though the answer that said so was lost
            changed = change(state)
            if changed == state and seen is None:
                return stored
            if changed != state:
                try:
                    etag = stored.etag if stored else None
                    return self._store.put(integration, changed, etag=etag)
                except Conflict:
                    attempted = changed
                    self._clock.sleep(0.05)
            seen = None
        raise StorageUnavailable("The token state is being changed by too many at once.")


def new_mark() -> str:
    """Return what tells one writer of a row from all others."""
    return uuid.uuid4().hex
