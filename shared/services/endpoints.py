"""Administration of endpoints: store, change, show and delete them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from shared.domain.audit import KEY_HOLDER
from shared.domain.codes import fold, is_code
from shared.domain.documents import merge_patch, to_document
from shared.domain.endpoint import READ_ONLY_FIELDS, read_endpoint
from shared.domain.errors import invalid_definition
from shared.domain.records import StoredEndpoint
from shared.services.catalogue import endpoint_not_found
from shared.services.editing import (
    Page,
    Precondition,
    Saved,
    conflicts_told,
    with_code,
    without,
)

if TYPE_CHECKING:
    from shared.ports import Clock, EndpointStore
    from shared.services.audit import Audit
    from shared.services.catalogue import Catalogue
    from shared.services.integrations import IntegrationAdministration


class EndpointAdministration:
    """Keeps the endpoints of the integrations."""

    def __init__(
        self,
        *,
        integrations: IntegrationAdministration,
        endpoints: EndpointStore,
        audit: Audit,
        catalogue: Catalogue,
        clock: Clock,
    ) -> None:
        """Work on the given store; every call checks first that the integration exists."""
        self._integrations = integrations
        self._endpoints = endpoints
        self._audit = audit
        self._catalogue = catalogue
        self._clock = clock

    def list(self, integration: str, *, after: str, limit: int) -> Page:
        """Return a page of the integration's endpoints, each as GET shows it."""
        owner = self._integrations.find(integration).code
        records = self._endpoints.list(owner, after=after, limit=limit + 1)
        shown = records[:limit]
        return Page(
            documents=[_view(record) for record in shown],
            next_after=shown[-1].definition.code if len(records) > limit else None,
        )

    def get(self, integration: str, code: str) -> Saved:
        """Return one endpoint; GatewayError `endpoint_not_found`."""
        record = self.find(integration, code)
        return Saved(_view(record), record.etag)

    def find(self, integration: str, code: str) -> StoredEndpoint:
        """Read the record itself from the store; GatewayError `endpoint_not_found`."""
        return self._find(self._integrations.find(integration).code, code)

    def create(self, integration: str, document: dict[str, Any], *, by: str = KEY_HOLDER) -> Saved:
        """Store a new endpoint; GatewayError `invalid_definition` or `already_exists`."""
        return self._save(self._integrations.find(integration).code, None, document, by)

    def put(
        self,
        integration: str,
        code: str,
        document: dict[str, Any],
        precondition: Precondition,
        *,
        by: str = KEY_HOLDER,
    ) -> Saved:
        """Create or replace."""
        owner, folded = self._integrations.find(integration).code, fold(code)
        existing = self._endpoints.get(owner, folded) if is_code(folded) else None
        precondition.check(existing.etag if existing else None)
        return self._save(owner, existing, with_code(document, folded), by)

    def patch(
        self,
        integration: str,
        code: str,
        patch: dict[str, Any],
        precondition: Precondition,
        *,
        by: str = KEY_HOLDER,
    ) -> Saved:
        """Apply a merge patch."""
        owner = self._integrations.find(integration).code
        existing = self._find(owner, code)
        precondition.check(existing.etag)
        changes = with_code(without(patch, READ_ONLY_FIELDS), existing.definition.code)
        merged = merge_patch(to_document(existing.definition), changes)
        return self._save(owner, existing, merged, by)

    def delete(
        self, integration: str, code: str, precondition: Precondition, *, by: str = KEY_HOLDER
    ) -> None:
        """Delete the endpoint."""
        owner = self._integrations.find(integration).code
        record = self._find(owner, code)
        precondition.check(record.etag)
        with conflicts_told(record.definition.code):
            self._endpoints.delete(record)
        self._catalogue.forget_endpoint(owner, record.definition.code)
        self._audit.deleted(record, by=by)

    def _find(self, integration: str, code: str) -> StoredEndpoint:
        folded = fold(code)
        record = self._endpoints.get(integration, folded) if is_code(folded) else None
        if record is None:
            raise endpoint_not_found(integration, code)
        return record

    def _save(
        self,
        integration: str,
        existing: StoredEndpoint | None,
        document: dict[str, Any],
        by: str,
    ) -> Saved:
        definition, problems = read_endpoint(without(document, READ_ONLY_FIELDS))
        if definition is None:
            raise invalid_definition(problems)
        now = self._clock.now()
        record = StoredEndpoint(
            integration=integration,
            definition=definition,
            created_on=existing.created_on if existing else now,
            updated_on=now,
        )
        with conflicts_told(definition.code, is_new=existing is None):
            if existing is None:
                record = self._endpoints.insert(record)
            else:
                record = self._endpoints.replace(replace(record, etag=existing.etag))
        self._catalogue.forget_endpoint(integration, definition.code)
        self._audit.saved(existing, record, by=by)
        return Saved(_view(record), record.etag, is_new=existing is None)


def _view(record: StoredEndpoint) -> dict[str, Any]:
    return to_document(record.definition) | {
        "created_on": record.created_on,
        "updated_on": record.updated_on,
    }
