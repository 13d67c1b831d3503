"""Sign in to an integration as a person does: in a browser, with the button of the sign-in page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dev.demo.browser import Browser
from dev.errors import DevError

if TYPE_CHECKING:
    from dev.demo.gateway_client import GatewayClient

OK = 200


def sign_in(administrator: GatewayClient, code: str) -> None:
    """Begin a new grant for an integration; DevError with what the person would read."""
    started = administrator.require("GET", f"authorize/{code}")
    browser = Browser(administrator.cookies)
    page = browser.press(browser.open(started["authorization_url"]), "Sign in")
    if page.status != OK:
        raise DevError(f"The sign-in to {code} ended with: {' '.join(page.texts)}")
