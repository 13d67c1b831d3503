"""The list of integrations, the way to the first one, and how one is deleted."""

from __future__ import annotations

import re
from html import unescape

import msgspec
import pytest

from tests.fakes import json_answer
from tests.scenes import CODE, PERSON, UNCONDITIONAL, failure
from tests.support import PUBLIC_URL
from tests.unit.functions.panel.conftest import ADMINISTRATOR

HOME = f"integrations/{CODE}"
DELETE = f"{HOME}/delete"
HOSTILE = ("<script>alert(1)</script>", '"><img src=x onerror=alert(1)>')


@pytest.fixture
def owner(panel):
    """Return the panel of a gateway with an integration that nobody is signed in to."""
    panel.scene.integrate()
    return panel


def cards(answer):
    """Return what is shown of each integration, as text by its code."""
    shown = {}
    for card in answer.text.split("<article>")[1:]:
        text = " ".join(unescape(re.sub(r"<[^>]*>", " ", card.split("</article>")[0])).split())
        shown[re.search(r"Code (\w+)", text)[1]] = text
    return shown


def etag_in(answer):
    """Return the ETag that the page would send."""
    return unescape(re.search(r'name="etag" value="([^"]*)"', answer.text)[1])


def test_first_run_leads_to_the_first_integration(panel):
    """With what to enter in the app registration, and how Business Central learns of the app."""
    page = panel.get().text

    assert "<h1>Welcome</h1>" in page
    assert f'<code id="redirect-uri">{PUBLIC_URL}/api/callback</code>' in page
    assert "Financials.ReadWrite.All" in page
    assert "API.ReadWrite.All" in page
    assert "Microsoft Entra applications" in page
    assert 'href="/api/panel/integrations/new"' in page


def test_first_run_is_over_with_the_first_integration(owner):
    """The list takes its place."""
    page = owner.get().text

    assert "Welcome" not in page
    assert "<h1>Integrations</h1>" in page


def test_list_tells_levels_and_remedies_in_words(owner):
    """What works, what will not for long, and what needs somebody, each with what to do."""
    scene = owner.scene
    scene.integrate(code="GOOD")
    scene.sign_in("GOOD")
    scene.integrate(code="SOON")
    scene.sign_in("SOON")
    ends = {"client_secret_expires_on": "2026-03-20"}
    scene.services.integrations.patch("SOON", ends, UNCONDITIONAL)
    scene.integrate(code="APP", grant_type="client_credentials", company=None)

    shown = cards(owner.get())

    assert list(shown) == ["APP", CODE, "GOOD", "SOON"]
    assert " Works Code GOOD " in shown["GOOD"]
    assert f"Signs in as {PERSON}" in shown["GOOD"]
    assert " Works, needs attention " in shown["SOON"]
    assert "Create a new client secret in the app registration" in shown["SOON"]
    assert " Needs you Nobody is signed in. Press Authorize to sign in" in shown[CODE]
    assert "Business Central Production, CRONUS USA, Inc. Signs in as nobody yet" in shown[CODE]
    assert "Business Central Production Signs in as the app itself" in shown["APP"]


def test_list_names_no_field_of_the_api(owner):
    """Its readers have the panel."""
    owner.scene.sign_in()
    owner.scene.services.integrations.patch(CODE, {"client_secret": None}, UNCONDITIONAL)

    page = owner.get().text

    assert "Enter the client secret under Integration information." in page
    assert "PATCH" not in page


def test_list_leads_to_every_part_of_an_integration(owner):
    """Each link says of which integration it is."""
    page = owner.get().text

    for target, label in (
        (f"/{HOME}#authorization", f"Authorization of {CODE}"),
        (f"/{HOME}#endpoints", f"Endpoints of {CODE}"),
        (f"/activity?integration={CODE}", f"Activity of {CODE}"),
    ):
        assert f'<a href="/api/panel{target}" aria-label="{label}">' in page
    assert f'<h2><a href="/api/panel/{HOME}">Business Central</a></h2>' in page


def test_integration_without_a_name_goes_by_its_code(panel):
    """There is always something to press."""
    panel.scene.integrate(name="")

    assert f'<h2><a href="/api/panel/{HOME}">{CODE}</a></h2>' in panel.get().text


def test_long_list_comes_in_pages(panel):
    """A hundred at once, each of them once."""
    for number in range(101):
        panel.scene.integrate(code=f"I{number:03}")

    first = panel.get()
    assert len(cards(first)) == 100
    assert 'href="/api/panel?after=I099"' in first.text
    second = panel.get("?after=I099")
    assert list(cards(second)) == ["I100"]
    assert "From the beginning" in second.text
    assert "There are no further integrations." in panel.get("?after=I100").text


@pytest.mark.parametrize("after", ["%27%20or%20true", "~", "%3Cb%3E"])
def test_strange_beginning_of_a_page_is_harmless(owner, after):
    """A made up address shows the list from its beginning."""
    answer = owner.get(f"?after={after}")

    assert list(cards(answer)) == [CODE]
    assert "From the beginning" not in answer.text


@pytest.mark.parametrize("number", [3, 30])
def test_list_takes_two_calls_to_storage(panel, number):
    """However many integrations there are."""
    for n in range(number):
        panel.scene.integrate(code=f"I{n}")
    before = panel.scene.stored_calls()

    panel.get()

    assert panel.scene.stored_calls() - before == 2


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("path", ["", DELETE])
def test_markup_in_names_is_shown_as_text(panel, path, text):
    """In the list and where deletion is confirmed; a company's name holds no slash."""
    panel.scene.integrate(name=text, company=text.replace("/", ""))

    page = panel.get(path).text

    assert text not in page
    assert text in unescape(page)
    assert text.replace("/", "") not in page


@pytest.mark.parametrize("text", HOSTILE)
def test_markup_from_the_provider_is_shown_as_text(owner, text):
    """What it says of a failure stands in the list, as does the name of an account."""
    scene = owner.scene
    scene.sign_in()
    kept = scene.states.rows[CODE]
    state = msgspec.structs.replace(kept.state, signed_in_as=text)
    scene.states.put(CODE, state, etag=kept.etag)
    assert text in unescape(owner.get().text)
    assert text not in owner.get().text

    scene.clock.advance(minutes=120)
    scene.provider.instead = json_answer(
        {"error": "invalid_client", "error_description": text}, status=401
    )
    failure(scene.token)

    assert text not in owner.get().text


def test_outage_of_storage_is_told(owner):
    """As a page, not as an empty list."""
    owner.scene.integrations.fail("list")

    answer = owner.get()

    assert answer.status_code == 503
    assert "storage_unavailable" in answer.text


def test_deletion_asks_first(owner):
    """The page names what goes with it and what callers get then; only its form deletes."""
    owner.scene.offer()
    owner.scene.sign_in()

    page = owner.get(DELETE)
    assert f"Delete {CODE}</button>" in page.text
    assert "its endpoints, its tokens and sign-ins, its client secret" in page.text
    assert "integration_not_found" in page.text
    answer = owner.post(DELETE, {"etag": etag_in(page)})

    assert (answer.status_code, answer.headers["Location"]) == (303, "/api/panel?done=deleted")
    scene = owner.scene
    assert scene.integrations.rows == scene.endpoints.rows == scene.states.rows == {}
    assert scene.kept_tokens() is None


def test_changed_integration_is_not_deleted(owner):
    """What is stored now is shown, and asked about again."""
    shown = etag_in(owner.get(DELETE))
    changes = {"name": "Something else"}
    owner.scene.services.integrations.patch(CODE, changes, UNCONDITIONAL)

    answer = owner.post(DELETE, {"etag": shown})

    assert answer.status_code == 412
    assert "Something else" in answer.text
    assert "Nothing was deleted" in answer.text
    assert owner.scene.integrations.rows
    assert owner.post(DELETE, {"etag": etag_in(answer)}).status_code == 303


@pytest.mark.parametrize("fields", [{}, {"etag": ""}], ids=["missing", "empty"])
def test_deletion_without_an_etag_deletes_nothing(owner, fields):
    """It would not be known what was shown."""
    assert owner.post(DELETE, fields).status_code == 412
    assert owner.scene.integrations.rows


def test_outage_while_deleting_is_no_conflict(owner):
    """Nor is it told as if somebody had changed something."""
    etag = etag_in(owner.get(DELETE))
    owner.scene.integrations.fail("replace")

    answer = owner.post(DELETE, {"etag": etag})

    assert answer.status_code == 503
    assert "storage_unavailable" in answer.text


@pytest.mark.parametrize("send", ["get", "post"])
def test_unknown_integration_cannot_be_deleted(owner, send):
    """With a page that says so; to repeat a deletion ends there, too."""
    answer = getattr(owner, send)("integrations/NOPE/delete")

    assert answer.status_code == 404
    assert "integration_not_found</code>" in answer.text


def test_deletion_is_noted_with_who_made_it(owner):
    """The audit names the administrator."""
    owner.post(DELETE, {"etag": etag_in(owner.get(DELETE))})

    noted = {entry.action: entry.by for entry in owner.scene.audit.rows.values()}
    assert noted["deleted"] == ADMINISTRATOR
