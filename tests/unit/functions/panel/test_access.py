"""Who is let into the control panel: administrators alone, and what acts must come from its pages.

Every page is tried; a page that is added is tried as well.
"""

from __future__ import annotations

from datetime import UTC, datetime
from html import unescape

import pytest

from dev.host.easy_auth import EasyAuth
from dev.host.messages import Incoming
from functions.panel.rendering import HEADERS
from functions.panel.routes import ROUTES
from shared.domain.principals import ADMINISTRATOR_ROLE
from tests.fakes import json_answer
from tests.scenes import BC, CODE, LISTING
from tests.unit.domain.test_principals import header
from tests.unit.functions.panel.conftest import ADMINISTRATOR, Panel
from tests.unit.functions.test_every_answer import SECURITY_HEADERS

PRINCIPAL = "X-MS-CLIENT-PRINCIPAL"
PLACES = {route: route.path.format(integration=CODE, endpoint=LISTING) for route in ROUTES}
GETS = [place for route, place in PLACES.items() if route.get]
POSTS = [place for route, place in PLACES.items() if route.post]
PAGES = [*(("GET", place) for place in GETS), *(("POST", place) for place in POSTS)]
STRICT = HEADERS | {"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"}
XSS = '"><img src=x onerror=alert(1)><script>alert(1)</script>'

on_every_page = pytest.mark.parametrize(
    ("method", "place"), PAGES, ids=[f"{method} {place or 'list'}" for method, place in PAGES]
)


@pytest.fixture
def panel(panel):
    """Return the panel of a gateway with an integration, an endpoint, and a person signed in."""
    panel.scene.integrate()
    panel.scene.offer()
    panel.scene.sign_in()
    panel.scene.http.on(BC, json_answer({"value": []}))
    return panel


@pytest.fixture
def untouched(panel):
    """Require that the request reads and changes nothing, and calls nobody."""
    before = panel.scene.stored_calls(), len(panel.scene.http.sent)
    yield
    assert (panel.scene.stored_calls(), len(panel.scene.http.sent)) == before


def refused(answer, status, code):
    """Require a page that tells of the refusal, and carries the strict headers."""
    assert (answer.status_code, answer.mimetype) == (status, "text/html"), answer.text
    assert f"<code>{code}</code>" in answer.text
    assert "What to do next" in answer.text
    assert strict(answer) == STRICT


def strict(answer):
    """Return what an answer has of the strict headers."""
    return {name: answer.headers.get(name) for name in STRICT}


@on_every_page
@pytest.mark.usefixtures("untouched")
def test_nobody_is_asked_to_sign_in(panel, method, place):
    """Each page, and each form, is for people who have signed in."""
    del panel.headers[PRINCIPAL]

    answer = panel.send(method, place, panel.headers)

    refused(answer, 401, "not_signed_in")
    way_back = f"/api/panel/{place}" if place else "/api/panel"
    assert f'href="/.auth/login/aad?post_login_redirect_uri={way_back}"' in answer.text


@on_every_page
@pytest.mark.usefixtures("untouched")
def test_person_without_the_role_is_refused(panel, method, place):
    """To have an account is not enough; another one may do."""
    panel.headers[PRINCIPAL] = header(("preferred_username", ADMINISTRATOR))

    answer = panel.send(method, place, panel.headers)

    refused(answer, 403, "administrator_required")
    assert 'href="/.auth/logout?post_logout_redirect_uri=/api/panel"' in answer.text


@on_every_page
def test_principal_does_not_count_where_nobody_vouches_for_it(monkeypatch, method, place):
    """While App Service Authentication is off, whoever sends the request sets the header."""
    panel = Panel(monkeypatch, easy_auth="")

    answer = panel.send(method, place, panel.headers)

    refused(answer, 403, "administrator_required")
    assert "Switch App Service Authentication on" in answer.text
    assert panel.scene.stored_calls() == 0


@pytest.mark.parametrize("state", ["False", "0", "1", "disabled"])
def test_authentication_is_off_unless_it_is_said_to_be_on(monkeypatch, state):
    """As the platform itself reads the setting."""
    refused(Panel(monkeypatch, easy_auth=state).get(), 403, "administrator_required")


@pytest.mark.usefixtures("untouched")
@pytest.mark.parametrize(
    "principal",
    [
        header(("roles", "Warehouse.Post")),
        header(("roles", ADMINISTRATOR_ROLE.lower())),
        header(("roles", f"{ADMINISTRATOR_ROLE} ")),
        header(("roles", f"x,{ADMINISTRATOR_ROLE}")),
        header(("role", ADMINISTRATOR_ROLE)),
        header(("groups", ADMINISTRATOR_ROLE)),
        header(("name", ADMINISTRATOR_ROLE)),
        header(("roles", ADMINISTRATOR_ROLE), auth_typ="google"),
        header(("roles", ADMINISTRATOR_ROLE))[:-2],
        "",
        ADMINISTRATOR_ROLE,
    ],
    ids=[
        "another-role", "lower-case", "with-space", "joined", "another-claim", "group", "name",
        "another-provider", "cut", "empty", "no-base64",
    ],
)  # fmt: skip
def test_what_only_resembles_the_role_opens_nothing(panel, principal):
    """What is not understood is not permitted."""
    panel.headers[PRINCIPAL] = principal

    refused(panel.get(), 403, "administrator_required")


@pytest.mark.usefixtures("untouched")
def test_platform_removes_a_principal_that_was_brought_along(panel):
    """While App Service Authentication is on, as its stand-in shows: nobody is signed in."""
    platform = EasyAuth(b"key", now=lambda: datetime.now(UTC))
    spoofed = {name.lower(): value for name, value in panel.headers.items()}
    brought = Incoming(method="GET", path="/api/panel", query="", headers=spoofed, body=b"")

    answer = panel.send("GET", "", platform.identify(brought).headers)

    refused(answer, 401, "not_signed_in")


@pytest.mark.usefixtures("untouched")
@pytest.mark.parametrize("place", POSTS)
@pytest.mark.parametrize(
    "proof",
    [
        {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"},
        {"Sec-Fetch-Site": "same-site", "Origin": "https://other.gateway.example"},
        {"Origin": "null"},
        {},
    ],
    ids=["cross-site", "same-site", "opaque", "no-header"],
)
def test_form_of_another_site_does_nothing(panel, place, proof):
    """The administrator's session goes along with it, and does not help."""
    del panel.headers["Sec-Fetch-Site"]

    answer = panel.send("POST", place, panel.headers | proof)

    refused(answer, 403, "cross_site_request")


@on_every_page
def test_page_carries_the_strict_headers(panel, method, place):
    """Whether it shows something, sends the browser on, or has to tell what is wrong."""
    answer = panel.send(method, place, panel.headers)

    assert answer.status_code in {200, 302, 303, 412, 422}, answer.text
    if answer.status_code == 302:  # to the provider's page, with the headers of the API
        assert {name: answer.headers.get(name) for name in SECURITY_HEADERS} == SECURITY_HEADERS
    else:
        assert strict(answer) == STRICT


@pytest.mark.usefixtures("untouched")
@pytest.mark.parametrize(
    ("method", "place", "allowed"),
    [("GET", place, "POST") for place in sorted(set(POSTS) - set(GETS))]
    + [("POST", place, "GET") for place in sorted(set(GETS) - set(POSTS))],
)
def test_method_that_a_page_does_not_know_is_refused(panel, method, place, allowed):
    """With the one that it knows."""
    answer = panel.send(method, place, panel.headers)

    refused(answer, 405, "method_not_allowed")
    assert answer.headers["Allow"] == allowed


@pytest.mark.usefixtures("untouched")
@pytest.mark.parametrize(
    "place",
    ["nothing", "integrations", "Activity", "integrations/A/B", "integrations/%zz/x/%00", XSS],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_unknown_page_leads_back_to_the_integrations(panel, method, place):
    """The address is not repeated: it could be anything."""
    answer = panel.send(method, place, panel.headers)

    refused(answer, 404, "page_not_found")
    assert 'href="/api/panel"' in answer.text
    assert XSS not in unescape(answer.text)


@pytest.mark.usefixtures("untouched")
def test_nobody_learns_which_pages_there_are(panel):
    """Whoever is not signed in gets the same answer everywhere."""
    del panel.headers[PRINCIPAL]

    refused(panel.get("nothing"), 401, "not_signed_in")


@pytest.mark.parametrize(
    "place",
    [
        "integrations/NOBODY",
        f"integrations/{CODE}/endpoints/NOTHING",
        "integrations/%zz",
        f"integrations/{XSS.replace('/', '')}",
        "integrations/%2e%2e",
    ],
)
def test_page_of_what_is_not_there_tells_so(panel, place):
    """A code that is none is one that nothing has."""
    answer = panel.get(place)

    assert answer.status_code == 404
    assert "<img src=x" not in answer.text
    assert strict(answer) == STRICT


def test_part_of_a_page_is_refused_by_a_part(panel):
    """It takes the place of what htmx asked for."""
    del panel.headers[PRINCIPAL]

    answer = panel.send(
        "GET", f"integrations/{CODE}/health", panel.headers | {"HX-Request": "true"}
    )

    assert answer.status_code == 401
    assert answer.text.startswith('<div class="notice bad" role="alert">')
    assert strict(answer) == STRICT


def test_unexpected_failure_is_a_page_without_details(panel, caplog):
    """The log has them, under the request id that the page shows."""
    panel.scene.integrations.fail("get", error=RuntimeError("went wrong"))

    answer = panel.get(f"integrations/{CODE}")

    refused(answer, 424, "internal_error")
    assert "went wrong" not in answer.text
    assert answer.headers["X-Gateway-Request-Id"] in caplog.text


def test_name_of_the_administrator_is_shown_as_text(panel):
    """Whoever may choose a name may choose markup."""
    panel.headers[PRINCIPAL] = header(("roles", ADMINISTRATOR_ROLE), ("name", XSS))

    answer = panel.get()

    assert XSS not in answer.text
    assert XSS in unescape(answer.text)


def test_administrator_without_a_name_is_let_in(panel):
    """The role decides, and the audit says that it was an administrator."""
    panel.headers[PRINCIPAL] = header(("roles", ADMINISTRATOR_ROLE))

    answer = panel.get()

    assert answer.status_code == 200
    assert "an administrator" in answer.text
