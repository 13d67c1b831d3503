"""The control panel without a mouse."""

from playwright.sync_api import expect

MOST_TABS = 40


def go_to(page, role, name):
    """Press Tab until the focus is on this part of the page."""
    wanted = page.get_by_role(role, name=name, exact=True)
    for _ in range(MOST_TABS):
        page.keyboard.press("Tab")
        if wanted.evaluate("element => element === document.activeElement"):
            return
    raise AssertionError(f"{name} is not among the first {MOST_TABS} stops of {page.url}")


def test_keyboard_alone_signs_in_and_adds_an_endpoint(visit, gateway, shop):
    """From the panel's sign-in to a saved endpoint, with Tab, Enter and typing."""
    visitor = visit()
    page = visitor.page
    visitor.watch.expect(401)
    visitor.open(f"integrations/{shop}")
    go_to(page, "button", "Sign in with Microsoft")
    page.keyboard.press("Enter")
    go_to(page, "button", "Sign in")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/integrations/{shop}")
    go_to(page, "button", "Add an endpoint")
    page.keyboard.press("Enter")
    visitor.see_heading("Add an endpoint")
    go_to(page, "textbox", "Code (required)")
    page.keyboard.type("LIST_PICKS")
    go_to(page, "textbox", "Procedure, page or path (required)")
    page.keyboard.type("GetWhsePicks")
    page.keyboard.press("Enter")
    visitor.see("Created.", "LIST_PICKS")
    stored = gateway.manage("GET", f"integrations/{shop}/endpoints/LIST_PICKS")
    assert stored["api_url"] == "GetWhsePicks"


def test_first_stop_skips_to_the_content(administrator, shop):
    """Nobody has to go through the menu on every page."""
    administrator.open(f"integrations/{shop}")
    administrator.page.keyboard.press("Tab")
    skip = administrator.page.get_by_role("link", name="Skip to the content")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport()
    administrator.page.keyboard.press("Enter")
    expect(administrator.page.get_by_role("main")).to_be_focused()


def test_focus_can_be_seen_wherever_it_is(administrator, shop):
    """Each stop of the first page looks different once it has the focus."""
    administrator.open(f"integrations/{shop}")
    look = "document.activeElement.matches(':focus-visible') && (style => style.outlineStyle "
    look += "+ style.boxShadow)(getComputedStyle(document.activeElement))"
    for _ in range(15):
        administrator.page.keyboard.press("Tab")
        assert administrator.page.evaluate(look) not in (False, "nonenone")
