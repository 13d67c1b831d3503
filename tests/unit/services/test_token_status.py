"""What an administrator is told about a sign-in."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec

from tests.fakes import json_answer
from tests.scenes import CLIENT_SECRET, CODE, PERSON, TOKEN_URL, UNCONDITIONAL, failure, refusal


def status(scene, services=None) -> dict:
    """Return the document."""
    return (services or scene.services).token_status.of(CODE)


def test_integration_without_a_sign_in(scene):
    """Everything is there, and empty."""
    scene.integrate()

    shown = status(scene)

    (found,) = shown.pop("findings")
    assert found.code == "not_signed_in"
    assert shown == {
        "integration": CODE,
        "level": "action_needed",
        "status": "not_authorized",
        "is_valid_auth": False,
        "signed_in_as": None,
        "has_client_secret": True,
        "access_token": None,
        "grant": None,
        "credential": {"kind": "client_secret", "expires_on": None, "expires_in_days": None},
        "last_refresh_on": None,
        "next_refresh_on": None,
        "last_used_on": None,
        "consecutive_failures": 0,
        "last_failure_on": None,
        "cause": None,
        "failed_sign_in": None,
        "failed_sign_in_on": None,
    }


def test_sign_in_tells_its_times(signed_in):
    """How old the token is, when it ends, and when it is renewed."""
    obtained_on = signed_in.clock.now()
    signed_in.clock.advance(minutes=10)

    shown = status(signed_in)

    assert shown["access_token"] == {
        "obtained_on": obtained_on,
        "expires_on": obtained_on + timedelta(hours=1),
        "age_seconds": 600,
        "expires_in_seconds": 3000,
    }
    assert shown["last_refresh_on"] == obtained_on
    assert shown["next_refresh_on"] == obtained_on + timedelta(minutes=45)
    assert (shown["status"], shown["is_valid_auth"], shown["signed_in_as"]) == (
        "authorized", True, PERSON,
    )  # fmt: skip


def test_every_instance_tells_the_same(signed_in):
    """It is read from the stores, not from memory."""
    other = signed_in.another_instance()
    status(signed_in, other)
    signed_in.services.sign_off.deauthorize(signed_in.record())

    assert status(signed_in) == status(signed_in, other)
    assert status(signed_in)["status"] == "not_authorized"


def test_status_takes_two_calls_to_storage(signed_in):
    """Definition and state are read once each."""
    before = signed_in.stored_calls()

    status(signed_in)

    assert signed_in.stored_calls() - before == 2


def test_code_is_folded(signed_in):
    """As in every other route."""
    assert signed_in.services.token_status.of("cronus")["integration"] == CODE


def test_unknown_integration_is_not_found(scene):
    """404, as in every other route."""
    assert failure(lambda: status(scene)).kind.code == "integration_not_found"


def test_expired_token_has_no_time_left(signed_in):
    """Not less than none."""
    signed_in.clock.advance(minutes=90)

    assert status(signed_in)["access_token"]["expires_in_seconds"] == 0


def test_ended_sign_in_says_why_and_what_to_do(signed_in):
    """With the provider's number, and since when."""
    signed_in.provider.instead = refusal("invalid_grant", 700082)
    signed_in.clock.advance(minutes=60)
    failure(signed_in.token)

    shown = status(signed_in)

    assert shown["status"] == "needs_sign_in"
    assert shown["last_failure_on"] == signed_in.clock.now()
    assert shown["next_refresh_on"] is None
    cause = msgspec.to_builtins(shown["cause"])
    assert (cause["code"], cause["hint"]) == ("sign_in_required", "Sign in again.")
    assert "AADSTS700082" in cause["detail"]


def test_outage_is_counted_and_tells_the_next_try(signed_in):
    """The sign-in is as good as before; the provider is what is broken."""
    signed_in.http.on(TOKEN_URL, json_answer({}, status=503))
    signed_in.clock.advance(minutes=50)
    signed_in.token()

    shown = status(signed_in)

    assert (shown["status"], shown["consecutive_failures"]) == ("authorized", 1)
    assert shown["last_failure_on"] == signed_in.clock.now()
    assert shown["next_refresh_on"] == signed_in.state().retry_on
    assert shown["next_refresh_on"] > signed_in.clock.now()


def test_corrected_definition_does_not_show_the_old_cause(signed_in):
    """What was wrong with the former one may be repaired."""
    signed_in.provider.instead = refusal("invalid_client", 7000215, status=401)
    signed_in.clock.advance(minutes=60)
    failure(signed_in.token)
    before = status(signed_in)
    signed_in.clock.advance(seconds=1)

    signed_in.services.integrations.patch(CODE, {"client_secret": "new"}, UNCONDITIONAL)

    assert (before["status"], before["cause"].code) == ("misconfigured", "identity_misconfigured")
    assert "/api/panel/integrations/CRONUS," in before["cause"].hint
    assert status(signed_in)["cause"] is None


def test_change_of_the_definition_does_not_hide_why_the_sign_in_ended(signed_in):
    """No change of it mends that: cause and finding say the same, until somebody signs in."""
    signed_in.provider.instead = refusal("invalid_grant", 700082)
    signed_in.clock.advance(minutes=60)
    failure(signed_in.token)

    signed_in.services.integrations.patch(CODE, {"name": "Another name"}, UNCONDITIONAL)

    shown = status(signed_in)
    assert [found.code for found in shown["findings"]] == [shown["cause"].code]
    assert shown["status"] == "needs_sign_in"


def test_moved_integration_shows_nothing_of_its_former_self(signed_in):
    """Neither tokens nor failures, also where they could not be dropped."""
    signed_in.states.fail("put")
    changes = {"base_url": "https://bc.example.com", "client_secret": "x"}
    signed_in.services.integrations.patch(CODE, changes, UNCONDITIONAL)
    signed_in.states.recover()

    shown = status(signed_in)

    assert (shown["status"], shown["access_token"], shown["signed_in_as"]) == (
        "not_authorized", None, None,
    )  # fmt: skip


def test_sign_in_that_is_well_has_no_finding(signed_in):
    """Level ok, and nothing to do."""
    shown = status(signed_in)

    assert (shown["level"], shown["findings"]) == ("ok", [])


def test_ended_sign_in_is_a_finding(signed_in):
    """With the cause and the remedy in plain words, as a caller's JSON has it."""
    signed_in.provider.instead = refusal("invalid_grant", 700082)
    signed_in.clock.advance(minutes=60)
    failure(signed_in.token)

    shown = msgspec.json.decode(msgspec.json.encode(status(signed_in)))

    assert shown["level"] == "action_needed"
    (found,) = shown["findings"]
    assert found.keys() == {"code", "level", "message", "remedy"}
    assert (found["code"], found["level"]) == ("sign_in_required", "action_needed")
    assert found["message"] == shown["cause"]["detail"]


def test_grant_tells_how_long_it_lasts(signed_in):
    """Every renewal puts off its end; the person signed in only once."""
    signed_in_on = signed_in.clock.now()
    signed_in.clock.advance(days=2)
    signed_in.token()
    signed_in.clock.advance(days=1)

    assert status(signed_in)["grant"] == {
        "signed_in_on": signed_in_on,
        "expires_on": signed_in_on + timedelta(days=2 + 90),
        "expires_in_days": 89,
    }


def test_app_that_signs_in_by_itself_has_no_grant_to_keep(scene):
    """There is nobody to sign in, and nothing that ages."""
    scene.integrate(grant_type="client_credentials")
    scene.token()

    shown = status(scene)

    assert (shown["grant"], shown["level"]) == (None, "ok")


def test_credential_tells_how_long_it_lasts(scene):
    """As the definition says, for a secret."""
    scene.integrate(grant_type="client_credentials", client_secret_expires_on="2026-03-31")

    shown = status(scene)

    assert shown["credential"] == {
        "kind": "client_secret",
        "expires_on": datetime(2026, 3, 31, tzinfo=UTC),
        "expires_in_days": 28,
    }
    assert [found.code for found in shown["findings"]] == ["client_secret_expires"]


def test_managed_identity_has_no_end(scene):
    """No secret at all: the platform renews it."""
    scene.integrate(
        grant_type="client_credentials", client_auth="managed_identity", client_secret=None
    )

    kind = {"kind": "managed_identity", "expires_on": None, "expires_in_days": None}
    assert status(scene)["credential"] == kind


def test_status_holds_no_secret(signed_in):
    """Neither the client's nor the tokens."""
    told = msgspec.json.encode(status(signed_in)).decode()

    for secret in (CLIENT_SECRET, "access-1", "refresh-1"):
        assert secret not in told
