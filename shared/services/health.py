"""Whether the gateway can do its work; nothing confidential."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from shared.domain.errors import Unavailable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from shared.ports import Clock, Probe
    from shared.services.catalogue import Catalogue
    from shared.services.tokens import TokenService

_KEPT_FOR = timedelta(seconds=5)


@dataclass(frozen=True, slots=True)
class Report:
    """`status` is ok, degraded (calls are still served) or unavailable."""

    status: str
    checks: dict[str, str]


class Health:
    """Asks the dependencies, at most every few seconds."""

    def __init__(
        self,
        probes: Mapping[str, Probe],
        *,
        catalogue: Catalogue,
        tokens: TokenService,
        clock: Clock,
    ) -> None:
        """Ask each of `probes`, by name."""
        self._probes = probes
        self._catalogue = catalogue
        self._tokens = tokens
        self._clock = clock
        self._lock = threading.Lock()
        self._asked_on: datetime | None = None
        self._checks: dict[str, str] = {}

    def report(self) -> Report:
        """Return how things are; while somebody asks, others get what was found before."""
        is_first = self._asked_on is None
        if self._is_due() and self._lock.acquire(blocking=is_first):
            try:
                if self._is_due():
                    self._checks = {name: _ask(probe) for name, probe in self._probes.items()}
                    self._asked_on = self._clock.now()
            finally:
                self._lock.release()
        checks = self._checks
        if set(checks.values()) == {"ok"}:
            return Report("ok", checks)
        can_serve = self._catalogue.holds_definitions and self._tokens.holds_tokens
        return Report("degraded" if can_serve else "unavailable", checks)

    def _is_due(self) -> bool:
        return self._asked_on is None or self._clock.now() - self._asked_on >= _KEPT_FOR


def _ask(probe: Probe) -> str:
    try:
        probe.ping()
    except Unavailable:
        return "unavailable"
    return "ok"
