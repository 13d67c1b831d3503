"""Remove an integration with everything that belongs to it, wherever it is kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.domain.secret_names import client_secret_name
from shared.services.editing import conflicts_told

if TYPE_CHECKING:
    from shared.domain.records import StoredIntegration
    from shared.ports import (
        ActivityStore,
        Clock,
        EndpointStore,
        IdempotencyStore,
        IntegrationStore,
        SecretStore,
        SignInStore,
    )
    from shared.services.audit import Audit
    from shared.services.catalogue import Catalogue
    from shared.services.sign_off import SignOff

# A few seconds of work, while somebody waits.
_MOST_ACTIVITY_ROWS = 1_000


class Removal:
    """Removes integrations."""

    def __init__(
        self,
        *,
        integrations: IntegrationStore,
        endpoints: EndpointStore,
        sign_ins: SignInStore,
        idempotency: IdempotencyStore,
        activity: ActivityStore,
        audit: Audit,
        secrets: SecretStore,
        sign_off: SignOff,
        catalogue: Catalogue,
        clock: Clock,
    ) -> None:
        """Clear the given stores."""
        self._integrations = integrations
        self._endpoints = endpoints
        self._sign_ins = sign_ins
        self._idempotency = idempotency
        self._activity = activity
        self._audit = audit
        self._secrets = secrets
        self._sign_off = sign_off
        self._catalogue = catalogue
        self._clock = clock

    def remove(self, record: StoredIntegration, *, by: str) -> None:
        """Remove it all, the definition last; GatewayError `changed_meanwhile`."""
        try:
            with conflicts_told(record.code):
                # Decides who may go on; what follows can be repeated until the row itself is gone.
                record = self._integrations.replace(record)
                self._sign_off.erase(record.code)
                self._secrets.forget(client_secret_name(record.code))
                self._sign_ins.delete_for(record.code)
                self._idempotency.delete_for(record.code)
                self._clear_activity(record.code)
                self._endpoints.delete_all(record.code)
                self._audit.clear(record.code)
                self._integrations.delete(record)
        finally:
            self._catalogue.forget_integration(record.code)
        self._audit.deleted(record, by=by)
        # What came during the deletion; nothing can come after it.
        self._sign_off.erase(record.code)
        self._endpoints.delete_all(record.code)

    def _clear_activity(self, code: str) -> None:
        """Clear the latest of it; the timer goes on, and nobody is shown what is left."""
        self._activity.delete_before(code, self._clock.now(), limit=_MOST_ACTIVITY_ROWS)
