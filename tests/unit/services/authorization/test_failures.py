"""Why a sign-in did not work out, as whoever waits for it is told."""

from __future__ import annotations

from datetime import timedelta

import pytest

from shared.domain.errors import StorageUnavailable
from shared.services.authorization import ProviderAnswer
from tests.scenes import CODE, PERSON, UNCONDITIONAL, cookies, failure, refusal
from tests.unit.services.authorization.steps import begin

CANARY = "eyJ-the-providers-own-words"


def decline(scene, error="access_denied"):
    """Let a person come back from the provider's page without having agreed."""
    started, asked = begin(scene)
    answer = ProviderAnswer(asked["state"], "", error, CANARY)
    return failure(lambda: scene.services.authorization.finish(answer, cookies(started)))


def told(scene):
    """Return what the status says of the latest sign-in that failed."""
    shown = scene.another_instance().token_status.of(CODE)
    return shown["failed_sign_in"], shown["failed_sign_in_on"]


def test_reason_is_told_on_every_instance(scene):
    """With when it was and what to do, in the gateway's own words."""
    error = decline(scene)
    scene.clock.advance(minutes=3)

    cause, moment = told(scene)

    assert (cause.code, cause.detail, cause.hint) == (error.kind.code, error.detail, error.hint)
    assert cause.admin_consent_url == error.admin_consent_url is not None
    assert moment == scene.clock.now() - timedelta(minutes=3)
    assert CANARY not in str(cause)


def test_refused_redemption_is_told(scene):
    """The person agreed, and the provider does not accept the app."""
    scene.provider.instead = refusal("invalid_client", 7000215, status=401)

    failure(scene.sign_in)

    assert "AADSTS7000215" in told(scene)[0].detail


def test_failed_sign_in_ends_nobody_elses(scene):
    """Whoever declines has only declined: calls go on with what was there before."""
    scene.sign_in()

    decline(scene)

    shown = scene.services.token_status.of(CODE)
    assert (shown["status"], shown["signed_in_as"]) == ("authorized", PERSON)
    assert scene.token() == "access-1"


@pytest.mark.parametrize(
    "act",
    [
        lambda scene: scene.sign_in(),
        lambda scene: scene.services.sign_off.deauthorize(scene.record()),
        lambda scene: scene.services.integrations.patch(
            CODE, {"client_id": CODE, "client_secret": "s"}, UNCONDITIONAL
        ),
    ],
    ids=["signed-in", "signed-off", "another-identity"],
)
def test_reason_is_gone_once_it_says_nothing_any_more(scene, act):
    """It is about the sign-in that is wanted now."""
    decline(scene)

    act(scene)

    assert told(scene) == (None, None)


def test_renewal_keeps_the_reason(scene):
    """The tokens in force are renewed, and the other account's sign-in has failed all the same."""
    scene.sign_in()
    decline(scene)
    scene.clock.advance(minutes=120)

    scene.token()

    assert told(scene)[0] is not None


def test_outage_of_the_storage_does_not_hide_the_reason(scene, caplog):
    """The person is told it in any case; only the log says that nobody else will be."""
    caplog.set_level("WARNING")
    started, asked = begin(scene)
    answer = ProviderAnswer(asked["state"], "", "access_denied", CANARY)
    scene.states.fail("put", error=StorageUnavailable("down"))

    error = failure(lambda: scene.services.authorization.finish(answer, cookies(started)))

    assert error.kind.code == "sign_in_refused"
    assert "token_state_behind" in caplog.text
