"""What a provider's refusal says, and what it calls for."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from shared.domain import aadsts
from shared.domain.errors import IdentityUnavailable
from shared.domain.identity_errors import Refusal, classify, explain, lacks_consent, numbers_of
from shared.domain.oauth import read_grant

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
# The classes of Entra's numbers, as they were collected before the code was written.
SIGN_IN = [50076, 50079, 50074, 50072, 50078, 50173, 700082, 70008, 700084, 70043, 50089, 50132,
           50133, 50055, 50097, 53000, 53001, 53002, 53003, 530032, 50058, 16000, 700020,
           65001, 65004, 90094]  # fmt: skip
CONFIGURATION = [7000215, 7000222, 7000218, 700027, 700025, 700016, 7000112, 50011, 500011, 650052,
                 650057, 70011, 90002, 50194, 50105, 50034, 50057, 501481, 9002313, 54005,
                 70000]  # fmt: skip
TRANSIENT = [50033, 50087, 90006, 90012, 90024, 90033, 90055, 90090, 50196]
TABLE = [
    *((number, Refusal.SIGN_IN) for number in SIGN_IN),
    *((number, Refusal.CONFIGURATION) for number in CONFIGURATION),
    *((number, Refusal.TRANSIENT) for number in TRANSIENT),
]
WAYS_TO_SAY_NO = ["invalid_grant", "invalid_client", "invalid_request", "something_new"]


@pytest.mark.parametrize(("number", "refusal"), TABLE)
@pytest.mark.parametrize("error", WAYS_TO_SAY_NO)
def test_number_decides_and_is_explained(number, refusal, error):
    """Whatever `error` comes with it; what it means and what to do stand in plain words."""
    answer = {"error": error, "error_codes": [number], "error_description": "in Entra's words"}

    meaning, remedy = explain(answer)

    assert classify(400, answer) is refusal
    assert meaning.endswith(f". (AADSTS{number})")
    assert remedy.endswith(".")


def test_table_holds_every_number_once():
    """No number stands in two classes, and none is forgotten."""
    tables = (aadsts.SIGN_IN, aadsts.CONSENT, aadsts.CONFIGURATION, aadsts.TRANSIENT)

    assert sum(map(len, tables)) == len(aadsts.EXPLANATIONS) == len(TABLE)
    assert set(aadsts.EXPLANATIONS) == {number for number, _ in TABLE}


@pytest.mark.parametrize(
    ("error", "refusal"),
    [
        ("invalid_grant", Refusal.SIGN_IN),
        ("interaction_required", Refusal.SIGN_IN),
        ("login_required", Refusal.SIGN_IN),
        ("consent_required", Refusal.SIGN_IN),
        ("access_denied", Refusal.SIGN_IN),
        ("account_selection_required", Refusal.SIGN_IN),
        ("bad_refresh_token", Refusal.SIGN_IN),
        ("invalid_client", Refusal.CONFIGURATION),
        ("unauthorized_client", Refusal.CONFIGURATION),
        ("invalid_scope", Refusal.CONFIGURATION),
        ("invalid_resource", Refusal.CONFIGURATION),
        ("invalid_request", Refusal.CONFIGURATION),
        ("unsupported_grant_type", Refusal.CONFIGURATION),
        ("something_new", Refusal.CONFIGURATION),
        ("temporarily_unavailable", Refusal.TRANSIENT),
        ("server_error", Refusal.TRANSIENT),
        ("slow_down", Refusal.TRANSIENT),
        ("rate_limit_exceeded", Refusal.TRANSIENT),
        ("too_many_requests", Refusal.TRANSIENT),
    ],
)
@pytest.mark.parametrize("status", [200, 400, 401])
def test_error_decides_where_no_number_does(error, refusal, status):
    """RFC 6749 section 5.2; some providers refuse with status 200."""
    answer = {"error": error, "error_codes": [999_999]}

    assert classify(status, answer) is refusal
    assert classify(status, {"error": error}) is refusal


@pytest.mark.parametrize(
    ("suberror", "error", "refusal"),
    [
        ("bad_token", "invalid_request", Refusal.SIGN_IN),
        ("token_expired", "invalid_request", Refusal.SIGN_IN),
        ("consent_required", "invalid_request", Refusal.SIGN_IN),
        ("client_mismatch", "invalid_request", Refusal.SIGN_IN),
        ("user_password_expired", "invalid_request", Refusal.SIGN_IN),
        ("basic_action", "interaction_required", Refusal.SIGN_IN),
        ("message_only", "invalid_grant", Refusal.SIGN_IN),
        ("protection_policy_required", "invalid_grant", Refusal.CONFIGURATION),
        ("device_authentication_failed", "invalid_grant", Refusal.CONFIGURATION),
        (["bad_token"], "invalid_client", Refusal.CONFIGURATION),
    ],
)
def test_suberror_tells_more_than_the_error(suberror, error, refusal):
    """A person who signs in mends the one, an administrator the other."""
    assert classify(400, {"error": error, "suberror": suberror}) is refusal


@pytest.mark.parametrize("status", [408, 409, 423, 425, 429, 500, 502, 503, 504, 599])
def test_status_that_speaks_of_time_is_never_terminal(status):
    """Even where the body says that the grant has ended."""
    answer = {"error": "invalid_grant", "error_codes": [700082]}

    assert classify(status, answer) is Refusal.TRANSIENT


@pytest.mark.parametrize(
    ("status", "answer", "refusal"),
    [
        (403, {"error": "Forbidden"}, Refusal.TRANSIENT),
        (404, {"error": "Not Found"}, Refusal.TRANSIENT),
        (404, {"statusCode": 404, "message": "Resource not found"}, Refusal.TRANSIENT),
        (401, {"error": {"code": "unauthorized"}}, Refusal.TRANSIENT),
        (400, {"error": "Bad Request", "status": 400}, Refusal.TRANSIENT),
        (401, {"error": "Unauthorized"}, Refusal.TRANSIENT),
        (200, {"error": "x" * 41}, Refusal.TRANSIENT),
        (403, {"error": "something_new"}, Refusal.TRANSIENT),
        (403, {"error": "invalid_grant"}, Refusal.SIGN_IN),
        (422, {"error": "invalid_client"}, Refusal.CONFIGURATION),
    ],
)
def test_answer_of_something_in_between_ends_no_grant(status, answer, refusal):
    """Only what looks like a code counts; under other statuses than OAuth's, only what is known."""
    assert classify(status, answer) is refusal


@pytest.mark.parametrize("status", [302, 400, 401, 403, 404, 410])
@pytest.mark.parametrize("body", [b"", b"<html>Blocked</html>", b"[]", b"\xff"])
def test_answer_that_is_no_refusal_names_the_address(status, body):
    """A proxy's page may pass, and a wrong address may stay: whoever reads it can tell."""
    with pytest.raises(IdentityUnavailable) as caught:
        read_grant(status, body, now=NOW, retry_after=None)

    assert str(status) in caught.value.detail
    assert "token_url" in caught.value.detail


def test_description_never_decides():
    """A number that stands only in the text explains, and does not classify."""
    answer = {"error": "invalid_client", "error_description": "AADSTS700082: expired"}

    assert classify(401, answer) is Refusal.CONFIGURATION
    assert "AADSTS700082" in explain(answer)[0]


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ({"error": "invalid_grant", "error_codes": [65001]}, True),
        ({"error": "access_denied", "error_description": "AADSTS65004: Declined."}, True),
        ({"error": "x", "error_codes": [90094]}, True),
        ({"error": "consent_required"}, True),
        ({"error": "invalid_grant", "suberror": "consent_required"}, True),
        ({"error": "access_denied"}, True),
        ({"error": "invalid_grant", "error_codes": [700082]}, False),
        ({"error": "invalid_grant", "suberror": "bad_token"}, False),
        ({}, False),
    ],
)
def test_want_of_consent_is_told_apart(answer, expected):
    """Only there does an administrator's consent help."""
    assert lacks_consent(answer) is expected


@pytest.mark.parametrize(
    ("description", "numbers"),
    [
        ("AADSTS65004: User declined.", [65004]),
        ("AADSTS7000215", [7000215]),
        ("AADSTS: nothing", []),
        ("AADSTS12x", [12]),
        ("AADSTS\u0667: no digit of ours", []),
        ("AADSTS" + "9" * 5000 + ": too many", []),
        ("User declined. AADSTS65004", []),
        (None, []),
    ],
)
def test_number_is_read_from_the_description(description, numbers):
    """On the redirect it stands nowhere else; what is no such number does no harm."""
    assert numbers_of({"error_description": description}) == numbers
    assert explain({"error": "access_denied", "error_description": description})
