"""The audit: what becomes an entry, by whom, and what an outage of its table leaves."""

from __future__ import annotations

import json
import logging
from contextlib import suppress

import pytest

from shared.domain.audit import KEY_HOLDER, LINK_HOLDER
from shared.domain.errors import GatewayError
from shared.domain.transport import TimedOut
from tests.builders import endpoint_document, integration_document
from tests.scenes import (
    CODE,
    LISTING,
    PERSON,
    UNCONDITIONAL,
    Scene,
    cookies,
    failure,
    serving,
)

ADMIN = "admin@cronus.example"
CANARY = "canary-3b9e"
SECRET = ("/client_secret", None, None, True)
KEY = {"idempotency-key": "order-4711"}
ROBOT = {"grant_type": "client_credentials"}


@pytest.fixture
def quiet():
    """Return a gateway with an integration and an endpoint, of which nothing is noted yet."""
    scene = serving()
    scene.audit.rows.clear()
    return scene


def entries(scene):
    """Return all entries, the latest first."""
    return [scene.audit.rows[each] for each in sorted(scene.audit.rows)]


def only(scene):
    """Return the one entry that there is: action, who, and what it is about."""
    (entry,) = entries(scene)
    return entry.action, entry.by, entry.integration, entry.endpoint


def changes(scene):
    """Return what the one entry tells of each field."""
    (entry,) = entries(scene)
    return [(each.field, each.old, each.new, each.is_secret) for each in entry.changes]


def test_new_integration_is_noted(scene):
    """With what it was given, and of its secret only that there is one."""
    document = integration_document(code="new", client_secret=CANARY, max_in_flight=5)
    scene.services.integrations.create(document, by=ADMIN)

    assert only(scene) == ("created", ADMIN, "NEW", None)
    given = integration_document(code="NEW")
    told = {field: new for field, _, new, is_secret in changes(scene) if not is_secret}
    assert told == {f"/{name}": value for name, value in given.items()}
    assert changes(scene)[-1] == SECRET


@pytest.mark.parametrize("method", ["put", "patch"])
def test_changed_integration_is_noted(quiet, method):
    """Old and new values of what differs, whichever way it was written."""
    document = integration_document(company="B", max_in_flight=9)
    write = getattr(quiet.services.integrations, method)
    write(CODE, document, UNCONDITIONAL, by=ADMIN)

    assert only(quiet) == ("changed", ADMIN, CODE, None)
    assert changes(quiet) == [
        ("/company", "CRONUS USA, Inc.", "B", False),
        ("/max_in_flight", 5, 9, False),
    ]


@pytest.mark.parametrize("secret", [CANARY, None], ids=["given", "removed"])
def test_secret_is_told_as_changed_only(quiet, secret):
    """Whether it was given anew or removed."""
    quiet.services.integrations.patch(CODE, {"client_secret": secret}, UNCONDITIONAL)

    assert only(quiet) == ("changed", KEY_HOLDER, CODE, None)
    assert changes(quiet) == [SECRET]


def test_secret_that_a_change_voids_is_told(quiet):
    """It is gone from the row, though nobody named it."""
    change = {
        "client_auth": "managed_identity",
        "client_id": "aaaaaaaa-bbbb-4ccc-8ddd-000000000000",
    }
    quiet.services.integrations.patch(CODE, change, UNCONDITIONAL)

    assert {each[0] for each in changes(quiet)} == {"/client_auth", "/client_id", "/client_secret"}


def test_endpoint_is_noted_from_beginning_to_end(quiet):
    """Its creation, its change and its deletion, under its integration."""
    administration = quiet.services.endpoints
    administration.create(CODE, {"code": "x", "api_url": "A"}, by="one")
    quiet.clock.advance(seconds=1)
    administration.put(CODE, "X", {"api_url": "B"}, UNCONDITIONAL, by="two")
    quiet.clock.advance(seconds=1)
    administration.patch(CODE, "X", {"is_enabled": False}, UNCONDITIONAL, by="three")
    quiet.clock.advance(seconds=1)
    administration.delete(CODE, "X", UNCONDITIONAL, by="four")

    deleted, switched, replaced, created = entries(quiet)
    told = [(each.field, each.old, each.new) for entry in (created, replaced, switched)
            for each in entry.changes]  # fmt: skip
    assert told == [
        ("/code", None, "X"),
        ("/api_url", None, "A"),
        ("/api_url", "A", "B"),
        ("/is_enabled", True, False),
    ]
    old = {each.field: each.old for each in deleted.changes}
    assert (old["/api_url"], old["/is_enabled"], old["/timeout_seconds"]) == ("B", False, 100)
    assert [each.by for each in (created, replaced, switched, deleted)] == [
        "one", "two", "three", "four",
    ]  # fmt: skip
    assert {(each.integration, each.endpoint) for each in entries(quiet)} == {(CODE, "X")}


def test_writing_the_same_again_is_not_noted(quiet):
    """Neither a PUT of what GET gave nor a PATCH to the values that are there."""
    services = quiet.services
    shown = services.integrations.get(CODE).document
    services.integrations.put(CODE, shown, UNCONDITIONAL)
    services.integrations.patch(CODE, {"max_in_flight": 5}, UNCONDITIONAL)
    services.endpoints.put(CODE, LISTING, endpoint_document(), UNCONDITIONAL)
    services.endpoints.patch(CODE, LISTING, {}, UNCONDITIONAL)

    assert entries(quiet) == []


@pytest.mark.parametrize("method", ["create", "put", "patch"])
def test_refused_definition_is_not_noted(quiet, method):
    """And the secret in it is nowhere."""
    document = integration_document(code="OTHER", client_secret=CANARY, colour="red")
    administration = quiet.services.integrations
    write = {
        "create": lambda: administration.create(document),
        "put": lambda: administration.put("OTHER", document, UNCONDITIONAL),
        "patch": lambda: administration.patch(
            CODE, {"client_secret": CANARY, "colour": "red"}, UNCONDITIONAL
        ),
    }[method]

    assert failure(write).kind.code == "invalid_definition"
    assert entries(quiet) == []


def test_change_that_was_not_stored_is_not_noted(quiet):
    """The row comes first: an entry tells of what has happened."""
    quiet.integrations.fail("replace")

    failure(lambda: quiet.services.integrations.patch(CODE, {"name": "x"}, UNCONDITIONAL))

    assert entries(quiet) == []


def test_deleted_integration_leaves_one_entry(quiet):
    """With the whole old definition; nobody else's entries go."""
    quiet.integrate(code="OTHER")
    quiet.services.integrations.patch(CODE, {"company": "B"}, UNCONDITIONAL)
    quiet.services.integrations.delete(CODE, UNCONDITIONAL, by=ADMIN)

    (entry,) = (each for each in entries(quiet) if each.integration == CODE)
    assert (entry.action, entry.by, entry.endpoint) == ("deleted", ADMIN, None)
    old = {each.field: each.old for each in entry.changes}
    assert (old["/company"], old["/max_in_flight"]) == ("B", 5)
    assert (old["/client_secret"], entry.changes[-1].is_secret) == (None, True)
    assert [each.action for each in entries(quiet) if each.integration == "OTHER"] == ["created"]


def test_deletion_that_is_repeated_leaves_one_entry(quiet):
    """The history goes before the row does, and is not gone halfway for good."""
    delete = quiet.services.integrations.delete
    quiet.audit.fail("delete_for")
    failure(lambda: delete(CODE, UNCONDITIONAL))
    quiet.audit.recover()
    delete(CODE, UNCONDITIONAL)

    assert only(quiet) == ("deleted", KEY_HOLDER, CODE, None)


def test_sign_in_is_noted_by_the_account_that_signed_in(quiet):
    """And its beginning by whoever began it."""
    authorization = quiet.services.authorization
    started = authorization.begin(CODE, by=ADMIN)
    assert only(quiet) == ("sign_in_started", ADMIN, CODE, None)

    quiet.clock.advance(seconds=1)
    authorization.finish(quiet.consent(started), cookies(started))

    finished, begun = entries(quiet)
    assert (finished.action, finished.by) == ("signed_in", PERSON)
    assert (finished.changes, begun.changes) == ((), ())


def test_sign_in_without_a_name_is_noted(quiet):
    """A provider need not tell who somebody is."""
    quiet.provider.changes = {"id_token": None}
    quiet.sign_in()

    (finished,) = (each for each in entries(quiet) if each.action == "signed_in")
    assert finished.by == "an account without a name"


def test_link_is_noted_when_it_is_made_and_when_it_is_followed(quiet):
    """Who followed it is not known before the sign-in ends; the link itself is told nowhere."""
    link = quiet.services.authorization.create_link(CODE, by=ADMIN)
    assert only(quiet) == ("sign_in_link_created", ADMIN, CODE, None)
    quiet.clock.advance(seconds=1)
    quiet.services.authorization.follow_link(link.token)

    begun = entries(quiet)[0]
    assert (begun.action, begun.by) == ("sign_in_started", LINK_HOLDER)
    assert link.token not in repr(quiet.audit.rows)


def test_declined_sign_in_is_not_noted(quiet):
    """It changed nothing; the activity tells of it."""
    started = quiet.services.authorization.begin(CODE)
    quiet.audit.rows.clear()
    answer = quiet.consent(started)
    declined = type(answer)(answer.unverified_state, "", "access_denied", "No.")
    failure(lambda: quiet.services.authorization.finish(declined, cookies(started)))

    assert entries(quiet) == []


def test_app_that_is_connected_is_noted():
    """No person signs in: who let it in is the one who asked."""
    scene = Scene()
    scene.integrate(**ROBOT)
    scene.audit.rows.clear()
    scene.services.authorization.begin(CODE, by=ADMIN)

    assert only(scene) == ("connected", ADMIN, CODE, None)


def test_deauthorization_is_noted_once_it_counts(quiet):
    """Also where the vault is down, and the caller is told to come back for the rest."""
    quiet.secrets.fail("forget")
    failure(lambda: quiet.services.sign_off.deauthorize(quiet.record(), by=ADMIN))

    assert only(quiet) == ("deauthorized", ADMIN, CODE, None)


def test_tokens_that_a_change_voids_are_no_entry_of_their_own(quiet):
    """One act, one entry."""
    change = {"tenant_id": "cronus.example", "client_secret": CANARY}
    quiet.services.integrations.patch(CODE, change, UNCONDITIONAL)

    assert only(quiet)[0] == "changed"


@pytest.mark.parametrize("outcome", ["done", "not_done"])
def test_settled_key_is_noted(outcome):
    """Which call it was is told by its request id; the key itself is known to nobody."""
    scene = serving(TimedOut("slow"))
    with suppress(GatewayError):
        scene.invoke(headers=KEY)
    scene.audit.rows.clear()
    scene.services.kept_calls.settle(CODE, LISTING.lower(), KEY, outcome, by=ADMIN)

    assert only(scene) == ("key_settled", ADMIN, CODE, LISTING)
    assert changes(scene) == [("/calls/request-1/outcome", "unknown", outcome, False)]
    assert "order-4711" not in repr(scene.audit.rows)


def test_entry_that_cannot_be_written_fails_nobody(quiet, caplog):
    """The change stays; the log has the entry, by its fields and without their values."""
    quiet.audit.fail("write")
    change = {"company": CANARY, "client_secret": CANARY}
    quiet.services.integrations.patch(CODE, change, UNCONDITIONAL, by=ADMIN)

    assert quiet.record().definition.company == CANARY
    (line,) = (each for each in caplog.records if each.levelno == logging.ERROR)
    told = json.loads(line.message)
    assert told.pop("moment")
    assert told == {
        "event": "audit_lost",
        "by": ADMIN,
        "action": "changed",
        "integration": CODE,
        "endpoint": None,
        "fields": ["/company", "/client_secret"],
        "reason": "The fake is down.",
    }


def test_secrets_are_in_no_entry(quiet):
    """Whichever way they come, and whatever becomes of the definition."""
    administration = quiet.services.integrations
    administration.create(integration_document(code="OTHER", client_secret=CANARY))
    administration.put(CODE, integration_document(client_secret=CANARY), UNCONDITIONAL)
    administration.patch(CODE, {"client_secret": f"{CANARY}-2"}, UNCONDITIONAL)
    administration.delete("OTHER", UNCONDITIONAL)
    quiet.sign_in()

    assert len(entries(quiet)) >= 4
    assert CANARY not in repr(quiet.audit.rows)


def test_calls_and_renewals_are_not_noted(quiet):
    """They are the activity's; and a call waits for no storage."""
    quiet.audit.calls.clear()
    quiet.invoke()
    quiet.clock.advance(minutes=70)
    quiet.invoke()

    assert quiet.provider.calls == 2
    assert not quiet.audit.calls
