"""What the administration leaves when storage or vault fail in the middle of a write."""

from __future__ import annotations

import pytest

from tests.builders import endpoint_document, integration_document
from tests.scenes import CODE, LISTING, UNCONDITIONAL, failure

MOVED = {"base_url": "https://bc.example.com", "client_secret": "the new one"}


def everything(scene) -> tuple:
    """Return all that is stored; of the vault, what the rows refer to."""
    rows = (scene.integrations, scene.endpoints, scene.states, scene.sign_ins)
    versions = [(row.code, row.client_secret_version) for row in scene.integrations.rows.values()]
    secrets = [
        scene.secrets.versions[f"{code}-client-secret"][version].reveal()
        for code, version in versions
    ]
    return *(dict(port.rows) for port in rows), secrets, scene.kept_tokens()


def create(services):
    """Create a second integration."""
    services.integrations.create(integration_document(code="SECOND", client_secret="another"))


def put(services):
    """Replace the integration, its secret and what it is bound to."""
    services.integrations.put(CODE, integration_document(**MOVED), UNCONDITIONAL)


def patch(services):
    """Change the integration, its secret and what it is bound to."""
    services.integrations.patch(CODE, MOVED, UNCONDITIONAL)


@pytest.mark.parametrize(
    ("write", "port", "method"),
    [
        (create, "integrations", "get"),
        (create, "states", "get"),
        (create, "secrets", "set"),
        (create, "integrations", "insert"),
        (put, "integrations", "get"),
        (put, "states", "get"),
        (put, "secrets", "set"),
        (put, "integrations", "replace"),
        (patch, "integrations", "get"),
        (patch, "states", "get"),
        (patch, "secrets", "set"),
        (patch, "integrations", "replace"),
    ],
)
def test_failed_write_of_an_integration_leaves_all_as_it_was(signed_in, write, port, method):
    """Definition, secret and sign-in stay together, and calls go on with them."""
    before = everything(signed_in)
    getattr(signed_in, port).fail(method)

    error = failure(lambda: write(signed_in.services))

    assert error.kind.status == 503
    assert everything(signed_in) == before
    getattr(signed_in, port).recover()
    assert signed_in.invoke(services=signed_in.another_instance()).status == 200


@pytest.mark.parametrize("method", ["get", "insert"])
def test_failed_creation_of_an_endpoint_stores_nothing(signed_in, method):
    """The endpoint is there whole, or not at all."""
    before = everything(signed_in)
    port = signed_in.integrations if method == "get" else signed_in.endpoints
    port.fail(method)

    failure(lambda: signed_in.offer(code="NEW"))

    assert everything(signed_in) == before


@pytest.mark.parametrize("method", ["get", "replace"])
def test_failed_change_of_an_endpoint_leaves_it_as_it_was(signed_in, method):
    """A change is there whole, or not at all."""
    before = everything(signed_in)
    signed_in.endpoints.fail(method)
    document = endpoint_document(name="Renamed")

    failure(lambda: signed_in.services.endpoints.put(CODE, LISTING, document, UNCONDITIONAL))

    assert everything(signed_in) == before


@pytest.mark.parametrize("failing", ["states", "secrets"])
def test_moved_integration_is_stored_though_its_tokens_cannot_be_dropped(signed_in, failing):
    """The tokens are bound to the former definition: void, even where they still lie around."""
    port = getattr(signed_in, failing)
    signed_in.integrations.before("replace", lambda: port.fail("put", "forget"))

    signed_in.services.integrations.patch(CODE, MOVED, UNCONDITIONAL)
    port.recover()

    assert signed_in.record().definition.base_url == MOVED["base_url"]
    assert failure(signed_in.invoke).kind.code == "sign_in_required"
    assert not signed_in.http.sent_to(MOVED["base_url"])


DELETION_STEPS = [
    ("integrations", "get"),
    ("integrations", "replace"),
    ("states", "get"),
    ("states", "put"),
    ("secrets", "forget"),
    ("states", "delete"),
    ("sign_ins", "delete_for"),
    ("endpoints", "delete_all"),
    ("integrations", "delete"),
]


@pytest.mark.parametrize(("port", "method"), DELETION_STEPS)
def test_failed_deletion_can_be_repeated(signed_in, port, method):
    """Wherever it failed, the integration is still there to be deleted, and then all is gone."""
    signed_in.services.authorization.create_link(CODE)
    getattr(signed_in, port).fail(method)
    error = failure(lambda: signed_in.services.integrations.delete(CODE, UNCONDITIONAL))
    getattr(signed_in, port).recover()

    signed_in.services.integrations.delete(CODE, UNCONDITIONAL)

    assert error.kind.status == 503
    assert everything(signed_in) == ({}, {}, {}, {}, [], None)
    assert not signed_in.secrets.versions


def test_deletion_takes_all_that_belongs_to_the_integration(signed_in):
    """Endpoints, token state, sign-ins and secrets go; those of others stay."""
    signed_in.services.authorization.create_link(CODE)
    signed_in.integrate(code="SECOND")
    signed_in.offer("SECOND", code="KEPT")
    signed_in.sign_in("SECOND")
    signed_in.services.authorization.create_link("SECOND")

    signed_in.services.integrations.delete(CODE, UNCONDITIONAL)

    assert list(signed_in.integrations.rows) == [("SECOND", "")]
    assert list(signed_in.endpoints.rows) == [("SECOND", "KEPT")]
    assert list(signed_in.states.rows) == ["SECOND"]
    assert {row.integration for row in signed_in.sign_ins.rows.values()} == {"SECOND"}
    assert set(signed_in.secrets.versions) == {"SECOND-client-secret", "SECOND-tokens"}


def test_deletion_takes_endpoints_that_are_added_meanwhile(signed_in):
    """An endpoint stored during the deletion is not left behind without its integration."""
    signed_in.integrations.before("delete", lambda: signed_in.offer(code="LATE"))

    signed_in.services.integrations.delete(CODE, UNCONDITIONAL)

    assert not signed_in.endpoints.rows


def test_new_integration_of_a_deleted_code_inherits_nothing(signed_in):
    """Neither the secret nor the tokens of the former one are used by the new one."""
    signed_in.services.integrations.delete(CODE, UNCONDITIONAL)

    shown = signed_in.services.integrations.create(integration_document()).document

    assert (shown["has_client_secret"], shown["signed_in_as"]) == (False, None)
    assert failure(signed_in.token).kind.code == "sign_in_required"
