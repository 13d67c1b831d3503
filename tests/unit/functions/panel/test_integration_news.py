"""What the page of an integration keeps up to date by itself."""

from __future__ import annotations

import pytest

from tests.scenes import CODE

HOME = f"integrations/{CODE}"


@pytest.fixture
def stored(panel):
    """Return the panel of a gateway with an integration that nobody is signed in to."""
    panel.scene.integrate()
    return panel


def test_news_of_the_sign_in_renew_heading_and_companies(stored):
    """Somebody signed in while the page was open: what rests on it comes again."""
    page = stored.get(HOME).text
    health = stored.get(f"{HOME}/health")

    assert page.count("health from:body") == 2
    assert health.headers["HX-Trigger"] == "health"


def test_nothing_new_renews_nothing(stored):
    """The page looks every few seconds, and is left alone as long as all is as it was."""
    mark = stored.get(f"{HOME}/health").text.split('name="seen" value="')[1][:16]

    unchanged = stored.get(f"{HOME}/health?seen={mark}")

    assert unchanged.status_code == 204
    assert "HX-Trigger" not in unchanged.headers
