"""Where an administrator can consent to the app's permissions."""

from __future__ import annotations

import pytest

from shared.domain.oauth import admin_consent_url
from tests.builders import CLIENT_ID, TENANT_ID, make_integration
from tests.scenes import CALLBACK, parameters

OTHER = "https://idp.example.com"
SIMULATOR = "http://127.0.0.1:7091"


def elsewhere(root: str, tenant: str) -> dict[str, str]:
    """Return the URLs of an integration whose Entra is not the default one."""
    oauth = f"{root}/{tenant}/oauth2/v2.0"
    return {"authorize_url": f"{oauth}/authorize", "token_url": f"{oauth}/token"}


def test_link_has_microsoft_s_form():
    """learn.microsoft.com/entra/identity-platform/v2-admin-consent; .default means all of them."""
    url = admin_consent_url(make_integration(), CALLBACK)

    assert url is not None
    root = f"https://login.microsoftonline.com/{TENANT_ID}/v2.0/adminconsent"
    assert url.partition("?")[0] == root
    assert parameters(url) == {
        "client_id": CLIENT_ID,
        "scope": "https://api.businesscentral.dynamics.com/.default openid profile offline_access",
        "redirect_uri": CALLBACK,
    }


@pytest.mark.parametrize(
    ("changes", "root"),
    [
        (elsewhere(SIMULATOR, "t"), f"{SIMULATOR}/{TENANT_ID}"),
        (elsewhere(SIMULATOR, "t") | {"tenant_id": ""}, f"{SIMULATOR}/t"),
        (elsewhere(SIMULATOR, "common") | {"tenant_id": ""}, f"{SIMULATOR}/organizations"),
        ({"grant_type": "client_credentials"}, f"https://login.microsoftonline.com/{TENANT_ID}"),
        (
            elsewhere("https://login.microsoftonline.us", "t"),
            f"https://login.microsoftonline.us/{TENANT_ID}",
        ),
    ],
    ids=["simulator", "tenant-in-url", "common", "app", "national-cloud"],
)
def test_link_follows_the_definition(changes, root):
    """It leads to the Entra that the integration signs in at."""
    url = admin_consent_url(make_integration(**changes), CALLBACK)

    assert url is not None
    assert url.startswith(f"{root}/v2.0/adminconsent?")


@pytest.mark.parametrize(
    "changes",
    [
        {"authorize_url": f"{OTHER}/authorize", "token_url": f"{OTHER}/token"},
        {"token_url": f"{OTHER}/token"},
        elsewhere("https://x.b2clogin.com", "x.onmicrosoft.com/a-policy"),
        {"tenant_id": ""},
    ],
    ids=["other-provider", "other-token-endpoint", "b2c", "no-tenant"],
)
def test_other_providers_have_no_such_page(changes):
    """Only Entra has it."""
    assert admin_consent_url(make_integration(**changes), CALLBACK) is None
