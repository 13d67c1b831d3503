"""What the control panel tells of calls and of changes."""

from playwright.sync_api import expect

from dev import sample
from tests.e2e.processes import wait_until


def activity(administrator, shop):
    """Open the activity of the shop, once its calls are written."""

    def is_written():
        administrator.open(f"activity?integration={shop}")
        return administrator.page.locator("svg .failed").count()

    wait_until(is_written, 10, "the chart")


def test_activity_shows_calls_in_chart_and_table(administrator, gateway, connected_shop):
    """A call that went well and one that did not: bars, numbers, rows, and why it failed."""
    assert gateway.invoke(f"{connected_shop}/GET_WHSE_SHPT_LINES").status_code == 200
    failed = gateway.invoke(f"{connected_shop}/GET_WHSE_PICK", {"pickNo": "none such"})
    assert not failed.ok
    activity(administrator, connected_shop)
    page = administrator.page
    assert page.locator("svg .well").count()
    expect(page.get_by_role("figure")).to_contain_text("answered with an error: 1")
    rows = page.get_by_role("region", name="Calls and sign-in events").get_by_role("row")
    expect(rows.filter(has_text="GET_WHSE_SHPT_LINES")).to_contain_text("200")
    expect(rows.filter(has_text=failed.headers["X-Gateway-Request-Id"])).to_have_count(1)
    expect(rows.filter(has_text="Signed in")).to_have_count(1)
    administrator.look()
    administrator.unfold("Filter")
    administrator.fill(endpoint="GET_WHSE_PICK")
    administrator.press("Filter")
    expect(rows.filter(has_text="GET_WHSE_PICK")).to_have_count(1)
    expect(rows.filter(has_text="GET_WHSE_SHPT_LINES")).to_have_count(0)


def test_times_are_those_of_the_viewer(administrator, connected_shop):
    """Script turns UTC into the zone of the browser; the title keeps UTC."""
    administrator.open(f"audit?integration={connected_shop}")
    time = administrator.page.locator("time").first
    expect(time).not_to_contain_text("UTC")
    assert time.get_attribute("title").endswith(" UTC")


def test_audit_shows_who_changed_what(administrator, connected_shop):
    """The name, the field, the old and the new value; of a secret only that it changed."""
    administrator.open(f"integrations/{connected_shop}")
    administrator.fill(name="Renamed shop", client_secret=sample.CLIENT_SECRET)
    administrator.press("Save")
    administrator.see("Saved.")
    administrator.follow("Changes")
    latest = administrator.page.get_by_role("article").first
    expect(latest).to_contain_text(sample.USER_PRINCIPAL_NAME)
    expect(latest.get_by_role("row").filter(has_text="name")).to_contain_text("Renamed shop")
    secret = latest.get_by_role("row").filter(has_text="client_secret")
    expect(secret).to_contain_text("A secret is never shown.")
    assert sample.CLIENT_SECRET not in administrator.page.content()
    administrator.look()
