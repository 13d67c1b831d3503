"""The watch over the levels of token health: tells each change once, for an alert to be set on.

Failure and recovery are told alike, by whichever instance runs the timer, in its own thread: the
host forwards the log lines of no other.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from shared.domain.events import log_event
from shared.domain.token_health import findings, level_of
from shared.services.token_states import new_mark

if TYPE_CHECKING:
    from shared.domain.records import StoredIntegration
    from shared.domain.tokens import Level, TokenState
    from shared.ports import Clock, IntegrationStore
    from shared.services.token_states import TokenStates

_LOG_LEVELS: dict[Level, int] = {
    "ok": logging.INFO,
    "warning": logging.WARNING,
    "action_needed": logging.ERROR,
}


@dataclass(frozen=True, slots=True)
class _Change:
    """A level that differs from the one told last, and the codes of the findings behind it."""

    before: Level
    after: Level
    reasons: list[str]


class LevelWatch:
    """Notices changes of level."""

    def __init__(self, integrations: IntegrationStore, states: TokenStates, clock: Clock) -> None:
        """Keep in `states` which level was told last."""
        self._integrations = integrations
        self._states = states
        self._clock = clock

    def look(self, record: StoredIntegration, state: TokenState) -> None:
        """Log a level that differs from the one told last; nothing is written while none does.

        Both may be of some minutes ago: what is stored decides, and whoever has written the new
        level logs it. Raises StorageUnavailable.
        """
        change = self._change(record, state)
        if change is None:
            return
        mark = new_mark()

        def tell(stored: TokenState) -> TokenState:
            nonlocal change
            if stored.level_told_by == mark:
                return stored  # written before, though the answer that said so was lost
            # Read after the state: a definition that is older would take new tokens for void.
            current = self._integrations.get(record.code)
            change = self._change(current, stored) if current else None
            if change is None:
                return stored  # somebody else has told it, or it is over
            return msgspec.structs.replace(stored, level=change.after, level_told_by=mark)

        self._states.change(record.code, tell)
        if change is not None:
            fields = {"from": change.before, "to": change.after, "reasons": change.reasons}
            level = _LOG_LEVELS[change.after]
            log_event("level_changed", level=level, integration=record.code, **fields)

    def _change(self, record: StoredIntegration, state: TokenState) -> _Change | None:
        if not _is_in_service(record, state):
            return None
        found = findings(record, state.bound_to(record.binding), self._clock.now())
        after = level_of(found)
        if after == state.level:
            return None
        return _Change(state.level, after, [each.code for each in found])


def _is_in_service(record: StoredIntegration, state: TokenState) -> bool:
    """Tell whether somebody may count on it already: one that is being set up raises no alert.

    It was connected before, perhaps as another identity, or is an app that needs nothing more.
    """
    # An end counts as a generation too: the first one alone may have been of no tokens.
    if state.status != "none" or state.generation > 1:
        return True
    definition = record.definition
    has_credential = record.client_secret_version is not None or not definition.needs_client_secret
    return not definition.is_delegated and has_credential
