"""Adding, switching, changing and deleting endpoints in the control panel."""

from playwright.sync_api import expect

from tests.e2e.gateway import problem


def test_endpoint_is_added_with_its_url_shown_while_typing(administrator, gateway, connected_shop):
    """The preview follows what is typed, and is the URL that a call has in the end."""
    administrator.open(f"integrations/{connected_shop}")
    administrator.press("Add an endpoint")
    administrator.fill(code="LIST_ITEMS", name="List items")
    preview = administrator.page.locator("#preview")
    expect(preview).to_contain_text("It appears here")
    administrator.choose(kind="api", method="GET")
    administrator.page.locator("#api_url").press_sequentially("items")
    expect(preview).to_contain_text("/items")
    administrator.look()
    administrator.press("Add the endpoint")
    administrator.see("Created.", "LIST_ITEMS")
    answer = gateway.invoke(f"{connected_shop}/LIST_ITEMS")
    assert answer.status_code == 200, answer.text


def test_wrong_fields_are_told_beside_them_and_in_the_preview(administrator, shop):
    """All problems come at once, while typing already where they concern the URL."""
    administrator.open(f"integrations/{shop}/endpoints/new")
    administrator.unfold("More settings")
    administrator.fill(code="1", timeout_seconds="soon")
    administrator.page.locator("#api_url").press_sequentially("a b?c")
    expect(administrator.page.locator("#preview .notice")).to_contain_text("Procedure, page")
    administrator.watch.expect(422)
    administrator.press("Add the endpoint")
    for field in ("code", "api_url", "timeout_seconds"):
        expect(administrator.page.locator(f"#{field}-told.wrong")).to_be_visible()
    administrator.look()


def test_endpoint_that_is_turned_off_refuses_calls(administrator, gateway, connected_shop):
    """The switch works in its row; the focus stays; callers get 404 until it is on again."""
    path = f"{connected_shop}/GET_WHSE_SHPT_LINES"
    administrator.open(f"integrations/{connected_shop}")
    administrator.press("Turn off GET_WHSE_SHPT_LINES")
    administrator.see("The endpoint is off.")
    expect(administrator.page.locator("#switch-GET_WHSE_SHPT_LINES")).to_be_focused()
    administrator.look()
    problem(gateway.invoke(path), 404, "endpoint_disabled")
    administrator.press("Turn on GET_WHSE_SHPT_LINES")
    administrator.see("The endpoint is on.")
    assert gateway.invoke(path).status_code == 200


def test_endpoint_is_changed_duplicated_and_deleted(administrator, gateway, shop):
    """Each way ends on the integration's page, which says what was done."""
    administrator.open(f"integrations/{shop}")
    administrator.follow("Edit GET_CUSTOMERS")
    administrator.fill(name="Customers of ours")
    administrator.press("Save")
    administrator.see("Saved.", "Customers of ours")
    administrator.follow("Duplicate GET_CUSTOMERS")
    administrator.fill(code="GET_BUYERS")
    administrator.press("Add the endpoint")
    administrator.see("Created.", "GET_BUYERS")
    administrator.follow("Delete GET_CUSTOMERS")
    administrator.press("Delete the endpoint")
    administrator.see("Deleted.")
    left = gateway.manage("GET", f"integrations/{shop}/endpoints/GET_BUYERS")
    assert left["name"] == "Customers of ours"
    gone = gateway.call("GET", f"integrations/{shop}/endpoints/GET_CUSTOMERS")
    problem(gone, 404, "endpoint_not_found")
