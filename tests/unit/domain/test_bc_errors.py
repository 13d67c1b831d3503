"""Business Central's error codes, explained."""

import json

import pytest

from shared.domain.bc_errors import (
    STEPS,
    STEPS_OF_GROUPS,
    hint_header,
    next_step,
    with_next_step,
)
from shared.domain.error_kinds import OUTCOME_UNKNOWN, UPSTREAM_UNAUTHORIZED

ODATA = "http://docs.oasis-open.org/odata/ns/metadata"


def said(code, message="Secret words of the service."):
    """Return an error as Business Central gives it."""
    return json.dumps({"error": {"code": code, "message": message}}).encode()


def xml(code):
    """Return an error as Business Central gives it where nobody asks for JSON."""
    return f'<?xml version="1.0"?><error xmlns="{ODATA}"><code>{code}</code></error>'.encode()


@pytest.mark.parametrize("code", STEPS)
def test_known_code_is_explained_in_both_forms(code):
    """JSON or XML: the same code has the same next step."""
    assert next_step(400, said(code)) == next_step(400, xml(code)) == STEPS[code]


@pytest.mark.parametrize(
    ("code", "group"),
    [
        ("Application_InvalidGUID", "Application"),
        ("Authorization_RequestDenied", "Authorization"),
        ("Internal_SomethingNew", "Internal"),
    ],
)
def test_unknown_code_counts_as_its_group(code, group):
    """Microsoft adds codes, and the first word tells what they are about."""
    assert next_step(400, said(code)) == STEPS_OF_GROUPS[group]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"Bad Gateway",
        b"<html><body><code>42</code></body></html>",
        b'{"code": "NoEnvironment"}',
        b'{"error": "NoEnvironment"}',
        b'{"error": {"code": 7}}',
        b'{"error": {"code": "Unknown"}}',
        b'{"error": {"code": "Applicationly"}}',
        b"[" * 50_000,
        b"\xff\xfe{",
        said("NoEnvironment", "x" * 70_000),
    ],
    ids=["empty", "text", "html", "flat", "text-error", "number", "unknown", "no-group", "deep",
         "no-utf8", "long"],
)  # fmt: skip
def test_body_in_another_form_is_not_explained(body):
    """Whatever is no error of Business Central is passed on without a word."""
    assert next_step(502, body) is None
    assert hint_header(502, body) == {}


def test_answer_that_is_no_error_is_not_read():
    """A record may have a member with the name error."""
    assert next_step(200, said("NoEnvironment")) is None


@pytest.mark.parametrize("step", sorted({*STEPS.values(), *STEPS_OF_GROUPS.values()}))
def test_step_fits_into_a_header_beside_any_outcome(step):
    """One line of ASCII; after 401 alone, which is not executed, it may invite to call again."""
    assert step.isascii()
    assert step.isprintable()
    assert step.endswith(".")
    invites = {"again.", "retry", "resend"} & set(step.lower().split())
    assert not invites or step == UPSTREAM_UNAUTHORIZED.hint


def test_header_repeats_nothing_of_the_answer():
    """Only the fixed table speaks in it."""
    assert hint_header(404, said("NoEnvironment")) == {"X-Gateway-Hint": STEPS["NoEnvironment"]}


def test_hint_of_a_wrapping_error_comes_first():
    """Whether a change was made is the question; why it failed comes second."""
    hint = with_next_step(OUTCOME_UNKNOWN.hint, 500, said("Internal_ServerError"))

    assert hint == f"{OUTCOME_UNKNOWN.hint} {STEPS['Internal_ServerError']}"


def test_hint_is_not_said_twice():
    """A refused token has one remedy, whoever tells it."""
    body = said("Authentication_InvalidCredentials")

    assert with_next_step(UPSTREAM_UNAUTHORIZED.hint, 401, body) == UPSTREAM_UNAUTHORIZED.hint
