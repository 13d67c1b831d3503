"""The form of an endpoint: to add, change and duplicate one, and to see its URL."""

from __future__ import annotations

import json
import re
from html import unescape
from html.parser import HTMLParser

import pytest

from functions.panel.forms import endpoint as form
from shared.domain.documents import to_document
from shared.domain.endpoint import Endpoint, read_endpoint
from tests.builders import COMPANY, COMPANY_ID, endpoint_document
from tests.scenes import CODE, LISTING, UNCONDITIONAL
from tests.support import PUBLIC_URL
from tests.urls import ACTION, API, CRONUS, api, custom

FOLDER = f"integrations/{CODE}/endpoints"
NEW = f"{FOLDER}/new"
EDIT = f"{FOLDER}/{LISTING}"
PREVIEW = f"{FOLDER}/preview"
HOSTILE = ("<script>alert(1)</script>", '"><img src=x onerror=alert(1)>')

# Every field has another value than its default.
FULL = {
    "code": "POST_ORDER",
    "name": "Post an order",
    "description": "Posts.\nAnd tells the number.",
    "method": "PATCH",
    "api_url": "orders({id})/lines({no})",
    "is_enabled": False,
    "kind": "api",
    "api_route": "contoso/shop/v1.0",
    "company": COMPANY_ID,
    "parameters": {"id": "guid", "no": "number"},
    "decode_value": True,
    "encode_parameters": ["linesJson", "headerJson"],
    "request_schema": {"type": "object", "required": ["no"]},
    "response_schema": {"type": "array"},
    "read_only": True,
    "read_replica": True,
    "timeout_seconds": 7,
    "headers": {"Prefer": "odata.maxpagesize=100", "X-Shop": "1"},
    "query": {"$top": "5", "$filter": "no eq 'a=b'"},
    "allowed_query": ["$skip"],
    "derive_idempotency_key": True,
    "allowed_roles": ["Orders.Post"],
    "allowed_clients": [COMPANY_ID],
    "unrestricted": True,
}


class Fields(HTMLParser):
    """What a browser would send of a page's forms."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.sent: dict[str, str] = {}
        self._area: str | None = None
        self._choice = ""
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        """Note a field with its value."""
        given = dict(attrs)
        if tag == "textarea":
            self._area = given["name"]
            self.sent[self._area] = ""
        elif tag == "select":
            self._choice = given["name"]
        elif tag == "option" and "selected" in given:
            self.sent[self._choice] = given["value"]
        elif tag == "input" and (given["type"] != "checkbox" or "checked" in given):
            self.sent[given["name"]] = given["value"]

    def handle_data(self, data):
        """Take the content of a text area, whose first line break a browser drops."""
        if self._area:
            self.sent[self._area] += data.removeprefix("\n")

    def handle_endtag(self, tag):
        """Leave a text area."""
        if tag == "textarea":
            self._area = None


def fields(answer, **changes):
    """Return what a browser sends of the page's form, with what somebody changed in it."""
    sent = Fields(answer.text).sent | changes
    return {name: value for name, value in sent.items() if value is not None}


def stored(panel, code=LISTING):
    """Return the endpoint as it is stored."""
    return to_document(panel.scene.endpoints.rows[CODE, code].definition)


def told(answer):
    """Return the errors that stand beside fields."""
    found = re.findall(r'<small id="(\w+)-told" class="wrong">(.*?)</small>', answer.text)
    assert all(f'aria-describedby="{name}-told" aria-invalid="true"' in answer.text
               for name, _ in found)  # fmt: skip
    return {name: unescape(text) for name, text in found}


def further(answer):
    """Return the part of the page that is folded up unless something in it is wrong."""
    return answer.text.split("<details")[1].split("</details>")[0]


@pytest.fixture
def owner(panel):
    """Return the panel of a gateway with an integration and an endpoint."""
    panel.scene.integrate()
    panel.scene.offer()
    return panel


def test_example_differs_from_every_default():
    """So that no field can be forgotten in the tests below."""
    defaults = to_document(Endpoint(code="", api_url=""))

    assert FULL.keys() == defaults.keys()
    assert [name for name, value in FULL.items() if value == defaults[name]] == []
    assert read_endpoint(FULL)[1] == []


def test_every_field_of_an_endpoint_is_in_the_form(owner):
    """No field of a definition can be set by the API alone."""
    assert {*form.TEXTS, *form.CHECKBOXES} == set(Endpoint.__struct_fields__)
    page = owner.get(NEW).text
    assert [name for name in FULL if f'name="{name}"' not in page] == []


def test_form_sent_back_as_it_is_changes_nothing(owner):
    """Whatever the definition holds survives the way through the form."""
    owner.scene.services.endpoints.create(CODE, FULL)
    page = owner.get(f"{FOLDER}/POST_ORDER")

    answer = owner.post(f"{FOLDER}/POST_ORDER", fields(page))

    assert (answer.status_code, answer.headers["Location"]) == (
        303,
        f"/api/panel/integrations/{CODE}?done=saved",
    )
    assert stored(owner, "POST_ORDER") == FULL


def test_new_endpoint_is_stored_with_defaults(owner):
    """Code, kind and procedure are enough; the code may be written in lower case."""
    typed = fields(owner.get(NEW), code="get_pick", api_url=" GetWhsePick ")

    answer = owner.post(NEW, typed)

    assert (answer.status_code, answer.headers["Location"]) == (
        303,
        f"/api/panel/integrations/{CODE}?done=created",
    )
    assert stored(owner, "GET_PICK") == to_document(
        Endpoint(code="GET_PICK", api_url="GetWhsePick")
    )


def test_duplicate_begins_with_everything_but_the_code(owner):
    """The original stays as it is."""
    owner.scene.services.endpoints.create(CODE, FULL)

    typed = fields(owner.get(f"{NEW}?from=POST_ORDER"))
    assert typed["code"] == ""
    owner.post(NEW, typed | {"code": "POST_ORDER_2"})

    assert stored(owner, "POST_ORDER_2") == FULL | {"code": "POST_ORDER_2"}
    assert stored(owner, "POST_ORDER") == FULL


@pytest.mark.parametrize(
    "path", [f"{NEW}?from=NOPE", f"{FOLDER}/NOPE", "integrations/NOPE/endpoints/new"]
)
def test_unknown_definition_is_not_found(owner, path):
    """With a page that says so."""
    answer = owner.get(path)

    assert answer.status_code == 404
    assert "_not_found</code>" in answer.text


BAD = {
    "code": "1st",
    "method": "TRACE",
    "api_url": "../x",
    "api_route": "/v2.0",
    "company": "a\\b",
    "query": "company=x",
    "allowed_query": "$top",
    "headers": "Authorization=x",
    "request_schema": '{\n"type":\n object}',
    "response_schema": "[]",
    "timeout_seconds": "soon",
    "allowed_roles": "Some Role",
    "allowed_clients": "web shop",
}


def test_all_errors_stand_beside_their_fields_at_once(owner):
    """What was entered stays, nothing is stored, and a summary leads to the fields."""
    before = dict(owner.scene.endpoints.rows)

    answer = owner.post(NEW, fields(owner.get(NEW), **BAD))

    assert answer.status_code == 422
    assert told(answer).keys() == BAD.keys()
    assert fields(answer).items() >= {*BAD.items()} - {("method", "TRACE")}  # no browser sends it
    assert "Not saved: 13 fields need a correction." in answer.text
    assert "<details open>" in answer.text
    assert owner.scene.endpoints.rows == before


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("request_schema", '{\n"type":\n object}', "invalid character (line 3)"),
        ("request_schema", "{", "is not valid JSON"),
        ("request_schema", "[]", "must be a JSON object"),
        ("request_schema", "[" * 200 + "]" * 200, "must be a JSON object"),
        ("request_schema", '{"a":' * 200 + "1" + "}" * 200, "nested more than 100 levels"),
        ("response_schema", '{"type": "nonsense"}', "is not a valid JSON Schema"),
        ("timeout_seconds", "1.5", "must be a whole number"),
        ("timeout_seconds", "", "must be a whole number"),
        ("timeout_seconds", "9" * 5000, "must be a whole number"),
        ("timeout_seconds", "221", "must be at most 220"),
        ("parameters", "id=guid\nid=guid", "names 'id' twice"),
        ("parameters", "id=date", "id: must be one of guid, string, number"),
        ("allowed_query", "$top", "remove these"),
        ("api_url", "", "must not be empty"),
        ("code", "", "must be a letter"),
        ("code", LISTING.lower(), "belongs to another endpoint"),
    ],
)
def test_error_says_what_is_wrong(owner, name, value, words):
    """In words for somebody who knows neither Python nor JSON."""
    typed = fields(owner.get(NEW), code="NEW", api_url="GetList") | {name: value}

    answer = owner.post(NEW, typed)

    assert answer.status_code == 422
    assert words in told(answer)[name]
    assert ("<details open>" in answer.text) == (f'name="{name}"' in further(answer))


@pytest.mark.parametrize(
    ("choice", "lines", "expected"),
    [("any", "", None), ("listed", "", []), ("listed", "$top\n\n$skip ", ["$top", "$skip"])],
    ids=["any", "none", "listed"],
)
def test_any_query_and_no_query_are_two_things(owner, choice, lines, expected):
    """An empty list shuts everything out."""
    typed = fields(owner.get(EDIT), query_choice=choice, allowed_query=lines)

    owner.post(EDIT, typed)

    assert stored(owner)["allowed_query"] == expected
    assert fields(owner.get(EDIT))["query_choice"] == choice


def test_code_is_shown_as_text_and_stays(owner):
    """Whoever posts another one all the same changes nothing by it."""
    page = owner.get(EDIT)
    assert 'name="code"' not in page.text

    answer = owner.post(EDIT, fields(page, code="OTHER", name="Named"))

    assert answer.status_code == 303
    assert stored(owner)["name"] == "Named"
    assert (CODE, "OTHER") not in owner.scene.endpoints.rows


def test_address_for_callers_can_be_copied(owner):
    """The page of an endpoint says what to call."""
    page = owner.get(EDIT).text

    assert f'<code id="invoke-url">{PUBLIC_URL}/api/invoke/{CODE}/{LISTING}</code>' in page
    assert 'data-copy="invoke-url"' in page


def test_change_of_somebody_else_is_not_overwritten(owner):
    """What was entered stays, the difference is named, and to save it then is a decision."""
    typed = fields(owner.get(EDIT), name="Mine", timeout_seconds="7")
    others = {"name": "Theirs", "description": "Theirs"}
    owner.scene.services.endpoints.patch(CODE, LISTING, others, UNCONDITIONAL)

    answer = owner.post(EDIT, typed)

    assert answer.status_code == 412
    assert "somebody has changed this endpoint meanwhile" in answer.text
    assert "in: name, description, timeout_seconds." in answer.text
    assert stored(owner)["name"] == "Theirs"
    again = fields(answer)
    assert again | {"etag": ""} == typed | {"etag": ""}
    assert owner.post(EDIT, again).status_code == 303
    assert (stored(owner)["name"], stored(owner)["timeout_seconds"]) == ("Mine", 7)


def test_deletion_meanwhile_is_told(owner):
    """Saving once more adds the endpoint again, unless somebody else was faster."""
    typed = fields(owner.get(EDIT), name="Mine")
    owner.scene.services.endpoints.delete(CODE, LISTING, UNCONDITIONAL)

    answer = owner.post(EDIT, typed)

    assert answer.status_code == 412
    assert "somebody has deleted this endpoint meanwhile" in answer.text
    again = fields(answer)
    assert owner.post(EDIT, again).status_code == 303
    assert stored(owner)["name"] == "Mine"
    assert owner.post(EDIT, again).status_code == 412


@pytest.mark.parametrize("method", ["get", "put"])
def test_outage_is_no_conflict(owner, method):
    """Nor is it an error of a field."""
    page = owner.get(EDIT)
    owner.scene.endpoints.fail({"get": "get", "put": "replace"}[method])

    answer = owner.get(EDIT) if method == "get" else owner.post(EDIT, fields(page, name="Mine"))

    assert answer.status_code == 503
    assert "storage_unavailable" in answer.text


def test_outage_after_a_conflict_is_told(owner):
    """What is stored cannot be compared then, so nothing is said about it."""
    page = owner.get(EDIT)
    store = owner.scene.endpoints

    def upset():
        store.rows.clear()
        store.fail("get")

    store.before("replace", upset)
    answer = owner.post(EDIT, fields(page, name="Mine"))

    assert answer.status_code == 503
    assert "storage_unavailable" in answer.text


def url_in(answer):
    """Return the URL that a preview shows."""
    return unescape(answer.text.split("<pre>")[1].split("</pre>")[0])


def test_preview_follows_the_form(owner):
    """The fields that make up the URL are enough, and nothing is stored or sent."""
    integrations = owner.scene.integrations.calls.total()
    typed = {"kind": "api", "api_route": "v2.0", "api_url": "items({id})", "parameters": "id=guid"}

    answer = owner.post(PREVIEW, typed, by_htmx=True)

    assert answer.status_code == 200
    assert url_in(answer) == f"{API}/items({{id}})".replace(COMPANY_ID, f"<id of {COMPANY}>")
    assert "<html" not in answer.text
    assert owner.scene.integrations.calls.total() == integrations + 1
    assert not owner.scene.http.sent


def test_preview_says_what_is_wrong(owner):
    """With the field by the label that it has in the form."""
    answer = owner.post(PREVIEW, {"kind": "odata", "api_url": "a//b", "parameters": "x"})

    assert answer.status_code == 200
    assert "<strong>Parameters:</strong> write &#39;x&#39; as name=value" in answer.text
    assert "<pre>" not in answer.text


def test_preview_of_a_broken_integration_says_so(panel):
    """What no field of the endpoint can mend is told as well."""
    panel.scene.integrate(company=None)

    answer = panel.post(PREVIEW, {"kind": "api", "api_route": "v2.0", "api_url": "items"})

    assert "The integration names no company." in answer.text


def test_preview_waits_for_a_beginning(owner):
    """An empty form is no error."""
    assert "appears here as soon as" in owner.get(NEW).text
    assert "appears here as soon as" in owner.post(PREVIEW, {"kind": "codeunit"}).text


@pytest.mark.parametrize("path", [NEW, EDIT])
def test_preview_works_without_javascript(owner, path):
    """A button shows the URL above what was entered, and stores nothing."""
    before = dict(owner.scene.endpoints.rows)
    typed = fields(owner.get(path), api_url="GetOther", name="Mine", preview="show")

    answer = owner.post(path, typed)

    assert answer.status_code == 200
    assert url_in(answer) == f"{ACTION}?company={CRONUS}".replace("GetWhseShipmentList", "GetOther")
    assert fields(answer)["name"] == "Mine"
    assert owner.scene.endpoints.rows == before


def test_enter_in_a_field_saves(owner):
    """Browsers press the first button of a form then."""
    buttons = re.findall(r"<button type=\"submit\"[^>]*>", owner.get(EDIT).text)

    assert [("preview" in button) for button in buttons] == [False, True]


@pytest.mark.parametrize("text", HOSTILE)
def test_markup_in_stored_fields_is_shown_as_text(owner, text):
    """Whatever a definition holds, no browser takes it for part of the page."""
    document = endpoint_document(
        code="X",
        name=text,
        description=text,
        headers={"X-A": text},
        query={"a": text},
        allowed_query=[text],
        encode_parameters=[text],
        request_schema={"description": text},
        **custom("orders"),
    )
    owner.scene.services.endpoints.create(CODE, document)

    page = owner.get(f"{FOLDER}/X")

    assert text not in page.text
    sent = fields(page)
    assert sent["name"] == sent["description"] == sent["allowed_query"] == text
    assert json.loads(sent["request_schema"])["description"] == text


@pytest.mark.parametrize("text", HOSTILE)
def test_markup_in_the_integration_is_shown_as_text(panel, text):
    """Its names stand in the trail, in a help line and in the preview."""
    panel.scene.integrate(name=text, company=text.replace("/", ""))
    panel.scene.offer(**api("items", code="X"))

    page = panel.get(f"{FOLDER}/X").text

    assert text not in page
    assert text.replace("/", "") not in page
    assert f"<id of {text.replace('/', '')}>" in unescape(page)


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("name", [*form.TEXTS, "query_choice", "etag"])
def test_markup_that_was_entered_is_shown_as_text(owner, name, text):
    """In the fields, in what is said about them, and in the preview."""
    for path in (NEW, EDIT, PREVIEW):
        typed = fields(owner.get(NEW), code="X", api_url="x") | {name: text}

        assert text not in owner.post(path, typed).text
