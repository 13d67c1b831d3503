"""Trying an endpoint in the control panel."""

import pytest
from playwright.sync_api import expect


@pytest.fixture
def result(administrator):
    """Return the part of the page that says what came of a call."""
    return administrator.page.get_by_role("article", name="Result")


def test_read_shows_request_and_answer(administrator, connected_shop, result):
    """The exact request is there, with the token masked, beside status, time and body."""
    administrator.open(f"integrations/{connected_shop}/endpoints/GET_CUSTOMERS/try")
    administrator.unfold("More")
    administrator.fill(query="$top=1")
    administrator.press("Run")
    expect(result).to_contain_text("200 OK")
    expect(result).to_be_focused()
    administrator.unfold("The request that was sent")
    expect(result).to_contain_text("$top=1")
    expect(result).to_contain_text("authorization: Bearer ***")
    administrator.look()


def test_change_is_made_only_once_it_is_confirmed(administrator, connected_shop, result):
    """Without the tick nothing is sent, and the page says so."""
    administrator.open(f"integrations/{connected_shop}/endpoints/REGISTER_WHSE_PICK/try")
    administrator.fill(payload='{"pickNo": "no such pick"}')
    administrator.watch.expect(422)
    administrator.press("Run")
    administrator.see("Nothing was sent.")
    administrator.look()
    administrator.page.get_by_role("checkbox").check()
    administrator.press("Run")
    expect(result).to_contain_text("What to do next:")
    expect(result).to_contain_text("no such pick")
    administrator.look()


def test_call_is_copied_for_other_tools(administrator, connected_shop):
    """The button puts the command on the clipboard, and a screen reader is told."""
    administrator.context.grant_permissions(["clipboard-read", "clipboard-write"])
    administrator.open(f"integrations/{connected_shop}/endpoints/GET_CUSTOMERS/try")
    administrator.unfold("curl")
    snippet = administrator.page.locator("details[open] pre").inner_text()
    administrator.press("Copy")
    expect(administrator.page.locator("#results")).to_have_text("Copied.")
    assert administrator.page.evaluate("navigator.clipboard.readText()") == snippet
    assert f"/api/invoke/{connected_shop}/GET_CUSTOMERS" in snippet
    administrator.look()
