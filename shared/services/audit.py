"""The audit: notes each change once it is stored, and shows the notes."""

from __future__ import annotations

import logging
import secrets
from datetime import datetime
from typing import TYPE_CHECKING

import msgspec

from shared.domain.audit import (
    SECRET_CHANGE,
    Action,
    AuditEntry,
    FieldChange,
    changed,
    created,
    deleted,
    entry_id,
    fitted,
    is_entry_id,
)
from shared.domain.codes import fold, is_code
from shared.domain.error_kinds import INVALID_PARAMETER
from shared.domain.errors import GatewayError, StorageUnavailable
from shared.domain.events import log_event
from shared.domain.records import StoredEndpoint, StoredIntegration
from shared.services.editing import Page

if TYPE_CHECKING:
    from shared.ports import AuditStore, Clock

Record = StoredIntegration | StoredEndpoint


class Audit:
    """Keeps who changed what."""

    def __init__(self, store: AuditStore, clock: Clock) -> None:
        """Write to `store`."""
        self._store = store
        self._clock = clock

    def saved(self, before: Record | None, after: Record, *, by: str) -> None:
        """Note what a write has changed, if anything."""
        changes = _changes(before, after)
        if changes:
            integration, endpoint = _place(after)
            action: Action = "changed" if before else "created"
            self.note(action, integration, endpoint, by=by, changes=changes)

    def deleted(self, record: Record, *, by: str) -> None:
        """Note what is gone."""
        changes = deleted(record.definition)
        if _secret_version(record) is not None:
            changes = (*changes, SECRET_CHANGE)
        integration, endpoint = _place(record)
        self.note("deleted", integration, endpoint, by=by, changes=changes)

    def note(
        self,
        action: Action,
        integration: str,
        endpoint: str | None = None,
        *,
        by: str,
        changes: tuple[FieldChange, ...] = (),
    ) -> None:
        """Write an entry; where that fails, what was done stays so, and the log tells of it."""
        moment = self._clock.now()
        entry = AuditEntry(
            id=entry_id(moment, secrets.token_hex(8)),
            moment=moment,
            by=by,
            action=action,
            integration=integration,
            endpoint=endpoint,
            changes=fitted(changes),
        )
        try:
            self._store.write(entry)
        except StorageUnavailable as error:
            log_event(
                "audit_lost",
                level=logging.ERROR,
                moment=moment,
                by=by,
                action=action,
                integration=integration,
                endpoint=endpoint,
                fields=[change.field for change in changes],
                reason=error.detail,
            )

    def list(
        self,
        *,
        after: str,
        limit: int,
        integration: str | None = None,
        endpoint: str | None = None,
    ) -> Page:
        """Return a page of entries, the latest first; those of one definition, where it is named.

        Raises GatewayError `invalid_parameter`. Entries of what was deleted are found by its code.
        """
        if after and not is_entry_id(after):
            raise GatewayError(
                INVALID_PARAMETER,
                "after must be the id of an entry.",
                hint="Follow nextLink as it is, or leave after out.",
            )
        entries = self._store.list(
            after=after,
            limit=limit + 1,
            integration=_code("integration", integration),
            endpoint=_code("endpoint", endpoint),
        )
        shown = entries[:limit]
        return Page(
            documents=[msgspec.to_builtins(entry, builtin_types=(datetime,)) for entry in shown],
            next_after=shown[-1].id if len(entries) > limit else None,
        )

    def clear(self, integration: str) -> None:
        """Remove the entries of an integration that is being deleted."""
        self._store.delete_for(integration)


def _changes(before: Record | None, after: Record) -> tuple[FieldChange, ...]:
    found = created(after.definition)
    if before is not None:
        found = changed(before.definition, after.definition)
    if _secret_version(before) == _secret_version(after):
        return found
    return (*found, SECRET_CHANGE)


def _place(record: Record) -> tuple[str, str | None]:
    if isinstance(record, StoredIntegration):
        return record.code, None
    return record.integration, record.definition.code


def _secret_version(record: Record | None) -> str | None:
    return record.client_secret_version if isinstance(record, StoredIntegration) else None


def _code(name: str, value: str | None) -> str | None:
    if value is None:
        return None
    if not is_code(fold(value)):
        raise GatewayError(
            INVALID_PARAMETER,
            f"{name} must be the code of a definition.",
            hint=f"Leave {name} out, or correct it.",
        )
    return fold(value)
