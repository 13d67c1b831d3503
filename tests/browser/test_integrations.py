"""Adding, changing and deleting an integration in the control panel."""

from playwright.sync_api import expect

from tests.e2e.gateway import problem


def test_wrong_fields_are_told_beside_them_and_keep_what_was_typed(administrator):
    """All problems come at once; the secret is the only thing that has to be typed again."""
    administrator.open("integrations/new")
    administrator.fill(code="no code!", base_url="ftp://here", client_secret="typed")
    administrator.watch.expect(422)
    administrator.press("Add the integration")
    administrator.see("Not saved:")
    for field in ("code", "base_url", "client_id"):
        told = administrator.page.locator(f"#{field}-told.wrong")
        expect(told).not_to_be_empty()
        expect(administrator.page.locator(f"#{field}")).to_have_attribute("aria-invalid", "true")
    expect(administrator.page.locator("#code")).to_have_value("no code!")
    expect(administrator.page.locator("#client_secret")).to_have_value("")
    expect(administrator.page.get_by_role("alert")).to_be_focused()
    administrator.look()


def test_change_is_saved_and_keeps_the_secret(administrator, gateway, connected_shop):
    """A field is changed, and the sign-in goes on working."""
    administrator.open(f"integrations/{connected_shop}")
    administrator.fill(name="The new name")
    administrator.press("Save")
    administrator.see_heading("The new name")
    administrator.see("Saved.", "Signed in")
    assert gateway.invoke(f"{connected_shop}/GET_WHSE_SHPT_LINES").status_code == 200


def test_company_is_chosen_from_those_of_business_central(administrator, connected_shop):
    """Once somebody is signed in, the field offers what Business Central lists."""
    administrator.open(f"integrations/{connected_shop}")
    administrator.see("Business Central has 2 companies here")
    offers = administrator.page.locator("#company-names option")
    assert "O'Brien & Sons, Ltd." in [each.get_attribute("value") for each in offers.all()]


def test_change_of_somebody_else_is_not_overwritten(administrator, gateway, shop):
    """What was typed stays, and the page says which fields differ."""
    administrator.open(f"integrations/{shop}")
    gateway.manage("PATCH", f"integrations/{shop}", {"name": "Another name"})
    administrator.fill(name="My name")
    administrator.watch.expect(412)
    administrator.press("Save")
    administrator.see("somebody has changed this integration meanwhile")
    expect(administrator.page.locator("#name")).to_have_value("My name")
    administrator.look()
    assert gateway.manage("GET", f"integrations/{shop}")["name"] == "Another name"


def test_deletion_is_confirmed_and_ends_everything(administrator, gateway, connected_shop):
    """The integration is gone from the panel, and its callers are told."""
    administrator.open(f"integrations/{connected_shop}")
    administrator.press("Delete the integration")
    administrator.press(f"Delete {connected_shop}")
    administrator.see("Deleted.")
    problem(gateway.call("GET", f"integrations/{connected_shop}"), 404, "integration_not_found")
