"""The section Authorization: who is signed in, and how a sign-in begins, fails and ends."""

from __future__ import annotations

import logging
import re

import pytest

from shared.services.authorization import ProviderAnswer
from tests.builders import CLIENT_ID, TENANT_ID
from tests.fakes import json_answer
from tests.scenes import (
    CLIENT_SECRET,
    CODE,
    PERSON,
    UNCONDITIONAL,
    claims,
    cookies,
    failure,
    refusal,
)
from tests.support import PUBLIC_URL
from tests.unit.functions.panel.conftest import ADMINISTRATOR
from tests.unit.functions.test_sign_in import REVOCATION_URL
from tests.unit.services.authorization.steps import begin, stored_text

HOME = f"integrations/{CODE}"
HEALTH = f"{HOME}/health"
ATTACKS = ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>']
POLLS = 'hx-trigger="every'
NEWS = 'hx-swap-oob="innerHTML"'
APP = {
    "grant_type": "client_credentials",
    "tenant_id": TENANT_ID,
    "client_id": CLIENT_ID,
    "environment": "Production",
    "client_secret": CLIENT_SECRET,
}


@pytest.fixture
def panel(panel):
    """Return the panel of a gateway with an integration that nobody is signed in to."""
    panel.scene.integrate()
    return panel


@pytest.fixture
def signed_in(panel):
    """Return the panel of a gateway to which a person is signed in."""
    panel.scene.sign_in()
    return panel


@pytest.fixture
def app(panel):
    """Return the panel of a gateway whose app signs in by itself."""
    panel.scene.services.integrations.put(CODE, APP, UNCONDITIONAL)
    return panel


def seen(answer) -> str:
    """Return the mark of what a page shows."""
    return re.search(r'name="seen" value="([0-9a-f]{16})"', answer.text)[1]


def decline(panel, **changes):
    """Let a person come back from the provider's page without having agreed."""
    started, asked = begin(panel.scene)
    told = {"error": "access_denied", "error_description": ""} | changes
    answer = ProviderAnswer(unverified_state=asked["state"], code="", **told)
    failure(lambda: panel.scene.services.authorization.finish(answer, cookies(started)))


def test_nobody_is_signed_in(panel):
    """The page says so and what to do, and looks by itself whether somebody is."""
    page = panel.get(HEALTH).text

    assert "Not signed in" in page
    assert "Nobody is signed in." in page
    assert f'href="/api/panel/{HOME}/authorize" data-popup' in page
    assert POLLS in page
    assert "Deauthorize" not in page


def test_somebody_is_signed_in(signed_in):
    """Who it is, how old the token is, when it is renewed; and nothing is polled any more."""
    signed_in.scene.clock.advance(minutes=10)

    page = signed_in.get(HEALTH).text

    assert f"<strong>{PERSON}</strong>" in page
    assert "10 min old, valid for another 50 min" in page
    assert "2026-03-02 08:45 UTC" in page, "the next renewal"
    assert f'action="/api/panel/{HOME}/deauthorize"' in page
    assert POLLS not in page


@pytest.mark.parametrize(
    ("reply", "words", "told"),
    [
        (refusal("invalid_grant", 50173), "Sign-in needed", "AADSTS50173"),
        (refusal("invalid_client", 7000215, status=401), "Needs a correction", "AADSTS7000215"),
        (json_answer({}, status=503), "Signed in", "No valid token is left."),
    ],
    ids=["ended", "wrong-secret", "down"],
)
def test_failed_renewal_is_told_with_what_to_do(signed_in, reply, words, told):
    """In words and with the provider's number, and counted."""
    signed_in.scene.clock.advance(minutes=120)
    signed_in.scene.provider.instead = reply
    failure(signed_in.scene.token)

    page = signed_in.get(HEALTH).text

    assert words in page
    assert told in page
    assert "1 in a row" in page


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"client_secret_expires_on": "2026-03-05"}, "expires on 2026-03-05"),
        ({"client_secret": None}, "Enter the client secret under Integration information."),
    ],
    ids=["expires", "missing"],
)
def test_credential_is_told_early(signed_in, changes, told):
    """With what to do about it in the words of the panel, which names no field of the API."""
    signed_in.scene.services.integrations.patch(CODE, changes, UNCONDITIONAL)

    page = signed_in.get(HEALTH).text

    assert told in page
    assert "PATCH" not in page


def test_app_that_signs_in_by_itself_needs_nobody(app):
    """It is connected by a plain link; there is nobody to send a link to, or to wait for."""
    before = app.get(HEALTH).text
    connected = app.get(f"{HOME}/authorize")
    after = app.get(HEALTH).text

    assert "Not connected" in before
    assert "data-popup" not in before
    assert POLLS not in before
    assert connected.status_code == 303
    assert connected.headers["Location"] == f"/api/panel/{HOME}?done=connected"
    assert "Connected" in after
    assert "no person is needed" in after


def test_app_that_cannot_be_connected_learns_why(app):
    """On a page at once, and in the section until it is corrected."""
    app.scene.provider.instead = refusal("invalid_client", 7000215, status=401)

    answer = app.get(f"{HOME}/authorize")

    assert answer.status_code == 424
    assert "AADSTS7000215" in answer.text
    assert "AADSTS7000215" in app.get(HEALTH).text


def test_failed_sign_in_is_told_where_somebody_waits_for_it(panel):
    """Why it failed, what to do next, and where an administrator could consent."""
    decline(panel)

    page = panel.get(HEALTH).text

    assert "The last sign-in failed" in page
    assert "Sign in again and accept the permissions." in page
    assert "/adminconsent?" in page
    assert POLLS in page


def test_nothing_new_is_not_shown_again(panel):
    """Whoever polls gets a page only once there is something to look at; so focus stays."""
    mark = seen(panel.get(HEALTH))
    unchanged = panel.get(f"{HEALTH}?seen={mark}")
    decline(panel)
    failed = panel.get(f"{HEALTH}?seen={mark}")
    panel.scene.clock.advance(minutes=1)
    panel.scene.sign_in()
    done = panel.get(f"{HEALTH}?seen={seen(failed)}")

    assert (unchanged.status_code, unchanged.text) == (204, "")
    assert (failed.status_code, done.status_code) == (200, 200)
    assert panel.get(f"{HEALTH}?seen={seen(done)}").status_code == 204


def test_another_sign_in_of_the_same_person_is_news(signed_in):
    """They want to know that it has worked."""
    mark = seen(signed_in.get(HEALTH))
    signed_in.scene.clock.advance(minutes=1)

    signed_in.scene.sign_in()

    assert signed_in.get(f"{HEALTH}?seen={mark}").status_code == 200


@pytest.mark.parametrize(
    ("act", "announced"),
    [
        (decline, "The sign-in failed."),
        (lambda panel: panel.scene.sign_in(), f"Business Central is connected as {PERSON}."),
        (lambda _panel: None, "The status of the sign-in has changed: not signed in."),
    ],
    ids=["failed", "signed-in", "other"],
)
def test_news_are_announced(panel, act, announced):
    """In the page's live region, for those who do not see the rest change."""
    act(panel)
    panel.headers["HX-Request"] = "true"

    assert announced in panel.get(HEALTH).text.partition(NEWS)[2]


def test_page_itself_announces_nothing(signed_in):
    """What it says was there from the start."""
    assert NEWS not in signed_in.get(HEALTH).text


@pytest.mark.parametrize("attack", ATTACKS)
def test_words_of_others_are_text(panel, attack):
    """The name of the integration, and what the provider says of the person."""
    panel.scene.services.integrations.patch(CODE, {"name": attack}, UNCONDITIONAL)
    panel.scene.provider.changes = {"id_token": claims(preferred_username=attack)}
    panel.scene.sign_in()
    panel.headers["HX-Request"] = "true"

    page = panel.get(HEALTH).text + panel.post(f"{HOME}/signin-link").text

    assert attack not in page
    assert "alert(1)" in page


@pytest.mark.parametrize("attack", ATTACKS)
def test_words_of_the_provider_are_not_repeated(panel, attack):
    """An error's free text might hold anything."""
    decline(panel, error=attack, error_description=attack)

    assert "alert(1)" not in panel.get(HEALTH).text


def test_no_page_holds_a_secret(signed_in):
    """Neither the client's secret nor a token."""
    pages = [signed_in.get(HEALTH), signed_in.post(f"{HOME}/signin-link")]

    for secret in (CLIENT_SECRET, "access-1", "refresh-1"):
        assert not [page for page in pages if secret in page.text]


@pytest.mark.parametrize(
    ("status", "done"), [(200, "revoked"), (500, "deauthorized")], ids=["revoked", "not revoked"]
)
def test_deauthorizing_says_whether_the_tokens_are_revoked(panel, status, done):
    """The tokens are gone in any case, and a page that is loaded again repeats nothing."""
    changes = {"revocation_url": REVOCATION_URL, "client_secret": CLIENT_SECRET}
    panel.scene.services.integrations.patch(CODE, changes, UNCONDITIONAL)
    panel.scene.http.on(REVOCATION_URL, json_answer({}, status=status))
    panel.scene.sign_in()

    answer = panel.post(f"{HOME}/deauthorize")

    assert answer.status_code == 303
    assert answer.headers["Location"] == f"/api/panel/{HOME}?done={done}"
    assert "An administrator has ended the sign-in" in panel.get(HEALTH).text
    assert failure(panel.scene.token).kind.code == "sign_in_required"


def test_sign_in_link_is_shown_once_and_works(panel, caplog):
    """It is kept nowhere, and told nobody else."""
    caplog.set_level(logging.DEBUG)

    page = panel.post(f"{HOME}/signin-link").text

    links = re.findall(rf"{PUBLIC_URL}/api/signin/([\w-]+)", page)
    assert len(links) == 2, "to be copied, and in the text of the mail"
    assert len(set(links)) == 1
    assert "until 2026-03-03 08:00 UTC" in page
    assert links[0] not in caplog.text + stored_text(panel.scene)
    assert panel.scene.services.authorization.follow_link(links[0]) is not None


def test_audit_names_the_administrator(signed_in):
    """Who began a sign-in, made a link, or ended what was there."""
    signed_in.get(f"{HOME}/authorize")
    signed_in.post(f"{HOME}/signin-link")
    signed_in.post(f"{HOME}/deauthorize")

    entries = signed_in.scene.audit.rows.values()
    done = sorted(entry.action for entry in entries if entry.by == ADMINISTRATOR)
    assert done == ["deauthorized", "sign_in_link_created", "sign_in_started"]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("get", HEALTH),
        ("get", f"{HOME}/authorize"),
        ("get", f"{HOME}/companies"),
        ("post", f"{HOME}/deauthorize"),
        ("post", f"{HOME}/signin-link"),
    ],
)
def test_unknown_integration_is_told(panel, method, path):
    """With a page that leads on."""
    answer = getattr(panel, method)(path.replace(CODE, "NOBODY"))

    assert answer.status_code == 404
    assert "There is no integration NOBODY." in answer.text
