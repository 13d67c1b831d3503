"""The token state rows: read, change by compare-and-swap, and lease."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import TYPE_CHECKING

import msgspec

from shared.domain.errors import IdentityUnavailable, StorageUnavailable
from shared.domain.tokens import TokenState
from shared.ports import Conflict
from shared.services.identity import TOKEN_CALL_SECONDS

if TYPE_CHECKING:
    from collections.abc import Callable

    from shared.domain.records import StoredTokenState
    from shared.ports import Clock, TokenStateStore

# Longer than a token call may take, so that a lease cannot end under its holder.
LEASE_LIFE = timedelta(seconds=TOKEN_CALL_SECONDS + 30)
_ATTEMPTS = 20


class TokenStates:
    """Changes of token states that no other instance can undo by accident."""

    def __init__(self, store: TokenStateStore, clock: Clock) -> None:
        """Keep the rows in `store`."""
        self._store = store
        self._clock = clock

    def read(self, integration: str) -> TokenState:
        """Return the state as it is stored now."""
        stored = self._store.get(integration)
        return stored.state if stored else TokenState()

    def change(self, integration: str, change: Callable[[TokenState], TokenState]) -> TokenState:
        """Apply `change` to the stored state, again if somebody else was faster."""
        for _ in range(_ATTEMPTS):
            stored = self._store.get(integration)
            state = stored.state if stored else TokenState()
            changed = change(state)
            if changed == state:
                return state
            try:
                etag = stored.etag if stored else None
                return self._store.put(integration, changed, etag=etag).state
            except Conflict:
                self._clock.sleep(0.05)
        raise StorageUnavailable("The token state is being changed by too many at once.")

    def lease(
        self, integration: str, *, refuse: Callable[[TokenState], None], give_up: Callable[[], bool]
    ) -> str | None:
        """Take the lease and return its owner's mark; None if `give_up` said so while waiting.

        `refuse` may raise, seeing the current state each time. IdentityUnavailable if the holder
        keeps the lease for longer than it may.
        """
        owner = uuid.uuid4().hex
        patience = self._clock.now() + LEASE_LIFE
        while self._clock.now() < patience:
            stored = self._store.get(integration)
            state = stored.state if stored else TokenState()
            refuse(state)
            now = self._clock.now()
            if not state.is_leased(now) and self._took(integration, stored, state, owner):
                return owner
            if give_up():
                return None
            self._clock.sleep(0.2)
        raise IdentityUnavailable("Another instance is busy with this sign-in.")

    def release(self, integration: str, owner: str) -> None:
        """Give the lease back, if `owner` still holds it."""
        self.change(integration, lambda state: released(state, owner))

    def _took(
        self, integration: str, stored: StoredTokenState | None, state: TokenState, owner: str
    ) -> bool:
        leased = msgspec.structs.replace(
            state, lease_owner=owner, lease_until=self._clock.now() + LEASE_LIFE
        )
        try:
            self._store.put(integration, leased, etag=stored.etag if stored else None)
        except Conflict:
            return False
        return True


def released(state: TokenState, owner: str) -> TokenState:
    """Return the state without the lease, if `owner` still holds it."""
    if state.lease_owner != owner:
        return state
    return msgspec.structs.replace(state, lease_owner=None, lease_until=None)
