"""All integrations at a glance: how healthy each sign-in is, read by pages and not by rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from shared.domain.token_health import Finding, findings, level_of
from shared.domain.tokens import TokenState

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shared.domain.integration import Integration
    from shared.domain.records import StoredIntegration
    from shared.domain.tokens import Level
    from shared.ports import Clock, IntegrationStore, TokenStateStore


@dataclass(frozen=True, slots=True, kw_only=True)
class Glance:
    """One integration: its definition, and what is most urgent about it."""

    definition: Integration
    level: Level
    finding: Finding | None
    signed_in_as: str | None


@dataclass(frozen=True, slots=True)
class Glances:
    """A page of them; `next_after` is the code after which the next one begins."""

    shown: Sequence[Glance]
    next_after: str | None


class Overview:
    """Looks over the integrations."""

    def __init__(
        self, integrations: IntegrationStore, states: TokenStateStore, clock: Clock
    ) -> None:
        """Read from both stores."""
        self._integrations = integrations
        self._states = states
        self._clock = clock

    def page(self, *, after: str = "", limit: int = 100) -> Glances:
        """Return up to `limit` integrations whose codes come after `after`, in order."""
        records = self._integrations.list(after=after, limit=limit + 1)
        shown = records[:limit]
        states = self._states.between(shown[0].code, shown[-1].code) if shown else {}
        return Glances(
            [self._glance(record, states.get(record.code)) for record in shown],
            shown[-1].code if len(records) > limit else None,
        )

    def _glance(self, record: StoredIntegration, stored: TokenState | None) -> Glance:
        is_bound = stored is not None and stored.binding == record.binding
        state = stored if stored is not None and is_bound else TokenState()
        found = findings(record, state, self._clock.now())
        return Glance(
            definition=record.definition,
            level=level_of(found),
            finding=found[0] if found else None,
            signed_in_as=state.signed_in_as if state.shown_status == "authorized" else None,
        )
