"""Administration of integrations: what is stored, what is refused, and what a failure leaves."""

from __future__ import annotations

import json

import msgspec
import pytest

from shared.services.editing import Precondition
from tests.builders import TENANT_ID, integration_document
from tests.scenes import CLIENT_SECRET, CODE, PERSON, UNCONDITIONAL, failure


@pytest.fixture
def administration(scene):
    """Return the service itself."""
    return scene.services.integrations


def problems(error) -> dict[str, str]:
    """Return the problems that an error names, by pointer."""
    assert (error.kind.code, error.kind.status) == ("invalid_definition", 422)
    return {problem.pointer: problem.message for problem in error.errors}


def as_json(document) -> dict:
    """Return the document as a client reads it."""
    return json.loads(msgspec.json.encode(document))


def test_create_answers_with_the_document(administration):
    """What was left out has its default, and the read-only fields say how things are."""
    saved = administration.create(integration_document(client_secret=CLIENT_SECRET))

    assert saved.is_new
    assert saved.etag
    expected = integration_document() | {
        "api_version": "v2.0",
        "client_auth": "client_secret",
        "has_client_secret": True,
        "status": "not_authorized",
        "is_valid_auth": False,
        "signed_in_as": None,
    }
    assert saved.document | expected == saved.document


def test_secret_goes_to_the_vault_and_is_never_shown(scene, administration):
    """The vault holds the secret; the document and the row know only that there is one."""
    saved = administration.create(integration_document(client_secret=CLIENT_SECRET))

    (kept,) = scene.secrets.versions["CRONUS-client-secret"].values()
    assert kept.reveal() == CLIENT_SECRET
    assert "client_secret" not in saved.document
    assert CLIENT_SECRET not in repr(scene.integrations.rows)


def test_create_without_a_secret_is_misconfigured_until_it_comes(administration):
    """The definition can be stored first; its status says what is missing."""
    created = administration.create(integration_document()).document
    patched = administration.patch(CODE, {"client_secret": "late"}, UNCONDITIONAL).document

    assert (created["has_client_secret"], created["status"]) == (False, "misconfigured")
    assert (patched["has_client_secret"], patched["status"]) == (True, "not_authorized")


def test_code_is_folded(administration):
    """Lower case is accepted, in a body and in a URL, and stored as upper case."""
    administration.create(integration_document(code="cronus_2"))

    assert administration.get("Cronus_2").document["code"] == "CRONUS_2"


def test_all_problems_are_named_at_once(scene, administration):
    """Unknown fields, wrong types, broken rules and a bad secret come in one answer."""
    document = integration_document(
        code="1ST",
        colour="red",
        secret="x",
        base_url="http://api.example.com",
        environment="a/b",
        max_in_flight=0,
        grant_type="password",
        client_secret=5,
    )

    found = problems(failure(lambda: administration.create(document)))

    assert set(found) == {
        "/code", "/colour", "/secret", "/base_url", "/environment", "/max_in_flight",
        "/grant_type", "/client_secret",
    }  # fmt: skip
    assert not scene.integrations.rows
    assert not scene.secrets.versions


@pytest.mark.parametrize("value", ["", 7, True, [], {"value": "x"}, "x" * 10_001])
def test_client_secret_must_be_a_text(administration, value):
    """Anything else is refused, and the message does not repeat it."""
    error = failure(lambda: administration.create(integration_document(client_secret=value)))

    message = "must be a text of 1 to 10000 characters"
    assert problems(error) == {"/client_secret": message}


@pytest.mark.parametrize("code", [None, "", "1A", "A-B", "A B", "Ä", "A" * 51, 5, ["A"]])
def test_bad_code_is_refused(administration, code):
    """A code is a letter and up to 49 letters, digits or underscores."""
    error = failure(lambda: administration.create(integration_document(code=code)))

    assert list(problems(error)) == ["/code"]


def test_missing_code_is_refused(administration):
    """POST has no code in its URL."""
    assert problems(failure(lambda: administration.create({"tenant_id": TENANT_ID}))) == {
        "/code": "is required",
        "/client_id": "is required: the application (client) id of the app registration",
    }


def test_taken_code_is_refused(scene):
    """POST never overwrites, whatever the case of the code, and keeps the stored secret."""
    stored = scene.integrate()

    error = failure(lambda: scene.integrate(code="cronus", client_secret="another"))

    assert (error.kind.code, error.kind.status) == ("already_exists", 409)
    assert scene.record() == stored
    assert len(scene.secrets.versions["CRONUS-client-secret"]) == 1


def test_code_taken_at_the_same_moment_is_refused(scene):
    """Of two that create the same code, one wins, with its own secret."""
    scene.integrations.before("insert", lambda: scene.integrate(client_secret="the winner's"))

    error = failure(lambda: scene.integrate(client_secret="the loser's"))

    assert error.kind.code == "already_exists"
    version = scene.record().client_secret_version
    assert scene.secrets.get("CRONUS-client-secret", version).reveal() == "the winner's"


@pytest.mark.parametrize("method", ["get", "patch", "delete"])
def test_unknown_integration_is_not_found(administration, method):
    """Nothing but PUT makes one where there was none."""
    arguments = {"get": [], "patch": [{}, UNCONDITIONAL], "delete": [UNCONDITIONAL]}[method]

    error = failure(lambda: getattr(administration, method)("NOPE", *arguments))

    assert (error.kind.code, error.kind.status) == ("integration_not_found", 404)


def test_put_creates_and_replaces(administration):
    """PUT stores the whole document: what it leaves out goes back to its default."""
    created = administration.put(CODE, integration_document(), UNCONDITIONAL)
    document = integration_document(name="Renamed")
    del document["company"]
    replaced = administration.put(CODE, document, UNCONDITIONAL)

    assert (created.is_new, replaced.is_new) == (True, False)
    assert (replaced.document["name"], replaced.document["company"]) == ("Renamed", None)
    assert replaced.document["created_on"] == created.document["created_on"]


def test_put_takes_the_code_of_the_url(administration):
    """The body may leave it out, or write it in another case."""
    document = integration_document(code="Cronus")
    administration.put("cronus", document, UNCONDITIONAL)
    del document["code"]
    administration.put("CRONUS", document, UNCONDITIONAL)

    assert len(administration.list(after="", limit=10).documents) == 1


@pytest.mark.parametrize("code", ["OTHER", "", 7])
@pytest.mark.parametrize("method", ["put", "patch"])
def test_code_that_disagrees_with_the_url_is_refused(scene, administration, method, code):
    """Nothing is renamed by accident."""
    stored = scene.integrate()
    document = integration_document(code=code)

    error = failure(lambda: getattr(administration, method)(CODE, document, UNCONDITIONAL))

    assert problems(error) == {"/code": "must be CRONUS, as in the URL"}
    assert scene.record() == stored


def test_put_under_a_bad_code_is_refused(administration):
    """The code of the URL has to be one."""
    document = integration_document(code="a-b")

    error = failure(lambda: administration.put("a-b", document, UNCONDITIONAL))

    assert list(problems(error)) == ["/code"]


@pytest.mark.parametrize("changes", [{}, {"client_secret": None}], ids=["missing", "null"])
def test_put_without_a_secret_keeps_the_stored_one(scene, administration, changes):
    """Nobody has to send a secret again to change a name."""
    version = scene.integrate().client_secret_version

    document = integration_document(name="Renamed", **changes)
    saved = administration.put(CODE, document, UNCONDITIONAL)

    assert saved.document["has_client_secret"] is True
    assert scene.record().client_secret_version == version


def test_what_get_gave_can_be_put(signed_in):
    """A round trip changes nothing but the time of the change, and keeps the sign-in."""
    administration = signed_in.services.integrations
    before = as_json(administration.get(CODE).document)

    after = as_json(administration.put(CODE, before, UNCONDITIONAL).document)

    assert after == before | {"updated_on": after["updated_on"]}
    assert (after["status"], after["signed_in_as"]) == ("authorized", PERSON)
    assert signed_in.invoke().status == 200


@pytest.mark.parametrize("method", ["put", "patch"])
def test_read_only_fields_are_ignored(scene, administration, method):
    """Nobody signs an integration in by saying so."""
    scene.integrate()
    claimed = {
        "has_client_secret": False,
        "is_valid_auth": True,
        "signed_in_as": "mallory",
        "status": "authorized",
        "created_on": "1999-01-01T00:00:00Z",
        "updated_on": "not even a date",
    }
    document = integration_document() | claimed

    shown = getattr(administration, method)(CODE, document, UNCONDITIONAL).document

    assert shown["has_client_secret"] is True
    assert (shown["status"], shown["signed_in_as"]) == ("not_authorized", None)
    assert shown["created_on"] == scene.clock.now()


@pytest.mark.parametrize(
    ("patch", "field", "expected"),
    [
        ({"name": "New"}, "name", "New"),
        ({"company": None}, "company", None),
        ({"api_version": None}, "api_version", "v2.0"),
        ({"query": {"b": "2"}}, "query", {"a": "1", "b": "2"}),
        ({"query": {"a": None}}, "query", {}),
        ({"query": None}, "query", {}),
        ({"allowed_companies": ["B"]}, "allowed_companies", ["B"]),
        ({}, "name", "Business Central"),
    ],
    ids=["set", "remove", "default", "merge", "remove-below", "empty", "replace-list", "nothing"],
)
def test_patch_is_a_merge_patch(scene, administration, patch, field, expected):
    """RFC 7396: objects merge, null removes, the rest replaces."""
    scene.integrate(query={"a": "1"}, allowed_companies=["A"])

    shown = administration.patch(CODE, patch, UNCONDITIONAL).document

    assert shown[field] == expected
    assert shown["has_client_secret"] is True


def test_patch_names_problems_as_put_does(scene, administration):
    """A patch is checked as the whole that it makes."""
    stored = scene.integrate()
    patch = {"client_id": None, "unknown": 1, "base_url": "ftp://x"}

    error = failure(lambda: administration.patch(CODE, patch, UNCONDITIONAL))

    assert set(problems(error)) == {"/client_id", "/unknown", "/base_url"}
    assert scene.record() == stored


def test_null_in_a_put_is_refused_where_the_field_needs_a_value(administration):
    """Null stands for "none", which not every field can be."""
    document = integration_document(name=None, company=None, query=None)

    error = failure(lambda: administration.put(CODE, document, UNCONDITIONAL))

    assert set(problems(error)) == {"/name", "/query"}


def test_patch_with_a_null_secret_removes_it(scene, administration):
    """The row forgets the secret, and calls fail with a clear error."""
    scene.integrate()

    shown = administration.patch(CODE, {"client_secret": None}, UNCONDITIONAL).document

    assert (shown["has_client_secret"], shown["status"]) == (False, "misconfigured")
    error = failure(lambda: scene.services.authorization.begin(CODE))
    assert error.kind.code == "identity_misconfigured"


@pytest.mark.parametrize("method", ["put", "patch"])
def test_new_secret_replaces_the_old_one(scene, administration, method):
    """The next token call sends the new one."""
    scene.integrate(grant_type="client_credentials")
    document = integration_document(grant_type="client_credentials", client_secret="the new one")

    getattr(administration, method)(CODE, document, UNCONDITIONAL)
    scene.token()

    assert scene.provider.forms[-1]["client_secret"] == "the new one"


@pytest.mark.parametrize("method", ["put", "patch", "delete"])
def test_stale_etag_is_refused(scene, administration, method):
    """Who changes what somebody else has changed meanwhile is told so."""
    old = scene.integrate().etag
    administration.patch(CODE, {"name": "Changed"}, UNCONDITIONAL)
    stored = scene.record()
    arguments = [] if method == "delete" else [integration_document()]

    error = failure(lambda: getattr(administration, method)(CODE, *arguments, Precondition(old)))

    assert (error.kind.code, error.kind.status) == ("changed_meanwhile", 412)
    assert scene.record() == stored


@pytest.mark.parametrize("condition", ["{etag}", "*", '"other", {etag}'])
def test_matching_etag_is_accepted(scene, administration, condition):
    """If-Match may name the current ETag, several, or any."""
    etag = scene.integrate().etag

    saved = administration.patch(CODE, {"name": "N"}, Precondition(condition.format(etag=etag)))

    assert saved.etag not in {"", etag}
    assert administration.get(CODE).etag == saved.etag


def test_if_match_on_what_is_not_there_is_refused(administration):
    """Somebody deleted it: PUT does not bring it back."""
    error = failure(lambda: administration.put(CODE, integration_document(), Precondition("*")))

    assert error.kind.code == "changed_meanwhile"


def test_if_none_match_lets_put_only_create(administration):
    """The second PUT with If-None-Match: * changes nothing."""
    only_new = Precondition(if_none_match="*")
    administration.put(CODE, integration_document(), only_new)

    error = failure(lambda: administration.put(CODE, integration_document(name="B"), only_new))

    assert error.kind.code == "changed_meanwhile"
    assert administration.get(CODE).document["name"] == "Business Central"


@pytest.mark.parametrize("method", ["put", "patch"])
def test_change_at_the_same_moment_is_refused(scene, administration, method):
    """Between reading and writing, somebody else was faster: 412, also without If-Match."""
    scene.integrate()
    faster = {"name": "The faster one"}
    scene.integrations.before("replace", lambda: administration.patch(CODE, faster, UNCONDITIONAL))
    document = integration_document(client_secret="the slower one's")

    error = failure(lambda: getattr(administration, method)(CODE, document, UNCONDITIONAL))

    assert error.kind.code == "changed_meanwhile"
    assert scene.record().definition.name == "The faster one"
    version = scene.record().client_secret_version
    assert scene.secrets.get("CRONUS-client-secret", version).reveal() == CLIENT_SECRET


def test_list_goes_page_by_page(scene, administration):
    """Codes come in order; each page says after which code the next one begins."""
    for code in ("D", "B", "E", "A", "C"):
        scene.integrate(code=code)

    pages, after = [], ""
    while after is not None:
        page = administration.list(after=after, limit=2)
        pages.append([document["code"] for document in page.documents])
        after = page.next_after

    assert pages == [["A", "B"], ["C", "D"], ["E"]]


def test_full_last_page_has_no_next_one(scene, administration):
    """A list that ends with its page does not lead to an empty one."""
    for code in ("A", "B"):
        scene.integrate(code=code)

    assert administration.list(after="", limit=2).next_after is None
    assert administration.list(after="B", limit=2).documents == []


def test_list_shows_each_status(scene, administration):
    """A list shows what the single documents show."""
    scene.integrate(code="SIGNED_IN")
    scene.sign_in("SIGNED_IN")
    scene.integrate(code="NEW")

    listed = administration.list(after="", limit=10).documents

    assert listed == [administration.get(code).document for code in ("NEW", "SIGNED_IN")]
    assert [document["status"] for document in listed] == ["not_authorized", "authorized"]
