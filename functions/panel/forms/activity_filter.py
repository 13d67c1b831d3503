"""The filter of the activity page: from the query to what is wanted."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from functions.panel.forms.state import FormState
from shared.domain.activity import ActivityFilter
from shared.domain.codes import fold

if TYPE_CHECKING:
    from collections.abc import Mapping

    from functions.panel.request import PanelRequest

# All integrations together, where that was asked for.
ALL = "*"
FIELDS = ("integration", "kind", "endpoint", "outcome", "text", "within")
KINDS = (("", "Calls and sign-in events"), ("call", "Calls"), ("token", "Sign-in events"))
OUTCOMES = (
    ("2", "Done (2xx)"),
    ("4", "Refused or failed (4xx)"),
    ("5", "To be sent again (5xx)"),
)
SPANS: Mapping[str, tuple[str, timedelta | None]] = {
    "": ("Any time", None),
    "1h": ("Last hour", timedelta(hours=1)),
    "24h": ("Last 24 hours", timedelta(days=1)),
    "7d": ("Last 7 days", timedelta(days=7)),
}


def entered(request: PanelRequest) -> FormState:
    """Return what was chosen; what is no choice counts as none."""
    values = {name: request.parameter(name) for name in FIELDS}
    choices = {"kind": dict(KINDS), "within": SPANS}
    for name, known in choices.items():
        if values[name] not in known:
            values[name] = ""
    values["integration"] = fold(values["integration"])
    return FormState(values)


def parameters(state: FormState) -> dict[str, str]:
    """Return what was chosen as parameters of a link."""
    return {name: state.text(name) for name in FIELDS}


def wanted(state: FormState) -> ActivityFilter:
    """Return the filter: an outcome is a class of statuses, or the code of an error."""
    outcome = state.text("outcome")
    is_class = outcome in dict(OUTCOMES)
    kind = state.text("kind")
    return ActivityFilter(
        kind="call" if kind == "call" else "token" if kind == "token" else None,
        endpoint=fold(state.text("endpoint")) or None,
        status_class=int(outcome) if is_class else None,
        code=None if is_class else outcome.lower() or None,
        text=state.text("text") or None,
    )


def within(state: FormState) -> timedelta | None:
    """Return the span of time up to now, or None for any time."""
    return SPANS[state.text("within")][1]
