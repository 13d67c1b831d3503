"""Signing in to an integration from the control panel, in a window of its own."""

import pytest
from playwright.sync_api import expect

from dev import sample
from dev.demo.warehouse_definitions import ENDPOINTS, integration
from tests.browser.visitor import require_good


@pytest.fixture
def visitor(administrator, shop):
    """Return an administrator on the page of an integration to which nobody is signed in."""
    administrator.open(f"integrations/{shop}")
    administrator.see("Not signed in")
    return administrator


def authorize(visitor, decision):
    """Open the provider's page, and press a button there; return the window."""
    with visitor.page.expect_popup() as popup:
        visitor.press("Authorize")
    popup.value.get_by_role("button", name=decision).click()
    return popup.value


def test_status_turns_green_by_itself_once_somebody_has_signed_in(visitor):
    """The window closes, and the page that waited tells who is signed in, without a reload."""
    visitor.page.evaluate("window.isUnloaded = false")
    window = authorize(visitor, "Sign in")
    window.wait_for_event("close")
    status = visitor.page.locator("#health .badge")
    expect(status).to_have_text("Signed in")
    expect(status).to_have_class("badge good")
    news = visitor.page.locator("#results")
    expect(news).to_contain_text(f"is connected as {sample.USER_PRINCIPAL_NAME}.")
    assert visitor.page.evaluate("window.isUnloaded") is False
    visitor.look()


def test_refusal_is_told_in_the_window_and_on_the_page(visitor):
    """Somebody who presses Cancel reads what happened in both places."""
    visitor.watch.expect(400)
    window = authorize(visitor, "Cancel")
    expect(window.get_by_role("heading", level=1)).to_contain_text("was not completed")
    require_good(window)
    visitor.see("The last sign-in failed", "Not signed in")
    visitor.look()


def test_error_of_the_provider_is_told_with_the_remedy(visitor, gateway, code):
    """A sign-in that the provider's token endpoint refuses says what to do next."""
    gateway.manage("PATCH", f"integrations/{code}", {"client_secret": "not-the-secret"})
    visitor.watch.expect(400)
    window = authorize(visitor, "Sign in")
    expect(window.get_by_text("What to do next:")).to_be_visible()
    require_good(window)
    visitor.see("The last sign-in failed", "What to do next:")
    visitor.look()


def test_link_lets_the_owner_of_the_account_sign_in(visitor, visit):
    """The colleague needs no access to the panel; the page that waits tells who came."""
    visitor.unfold("Somebody else owns the Business Central account")
    visitor.press("Create a sign-in link")
    visitor.see("Copy it now")
    visitor.look()
    link = visitor.page.locator("#link").inner_text()
    visitor.press("Back to the integration")
    colleague = visit()
    colleague.page.goto(link)
    colleague.press("Sign in")
    colleague.see("You can close this window.")
    visitor.see(f"as {sample.USER_PRINCIPAL_NAME}")


def test_deauthorization_stops_calls(administrator, gateway, connected_shop):
    """After a confirmation nobody is signed in any more, and callers are told so."""
    assert gateway.invoke(f"{connected_shop}/GET_WHSE_SHPT_LINES").status_code == 200
    administrator.open(f"integrations/{connected_shop}")
    administrator.unfold("Deauthorize")
    administrator.look()
    administrator.press(f"Deauthorize {connected_shop}")
    administrator.see("Deauthorized.", "Not signed in")
    refused = gateway.invoke(f"{connected_shop}/GET_WHSE_SHPT_LINES")
    assert (refused.status_code, refused.json()["code"]) == (424, "sign_in_required")


def test_app_that_signs_in_by_itself_is_connected_without_a_window(administrator, gateway, code):
    """Client credentials need nobody: one button, and the page says that it works."""
    definition = integration(gateway.ports) | {"code": code, "grant_type": "client_credentials"}
    gateway.store(definition, *ENDPOINTS)
    administrator.open(f"integrations/{code}")
    administrator.press("Connect")
    administrator.see("Connected.", "The app signs in by itself")
    administrator.look()
