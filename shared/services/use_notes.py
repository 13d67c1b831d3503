"""Which integrations are in use: the timer keeps their tokens fresh."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from shared.domain.tokens import TokenState
    from shared.ports import Background, Clock
    from shared.services.token_states import TokenStates

_NOTED_EVERY = timedelta(hours=1)


class UseNotes:
    """Notes in the token states when calls have used them, at most hourly and off their path."""

    def __init__(self, states: TokenStates, background: Background, clock: Clock) -> None:
        """Write to `states`, in `background`."""
        self._states = states
        self._background = background
        self._clock = clock
        self._noted_on: dict[str, datetime] = {}

    def note(self, code: str, state: TokenState) -> None:
        """Note that a call uses the integration's tokens; `state` is what is known of them."""
        now = self._clock.now()
        noted_on = self._noted_on.get(code) or state.last_used_on
        if noted_on is not None and now - noted_on < _NOTED_EVERY:
            return
        self._noted_on[code] = now

        def note(stored: TokenState) -> TokenState:
            is_there = stored.status == "authorized"  # not deleted meanwhile
            return msgspec.structs.replace(stored, last_used_on=now) if is_there else stored

        def work() -> None:
            self._states.change(code, note)

        self._background.submit(work)

    def forget(self, code: str) -> None:
        """Forget when the integration was used."""
        self._noted_on.pop(code, None)
