"""A stored secret or token never goes where it was not entrusted to.

Whoever may write definitions could otherwise point an integration at a server of their own.
"""

from __future__ import annotations

import pytest

from shared.domain.secret_names import tokens_name
from tests.builders import integration_document
from tests.fakes import json_answer
from tests.scenes import CLIENT_SECRET, CODE, TOKEN_URL, UNCONDITIONAL, Scene, failure, refusal
from tests.support import make_settings

ELSEWHERE = "https://evil.example.com"
OTHER_TENANT = "99999999-2222-4333-8444-555555555555"

IDENTITY_CHANGES = {
    "tenant": {"tenant_id": OTHER_TENANT},
    "client": {"client_id": "another-client"},
    "grant": {"grant_type": "client_credentials"},
    "base": {"base_url": ELSEWHERE},
    "base-port": {"base_url": "https://api.businesscentral.dynamics.com:8443"},
    "authorize": {"authorize_url": f"{ELSEWHERE}/authorize"},
    "token": {"token_url": f"{ELSEWHERE}/token"},
    "revocation": {"revocation_url": f"{ELSEWHERE}/revoke"},
}
HARMLESS_CHANGES = {
    "name": {"name": "Renamed"},
    "base-path": {"base_url": "https://api.businesscentral.dynamics.com/bc"},
    "base-port": {"base_url": "https://api.businesscentral.dynamics.com:443"},
    "token-path": {"token_url": TOKEN_URL + "?p=policy"},
    "environment": {"environment": "Sandbox", "company": "Other"},
    "scope": {"scope": "openid offline_access"},
}


def put(scene, changes):
    """Change the integration by PUT."""
    document = integration_document() | changes
    return scene.services.integrations.put(CODE, document, UNCONDITIONAL)


def patch(scene, changes):
    """Change the integration by PATCH."""
    return scene.services.integrations.patch(CODE, changes, UNCONDITIONAL)


def sent_in_all(scene) -> str:
    """Return everything that has left for the other server, as one text."""
    requests = scene.http.sent_to(ELSEWHERE)
    return " ".join(f"{each.url} {each.headers} {each.body!r}" for each in requests)


def cases(table):
    """Return the table's changes as parameters with their names."""
    return [pytest.param(changes, id=name) for name, changes in table.items()]


WRITERS = pytest.mark.parametrize("write", [put, patch])


@WRITERS
@pytest.mark.parametrize("changes", cases(IDENTITY_CHANGES))
@pytest.mark.parametrize("client_auth", ["client_secret", "client_secret_basic"])
def test_identity_change_asks_for_the_secret_again(write, changes, client_auth):
    """Without the secret, nothing is changed, and the sign-in stays."""
    scene = Scene()
    stored = scene.integrate(client_auth=client_auth)
    scene.sign_in()

    error = failure(lambda: write(scene, changes | {"client_auth": client_auth}))

    assert (error.kind.code, error.kind.status) == ("invalid_definition", 422)
    (problem,) = error.errors
    assert problem.pointer == "/client_secret"
    assert scene.record() == stored
    assert scene.state().status == "authorized"


@WRITERS
@pytest.mark.parametrize("changes", cases(IDENTITY_CHANGES))
def test_identity_change_with_the_secret_drops_the_tokens(signed_in, write, changes):
    """The new definition starts without a sign-in, and the old tokens are in no store."""
    shown = write(signed_in, changes | {"client_secret": "the new one"}).document

    assert (shown["status"], shown["signed_in_as"]) == ("not_authorized", None)
    assert tokens_name(CODE) not in signed_in.secrets.versions
    assert signed_in.state().status == "none"


def test_calls_after_an_identity_change_need_a_new_sign_in(signed_in):
    """Old tokens are used neither from memory nor from the vault, on no instance."""
    other = signed_in.another_instance()
    signed_in.invoke(services=other)
    patch(signed_in, {"base_url": ELSEWHERE, "client_secret": "the new one"})

    here = failure(signed_in.invoke)
    signed_in.clock.advance(seconds=30)
    elsewhere = failure(lambda: signed_in.invoke(services=other))

    assert here.kind.code == elsewhere.kind.code == "sign_in_required"
    assert not signed_in.http.sent_to(ELSEWHERE)


def test_other_instance_sends_the_old_token_only_to_the_old_origin(signed_in):
    """An instance that has not seen the change yet goes on as before it, whole."""
    other = signed_in.another_instance()
    signed_in.invoke(services=other)
    patch(signed_in, {"base_url": ELSEWHERE, "client_secret": "the new one"})

    assert signed_in.invoke(services=other).status == 200
    assert not signed_in.http.sent_to(ELSEWHERE)


@WRITERS
@pytest.mark.parametrize("changes", cases(HARMLESS_CHANGES))
def test_other_changes_keep_secret_and_sign_in(signed_in, write, changes):
    """A new path or name at the same origin is no new place for a secret."""
    version = signed_in.record().client_secret_version

    shown = write(signed_in, changes).document

    assert shown["status"] == "authorized"
    assert signed_in.record().client_secret_version == version
    assert signed_in.token() == "access-1"


def test_identity_change_may_remove_the_secret(signed_in):
    """Who wants no secret stored any more need not know the old one."""
    shown = patch(signed_in, {"base_url": ELSEWHERE, "client_secret": None}).document

    assert (shown["has_client_secret"], shown["status"]) == (False, "misconfigured")


def test_identity_change_without_a_stored_secret_needs_none(scene):
    """There is nothing to protect."""
    scene.integrate(client_secret=None)

    assert patch(scene, {"tenant_id": OTHER_TENANT}).document["tenant_id"] == OTHER_TENANT


@pytest.mark.parametrize(
    "steps",
    [
        [{"client_auth": "managed_identity", "tenant_id": OTHER_TENANT}],
        [{"client_auth": "managed_identity"}, {"tenant_id": OTHER_TENANT}],
        [
            {"client_auth": "certificate", "certificate_name": "c"},
            {"token_url": f"{ELSEWHERE}/token", "authorize_url": f"{ELSEWHERE}/authorize"},
        ],
        [{"grant_type": "client_credentials", "client_auth": "managed_identity"}],
    ],
    ids=["at-once", "one-by-one", "certificate", "grant"],
)
def test_secret_does_not_come_along_by_way_of_another_client_auth(signed_in, steps):
    """Switching client_auth away, moving, and switching back leaves no secret behind."""
    for changes in [*steps, {"client_auth": "client_secret"}]:
        shown = patch(signed_in, changes).document

    assert shown["has_client_secret"] is False
    assert failure(signed_in.token).kind.status == 424
    assert failure(lambda: signed_in.services.authorization.begin(CODE)).kind.code == (
        "identity_misconfigured"
    )
    assert CLIENT_SECRET not in sent_in_all(signed_in)


@pytest.mark.parametrize(
    "changes",
    [
        {"client_auth": "managed_identity"},
        {"client_auth": "certificate", "certificate_name": "c"},
        {"client_auth": "managed_identity", "grant_type": "client_credentials"},
    ],
    ids=["managed identity", "certificate", "client credentials"],
)
def test_tokens_of_the_app_itself_go_to_business_central_alone(signed_in, changes):
    """No secret could be asked for again, so a management key cannot choose where they go."""
    error = failure(lambda: patch(signed_in, changes | {"base_url": ELSEWHERE}))

    assert [problem.pointer for problem in error.errors] == ["/base_url"]
    assert patch(signed_in, changes | {"base_url": "https://lob.bc.dynamics.com"})


def test_tokens_of_the_app_itself_go_where_the_settings_vouch_for():
    """Whoever keeps the app settings may name further hosts."""
    host = ELSEWHERE.removeprefix("https://")
    gateway = Scene(settings=make_settings(ALLOWED_PRIVATE_HOSTS=host))

    assert gateway.integrate(client_auth="managed_identity", base_url=ELSEWHERE, client_secret=None)


def test_switching_client_auth_away_and_back_keeps_the_secret_in_its_place(signed_in):
    """As long as nothing else changes, the secret serves whom it always served."""
    patch(signed_in, {"client_auth": "managed_identity"})

    shown = patch(signed_in, {"client_auth": "client_secret"}).document

    assert shown["has_client_secret"] is True
    assert signed_in.token() == "access-1"


def test_moved_integration_uses_the_secret_that_came_with_it(scene):
    """The newest version alone would not do: a failed write may have left a newer one."""
    scene.http.on(ELSEWHERE, json_answer({"access_token": "theirs"}))
    scene.integrate(grant_type="client_credentials")
    scene.integrations.fail("replace")
    failure(lambda: patch(scene, {"client_secret": "of the failed write"}))
    scene.integrations.recover()

    patch(scene, {"token_url": f"{ELSEWHERE}/token", "client_secret": "for them"})
    scene.token()

    assert "client_secret=for+them" in sent_in_all(scene)
    assert scene.provider.calls == 0


def test_refresh_token_that_could_not_be_dropped_goes_nowhere_else(signed_in):
    """The vault was down when the integration moved; what lies in it stays where it belongs."""
    signed_in.secrets.fail("forget")
    moved = {"grant_type": "client_credentials", "revocation_url": f"{ELSEWHERE}/revoke"}
    patch(signed_in, moved | {"client_secret": "the writer's own"})
    signed_in.secrets.recover()
    signed_in.http.on(ELSEWHERE, json_answer({}))
    signed_in.token()

    signed_in.services.sign_off.deauthorize(signed_in.record())

    assert "refresh-1" not in sent_in_all(signed_in)


@pytest.mark.parametrize("field", ["token_url", "revocation_url"])
def test_managed_identity_proves_itself_to_entra_alone(scene, field):
    """Whoever receives the identity's assertion could use it at Entra."""
    scene.integrate(client_auth="managed_identity", client_secret=None)

    error = failure(lambda: patch(scene, {field: f"{ELSEWHERE}/collect"}))

    assert [problem.pointer for problem in error.errors] == [f"/{field}"]


def test_verdict_on_the_former_definition_does_not_bind_the_new_one(signed_in):
    """A sign-in that ended says nothing about an app that signs in by itself."""
    signed_in.clock.advance(minutes=60)
    signed_in.provider.instead = refusal("invalid_grant", 700082)
    failure(signed_in.token)
    signed_in.provider.instead = None
    signed_in.states.fail("put")  # so that the verdict stays in the row

    patch(signed_in, {"grant_type": "client_credentials", "client_secret": "new"})
    signed_in.states.recover()

    assert signed_in.state().status == "needs_sign_in"
    assert signed_in.token() == "access-2"


def test_moved_back_integration_finds_no_tokens(signed_in):
    """Dropped is dropped, also where the vault was down at that moment."""
    signed_in.secrets.fail("forget")
    patch(signed_in, {"base_url": ELSEWHERE, "client_secret": "one"})
    signed_in.secrets.recover()

    patch(signed_in, {"base_url": "https://api.businesscentral.dynamics.com",
                      "client_secret": "two"})  # fmt: skip

    assert failure(signed_in.token).kind.code == "sign_in_required"
