"""The operation that shows the audit."""

from __future__ import annotations

from shared.domain import error_kinds as kinds
from shared.services.openapi.management import LIMIT
from shared.services.openapi.operations import Operation, answer, in_query
from shared.services.openapi.schemas import CODE, page_of


def operations() -> list[Operation]:
    """Return the operation."""
    return [
        Operation(
            id="listAudit",
            method="GET",
            path="/api/audit",
            tag="Audit",
            summary="List who changed what, the latest first.",
            parameters=(
                in_query("integration", "Only what was done to this integration.", CODE),
                in_query("endpoint", "Only what was done to endpoints of this code.", CODE),
                in_query("after", "The id after which the page begins; nextLink has it."),
                LIMIT,
            ),
            answers={200: answer("One page.", page_of("AuditEntry"))},
            errors=(
                *(kinds.INVALID_PARAMETER, kinds.GATEWAY_MISCONFIGURED),
                kinds.STORAGE_UNAVAILABLE,
            ),
        )
    ]
