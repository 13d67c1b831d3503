"""Integrations by the thousand, stored through the ports as if each had been signed in to."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

import msgspec

from dev.bench.stage import APPS, PERSON
from dev.errors import DevError
from shared.domain.secret import Secret
from shared.domain.secret_names import client_secret_name, tokens_name
from shared.domain.tokens import TokenSet, TokenState

if TYPE_CHECKING:
    from shared.bootstrap import Ports
    from shared.domain.records import StoredIntegration

THREADS = 8
LIFE = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class _Pattern:
    """What one integration is copied from; copies share the refresh token, which Entra allows."""

    record: StoredIntegration
    client_secret: Secret
    refresh_token: Secret | None


class Fleet:
    """Copies of the stage's two integrations by turns, each with secrets and state of its own."""

    def __init__(self, ports: Ports) -> None:
        """Take the patterns out of what the timer renews: only copies are to be counted."""
        self._ports = ports
        self._patterns = [_pattern(ports, code) for code in (APPS["http"], PERSON)]
        self._size = 0
        for code in (*APPS.values(), PERSON):
            ports.states.delete(code)

    def grow(self, size: int) -> None:
        """Store copies until there are so many."""
        with ThreadPoolExecutor(THREADS) as workers:
            list(workers.map(self._store, range(self._size, size)))
        self._size = size

    def _store(self, number: int) -> None:
        ports, pattern = self._ports, self._patterns[number % len(self._patterns)]
        definition = msgspec.structs.replace(pattern.record.definition, code=f"BENCH_{number:05}")
        version = ports.secrets.set(client_secret_name(definition.code), pattern.client_secret)
        record = ports.integrations.insert(
            replace(pattern.record, definition=definition, client_secret_version=version)
        )
        now = ports.clock.now()
        tokens = TokenSet(
            access_token=Secret("replaced by the first round"),
            refresh_token=pattern.refresh_token,
            obtained_on=now,
            expires_on=now + LIFE,
            generation=1,
            binding=record.binding,
        )
        ports.secrets.set(tokens_name(record.code), tokens.to_secret())
        state = TokenState(
            status="authorized",
            generation=tokens.generation,
            binding=tokens.binding,
            obtained_on=tokens.obtained_on,
            expires_on=tokens.expires_on,
            last_used_on=now,
        )
        ports.states.put(record.code, state, etag=None)


def _pattern(ports: Ports, code: str) -> _Pattern:
    record = ports.integrations.get(code)
    secret = ports.secrets.get(client_secret_name(code))
    if record is None or secret is None:
        raise DevError(f"The integration {code} is not stored.")
    kept = ports.secrets.get(tokens_name(code))
    tokens = TokenSet.from_secret(kept) if kept else None
    return _Pattern(record, secret, tokens.refresh_token if tokens else None)
