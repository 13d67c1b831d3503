"""Sign-in links: for the person who owns the account, once, for a day."""

from __future__ import annotations

import pytest

from shared.services.authorization import ProviderAnswer, cookie_name
from tests.scenes import CODE, UNCONDITIONAL, cookies, failure
from tests.unit.services.authorization.steps import stored_text


def test_link_starts_one_sign_in(scene):
    """The person who owns the account needs no key."""
    link = scene.services.authorization.create_link(CODE)

    started = scene.another_instance().authorization.follow_link(link.token)
    scene.services.authorization.finish(scene.consent(started), cookies(started))
    again = failure(lambda: scene.services.authorization.follow_link(link.token))

    assert scene.token() == "access-1"
    assert (again.kind.code, again.hint) == ("sign_in_expired", "Ask for a new sign-in link.")


def test_link_lives_for_a_day(scene):
    """Its end is told to whoever sends it."""
    early, late = (scene.services.authorization.create_link(CODE) for _ in range(2))
    seconds = (early.expires_on - scene.clock.now()).total_seconds()

    scene.clock.advance(seconds=seconds - 1)
    started = scene.services.authorization.follow_link(early.token)
    scene.clock.advance(seconds=1)
    error = failure(lambda: scene.services.authorization.follow_link(late.token))

    assert seconds == 86_400
    assert started is not None
    assert error.kind.code == "sign_in_expired"


def test_link_is_stored_as_a_hash(scene):
    """Nobody who reads the table can follow it."""
    link = scene.services.authorization.create_link(CODE)

    assert len(link.token) >= 43
    assert link.token not in stored_text(scene)


@pytest.mark.parametrize("token", ["", "unknown", "a" * 10_000])
def test_unknown_link_is_refused(scene, token):
    """A made-up link starts nothing."""
    error = failure(lambda: scene.services.authorization.follow_link(token))

    assert error.kind.code == "sign_in_expired"


def test_link_is_no_state(scene):
    """What starts a sign-in cannot be passed off as one under way."""
    link = scene.services.authorization.create_link(CODE)
    answer = ProviderAnswer("link", "stolen-code", "", "")

    error = failure(
        lambda: scene.services.authorization.finish(answer, {cookie_name("link"): link.token})
    )

    assert error.kind.code == "sign_in_expired"
    assert scene.provider.calls == 0


def test_link_to_an_unknown_integration_is_not_made(scene):
    """The code is checked when the link is asked for."""
    error = failure(lambda: scene.services.authorization.create_link("NOPE"))

    assert error.kind.code == "integration_not_found"


def test_links_go_with_their_integration(scene):
    """A link does not outlive the integration that it was made for."""
    link = scene.services.authorization.create_link(CODE)
    scene.services.integrations.delete(CODE, UNCONDITIONAL)
    scene.integrate()

    error = failure(lambda: scene.services.authorization.follow_link(link.token))

    assert error.kind.code == "sign_in_expired"
