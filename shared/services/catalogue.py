"""The catalogue: the definitions of integrations and endpoints, as calls need them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.domain.codes import fold, is_code
from shared.domain.error_kinds import ENDPOINT_DISABLED, ENDPOINT_NOT_FOUND, INTEGRATION_NOT_FOUND
from shared.domain.errors import GatewayError
from shared.services.cache import ReadThroughCache

if TYPE_CHECKING:
    from datetime import timedelta

    from shared.domain.endpoint import Endpoint
    from shared.domain.records import StoredEndpoint, StoredIntegration
    from shared.ports import Background, Clock, EndpointStore, IntegrationStore


def integration_not_found(code: str) -> GatewayError:
    """Return the error for an integration that does not exist."""
    return GatewayError(INTEGRATION_NOT_FOUND, f"There is no integration {_shown(code)}.")


def endpoint_not_found(integration: str, code: str) -> GatewayError:
    """Return the error for an endpoint that does not exist."""
    return GatewayError(
        ENDPOINT_NOT_FOUND, f"The integration {integration} has no endpoint {_shown(code)}."
    )


class Catalogue:
    """Finds definitions without a storage call where it can."""

    def __init__(
        self,
        integrations: IntegrationStore,
        endpoints: EndpointStore,
        *,
        lifetime: timedelta,
        clock: Clock,
        background: Background,
    ) -> None:
        """Read from the stores; what is found counts for `lifetime` at most."""
        self._integrations: ReadThroughCache[str, StoredIntegration] = ReadThroughCache(
            integrations.get,
            lifetime=lifetime,
            clock=clock,
            background=background,
            what="integration",
        )
        self._endpoints: ReadThroughCache[tuple[str, str], StoredEndpoint] = ReadThroughCache(
            lambda key: endpoints.get(*key),
            lifetime=lifetime,
            clock=clock,
            background=background,
            what="endpoint",
        )

    @property
    def holds_definitions(self) -> bool:
        """Tell whether calls can be served while the storage is down."""
        return len(self._integrations) > 0

    def integration(self, code: str) -> StoredIntegration:
        """Return the integration; GatewayError `integration_not_found`."""
        folded = fold(code)
        found = self._integrations.get(folded) if is_code(folded) else None
        if found is None:
            raise integration_not_found(code)
        return found

    def enabled_endpoint(self, integration: str, code: str) -> Endpoint:
        """Return the endpoint; GatewayError `endpoint_not_found` or `endpoint_disabled`."""
        folded = fold(code)
        found = self._endpoints.get((integration, folded)) if is_code(folded) else None
        if found is None:
            raise endpoint_not_found(integration, code)
        if not found.definition.is_enabled:
            raise GatewayError(ENDPOINT_DISABLED, f"The endpoint {folded} is switched off.")
        return found.definition

    def forget_integration(self, code: str) -> None:
        """Read the integration anew at its next use: it was changed here."""
        self._integrations.forget(code)

    def forget_endpoint(self, integration: str, code: str) -> None:
        """Read the endpoint anew at its next use: it was changed here."""
        self._endpoints.forget((integration, code))


def _shown(code: str) -> str:
    return code[:60] if code.isprintable() else "of that name"
