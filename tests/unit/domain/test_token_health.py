"""What an administrator is warned of, how urgently, and what not."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from shared.domain.token_health import days_until, findings, level_of
from shared.domain.tokens import Cause, TokenState
from tests.contract.records import integration_record
from tests.fakes.machine import START as NOW

APP = {"grant_type": "client_credentials"}
CERTIFICATE = APP | {"client_auth": "certificate", "certificate_name": "bc"}
CAUSE = Cause(code="any", detail="It has expired.", hint="Sign in again.")


def after(**life: float):
    """Return the moment that lies so far in the future, or in the past."""
    return NOW + timedelta(**life)


def signed_in(**changes) -> TokenState:
    """Return the state of a sign-in that was renewed now and lives for 90 days."""
    known = {
        "status": "authorized",
        "obtained_on": NOW,
        "expires_on": after(hours=1),
        "grant_expires_on": after(days=90),
        "grant_renewed_on": NOW,
    }
    return TokenState(**known | changes)


def judged(state: TokenState, now=NOW, **definition) -> list[tuple[str, str]]:
    """Return code and level of each finding."""
    found = findings(integration_record(**definition), state, now)
    return [(each.code, each.level) for each in found]


def ending(left: timedelta, life: timedelta) -> TokenState:
    """Return the state of a sign-in that has so much left of its life."""
    return signed_in(grant_expires_on=NOW + left, grant_renewed_on=NOW + left - life)


@pytest.mark.parametrize(
    ("state", "definition"),
    [
        (signed_in(), {}),
        (signed_in(failures=2), {}),
        (signed_in(grant_expires_on=None, grant_renewed_on=None), {}),
        (TokenState(), APP),
        (signed_in(expires_on=after(hours=-1)), APP),
        (signed_in(), {"client_auth": "managed_identity"}),
        (signed_in(), {"client_auth": "client_secret_basic"}),
        (signed_in(), CERTIFICATE),
    ],
    ids=[
        "fresh",
        "two failures, still valid",
        "a grant without an end",
        "an app that nobody has used",
        "an app that nobody uses now",
        "managed identity",
        "basic",
        "a certificate that nobody knows the end of",
    ],
)
def test_what_is_well_gives_no_finding(state, definition):
    """Level ok means that nobody has to do anything."""
    assert judged(state, **definition) == []
    assert level_of([]) == "ok"


@pytest.mark.parametrize(
    ("state", "definition", "code"),
    [
        (TokenState(), {}, "not_signed_in"),
        (TokenState(status="deauthorized"), {}, "deauthorized"),
        (TokenState(status="deauthorized"), APP, "deauthorized"),
        (signed_in(status="needs_sign_in", cause=CAUSE), {}, "sign_in_required"),
        (signed_in(status="misconfigured", cause=CAUSE, revision=""), {}, "identity_misconfigured"),
        (signed_in(status="misconfigured", cause=CAUSE, revision=""), APP,
         "identity_misconfigured"),
    ],
    ids=["nobody signed in", "deauthorized", "deauthorized app", "sign-in ended", "misconfigured",
         "misconfigured app"],
)  # fmt: skip
def test_what_only_a_person_can_mend_needs_action(state, definition, code):
    """Calls fail, or will, until somebody acts."""
    assert judged(state, **definition) == [(code, "action_needed")]


def test_refused_definition_that_was_changed_is_not_known_to_be_right():
    """It may be repaired: neither well nor in need of action before it was tried."""
    state = signed_in(status="misconfigured", cause=CAUSE, revision="an older one")

    assert judged(state) == [("change_not_tried", "warning")]


def test_cause_and_remedy_name_what_to_do():
    """The provider's reason, what to do, and where, without a gap to fill in."""
    state = signed_in(status="needs_sign_in", cause=CAUSE)

    (found,) = findings(integration_record(), state, NOW)

    assert found.message == "It has expired."
    assert found.remedy.startswith("Sign in again. Sign in on /api/panel/integrations/CRONUS, ")


def test_remedy_is_told_once():
    """Where the provider gave no reason, its hint is already how to sign in."""
    record = integration_record()
    (missing,) = findings(record, TokenState(), NOW)
    cause = Cause(code="any", detail="Nobody is signed in.", hint=missing.remedy)

    (found,) = findings(record, signed_in(status="needs_sign_in", cause=cause), NOW)

    assert found.remedy == missing.remedy


def test_missing_client_secret_needs_action():
    """Nothing works without, whatever else is known."""
    record = replace(integration_record(**APP), client_secret_version=None)

    (found,) = findings(record, TokenState(), NOW)

    assert (found.code, found.level) == ("client_secret_missing", "action_needed")


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        (date(2026, 4, 3), []),
        (date(2026, 4, 1), [("client_secret_expires", "warning")]),
        (date(2026, 3, 10), [("client_secret_expires", "warning")]),
        (date(2026, 3, 9), [("client_secret_expires", "action_needed")]),
        (date(2026, 3, 3), [("client_secret_expires", "action_needed")]),
        (date(2026, 3, 2), [("client_secret_expired", "action_needed")]),
        (date(2025, 12, 31), [("client_secret_expired", "action_needed")]),
    ],
    ids=str,
)
def test_client_secret_is_warned_of_a_month_and_a_week_ahead(day, expected):
    """On the second of March; a secret counts as expired from the beginning of its last day."""
    assert judged(signed_in(), client_secret_expires_on=day) == expected


def test_end_of_a_secret_that_is_not_used_is_nobodys_business():
    """The definition may still name the day after a change of client_auth."""
    changes = {"client_auth": "managed_identity", "client_secret_expires_on": date(2026, 3, 1)}

    assert judged(signed_in(), **changes) == []


@pytest.mark.parametrize(
    ("days", "expected"),
    [
        (31, []),
        (30, [("certificate_expires", "warning")]),
        (7, [("certificate_expires", "action_needed")]),
        (0, [("certificate_expired", "action_needed")]),
    ],
)
def test_certificate_is_warned_of_a_month_and_a_week_ahead(days, expected):
    """As it was read when it last signed."""
    assert judged(signed_in(credential_expires_on=after(days=days)), **CERTIFICATE) == expected


@pytest.mark.parametrize(
    ("left", "expected"),
    [
        (timedelta(days=83), []),
        (timedelta(days=14, seconds=1), []),
        (timedelta(days=14), [("sign_in_ends", "warning")]),
        (timedelta(days=3), [("sign_in_ends", "action_needed")]),
        (timedelta(days=-1), [("sign_in_ends", "action_needed")]),
    ],
    ids=["after an idle week", "fifteen days", "fourteen days", "three days", "over"],
)
def test_sign_in_that_was_not_prolonged_is_warned_of(left, expected):
    """The timer touches an idle one weekly: with so little left it has failed for long."""
    assert judged(ending(left, timedelta(days=90))) == expected


@pytest.mark.parametrize(
    ("minutes", "expected"),
    [
        (30, []),
        (10, []),
        (7, [("sign_in_ends", "warning")]),
        (3, [("sign_in_ends", "action_needed")]),
    ],
)
def test_short_sign_in_is_not_for_ever_in_alarm(minutes, expected):
    """A grant of half an hour is well until the timer misses the time to renew it."""
    assert judged(ending(timedelta(minutes=minutes), timedelta(minutes=30))) == expected


@pytest.mark.parametrize(
    ("minutes", "expected"),
    [(90, "warning"), (60, "warning"), (59, "action_needed"), (0, "action_needed")],
)
def test_sign_in_without_a_refresh_token_is_warned_of_from_the_start(minutes, expected):
    """It ends with its access token, and only a person can prolong it."""
    state = signed_in(is_renewable=False, expires_on=after(minutes=minutes))

    assert judged(state) == [("sign_in_not_renewable", expected)]


@pytest.mark.parametrize(
    ("state", "definition"),
    [
        (signed_in(failures=3), {}),
        (signed_in(failures=1, expires_on=NOW), {}),
        (TokenState(failures=1, last_failure_on=after(hours=-23)), APP),
    ],
    ids=["three in a row", "expired", "never obtained"],
)
def test_failing_renewals_are_a_warning(state, definition):
    """It recovers by itself, so nobody is told to act."""
    assert judged(state, **definition) == [("renewals_failing", "warning")]


@pytest.mark.parametrize(
    ("definition", "expected"), [(APP, []), ({}, [("renewals_failing", "warning")])]
)
def test_failure_of_long_ago_matters_only_where_the_timer_tries_again(definition, expected):
    """An app that nobody uses is not tried any more, and would be warned of for ever."""
    state = signed_in(failures=3, last_failure_on=after(days=-1), expires_on=after(days=-1))

    assert judged(state, **definition) == expected


def test_refusals_are_not_counted_as_outages():
    """A refused renewal has a finding of its own, which names the cause."""
    state = signed_in(status="needs_sign_in", cause=CAUSE, failures=5, expires_on=NOW)

    assert judged(state) == [("sign_in_required", "action_needed")]


def test_most_urgent_finding_comes_first():
    """And decides the level."""
    state = ending(timedelta(days=2), timedelta(days=90))
    changes = {"client_secret_expires_on": date(2026, 3, 20)}
    found = findings(integration_record(**changes), state, NOW)

    assert [each.code for each in found] == ["sign_in_ends", "client_secret_expires"]
    assert level_of(found) == "action_needed"


@pytest.mark.parametrize(
    ("left", "days"), [({"days": 2}, 2), ({"hours": 47}, 1), ({"hours": 1}, 0), ({"days": -3}, 0)]
)
def test_days_are_counted_whole_and_never_below_none(left, days):
    """As people count how long they have."""
    assert days_until(after(**left), NOW) == days
