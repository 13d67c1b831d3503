"""Every page of the control panel, looked at closely."""

import pytest

from dev.demo.warehouse_definitions import ENDPOINTS, integration

PAGES = {
    "list": "",
    "new integration": "integrations/new",
    "integration": "integrations/{shop}",
    "integration deletion": "integrations/{shop}/delete",
    "new endpoint": "integrations/{shop}/endpoints/new",
    "presets": "integrations/{shop}/endpoints/presets",
    "endpoint": "integrations/{shop}/endpoints/POST_WHSE_SHPT",
    "endpoint deletion": "integrations/{shop}/endpoints/POST_WHSE_SHPT/delete",
    "try it": "integrations/{shop}/endpoints/POST_WHSE_SHPT/try",
    "activity": "activity?integration={shop}",
    "audit": "audit?integration={shop}",
}


@pytest.fixture(scope="module")
def looked_at(gateway):
    """Return the code of an integration with endpoints and somebody signed in."""
    code = gateway.store(integration(gateway.ports) | {"code": "LOOKED_AT"}, *ENDPOINTS)
    gateway.sign_in(code)
    return code


@pytest.mark.parametrize("path", PAGES.values(), ids=PAGES)
def test_page_is_good_for_everybody(administrator, looked_at, path):
    """The browser complains of nothing; axe finds nothing grave; the page fits a phone."""
    administrator.open(path.format(shop=looked_at))
    administrator.look()
