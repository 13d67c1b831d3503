"""The form of an integration, to add one and to change one."""

from __future__ import annotations

import json
import re

import msgspec
import pytest

from functions.panel.forms import integration as form
from shared.domain.documents import to_document
from shared.domain.error_kinds import INTEGRATION_NOT_FOUND
from shared.domain.integration import Integration
from tests.builders import CLIENT_ID, COMPANY_ID, integration_document
from tests.scenes import CODE, UNCONDITIONAL
from tests.unit.functions.panel.conftest import ADMINISTRATOR
from tests.unit.functions.panel.test_endpoint_form import fields, told

NEW = "integrations/new"
HOME = f"integrations/{CODE}"
HOSTILE = ("<script>alert(1)</script>", '"><img src=x onerror=alert(1)>')
CANARY = "canary-7f3a~Q"

# Every field has another value than its default.
FULL = {
    "code": "SHOP",
    "name": "Web shop",
    "grant_type": "client_credentials",
    "base_url": "https://shop.example/api",
    "api_version": "v1.0",
    "tenant_id": "contoso.example",
    "environment": "Sandbox",
    "company": "CRONUS & Søn",
    "company_id": COMPANY_ID,
    "service_name": "Shop",
    "client_id": CLIENT_ID,
    "authorize_url": "https://login.example/authorize?audience=shop",
    "token_url": "https://login.example/token",
    "revocation_url": "https://login.example/revoke",
    "scope": "orders offline_access",
    "redirect_uri": "https://shop.example/callback",
    "client_auth": "client_secret_basic",
    "url_template": "{base_url}/v1/{endpoint}",
    "allowed_companies": ["CRONUS", "My Company"],
    "query": {"tenant": "default", "$filter": "no eq 'a=b'"},
    "certificate_name": "a-certificate",
    "client_secret_expires_on": "2027-01-31",
    "max_in_flight": 7,
}


def stored(panel, code=CODE):
    """Return the definition as it is stored."""
    document = to_document(panel.scene.record(code).definition)
    return json.loads(msgspec.json.encode(document))


def further(answer):
    """Return the part of the form that is folded up unless something in it is wrong."""
    return answer.text.split('id="authorize_url"')[0].split("<details")[-1]


def secret_in_the_vault(panel, code=CODE):
    """Return the client secret that counts."""
    versions = panel.scene.secrets.versions[f"{code}-client-secret"]
    return versions[panel.scene.record(code).client_secret_version].reveal()


def linked(answer):
    """Return the fields to which the summary of errors leads, with the words of the links."""
    summary = answer.text.split('role="alert"')[1].split("</div>")[0]
    return dict(re.findall(r'<a href="#(\w+)">([^<]*)</a>', summary))


@pytest.fixture
def owner(panel):
    """Return the panel of a gateway with an integration that nobody is signed in to."""
    panel.scene.integrate(client_secret=CANARY)
    return panel


def test_example_differs_from_every_default():
    """So that no field can be forgotten in the tests below."""
    defaults = json.loads(msgspec.json.encode(to_document(Integration(code=""))))

    assert FULL.keys() == defaults.keys()
    assert [name for name, value in FULL.items() if value == defaults[name]] == []


def test_every_field_of_an_integration_is_in_the_form(panel):
    """No field of a definition can be set by the API alone; each has a label."""
    assert form.FIELDS.keys() == set(Integration.__struct_fields__)
    assert form.LABELS.keys() == form.FIELDS.keys() | {form.SECRET}
    page = panel.get(NEW).text
    for name, label in form.LABELS.items():
        assert f'<label for="{name}">{label}' in page
        assert f'name="{name}"' in page
        assert f'id="{name}-told"' in page


def test_form_sent_back_as_it_is_changes_nothing(panel):
    """Whatever the definition holds survives the way through the form, the secret as well."""
    panel.scene.integrate(**FULL, client_secret=CANARY)
    before = panel.scene.record("SHOP")

    answer = panel.post("integrations/SHOP", fields(panel.get("integrations/SHOP")))

    assert (answer.status_code, answer.headers["Location"]) == (
        303,
        "/api/panel/integrations/SHOP?done=saved",
    )
    assert stored(panel, "SHOP") == FULL
    assert panel.scene.record("SHOP").client_secret_version == before.client_secret_version


def test_new_integration_is_stored_with_defaults(panel):
    """Code, client id and tenant are enough; the code may be written in lower case."""
    changes = {"code": "cronus", "client_id": f" {CLIENT_ID} ", "tenant_id": "contoso.example"}
    typed = fields(panel.get(NEW), client_secret=CANARY, **changes)

    answer = panel.post(NEW, typed)

    assert (answer.status_code, answer.headers["Location"]) == (
        303,
        f"/api/panel/{HOME}?done=created",
    )
    expected = Integration(code=CODE, client_id=CLIENT_ID, tenant_id="contoso.example")
    assert panel.scene.record().definition == expected
    assert secret_in_the_vault(panel) == CANARY


BAD = {
    "code": "1st",
    "grant_type": "password",
    "base_url": "ftp://x",
    "api_version": "../x",
    "tenant_id": "a b",
    "environment": "a/b",
    "company": "a\\b",
    "company_id": "CRONUS",
    "service_name": "a/b",
    "client_id": "",
    "client_auth": "none",
    "certificate_name": "cronus-client-secret",
    "client_secret": "x" * 10_001,
    "client_secret_expires_on": "soon",
    "redirect_uri": "callback",
    "authorize_url": "https://login.example/a?state=1",
    "token_url": "http://login.example",
    "revocation_url": "x",
    "url_template": "{base_url}/{colour}",
    "query": "tenant",
    "allowed_companies": "a\\b",
    "max_in_flight": "x",
}


def test_all_errors_stand_beside_their_fields_at_once(panel):
    """What was entered stays, nothing is stored, and a summary leads to each of the fields."""
    answer = panel.post(NEW, fields(panel.get(NEW), **BAD))

    assert answer.status_code == 422
    assert told(answer).keys() == BAD.keys()
    assert linked(answer).keys() == BAD.keys()
    assert linked(answer).items() <= form.LABELS.items()
    no_browser_sends = {"grant_type", "client_auth", "client_secret"}
    kept = {name: value for name, value in BAD.items() if name not in no_browser_sends}
    assert fields(answer).items() >= kept.items()
    assert f"Not saved: {len(BAD)} fields need a correction." in answer.text
    assert " open>" in further(answer)
    assert not panel.scene.integrations.rows


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("max_in_flight", "x", "must be a whole number"),
        ("max_in_flight", "", "must be a whole number"),
        ("max_in_flight", "101", "must be at most 100"),
        ("query", "tenant", "write 'tenant' as name=value"),
        ("query", "a=1\na=2", "names 'a' twice"),
        ("allowed_companies", "CRONUS\na\\b", "1: "),
        ("client_id", "", "is required"),
        ("tenant_id", "", "is required, unless"),
        ("code", "", "must be a letter"),
        ("code", CODE.lower(), "belongs to another integration: choose another code"),
        ("name", "x" * 201, "200"),
        ("client_secret", "x" * 10_001, "must be a text of 1 to 10000 characters"),
    ],
)
def test_error_says_what_is_wrong(owner, name, value, words):
    """In words for somebody who knows neither Python nor JSON."""
    typed = fields(owner.get(NEW), **integration_document(code="OTHER")) | {name: value}

    answer = owner.post(NEW, typed)

    assert answer.status_code == 422
    assert words in told(answer)[name]
    assert list(told(answer)) == list(linked(answer)) == [name]
    is_folded_up = name in ("max_in_flight", "query", "allowed_companies")
    assert (" open>" in further(answer)) == is_folded_up
    assert "OTHER" not in {code for code, _ in owner.scene.integrations.rows}


def test_unreadable_field_is_told_beside_the_others(owner):
    """What cannot be read and what is not allowed come together, also of a stored integration."""
    typed = fields(owner.get(HOME), max_in_flight="x", base_url="ftp://x")

    answer = owner.post(HOME, typed)

    assert answer.status_code == 422
    assert told(answer).keys() == {"max_in_flight", "base_url"}
    assert told(answer)["max_in_flight"] == "must be a whole number"
    assert fields(answer)["etag"] == typed["etag"]
    assert stored(owner)["max_in_flight"] == 5


def test_definition_that_is_too_long_is_told_without_a_field(owner):
    """No field alone is wrong then."""
    names = "\n".join(f"{number:03}{'x' * 190}" for number in range(160))

    answer = owner.post(HOME, fields(owner.get(HOME), allowed_companies=names))

    assert answer.status_code == 422
    assert "<li>must not have more than 30 000 characters" in answer.text


def test_change_of_somebody_else_is_not_overwritten(owner):
    """What was entered stays, the difference is named by the labels, and saving is a decision."""
    typed = fields(owner.get(HOME), name="Mine", max_in_flight="7")
    others = {"name": "Theirs", "environment": "Sandbox"}
    owner.scene.services.integrations.patch(CODE, others, UNCONDITIONAL)

    answer = owner.post(HOME, typed)

    assert answer.status_code == 412
    assert "somebody has changed this integration meanwhile" in answer.text
    assert "in: Name, Environment, Calls at the same time." in answer.text
    assert stored(owner)["name"] == "Theirs"
    again = fields(answer)
    assert again | {"etag": ""} == typed | {"etag": ""}
    assert owner.post(HOME, again).status_code == 303
    assert (stored(owner)["name"], stored(owner)["max_in_flight"]) == ("Mine", 7)


def test_change_to_the_same_is_told_as_such(owner):
    """There is nothing to decide then."""
    typed = fields(owner.get(HOME), name="Same")
    owner.scene.services.integrations.patch(CODE, {"name": "Same"}, UNCONDITIONAL)

    answer = owner.post(HOME, typed)

    assert answer.status_code == 412
    assert "It is what is stored now." in answer.text


def test_change_without_an_etag_changes_nothing(owner):
    """It would not be known what was shown."""
    typed = fields(owner.get(HOME), name="Mine", etag=None)

    assert owner.post(HOME, typed).status_code == 412
    assert stored(owner)["name"] == "Business Central"


@pytest.mark.parametrize("changes", [{}, {"client_id": ""}], ids=["valid", "invalid"])
def test_integration_that_is_gone_is_not_found(owner, changes):
    """Nobody learns what is wrong with something that is not there, and nothing is stored."""
    typed = fields(owner.get(HOME), **changes)
    owner.scene.services.integrations.delete(CODE, UNCONDITIONAL)

    answer = owner.post(HOME, typed)

    assert answer.status_code == 404
    assert f"{INTEGRATION_NOT_FOUND.code}</code>" in answer.text
    assert not owner.scene.integrations.rows


def test_integration_that_goes_while_it_is_saved_is_not_found(owner):
    """The form has nothing to stand on any more."""
    typed = fields(owner.get(HOME), client_id="")
    store = owner.scene.integrations
    store.before("get", lambda: store.before("get", store.rows.clear))

    answer = owner.post(HOME, typed)

    assert answer.status_code == 404
    assert not store.rows


def test_code_is_shown_as_text_and_stays(owner):
    """Whoever posts another one all the same changes nothing by it."""
    page = owner.get(HOME)
    assert 'name="code"' not in page.text

    answer = owner.post(HOME, fields(page, code="OTHER", name="Named"))

    assert answer.status_code == 303
    assert stored(owner)["name"] == "Named"
    assert [code for code, _ in owner.scene.integrations.rows] == [CODE]


def test_enter_in_a_field_saves(owner):
    """Browsers press the first button of a form that submits it."""
    for path, label in ((HOME, "Save"), (NEW, "Add the integration")):
        own = owner.get(path).text.split(f'<form method="post" action="/api/panel/{path}">')[1]
        buttons = re.findall(r"<button(?! type=\"button\")[^>]*>([^<]*)", own.split("</form>")[0])
        assert buttons == [label]


def test_fields_that_depend_on_a_choice_are_sent_all_the_same(owner):
    """Only the panel's script hides them, and leaves them in the form."""
    typed = fields(owner.get(HOME), client_secret_expires_on="2027-01-31")

    owner.post(HOME, typed | {"client_auth": "certificate", "certificate_name": "a-certificate"})

    assert stored(owner)["client_secret_expires_on"] == "2027-01-31"
    assert fields(owner.get(HOME))["client_secret_expires_on"] == "2027-01-31"


def test_each_change_is_noted_with_who_made_it(panel):
    """The audit names the administrator, where the API knows only a key."""
    panel.post(NEW, fields(panel.get(NEW), **integration_document(), client_secret=CANARY))
    panel.post(HOME, fields(panel.get(HOME), name="Named"))

    noted = panel.scene.audit.rows.values()
    assert sorted(entry.action for entry in noted) == ["changed", "created"]
    assert {entry.by for entry in noted} == {ADMINISTRATOR}
    assert CANARY not in repr(list(noted))


@pytest.mark.parametrize("method", ["get", "put"])
def test_outage_is_no_conflict(owner, method):
    """Nor is it an error of a field."""
    page = owner.get(HOME)
    owner.scene.integrations.fail({"get": "get", "put": "replace"}[method])

    answer = owner.get(HOME) if method == "get" else owner.post(HOME, fields(page, name="Mine"))

    assert answer.status_code == 503
    assert "storage_unavailable" in answer.text


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("name", [*form.FIELDS, form.SECRET, "etag"])
def test_markup_that_was_entered_is_shown_as_text(owner, name, text):
    """In the fields, and in what is said about them."""
    for path in (NEW, HOME):
        typed = fields(owner.get(path), code="X", client_id="") | {name: text}

        assert text not in owner.post(path, typed).text
