"""From an empty gateway to the first successful call, by nothing but the control panel."""

import pytest
from playwright.sync_api import expect

from dev import sample
from dev.demo.warehouse_definitions import integration


def forget_everything(gateway):
    """Delete all integrations, so that the panel meets its visitor as it does the first time."""
    for each in gateway.manage("GET", "integrations")["value"]:
        gateway.manage("DELETE", f"integrations/{each['code']}")


def fill_in(visitor, definition):
    """Fill in the form of an integration."""
    definition = dict(definition)
    visitor.choose(grant_type=definition.pop("grant_type"))
    visitor.unfold("Other identity provider")
    visitor.fill(**definition)


def authorize(visitor, *, has_script):
    """Sign in at the provider: in a window of its own, or without scripts in this one."""
    if not has_script:
        visitor.press("Authorize")
        visitor.press("Sign in")
        visitor.follow("Back to the control panel")
        return
    with visitor.page.expect_popup() as popup:
        visitor.press("Authorize")
    with popup.value.expect_event("close"):
        popup.value.get_by_role("button", name="Sign in").click()


@pytest.mark.parametrize("has_script", [True, False], ids=["script", "no_script"])
def test_main_path_leads_from_nothing_to_an_answer(visit, gateway, code, has_script):
    """Sign in to the panel, add an integration, authorize it, add endpoints, try one."""
    forget_everything(gateway)
    visitor = visit(has_script=has_script)
    visitor.watch.expect(401)
    visitor.open()
    visitor.see_heading("Sign in to use the control panel")
    visitor.look()
    visitor.sign_in()
    visitor.see_heading("Welcome")
    visitor.look()
    visitor.press("Add the first integration")
    fill_in(visitor, integration(gateway.ports) | {"code": code, "name": "My shop"})
    visitor.press("Add the integration")
    visitor.see_heading("My shop")
    visitor.see("Created.", "Not signed in")
    visitor.look()
    authorize(visitor, has_script=has_script)
    visitor.see("Signed in", f"as {sample.USER_PRINCIPAL_NAME}")
    visitor.press("Add the warehouse endpoints")
    visitor.press("Add the chosen ones")
    visitor.see("The endpoints were added.")
    visitor.follow("Try GET_WHSE_SHPT_LINES")
    visitor.press("Run")
    expect(visitor.page.get_by_role("article", name="Result")).to_contain_text("200 OK")
    visitor.see("SH000001")
