"""The timer's round: renew the tokens that are in use, touch grants that are idle, tidy up.

A round reads all definitions and token states page by page and keeps what is due. It begins with
the tokens that expire soonest; those whose last renewal failed come last. A round that is cut off,
by its time limit or by a crash, needs no note of where it was: what was renewed is not due any
more, what failed waits for its `retry_on`, and so the next round begins with the rest. Its lines
are logged by the thread of the invocation: the host drops what others log.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from shared.domain.egress import origin
from shared.domain.errors import GatewayError, IdentityUnavailable
from shared.domain.events import log_event
from shared.services.due import is_due, urgency
from shared.services.fair_workers import run_fairly

if TYPE_CHECKING:
    from collections.abc import Iterator

    from shared.domain.records import StoredIntegration
    from shared.domain.tokens import TokenState
    from shared.ports import Clock, IntegrationStore, TokenStateStore
    from shared.services.housekeeping import Housekeeping
    from shared.services.level_watch import LevelWatch
    from shared.services.tokens import TokenService

# Below the timer's five minutes, and with what has begun by then far below the ten minutes that
# host.json gives a function.
ROUND_TIME = timedelta(minutes=4)
_PAGE = 500
# An outage fails every look, and each failure takes seconds.
_FAILED_LOOKS = 3


@dataclass(frozen=True, slots=True)
class RefreshRound:
    """What one round did; an integration that proved not to be due is in none of the numbers."""

    renewed: int
    failed: int
    left: int = 0


@dataclass(frozen=True, slots=True)
class _Read:
    """An integration and its token state, as they were read at a moment."""

    record: StoredIntegration
    state: TokenState
    read_on: datetime


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What came of one; neither renewed nor an error where it proved not to be due."""

    integration: str
    is_renewed: bool = False
    error: Exception | None = None


class DueRefresh:
    """Renews what is due."""

    def __init__(
        self,
        *,
        integrations: IntegrationStore,
        states: TokenStateStore,
        tokens: TokenService,
        watch: LevelWatch,
        housekeeping: Housekeeping,
        refresh_ahead: timedelta,
        definition_lifetime: timedelta,
        clock: Clock,
    ) -> None:
        """Renew tokens `refresh_ahead` of their expiry, and show every integration to `watch`.

        A definition that was read longer ago than `definition_lifetime` is read again before use.
        """
        self._integrations = integrations
        self._states = states
        self._tokens = tokens
        self._watch = watch
        self._housekeeping = housekeeping
        self._refresh_ahead = refresh_ahead
        self._definition_lifetime = definition_lifetime
        self._clock = clock

    def run(self) -> RefreshRound:
        """Renew every token that is due; one that fails does not keep the others waiting.

        Raises StorageUnavailable where it cannot tell what is due.
        """
        began_on = self._clock.now()
        ends_on = began_on + ROUND_TIME
        due = sorted(self._survey(), key=lambda each: urgency(each.state))
        renewed = failed = spared = 0
        for outcome in run_fairly(
            ((origin(each.record.definition.effective_token_url), each) for each in due),
            lambda each: self._renew(each, until=ends_on),
            has_answered=lambda outcome: not isinstance(outcome.error, IdentityUnavailable),
            may_begin=lambda: self._clock.now() < ends_on,
        ):
            if outcome.error is not None:
                failed += 1
                log_event(
                    "scheduled_refresh_failed",
                    level=logging.WARNING,
                    integration=outcome.integration,
                    reason=_reason(outcome.error),
                )
            elif outcome.is_renewed:
                renewed += 1
            else:
                spared += 1
        left = len(due) - renewed - failed - spared
        log_event(
            "refresh_round",
            level=logging.WARNING if left else logging.INFO,
            renewed=renewed,
            failed=failed,
            left=left,
            seconds=round((self._clock.now() - began_on).total_seconds(), 1),
        )
        self._housekeeping.run(began_on)
        return RefreshRound(renewed=renewed, failed=failed, left=left)

    def _survey(self) -> list[_Read]:
        """Return what is due, and let the watch see everything on the way."""
        due: list[_Read] = []
        failed_looks: list[str] = []
        for each in self._signed_in():
            if len(failed_looks) < _FAILED_LOOKS:
                try:
                    self._watch.look(each.record, each.state)
                except Exception as error:  # noqa: BLE001 - a warning must not cost a renewal
                    failed_looks.append(_reason(error))
            if self._is_due(each.record, each.state):
                due.append(each)
        if failed_looks:
            event, reason = "early_warning_failed", failed_looks[0]
            log_event(event, level=logging.WARNING, failed=len(failed_looks), reason=reason)
        return due

    def _signed_in(self) -> Iterator[_Read]:
        """Give the integrations whose token state belongs to them as they are now."""
        after = ""
        while page := self._integrations.list(after=after, limit=_PAGE):
            read_on = self._clock.now()
            after = page[-1].code
            states = self._states.between(page[0].code, after)
            for record in page:
                state = states.get(record.code)
                if state is not None and state.binding == record.binding:
                    yield _Read(record, state, read_on)

    def _is_due(self, record: StoredIntegration, state: TokenState) -> bool:
        return is_due(record, state, now=self._clock.now(), refresh_ahead=self._refresh_ahead)

    def _renew(self, due: _Read, *, until: datetime) -> _Outcome:
        code = due.record.code
        try:
            record = self._as_calls_use_it(due)
            if record is None:
                return _Outcome(code)
            self._tokens.renew(record, beyond=due.state.generation, until=until)
        except Exception as error:  # noqa: BLE001 - one poisoned integration must not end the round
            return _Outcome(code, error=error)
        return _Outcome(code, is_renewed=True)

    def _as_calls_use_it(self, due: _Read) -> StoredIntegration | None:
        """Return the definition, not older than calls use one; None if nothing is due any more."""
        if self._clock.now() - due.read_on < self._definition_lifetime:
            return due.record
        record = self._integrations.get(due.record.code)
        return record if record is not None and self._is_due(record, due.state) else None


def _reason(error: Exception) -> str:
    """Return what may be logged of an error: the text of an unexpected one may hold anything."""
    if isinstance(error, GatewayError):
        return error.detail
    return f"Unexpected {type(error).__name__}."
