"""Which tokens the timer renews, and in which order."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from shared.domain.records import StoredIntegration
from shared.domain.tokens import TokenState


def is_due(
    record: StoredIntegration, state: TokenState, *, now: datetime, refresh_ahead: timedelta
) -> bool:
    """Tell whether the tokens should be renewed now.

    A person's grant is kept alive always; an app's own token only while calls use it, since it can
    be asked for at any time.
    """
    due_on, touch_on = state.refresh_due_on(refresh_ahead), state.touch_due_on
    if due_on is None or touch_on is None or not state.is_renewable:
        return False
    if state.binding != record.binding:
        return False  # tokens of the former definition
    if state.retry_on is not None and state.retry_on > now:
        return False
    is_in_use = state.is_in_use(now)
    is_delegated = record.definition.is_delegated
    if state.status == "misconfigured":
        was_corrected = state.revision != record.revision
        return was_corrected and (is_delegated or is_in_use)
    if state.status != "authorized":
        return False
    return (is_in_use and now >= due_on) or (is_delegated and now >= touch_on)


def urgency(state: TokenState) -> tuple[int, datetime]:
    """Return what to sort by: those that failed least come first, of them the soonest to expire.

    One that fails again and again thus never comes before one that does not.
    """
    return state.failures, state.expires_on or datetime.max.replace(tzinfo=UTC)
