"""A shop that is not ours: its provider, its service, and how the gateway is connected to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.e2e.foreign.grants import Client

if TYPE_CHECKING:
    from tests.e2e.foreign.provider import Provider
    from tests.e2e.foreign.upstream import Upstream

# Characters that a form, a URL and the Basic scheme each have their own ideas about.
CLIENT_ID = "shop & co:1"
CLIENT_SECRET = "s%3A+cr:t/= &\u00fc"


@dataclass(frozen=True)
class Shop:
    """What a test connects: by the URLs of its services and by nothing else."""

    code: str
    callback: str
    provider: Provider
    upstream: Upstream

    def for_person(self, method: str = "client_secret_basic", **changes: Any) -> dict[str, Any]:
        """Register a client that people sign in to, and return the integration."""
        redirect_uris = frozenset({self.callback})
        self.provider.register(Client(CLIENT_ID, CLIENT_SECRET, method, redirect_uris))
        definition = {
            "code": self.code,
            "name": "The shop",
            "base_url": self.upstream.url,
            "api_version": "",
            "authorize_url": f"{self.provider.url}/authorize",
            "token_url": f"{self.provider.url}/token",
            "revocation_url": f"{self.provider.url}/revoke",
            "scope": "openid email offline_access orders",
            "client_id": CLIENT_ID,
            "client_secret": CLIENT_SECRET,
            "client_auth": method.removesuffix("_post"),
        }
        return definition | changes

    def for_app(self, **changes: Any) -> dict[str, Any]:
        """Register a client that works as itself, and return the integration."""
        grants, scopes = frozenset({"client_credentials"}), frozenset({"orders"})
        own = {"grant_type": "client_credentials", "scope": "orders", "authorize_url": None}
        definition = self.for_person(**(own | changes))
        self.provider.register(Client(CLIENT_ID, CLIENT_SECRET, grants=grants, scopes=scopes))
        return definition


def endpoint(code: str = "ORDERS", **changes: Any) -> dict[str, Any]:
    """Return a call of the shop."""
    plain = {"code": code, "kind": "custom", "method": "GET", "api_url": "orders"}
    return plain | changes
