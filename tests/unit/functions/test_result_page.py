"""The page that ends a sign-in: what others wrote stands there as text, and it loads its own."""

from __future__ import annotations

from html.parser import HTMLParser
from urllib.parse import quote

import pytest

from tests.fakes import json_answer
from tests.scenes import CODE, TOKEN_URL, claims
from tests.unit.functions.test_every_answer import SECURITY_HEADERS, Gateway
from tests.unit.functions.test_sign_in import AUTHORIZE, HTML, way_back

ATTACKS = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "</title></p><svg/onload=alert(1)>",
    "<!-- <iframe src=javascript:alert(1)>",
    "{{ 7 * 7 }}{% if 1 %}",
    "&lt;b&gt;",
]
TAGS = {"html", "head", "meta", "title", "link", "script", "body", "main", "p", "h1", "strong", "a"}


class Page(HTMLParser):
    """A page as a browser reads it: its elements with their attributes, and its text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element."""
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        """Note what is shown."""
        self.text += data


@pytest.fixture
def gateway(monkeypatch):
    """Return a gateway with an integration that nobody is signed in to."""
    gateway = Gateway(monkeypatch)
    gateway.scene.integrate()
    return gateway


def page_of(answer):
    """Return an answer's page, which must hold nothing but what its template has."""
    assert answer.mimetype == "text/html"
    assert answer.mimetype_params == {"charset": "utf-8"}
    page = Page(answer.text)
    assert {tag for tag, _ in page.elements} <= TAGS
    links = [str(attributes["href"]) for tag, attributes in page.elements if tag == "a"]
    assert all(link.startswith("https://login.microsoftonline.com/") for link in links)
    names = {name for _, attributes in page.elements for name in attributes}
    assert not [name for name in names if name.startswith("on") or name in {"style", "srcdoc"}]
    return page


def signed_in_page(gateway, **changes):
    """Return the page of a sign-in to an integration with these changes."""
    if changes:
        gateway.manage("PATCH", f"/api/integrations/{CODE}", changes)
    address, cookie = way_back(gateway.call("GET", AUTHORIZE))
    return gateway.call("GET", address, headers=cookie | HTML)


def refused_page(gateway, **changes):
    """Return the page of a sign-in that the provider ended with these parameters."""
    quoted = {name: quote(value) for name, value in changes.items()}
    address, cookie = way_back(gateway.call("GET", AUTHORIZE), code="", **quoted)
    return gateway.call("GET", address, headers=cookie | HTML)


@pytest.mark.parametrize("attack", ATTACKS)
def test_name_of_the_integration_is_text(gateway, attack):
    """Whoever names integrations cannot write pages."""
    page = page_of(signed_in_page(gateway, name=attack))

    assert f"{attack} is connected" in page.text


@pytest.mark.parametrize("attack", ATTACKS)
def test_name_of_the_person_is_text(gateway, attack):
    """Nor can the provider, whose id_token names the person."""
    gateway.scene.provider.changes = {"id_token": claims(preferred_username=attack)}

    page = page_of(signed_in_page(gateway))

    assert f"as {attack}." in page.text


@pytest.mark.parametrize("attack", ATTACKS)
@pytest.mark.parametrize("name", ["error", "error_description"])
def test_words_of_the_provider_are_not_repeated(gateway, attack, name):
    """An error's free text might hold anything; the page says in its own words what happened."""
    told = {"error": "access_denied"} | {name: attack}

    page = page_of(refused_page(gateway, **told))

    assert attack not in page.text
    assert "The sign-in was not completed" in page.text


@pytest.mark.parametrize("attack", ATTACKS)
@pytest.mark.parametrize("error", [None, "invalid_grant"], ids=["as code", "beside a code"])
def test_words_of_the_token_endpoint_are_not_repeated(gateway, attack, error):
    """The same holds for what the token endpoint answers; no such code is taken for a refusal."""
    body = {"error": error or attack, "error_description": attack, "error_codes": [attack]}
    gateway.scene.http.on(TOKEN_URL, json_answer(body, status=400))

    answer = signed_in_page(gateway)

    assert answer.status_code == (400 if error else 503)
    assert attack not in page_of(answer).text


@pytest.mark.parametrize("attack", ["<script>alert(1)<", '"><img src=x onerror=alert(1)>'])
def test_code_in_the_address_is_text(gateway, attack):
    """An address that somebody was lured to shows what it holds, and does nothing."""
    page = page_of(gateway.call("GET", f"/api/authorize/{attack}", headers=HTML))

    assert f"There is no integration {attack}." in page.text


@pytest.mark.parametrize("show", [signed_in_page, refused_page], ids=["success", "failure"])
def test_page_may_load_only_its_own_files(gateway, show):
    """The policy names no other origin, and nothing inline; the other headers stay as they are."""
    answer = show(gateway)

    policy = dict(
        directive.split(" ", 1)
        for directive in answer.headers["Content-Security-Policy"].split("; ")
    )
    assert policy == {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
    }
    for name in ("X-Content-Type-Options", "Referrer-Policy"):
        assert answer.headers[name] == SECURITY_HEADERS[name]
    assert answer.headers["Cache-Control"] == "no-store"
    inline = [tag for tag, attributes in page_of(answer).elements
              if tag == "script" and "src" not in attributes]  # fmt: skip
    assert inline == []


def test_files_of_the_page_are_served(gateway):
    """Each by the app itself, from its own origin, as what it is."""
    elements = page_of(signed_in_page(gateway)).elements
    addresses = [attributes[name] for _, attributes in elements for name in ("href", "src")
                 if name in attributes]  # fmt: skip

    served = {address: gateway.call("GET", address) for address in addresses}

    assert {answer.mimetype for answer in served.values()} == {"text/css", "text/javascript"}
    for answer in served.values():
        assert answer.status_code == 200
        assert answer.text
        assert "max-age=" in answer.headers["Cache-Control"]


@pytest.mark.parametrize(
    "name", ["result.html", "../host.json", "..%2f..%2fhost.json", "/etc/hosts", "", "RESULT.CSS"]
)
def test_no_other_file_is_served(gateway, name):
    """The files stand in a list; what is not there is a way back without a state."""
    answer = gateway.call("GET", f"/api/callback?asset={name}")

    assert (answer.status_code, answer.json["code"]) == (400, "sign_in_expired")


def test_page_tells_the_waiting_window_and_closes(gateway):
    """Its script finds out from the page what to tell, and of which integration."""
    bodies = [
        attributes
        for show in (signed_in_page, refused_page)
        for tag, attributes in page_of(show(gateway)).elements
        if tag == "body"
    ]
    script = gateway.call("GET", "/api/callback?asset=result.js").text

    assert [body["data-outcome"] for body in bodies] == ["success", "failure"]
    assert bodies[0]["data-integration"] == CODE
    assert "BroadcastChannel" in script
    assert "window.close()" in script


def test_page_warns_of_a_sign_in_that_cannot_be_renewed(gateway):
    """Without a refresh token the sign-in ends within the hour, and somebody should know."""
    gateway.scene.provider.changes = {"refresh_token": None}

    assert "Add offline_access to scope" in page_of(signed_in_page(gateway)).text
