"""What a token endpoint's refusals and outages lead to, and when it is asked again."""

from __future__ import annotations

import email.utils
from datetime import timedelta

import pytest

from shared.domain.transport import (
    AnswerLost,
    AnswerTooLarge,
    NotSent,
    OutboundAnswer,
    TimedOut,
)
from tests.fakes import json_answer
from tests.scenes import CODE, UNCONDITIONAL, failure, refusal


def page(status):
    """Return a proxy's page in place of the provider's answer."""
    return OutboundAnswer(status, {"content-type": "text/html"}, b"<html>Out of order</html>")


SIGN_IN_ENDED = {
    "expired": refusal("invalid_grant", 700082),
    "revoked": refusal("invalid_grant", 50173),
    "plain": json_answer({"error": "invalid_grant"}, status=400),
    "second-factor": refusal("interaction_required", 50076),
    "consent": refusal("invalid_grant", 65001),
    "login": json_answer({"error": "login_required"}, status=400),
    "as-200": json_answer({"error": "invalid_grant"}),
}
MISCONFIGURED = {
    "wrong-secret": refusal("invalid_client", 7000215, status=401),
    "expired-secret": refusal("invalid_client", 7000222, status=401),
    "plain": json_answer({"error": "invalid_client"}, status=401),
    "unknown-app": refusal("unauthorized_client", 700016),
    "scope": refusal("invalid_scope", 70011),
    "tenant": refusal("invalid_request", 90002),
    "unknown": json_answer({"error": "something_new"}, status=400),
    "forbidden-address": NotSent("private address", is_forbidden=True),
}
TRANSIENT = {
    "429": refusal("invalid_grant", 70008, status=429),
    "500": refusal("invalid_grant", 70008, status=500),
    "503": json_answer({}, status=503),
    "busy": refusal("temporarily_unavailable", 90006),
    "busy-number": refusal("invalid_grant", 90033),
    "html-200": page(200),
    "html-400": page(400),
    "html-403": page(403),
    "html-502": page(502),
    "empty": OutboundAnswer(400, {}, b""),
    "list": json_answer(["invalid_grant"], status=400),
    "error-is-no-text": json_answer({"error": {"code": "invalid_grant"}}, status=400),
    "no-token": json_answer({"token_type": "Bearer"}),
    "empty-token": json_answer({"access_token": ""}),
    "token-with-line-break": json_answer({"access_token": "a\r\nX-Evil: 1"}),
    "unreachable": NotSent("no connection"),
    "timeout": TimedOut("time was up"),
    "cut": AnswerLost("connection lost"),
    "endless": AnswerTooLarge(200),
}


def cases(table):
    """Return the table's answers as parameters with their names."""
    return [pytest.param(answer, id=name) for name, answer in table.items()]


@pytest.mark.parametrize("answer", cases(SIGN_IN_ENDED))
def test_ended_sign_in_is_asked_about_once(expired, answer):
    """424 for every call on every instance, without asking again, until somebody signs in."""
    expired.provider.instead = answer
    other = expired.another_instance()

    errors = [failure(expired.token) for _ in range(3)]
    errors += [failure(lambda: expired.token(other)) for _ in range(3)]
    expired.provider.instead = None
    expired.clock.advance(days=1)
    errors.append(failure(expired.token))

    assert {error.kind.code for error in errors} == {"sign_in_required"}
    assert {error.kind.status for error in errors} == {424}
    assert expired.provider.calls == 2
    assert expired.state().status == "needs_sign_in"
    expired.sign_in()
    assert expired.token() == expired.token(other) == "access-2"


def test_ended_sign_in_is_explained_to_every_caller(expired):
    """Not only the call that met the refusal says what it means and what to do."""
    expired.provider.instead = refusal("invalid_grant", 700082)

    first, second = failure(expired.token), failure(expired.token)

    assert first.detail == second.detail
    assert first.hint == second.hint == "Sign in again."
    assert "AADSTS700082" in second.detail


def test_ended_sign_in_is_not_healed_by_a_new_name(expired):
    """Only a person can help, not any change of the definition."""
    expired.provider.instead = refusal("invalid_grant", 700082)
    failure(expired.token)

    expired.services.integrations.patch(CODE, {"name": "New"}, UNCONDITIONAL)
    failure(expired.token)

    assert expired.provider.calls == 2


@pytest.mark.parametrize("answer", cases(MISCONFIGURED))
def test_misconfiguration_is_asked_about_once_until_the_definition_changes(expired, answer):
    """424 for every call; a changed definition is tried at once, without a new sign-in."""
    expired.provider.instead = answer
    errors = [failure(expired.token) for _ in range(4)]
    expired.clock.advance(days=1)
    errors.append(failure(lambda: expired.token(expired.another_instance())))
    calls, status = expired.provider.calls, expired.state().status
    expired.provider.instead = None

    expired.services.integrations.patch(CODE, {"client_secret": "right"}, UNCONDITIONAL)

    assert {error.kind.code for error in errors} == {"identity_misconfigured"}
    assert {error.kind.status for error in errors} == {424}
    assert (calls, status) == (2, "misconfigured")
    assert expired.token() == "access-2"


def test_still_misconfigured_definition_is_asked_about_once_more(expired):
    """Each version of the definition gets one try."""
    expired.provider.instead = refusal("invalid_client", 7000215, status=401)
    failure(expired.token)
    expired.clock.advance(seconds=1)
    expired.services.integrations.patch(CODE, {"client_secret": "also wrong"}, UNCONDITIONAL)

    for _ in range(3):
        failure(expired.token)

    assert expired.provider.calls == 3


@pytest.mark.parametrize("answer", cases(TRANSIENT))
def test_outage_is_never_terminal(expired, answer):
    """503 with Retry-After, and after that time the next call works by itself."""
    expired.provider.instead = answer
    error = failure(expired.token)
    expired.provider.instead = None

    expired.clock.advance(seconds=error.retry_after_seconds + 10)

    assert (error.kind.code, error.kind.status) == ("identity_unavailable", 503)
    assert expired.state().status == "authorized"
    assert expired.token() == "access-2"


def test_provider_is_left_alone_between_two_attempts(expired):
    """Calls in between are answered at once, with the time that is left."""
    expired.provider.instead = json_answer({}, status=503)
    failure(expired.token)
    wait = expired.state().retry_on - expired.clock.now()

    expired.clock.advance(seconds=1)
    errors = [failure(expired.token), failure(lambda: expired.token(expired.another_instance()))]

    assert expired.provider.calls == 2
    for error in errors:
        assert error.kind.code == "identity_unavailable"
        assert 0 < error.retry_after_seconds <= wait.total_seconds() + 1


def test_waits_grow_and_are_bounded(expired):
    """Each failure doubles the wait, up to five minutes, with jitter so that none march in step."""
    expired.provider.instead = json_answer({}, status=503)

    waits = []
    for _ in range(10):
        failure(expired.token)
        wait = expired.state().retry_on - expired.clock.now()
        waits.append(wait.total_seconds())
        expired.clock.advance(seconds=waits[-1])

    for wait, longest in zip(waits, [5, 10, 20, 40, 80, 160, 300, 300, 300, 300], strict=True):
        assert longest / 2 <= wait <= longest
    assert expired.provider.calls == 1 + 10


def test_success_ends_the_growth(expired):
    """The next outage begins with a short wait again."""
    expired.provider.instead = json_answer({}, status=503)
    for _ in range(6):
        failure(expired.token)
        expired.clock.advance(minutes=5)
    expired.provider.instead = None
    expired.token()

    assert (expired.state().failures, expired.state().retry_on) == (0, None)


@pytest.mark.parametrize("form", ["seconds", "date"])
def test_provider_s_own_wait_is_respected(expired, form):
    """Retry-After comes in two forms (RFC 9110 section 10.2.3)."""
    until = expired.clock.now() + timedelta(seconds=120)
    value = "120" if form == "seconds" else email.utils.format_datetime(until, usegmt=True)
    expired.provider.instead = json_answer({}, status=429, headers={"retry-after": value})

    error = failure(expired.token)

    assert error.retry_after_seconds == 120
    assert expired.state().retry_on == until


def test_provider_cannot_ask_for_a_day(expired):
    """An hour is the most: nobody is shut out for longer by one strange answer."""
    expired.provider.instead = json_answer({}, status=503, headers={"retry-after": "86400"})

    assert failure(expired.token).retry_after_seconds == 3600


def test_refusal_is_told_though_it_cannot_be_recorded(expired):
    """What the provider said goes to the caller, not what the storage did."""
    expired.provider.instead = refusal("invalid_grant", 50173)
    expired.provider.afterwards = expired.states.fail

    assert failure(expired.token).kind.code == "sign_in_required"


def test_vault_outage_is_no_failure_of_the_provider(expired):
    """When the vault is back, nobody has to wait."""
    expired.secrets.fail()
    failure(expired.token)
    expired.secrets.recover()

    assert expired.token() == "access-2"


def test_app_is_refused_and_recovers_as_a_person_does(scene):
    """Client credentials follow the same rules."""
    scene.integrate(grant_type="client_credentials")
    scene.provider.instead = refusal("invalid_client", 7000222, status=401)
    first, second = failure(scene.token), failure(scene.token)
    calls = scene.provider.calls
    scene.provider.instead = None
    scene.clock.advance(seconds=1)

    scene.services.integrations.patch(CODE, {"client_secret": "renewed"}, UNCONDITIONAL)

    assert first.kind.code == second.kind.code == "identity_misconfigured"
    assert calls == 1
    assert scene.token() == "access-1"


def test_app_without_a_secret_is_told_so(scene):
    """The provider is not even asked."""
    scene.integrate(grant_type="client_credentials", client_secret=None)

    error = failure(scene.token)

    assert error.kind.code == "identity_misconfigured"
    assert "client_secret" in error.hint
    assert scene.provider.calls == 0


def test_managed_identity_outage_heals_by_itself(scene):
    """The identity endpoint of the platform may be down as anything else."""
    scene.integrate(
        grant_type="client_credentials", client_auth="managed_identity", client_secret=None
    )
    scene.assertions.fail()
    error = failure(scene.token)
    scene.assertions.recover()
    scene.clock.advance(seconds=error.retry_after_seconds)

    assert error.kind.code == "identity_unavailable"
    assert scene.token() == "access-1"
