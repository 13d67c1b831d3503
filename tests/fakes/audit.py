"""The audit in memory."""

# ruff: noqa: D102 - the ports describe their methods

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.domain.errors import StorageUnavailable
from tests.fakes.base import Fake, call

if TYPE_CHECKING:
    from shared.domain.audit import AuditEntry


class FakeAuditStore(Fake):
    """The port AuditStore."""

    outage = StorageUnavailable

    def __init__(self) -> None:
        super().__init__()
        self.rows: dict[str, AuditEntry] = {}

    @call
    def write(self, entry: AuditEntry) -> None:
        self.rows[entry.id] = entry

    @call
    def list(
        self, *, after: str, limit: int, integration: str | None, endpoint: str | None
    ) -> list[AuditEntry]:
        found = [
            self.rows[each]
            for each in sorted(self.rows)
            if each > after
            and integration in {None, self.rows[each].integration}
            and endpoint in {None, self.rows[each].endpoint}
        ]
        return found[:limit]

    @call
    def delete_for(self, integration: str) -> None:
        self.rows = {
            name: entry for name, entry in self.rows.items() if entry.integration != integration
        }
