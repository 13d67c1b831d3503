"""Call the gateway over HTTP, as any client of it would."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import requests

from dev.errors import DevError

if TYPE_CHECKING:
    from requests.cookies import RequestsCookieJar

TIMEOUT_SECONDS = 60


def http_session() -> requests.Session:
    """Give a session that ignores the developer's proxy and .netrc: all calls are to loopback."""
    session = requests.Session()
    session.trust_env = False
    return session


class GatewayClient:
    """The gateway at a URL, called with a key."""

    def __init__(self, url: str, *, key: str, key_name: str) -> None:
        """Call with `key`; `key_name` is what to call it where the key must not be shown."""
        self.key_name = key_name
        self._url = url
        self._session = http_session()
        self._session.headers.update({"x-functions-key": key, "Accept": "application/json"})

    @property
    def cookies(self) -> RequestsCookieJar:
        """The cookies that the gateway has set."""
        return self._session.cookies

    def url(self, path: str) -> str:
        """Give the URL of a route."""
        return f"{self._url}/api/{path}"

    def call(self, method: str, path: str, body: Any = None) -> requests.Response:
        """Send a request, with a JSON body if there is one."""
        return self._session.request(
            method, self.url(path), json=body, timeout=TIMEOUT_SECONDS, allow_redirects=False
        )

    def require(self, method: str, path: str, body: Any = None) -> Any:
        """Send a request that must succeed, and give its answer's JSON; DevError if it fails."""
        answer = self.call(method, path, body)
        if not answer.ok:
            raise DevError(f"{method} {answer.url} answers {answer.status_code}:\n\n{answer.text}")
        return answer.json() if answer.content else None
