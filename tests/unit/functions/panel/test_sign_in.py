"""A sign-in that begins in the panel, and the way back there."""

from __future__ import annotations

import pytest

from tests.scenes import CODE, ENTRA, parameters
from tests.unit.functions.test_sign_in import HTML

HOME = f"integrations/{CODE}"
AUTHORIZE = f"{HOME}/authorize"
WAY_BACK = f'href="/api/panel/{HOME}#authorization"'


@pytest.fixture
def panel(panel):
    """Return the panel of a gateway with an integration that nobody is signed in to."""
    panel.scene.integrate()
    return panel


def jar(answer) -> dict[str, str]:
    """Return the cookies that an answer sets."""
    pairs = (line.partition(";")[0] for line in answer.headers.getlist("Set-Cookie"))
    return {name: value for name, _, value in (pair.partition("=") for pair in pairs)}


def come_back(panel, started, *, error="", **changes):
    """Let the provider send the browser back; `changes` are cookies that it has beside its own."""
    state = parameters(started.headers["Location"])["state"]
    told = f"error={error}" if error else "code=the-code"
    cookies = "; ".join(f"{name}={value}" for name, value in (jar(started) | changes).items())
    return panel.visit(f"/api/callback?state={state}&{told}", HTML | {"Cookie": cookies})


def test_link_leads_to_the_provider(panel):
    """It sets two cookies, for this sign-in and this browser alone."""
    answer = panel.get(AUTHORIZE)

    (browser, _), (place, code) = jar(answer).items()
    assert answer.status_code == 302
    assert answer.headers["Location"].startswith(f"{ENTRA}/authorize?")
    assert (place, code) == (f"{browser}_panel", CODE)
    for line in answer.headers.getlist("Set-Cookie"):
        assert {"max-age=600", "path=/", "httponly", "samesite=lax"} <= set(
            line.lower().split("; ")
        )


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_no_other_site_begins_a_sign_in(panel, site):
    """Else it could have an administrator connect an account that they did not mean to."""
    panel.headers["Sec-Fetch-Site"] = site

    answer = panel.get(AUTHORIZE)

    assert answer.status_code == 403
    assert "cross_site_request" in answer.text
    assert not panel.scene.sign_ins.rows


def test_address_that_was_typed_begins_one(panel):
    """It comes from nobody else."""
    panel.headers["Sec-Fetch-Site"] = "none"

    assert panel.get(AUTHORIZE).status_code == 302


@pytest.mark.parametrize(
    ("error", "status"), [("", 200), ("access_denied", 400)], ids=["success", "refusal"]
)
def test_sign_in_leads_back_to_the_panel(panel, error, status):
    """Also where no script tells the panel's window, or there is none."""
    answer = come_back(panel, panel.get(AUTHORIZE), error=error)

    assert answer.status_code == status
    assert WAY_BACK in answer.text


def test_finished_sign_in_leaves_no_cookie(panel):
    """Both have done their work."""
    started = panel.get(AUTHORIZE)

    answer = come_back(panel, started)

    assert jar(answer) == dict.fromkeys(jar(started), "")


def test_sign_in_by_link_does_not_lead_to_the_panel(panel):
    """Whoever follows one need not be an administrator."""
    link = panel.scene.services.authorization.create_link(CODE)
    started = panel.visit(f"/api/signin/{link.token}", HTML)

    answer = come_back(panel, started)

    assert answer.status_code == 200
    assert "/api/panel" not in answer.text


@pytest.mark.parametrize("attack", ["//evil.example", '"><img src=x onerror=alert(1)>', "../x", ""])
def test_cookie_leads_nowhere_else(panel, attack):
    """It may hold anything, and only a code counts."""
    started = panel.get(AUTHORIZE)
    (name,) = (name for name in jar(started) if name.endswith("_panel"))

    answer = come_back(panel, started, **{name: attack})

    assert "<a " not in answer.text
    assert "alert(1)" not in answer.text
