"""All integrations at a glance."""

from __future__ import annotations

import msgspec
import pytest

from tests.builders import TENANT_ID
from tests.fakes import json_answer
from tests.scenes import CODE, PERSON, UNCONDITIONAL, failure, refusal

ENDED = refusal("invalid_grant", 50173)
DOWN = json_answer({}, status=503)


def glance(scene, code=CODE):
    """Return how one integration is doing."""
    return next(each for each in overview(scene).shown if each.definition.code == code)


def overview(scene, **limits):
    """Return a page of them."""
    return scene.services.overview.page(**limits)


def codes(page):
    """Return the codes on a page."""
    return [each.definition.code for each in page.shown]


def test_nothing_stored_is_an_empty_page(scene):
    """Nothing is asked about states then."""
    page = overview(scene)

    assert (codes(page), page.next_after) == ([], None)
    assert scene.stored_calls() == 1


def test_signed_in_integration_is_well(signed_in):
    """With who is signed in, and nothing to do."""
    shown = glance(signed_in)

    assert (shown.level, shown.finding, shown.signed_in_as) == ("ok", None, PERSON)


def test_integration_without_a_sign_in_needs_one(scene):
    """It says so by the finding that its own page tells."""
    scene.integrate()

    shown = glance(scene)

    assert (shown.level, shown.finding.code) == ("action_needed", "not_signed_in")
    assert shown.signed_in_as is None


@pytest.mark.parametrize(
    ("reply", "level", "person"),
    [(ENDED, "action_needed", None), (DOWN, "warning", PERSON)],
    ids=["ended", "down"],
)
def test_failed_renewal_is_seen(expired, reply, level, person):
    """Who was signed in is told as long as the sign-in may still serve."""
    expired.provider.instead = reply
    failure(expired.token)

    shown = glance(expired)

    assert (shown.level, shown.signed_in_as) == (level, person)


def test_most_urgent_finding_is_shown(signed_in):
    """A missing secret comes before one that will expire."""
    changes = {"client_secret_expires_on": "2026-03-20"}
    signed_in.services.integrations.patch(CODE, changes, UNCONDITIONAL)
    assert glance(signed_in).level == "warning"

    signed_in.services.integrations.patch(CODE, {"client_secret": None}, UNCONDITIONAL)

    assert glance(signed_in).finding.code == "client_secret_missing"
    assert glance(signed_in).level == "action_needed"


def test_tokens_of_another_identity_do_not_count(signed_in):
    """Whoever was signed in was so for what the integration had been."""
    kept = signed_in.states.rows[CODE]
    state = msgspec.structs.replace(kept.state, binding="other")
    signed_in.states.put(CODE, state, etag=kept.etag)

    shown = glance(signed_in)

    assert (shown.finding.code, shown.signed_in_as) == ("not_signed_in", None)


def test_every_integration_tells_what_its_own_page_tells(signed_in):
    """The overview reads in bulk, and comes to the same."""
    signed_in.integrate(code="ALPHA")
    signed_in.integrate(code="OMEGA", grant_type="client_credentials", tenant_id=TENANT_ID)
    signed_in.services.authorization.begin("OMEGA")

    for each in overview(signed_in).shown:
        status = signed_in.services.token_status.of(each.definition.code)
        first = status["findings"][0] if status["findings"] else None
        assert (each.level, each.finding) == (status["level"], first)


def test_pages_follow_each_other(scene):
    """Each integration comes once, in the order of the codes."""
    for code in ("B", "A", "D", "C"):
        scene.integrate(code=code)

    first = overview(scene, limit=2)
    second = overview(scene, limit=2, after=first.next_after)

    assert (codes(first), first.next_after) == (["A", "B"], "B")
    assert (codes(second), second.next_after) == (["C", "D"], None)


@pytest.mark.parametrize("number", [3, 30])
def test_any_number_takes_two_calls_to_storage(scene, number):
    """Definitions and states are read by pages, not by rows."""
    for n in range(number):
        scene.integrate(code=f"I{n}")
    before = scene.stored_calls()

    assert len(overview(scene).shown) == number
    assert scene.stored_calls() - before == 2
