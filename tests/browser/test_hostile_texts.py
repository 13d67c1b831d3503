"""Markup in whatever the control panel shows stays text: in definitions, in what others answer."""

import pytest
from playwright.sync_api import expect

from dev.demo.gateway_client import http_session
from dev.demo.warehouse_definitions import integration
from dev.stack.ports import url

HOSTILE = "\"'><img src=x onerror=alert(1)><script>alert(2)</script>"
ENDPOINT = {
    "code": "GET_PICK",
    "name": f"endpoint {HOSTILE}",
    "description": f"description {HOSTILE}",
    "api_url": "GetWhsePick",
    "query": {"hostile": HOSTILE},
    "allowed_query": [HOSTILE],
    "request_schema": {"title": HOSTILE},
}
PAGES = {
    "list": ("", ["integration"]),
    "integration": ("integrations/{code}", ["integration", "endpoint"]),
    "integration deletion": ("integrations/{code}/delete", ["integration"]),
    "endpoint": ("integrations/{code}/endpoints/GET_PICK", ["integration"]),
    "endpoint deletion": ("integrations/{code}/endpoints/GET_PICK/delete", ["endpoint"]),
    "try it": ("integrations/{code}/endpoints/GET_PICK/try", ["endpoint", "description"]),
    "activity": ("activity?integration={code}&endpoint={hostile}", ["integration"]),
    "audit": ("audit?integration={code}", []),
    "notice": ("integrations/{code}?done={hostile}", ["integration"]),
    "unknown": ("integrations/{hostile}", []),
}


@pytest.fixture
def hostile(gateway, code):
    """Return the code of an integration that is full of markup, with somebody signed in."""
    definition = integration(gateway.ports) | {"code": code, "name": f"integration {HOSTILE}"}
    gateway.store(definition | {"query": {"hostile": HOSTILE}}, ENDPOINT)
    gateway.sign_in(code)
    return code


def require_harmless(visitor):
    """Require that no markup of a text became part of the page; the watch sees all else."""
    assert visitor.page.locator("img[src='x']").count() == 0
    assert visitor.page.locator("script:not([src])").count() == 0


def test_markup_in_definitions_is_shown_as_text(administrator, hostile):
    """Each page shows the text as it was stored, and nothing of it runs."""
    for name, (path, shown) in PAGES.items():
        if name == "unknown":
            administrator.watch.expect(404)
        administrator.open(path.format(code=hostile, hostile=HOSTILE.replace("/", "%2F")))
        administrator.see(*(f"{each} {HOSTILE}" for each in shown))
        require_harmless(administrator)


def test_markup_in_an_answer_of_the_service_is_shown_as_text(administrator, hostile):
    """Business Central repeats what it was asked for; so do headers, activity and snippets."""
    administrator.open(f"integrations/{hostile}/endpoints/GET_PICK/try")
    escaped = HOSTILE.replace('"', '\\"')
    administrator.fill(payload=f'{{"pickNo": "{escaped}"}}')
    administrator.page.get_by_role("checkbox").check()
    administrator.press("Run")
    result = administrator.page.get_by_role("article", name="Result")
    expect(result).to_contain_text("<img src=x onerror=alert(1)>")
    require_harmless(administrator)


def test_markup_in_an_error_of_the_provider_is_shown_as_text(administrator, gateway, hostile):
    """Neither the window of the sign-in nor the page that waits makes markup of it."""
    denial = {"error": "invalid_grant", "error_description": HOSTILE, "error_codes": [1]}
    with http_session() as session:
        control = f"{url(gateway.ports.entra)}/_control/settings"
        session.post(control, json={"deny": denial}, timeout=10).raise_for_status()
    administrator.open(f"integrations/{hostile}")
    with administrator.page.expect_popup() as popup:
        administrator.press("Sign in again, or as somebody else")
    administrator.watch.expect(400)
    popup.value.get_by_role("button", name="Sign in").click()
    expect(popup.value.get_by_text("What to do next:")).to_be_visible()
    assert popup.value.locator("img").count() == 0
    administrator.see("The last sign-in failed")
    require_harmless(administrator)
