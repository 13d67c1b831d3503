"""The control panel as an administrator's browser meets it."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode

import pytest

from shared.domain.principals import ADMINISTRATOR_ROLE
from tests.support import PUBLIC_URL, make_settings
from tests.unit.domain.test_principals import header
from tests.unit.functions.test_every_answer import Gateway

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tests.scenes import Scene
    from tests.unit.functions.test_every_answer import Answer

ADMINISTRATOR = "admin@cronus.example"


class Panel:
    """The browser of a signed-in administrator, with the headers that the platform adds."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *, easy_auth: str = "True") -> None:
        self._gateway = Gateway(monkeypatch, settings=make_settings(WEBSITE_AUTH_ENABLED=easy_auth))
        claims = ("roles", ADMINISTRATOR_ROLE), ("preferred_username", ADMINISTRATOR)
        self.headers = {"X-MS-CLIENT-PRINCIPAL": header(*claims), "Sec-Fetch-Site": "same-origin"}

    @property
    def scene(self) -> Scene:
        """What lies behind the panel."""
        return self._gateway.scene

    def get(self, path: str = "") -> Answer:
        """Open a page by its path below the panel's."""
        return self._gateway.call("GET", _address(path), headers=self.headers)

    def visit(self, address: str, headers: Mapping[str, str]) -> Answer:
        """Open an address outside the panel."""
        return self._gateway.call("GET", address, headers=headers)

    def send(
        self, method: str, path: str, headers: Mapping[str, str], *, body: bytes = b""
    ) -> Answer:
        """Send a request with these headers alone."""
        return self._gateway.call(method, _address(path), body=body, headers=headers)

    def post(
        self,
        path: str,
        fields: Mapping[str, str] | Iterable[tuple[str, str]] = (),
        *,
        by_htmx: bool = False,
    ) -> Answer:
        """Send a form."""
        pairs = list(fields.items()) if hasattr(fields, "items") else list(fields)
        headers = self.headers | {
            "Content-Type": "application/x-www-form-urlencoded",
            "Origin": PUBLIC_URL,
        }
        if by_htmx:
            headers["HX-Request"] = "true"
        body = urlencode(pairs).encode()
        return self._gateway.call("POST", _address(path), body=body, headers=headers)


def _address(path: str) -> str:
    return f"/api/panel/{path}" if path else "/api/panel"


@pytest.fixture
def panel(monkeypatch) -> Panel:
    """Return the panel of a gateway with nothing stored."""
    return Panel(monkeypatch)
