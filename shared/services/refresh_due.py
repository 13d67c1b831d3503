"""The timer's round: renew the tokens that are in use, touch grants that are idle, warn, tidy up.

A round reads all definitions and token states and renews what is due. It begins with the tokens
that expire soonest; those whose last renewal failed come last. A round that is cut off, by its
time limit or by a crash, needs no note of where it was: what was renewed is not due any more, what
failed waits for its `retry_on`, and so the next round begins with the rest. Its lines are logged by
the thread of the invocation: the host drops what others log.
"""

from __future__ import annotations

import logging
import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from shared.domain.due import is_due, urgency
from shared.domain.egress import origin
from shared.domain.errors import GatewayError, IdentityRefused, IdentityUnavailable
from shared.domain.events import log_event
from shared.services.fair_workers import run_fairly
from shared.services.token_states import OutOfTime
from shared.services.token_survey import TokenSurvey

if TYPE_CHECKING:
    from collections.abc import Iterable

    from shared.domain.records import StoredIntegration
    from shared.domain.tokens import TokenState
    from shared.ports import Clock, IntegrationStore, TokenStateStore
    from shared.services.housekeeping import Housekeeping
    from shared.services.level_watch import LevelWatch
    from shared.services.token_survey import Surveyed
    from shared.services.tokens import TokenService

# Below the timer's five minutes, and with what has begun by then far below the ten minutes that
# host.json gives a function.
ROUND_TIME = timedelta(minutes=4)
# Warnings have what the renewals leave of it, and this much even where they leave nothing.
LEAST_WATCH_TIME = timedelta(seconds=20)
# An outage fails every look, and each failure takes seconds.
_FAILED_LOOKS = 3


@dataclass(frozen=True, slots=True)
class RefreshRound:
    """What one round did; an integration that proved not to be due is in none of the numbers."""

    renewed: int
    failed: int
    left: int = 0


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What came of one; neither renewed nor an error where it proved not to be due."""

    integration: str
    is_renewed: bool = False
    error: Exception | None = None

    @property
    def has_answered(self) -> bool | None:
        """Whether the provider did; None where it was not asked, or nobody knows."""
        if self.is_renewed or isinstance(self.error, IdentityRefused):
            return True
        if isinstance(self.error, IdentityUnavailable) and not isinstance(self.error, OutOfTime):
            return False
        return None


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
        self._survey = TokenSurvey(integrations, states, clock)
        self._tokens = tokens
        self._watch = watch
        self._housekeeping = housekeeping
        self._refresh_ahead = refresh_ahead
        self._definition_lifetime = definition_lifetime
        self._clock = clock

    def run(self) -> RefreshRound:
        """Renew every token that is due; one that fails does not keep the others waiting.

        Raises StorageUnavailable where it cannot read everything, after what it can do without.
        """
        began_on = self._clock.now()
        ends_on = began_on + ROUND_TIME
        found, outage = self._survey.read()
        due = [each for each in found if self._is_due(each.record, each.state)]
        done = self._renew_all(due, until=ends_on)
        again, outage_since = self._survey.read_again(due)
        latest = {each.record.code: each for each in (*found, *again)}
        self._look_at(latest.values(), until=max(ends_on, self._clock.now() + LEAST_WATCH_TIME))
        log_event(
            "refresh_round",
            level=logging.WARNING if done.left else logging.INFO,
            renewed=done.renewed,
            failed=done.failed,
            left=done.left,
            seconds=round((self._clock.now() - began_on).total_seconds(), 1),
        )
        if error := outage or outage_since:
            raise error
        self._housekeeping.run(began_on)
        return done

    def _renew_all(self, due: list[Surveyed], *, until: datetime) -> RefreshRound:
        renewed = failed = spared = 0
        for outcome in run_fairly(
            (
                (origin(each.record.definition.effective_token_url), each)
                for each in sorted(due, key=lambda each: urgency(each.state))
            ),
            lambda each: self._renew(each, until=until),
            has_answered=lambda outcome: outcome.has_answered,
            may_begin=lambda: self._clock.now() < until,
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
        return RefreshRound(renewed=renewed, failed=failed, left=left)

    def _look_at(self, found: Iterable[Surveyed], *, until: datetime) -> None:
        """Let the watch see everything; a look that has nothing to tell costs nothing.

        Each round looks in another order: where time is short, or some cannot be told of, it is
        not always the same others that are left out.
        """
        failed: list[str] = []
        for each in _shuffled(found):
            if self._clock.now() >= until or len(failed) == _FAILED_LOOKS:
                break
            try:
                self._watch.look(each.record, each.state)
            except Exception as error:  # noqa: BLE001 - nor must one that cannot be judged
                failed.append(_reason(error))
        if failed:
            event, reason = "early_warning_failed", failed[0]
            log_event(event, level=logging.WARNING, failed=len(failed), reason=reason)

    def _is_due(self, record: StoredIntegration, state: TokenState) -> bool:
        return is_due(record, state, now=self._clock.now(), refresh_ahead=self._refresh_ahead)

    def _renew(self, due: Surveyed, *, until: datetime) -> _Outcome:
        code = due.record.code
        try:
            record = self._as_calls_use_it(due)
            if record is None:
                return _Outcome(code)
            self._tokens.renew(record, beyond=due.state.generation, until=until)
        except Exception as error:  # noqa: BLE001 - one poisoned integration must not end the round
            return _Outcome(code, error=error)
        return _Outcome(code, is_renewed=True)

    def _as_calls_use_it(self, due: Surveyed) -> StoredIntegration | None:
        """Return the definition, not older than calls use one; None if nothing is due any more."""
        if self._clock.now() - due.read_on < self._definition_lifetime:
            return due.record
        record = self._integrations.get(due.record.code)
        return record if record is not None and self._is_due(record, due.state) else None


def _shuffled(items: Iterable[Surveyed]) -> list[Surveyed]:
    shuffled = list(items)
    random.shuffle(shuffled)
    return shuffled


def _reason(error: Exception) -> str:
    """Return what may be logged of an error: the text of an unexpected one may hold anything."""
    if isinstance(error, GatewayError):
        return error.detail
    return f"Unexpected {type(error).__name__}."
