"""What a provider wants the next sign-in to ask for, from its refusal until somebody signs in."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from shared.domain.records import StoredIntegration
    from shared.domain.tokens import TokenState
    from shared.services.token_states import TokenStates


class ClaimsChallenges:
    """Keeps claims challenges in the token states, where every instance finds them."""

    def __init__(self, states: TokenStates) -> None:
        """Keep them in `states`."""
        self._states = states

    def open_for(self, record: StoredIntegration) -> str | None:
        """Return the claims that the next sign-in has to carry, if any."""
        state = self._states.read(record.code)
        return state.claims_challenge if state.binding == record.binding else None

    def keep(self, record: StoredIntegration, claims: str) -> None:
        """Let the next sign-in carry the claims; tokens that serve go on serving."""

        def change(state: TokenState) -> TokenState:
            return msgspec.structs.replace(state.bound_to(record.binding), claims_challenge=claims)

        self._states.change(record.code, change)
