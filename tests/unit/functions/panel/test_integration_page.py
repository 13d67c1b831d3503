"""The page of an integration: its sections, what leads on, and what it takes to show it."""

from __future__ import annotations

import re

import msgspec
import pytest

from tests.fakes import json_answer
from tests.scenes import CODE, failure
from tests.support import PUBLIC_URL
from tests.unit.functions.panel.test_endpoint_form import fields
from tests.unit.functions.panel.test_integration_form import HOME, HOSTILE, NEW


@pytest.fixture
def owner(panel):
    """Return the panel of a gateway with an integration that nobody is signed in to."""
    panel.scene.integrate()
    return panel


def test_integration_with_the_code_new_has_a_page(panel):
    """Links write codes in upper case, and paths tell upper from lower case."""
    panel.scene.integrate(code="new", name="Newest")

    assert 'href="/api/panel/integrations/NEW"' in panel.get().text
    assert "<h1>Newest</h1>" in panel.get("integrations/NEW").text
    assert "<h1>Add an integration</h1>" in panel.get(NEW).text


@pytest.mark.parametrize("path", ["integrations/NOPE", "integrations/%3Cb%3E", "integrations/a-b"])
def test_unknown_integration_is_not_found(panel, path):
    """With a page that says so."""
    answer = panel.get(path)

    assert answer.status_code == 404
    assert "integration_not_found</code>" in answer.text
    assert "<b>" not in answer.text


@pytest.mark.parametrize(
    ("given", "shown"),
    [(None, f"{PUBLIC_URL}/api/callback"), ("https://other.example/back",) * 2],
    ids=["own", "other"],
)
def test_redirect_uri_can_be_copied(panel, given, shown):
    """It is the one that sign-ins of this integration use."""
    panel.scene.integrate(redirect_uri=given)

    page = panel.get(HOME).text

    assert f'<code id="redirect-uri">{shown}</code>' in page
    assert 'data-copy="redirect-uri"' in page


def test_page_has_its_three_sections(owner):
    """In a page with one first heading, each section named by its own."""
    owner.scene.offer()

    page = owner.get(HOME).text

    titles = re.findall(r'<section id="(\w+)" aria-labelledby="([\w-]+)">', page)
    assert {name for name, _ in titles} == {"information", "authorization", "endpoints"}
    assert all(f'<h2 id="{title}">' in page for _, title in titles)
    assert page.count("<h1>") == 1
    assert f'href="/api/panel/activity?integration={CODE}"' in page
    assert f'href="/api/panel/audit?integration={CODE}"' in page


def test_page_leads_to_the_first_call(owner):
    """It says what is done and what is left, until nothing is."""
    assert "(done)" not in owner.get(HOME).text

    owner.scene.offer()
    assert "Add endpoints</a> (done)" in owner.get(HOME).text

    owner.scene.sign_in()
    assert "On the way to the first call" not in owner.get(HOME).text


def test_companies_are_looked_up_once_somebody_is_signed_in(owner):
    """By a part that loads by itself, so that the page need not wait for Business Central."""
    link = f'hx-get="/api/panel/{HOME}/companies" hx-trigger="load,'
    assert link not in owner.get(HOME).text

    owner.scene.sign_in()
    sent = len(owner.scene.http.sent)

    assert link in owner.get(HOME).text
    assert len(owner.scene.http.sent) == sent


@pytest.mark.parametrize("number", [1, 50])
def test_page_takes_four_calls_to_storage(owner, number):
    """The integration, the state of its tokens, and its endpoints, which ask for their owner."""
    for n in range(number):
        owner.scene.offer(code=f"E{n}")
    before = owner.scene.stored_calls()

    owner.get(HOME)

    assert owner.scene.stored_calls() - before == 4


@pytest.mark.parametrize("text", HOSTILE)
def test_markup_in_stored_fields_is_shown_as_text(panel, text):
    """Whatever a definition holds, no browser takes it for part of the page."""
    no_slash = text.replace("/", "")
    panel.scene.integrate(
        name=text,
        company=no_slash,
        client_id=text,
        scope=text,
        query={"a": text},
        allowed_companies=[no_slash],
    )

    page = panel.get(HOME)

    assert not [each for each in (text, no_slash) if each in page.text]
    sent = fields(page)
    assert sent["name"] == sent["client_id"] == sent["scope"] == text
    assert sent["company"] == sent["allowed_companies"] == no_slash
    assert sent["query"] == f"a={text}"


@pytest.mark.parametrize("text", HOSTILE)
def test_markup_from_the_provider_is_shown_as_text(owner, text):
    """In who is signed in, and in why a renewal failed."""
    owner.scene.sign_in()
    kept = owner.scene.states.rows[CODE]
    state = msgspec.structs.replace(kept.state, signed_in_as=text)
    owner.scene.states.put(CODE, state, etag=kept.etag)
    assert text not in owner.get(HOME).text

    owner.scene.clock.advance(minutes=120)
    told_by_provider = {"error": "invalid_client", "error_description": text}
    owner.scene.provider.instead = json_answer(told_by_provider, status=401)
    failure(owner.scene.token)

    assert text not in owner.get(HOME).text
