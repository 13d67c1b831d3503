"""Signing in over HTTP: the redirect, its cookie, the way back, and the links that start it."""

from __future__ import annotations

from datetime import datetime, timedelta
from urllib.parse import urlsplit

import pytest
from werkzeug.http import parse_cookie

from tests.fakes import json_answer
from tests.fakes.machine import START
from tests.scenes import CODE, ENTRA, PERSON, TOKEN_URL, parameters
from tests.support import PUBLIC_URL, make_settings
from tests.unit.functions.test_every_answer import INTEGRATION, Gateway

AUTHORIZE = f"/api/authorize/{CODE}"
JSON = {"Accept": "application/json"}
HTML = {"Accept": "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8"}
REVOCATION_URL = "https://login.microsoftonline.com/revoke"


@pytest.fixture
def gateway(monkeypatch):
    """Return a gateway with an integration that nobody is signed in to."""
    gateway = Gateway(monkeypatch)
    gateway.scene.integrate()
    return gateway


def cookie_attributes(answer):
    """Return the one cookie of an answer: its name and value, and its attributes."""
    (line,) = answer.headers.getlist("Set-Cookie")
    pair, *attributes = line.split("; ")
    pairs = (attribute.partition("=") for attribute in attributes)
    return pair.partition("=")[::2], {name.lower(): value for name, _, value in pairs}


def way_back(answer, **changes):
    """Return where the provider sends the browser that `answer` sent to it, and its cookie."""
    asked = parameters(answer.headers["Location"])
    given = {"state": asked["state"], "code": "the-code"} | changes
    query = "&".join(f"{name}={value}" for name, value in given.items())
    (name, value), _ = cookie_attributes(answer)
    return f"/api/callback?{query}", {"Cookie": f"{name}={value}"}


def test_browser_is_sent_to_the_provider(gateway):
    """With all that the provider needs, and with nothing that only the browser may know."""
    answer = gateway.call("GET", f"{AUTHORIZE}?code=a-function-key", headers=HTML)

    location = answer.headers["Location"]
    (_, secret), _ = cookie_attributes(answer)
    asked = parameters(location)
    assert (answer.status_code, answer.headers["Referrer-Policy"]) == (302, "no-referrer")
    assert location.startswith(f"{ENTRA}/authorize?")
    assert asked["redirect_uri"] == f"{PUBLIC_URL}/api/callback"
    assert asked["code_challenge_method"] == "S256"
    assert secret not in location
    assert "a-function-key" not in location


def test_cookie_is_for_this_browser_and_this_sign_in_alone(gateway):
    """Out of reach of scripts and other sites, and gone with the sign-in's ten minutes."""
    answer = gateway.call("GET", AUTHORIZE)

    (name, value), attributes = cookie_attributes(answer)
    assert attributes == {
        "domain": "gateway.example",
        "path": "/",
        "max-age": "600",
        "secure": "",
        "httponly": "",
        "samesite": "lax",
    }
    assert name.startswith("gateway_signin_")
    assert len(value) >= 43


@pytest.mark.parametrize(
    ("public_url", "domain", "is_secure"),
    [
        ("https://gateway.example", "gateway.example", True),
        ("https://Gateway.example:8443/", "gateway.example", True),
        ("http://192.0.2.1:7071", "192.0.2.1", False),
    ],
)
def test_cookie_fits_the_public_address(monkeypatch, public_url, domain, is_secure):
    """Over plain http a browser would not keep a secure cookie."""
    gateway = Gateway(monkeypatch, settings=make_settings(PUBLIC_URL=public_url))
    gateway.scene.integrate()

    _, attributes = cookie_attributes(gateway.call("GET", AUTHORIZE))

    assert (attributes["domain"], "secure" in attributes) == (domain, is_secure)


def test_script_gets_the_address_instead_of_a_redirect(gateway):
    """A script with one cookie jar walks the same way."""
    answer = gateway.call("GET", AUTHORIZE, headers=JSON)

    assert (answer.status_code, set(answer.json)) == (200, {"authorization_url"})
    assert answer.json["authorization_url"].startswith(f"{ENTRA}/authorize?")
    assert cookie_attributes(answer)[1]["httponly"] == ""


@pytest.mark.parametrize("accept", [HTML, {}], ids=["browser", "no Accept"])
def test_finished_sign_in_is_shown_as_a_page(gateway, accept):
    """The page says who is signed in to what, and the cookie is cleared."""
    started = gateway.call("GET", AUTHORIZE)
    address, cookie = way_back(started)

    answer = gateway.call("GET", address, headers=cookie | accept)

    assert (answer.status_code, answer.mimetype) == (200, "text/html")
    assert f"Business Central is connected as {PERSON}." in answer.text
    (name, value), attributes = cookie_attributes(answer)
    assert (name, value) == (cookie_attributes(started)[0][0], "")
    assert (attributes["max-age"], attributes["path"]) == ("0", "/")
    assert attributes["domain"] == cookie_attributes(started)[1]["domain"]


def test_finished_sign_in_is_told_to_a_script(gateway):
    """With JSON in, JSON comes out, and the integration is ready."""
    address, cookie = way_back(gateway.call("GET", AUTHORIZE))

    answer = gateway.call("GET", address, headers=cookie | JSON)

    told = {"integration": CODE, "status": "authorized", "signed_in_as": PERSON}
    shown = gateway.manage("GET", INTEGRATION)
    assert (answer.status_code, answer.json) == (200, told)
    assert (shown["status"], shown["is_valid_auth"]) == ("authorized", True)
    assert shown["signed_in_as"] == PERSON


def test_sign_in_ends_once(gateway):
    """Whoever has seen the address of the way back gets nothing by it."""
    address, cookie = way_back(gateway.call("GET", AUTHORIZE))
    gateway.call("GET", address, headers=cookie)

    again = gateway.call("GET", address, headers=cookie)

    assert (again.status_code, again.json["code"]) == (400, "sign_in_expired")
    assert gateway.scene.provider.calls == 1


@pytest.mark.parametrize("theirs", ["", "other", "gateway_signin_=x", "a=b; =; ;;x"])
def test_sign_in_ends_only_in_its_browser(gateway, theirs):
    """A state without its cookie is worth nothing, and spoils nothing."""
    address, cookie = way_back(gateway.call("GET", AUTHORIZE))

    elsewhere = gateway.call("GET", address, headers={"Cookie": theirs})

    assert (elsewhere.status_code, elsewhere.json["code"]) == (400, "sign_in_expired")
    assert gateway.scene.provider.calls == 0
    assert gateway.call("GET", address, headers=cookie).status_code == 200


def test_cookies_of_others_do_no_harm(gateway):
    """A browser sends whatever else the domain has stored."""
    address, cookie = way_back(gateway.call("GET", AUTHORIZE))
    crowded = f'broken; a="b; =c; {cookie["Cookie"]}; ARRAffinity=1; [x]=y'

    assert gateway.call("GET", address, headers={"Cookie": crowded}).status_code == 200


def test_two_sign_ins_run_side_by_side(gateway):
    """Each state has a cookie of its own, so that the second does not end the first."""
    ways = [way_back(gateway.call("GET", AUTHORIZE)) for _ in range(2)]
    jar = {"Cookie": "; ".join(cookie["Cookie"] for _, cookie in ways)}

    statuses = [gateway.call("GET", address, headers=jar).status_code for address, _ in ways]

    assert len(parse_cookie(jar["Cookie"])) == 2
    assert statuses == [200, 200]


@pytest.mark.parametrize(
    ("accept", "mimetype"),
    [
        (HTML, "text/html"),
        ({"Accept": "TEXT/HTML"}, "text/html"),
        (JSON, "application/problem+json"),
        ({"Accept": "text/html, application/json"}, "application/problem+json"),
        ({"Accept": "*/*"}, "application/problem+json"),
        ({}, "application/problem+json"),
    ],
)
@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("/api/authorize/NOBODY", 404),
        ("/api/signin/unknown", 400),
        ("/api/callback?state=unknown&code=x", 400),
    ],
)
def test_error_has_the_form_that_was_asked_for(gateway, address, status, accept, mimetype):
    """A person reads a page, a script a problem document, with one and the same status."""
    answer = gateway.call("GET", address, headers=accept)

    assert (answer.status_code, answer.mimetype) == (status, mimetype)


def test_refusal_of_the_provider_is_explained(gateway):
    """Entra's number is told in plain words, with what to do next."""
    address, cookie = way_back(
        gateway.call("GET", AUTHORIZE),
        code="",
        error="access_denied",
        error_description="AADSTS65004: User+declined+to+consent.",
    )

    answer = gateway.call("GET", address, headers=cookie | HTML)

    assert (answer.status_code, answer.headers["X-Gateway-Source"]) == (400, "identity")
    assert "Consent was declined. (AADSTS65004)" in answer.text
    assert "Sign in again and accept the permissions." in answer.text


def test_link_starts_one_sign_in_without_a_key(gateway):
    """The person who owns the account opens it within a day, once."""
    made = gateway.call("POST", f"{INTEGRATION}/signin-link")

    link = made.json["url"]
    assert made.status_code == 201
    assert link.startswith(f"{PUBLIC_URL}/api/signin/")
    assert datetime.fromisoformat(made.json["expires_on"]) == START + timedelta(days=1)
    started = gateway.call("GET", link)
    address, cookie = way_back(started)
    assert (started.status_code, urlsplit(link).query) == (302, "")
    assert gateway.call("GET", link).json["code"] == "sign_in_expired"
    assert gateway.call("GET", address, headers=cookie).status_code == 200


def test_integration_without_a_person_is_connected_at_once(gateway):
    """Client credentials need no browser: the token is there, or an error says why not."""
    gateway.scene.integrate(code="ROBOT", grant_type="client_credentials")

    page = gateway.call("GET", "/api/authorize/ROBOT", headers=HTML)
    told = gateway.call("GET", "/api/authorize/ROBOT", headers=JSON)

    assert (page.status_code, page.mimetype) == (200, "text/html")
    assert "nobody needs to sign in" in page.text
    assert told.json == {"authorization_url": None, "status": "authorized"}
    assert "Set-Cookie" not in page.headers
    assert gateway.manage("GET", "/api/integrations/ROBOT")["status"] == "authorized"


@pytest.mark.parametrize(
    ("changes", "status", "is_revoked"),
    [({}, 200, False), ({"revocation_url": REVOCATION_URL}, 200, True),
     ({"revocation_url": REVOCATION_URL}, 500, False)],
    ids=["no way to revoke", "revoked", "provider fails"],
)  # fmt: skip
def test_deauthorize_tells_whether_the_tokens_are_revoked(gateway, changes, status, is_revoked):
    """The tokens are forgotten in any case."""
    gateway.scene.integrate(code="OTHER", **changes)
    gateway.scene.http.on(REVOCATION_URL, json_answer({}, status=status))
    gateway.scene.http.script(TOKEN_URL, gateway.scene.provider)
    gateway.scene.sign_in("OTHER")

    answer = gateway.call("POST", "/api/deauthorize/OTHER")

    assert (answer.status_code, answer.json["revoked"]) == (200, is_revoked)
    assert gateway.manage("GET", "/api/integrations/OTHER")["status"] == "not_authorized"
    assert gateway.scene.kept_tokens("OTHER") is None
