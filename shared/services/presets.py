"""The presets of an integration: which of them it has already, and adding those it lacks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from shared.domain.error_kinds import ALREADY_EXISTS
from shared.domain.errors import GatewayError
from shared.domain.presets import WAREHOUSE_FLOW

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from shared.services.endpoints import EndpointAdministration

_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Offer:
    """A preset, and whether the integration has an endpoint of its code already."""

    document: Mapping[str, Any]
    exists: bool


class Presets:
    """Offers ready-made endpoints."""

    def __init__(self, endpoints: EndpointAdministration) -> None:
        """Store them as an administrator would."""
        self._endpoints = endpoints

    def offers(self, integration: str) -> list[Offer]:
        """Return every preset; GatewayError `integration_not_found`."""
        taken = self._codes(integration)
        return [Offer(document, document["code"] in taken) for document in WAREHOUSE_FLOW]

    def add(self, integration: str, codes: Collection[str], *, by: str) -> None:
        """Store the presets of these codes; an endpoint that exists is left as it is."""
        for document in WAREHOUSE_FLOW:
            if document["code"] not in codes:
                continue
            try:
                self._endpoints.create(integration, document, by=by)
            except GatewayError as error:
                if error.kind is not ALREADY_EXISTS:
                    raise

    def _codes(self, integration: str) -> set[str]:
        found: set[str] = set()
        after: str | None = ""
        while after is not None:
            page = self._endpoints.list(integration, after=after, limit=_AT_ONCE)
            found |= {document["code"] for document in page.documents}
            after = page.next_after
        return found
