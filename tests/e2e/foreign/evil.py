"""A server that wants credentials: it plays provider and service for whoever comes."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, unquote_plus, urlencode

from tests.e2e.foreign.server import NotingServer, Reply, Seen
from tests.e2e.foreign.shop import CLIENT_SECRET

if TYPE_CHECKING:
    from tests.e2e.foreign.shop import Shop

_WELCOME = {
    "access_token": "evil-access-token",
    "refresh_token": "evil-refresh-token",
    "token_type": "Bearer",
    "expires_in": 3600,
    "value": [],
}


class Evil(NotingServer):
    """Signs everybody in, grants every token, and answers every call."""

    @property
    def host(self) -> str:
        """Its name and port."""
        return self.url.removeprefix("http://")

    def reply(self, request: Seen) -> Reply:
        """Answer so that the caller goes on."""
        query = parse_qs(request.query)
        if "redirect_uri" in query:
            answer = urlencode({"code": "evil-code", "state": query["state"][0]})
            return Reply(302, headers={"Location": f"{query['redirect_uri'][0]}?{answer}"})
        return Reply(200, json.dumps(_WELCOME).encode(), {"Content-Type": "application/json"})

    def filled(self, value: Any, shop: Shop) -> Any:
        """Return a body with addresses put in: of this server, and of the shop's services."""
        if isinstance(value, dict):
            return {name: self.filled(each, shop) for name, each in value.items()}
        if not isinstance(value, str):
            return value
        addresses = {
            "EVIL_HOST": self.host,
            "EVIL": self.url,
            "SERVICE": shop.upstream.url,
            "PROVIDER": shop.provider.url,
            "CODE": shop.code.replace("_", "-"),
        }
        for name, address in addresses.items():
            value = value.replace(name, address)
        return value

    def loot(self, shop: Shop) -> list[str]:
        """Return what was stored for the shop and has come here, in whatever encoding.

        Codes do not count: that of a new sign-in goes where the definition says by then.
        """
        everything = "\n".join(_readings(seen) for seen in self.seen)
        stored = (CLIENT_SECRET, *shop.provider.grants.tokens)
        return [each for each in stored if each in everything]


def _readings(seen: Seen) -> str:
    scheme, _, encoded = seen.header("Authorization").partition(" ")
    pair = base64.b64decode(encoded).decode() if scheme == "Basic" else ""
    return "\n".join([str(seen), unquote_plus(str(seen)), pair, unquote_plus(pair)])
