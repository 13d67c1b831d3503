"""Who may run an endpoint that names its callers, besides having a key that opens `invoke`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.domain.error_kinds import CALLER_NOT_ALLOWED
from shared.domain.errors import GatewayError
from shared.domain.principals import PRINCIPAL_HEADER, read_principal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from shared.domain.endpoint import Endpoint


class Callers:
    """Lets callers pass."""

    def __init__(self, *, has_easy_auth: bool) -> None:
        """Trust the platform's header only if the platform says that it sets it."""
        self._has_easy_auth = has_easy_auth

    def name_of(self, headers: Mapping[str, str]) -> str | None:
        """Return the name of the person or app that is signed in, for people to read."""
        if not self._has_easy_auth:
            return None
        principal = read_principal(headers.get(PRINCIPAL_HEADER, ""))
        return principal.name if principal is not None else None

    def check(self, endpoint: Endpoint, headers: Mapping[str, str]) -> None:
        """Raise GatewayError `caller_not_allowed` unless one role or the client is named."""
        if not endpoint.allowed_roles and not endpoint.allowed_clients:
            return
        if not self._has_easy_auth:
            raise GatewayError(
                CALLER_NOT_ALLOWED,
                "The endpoint names who may call it, and App Service Authentication is off.",
                hint="Ask an administrator to switch App Service Authentication on; without it "
                "nobody can tell who calls.",
            )
        principal = read_principal(headers.get(PRINCIPAL_HEADER, ""))
        if principal is None:
            raise GatewayError(
                CALLER_NOT_ALLOWED, "The call came without a sign-in of Microsoft Entra ID."
            )
        clients = {client.lower() for client in endpoint.allowed_clients}
        if not principal.roles & set(endpoint.allowed_roles) and not principal.clients & clients:
            raise GatewayError(
                CALLER_NOT_ALLOWED, "Neither a role nor the app of this caller is allowed here."
            )
