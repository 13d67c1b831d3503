"""Sign-in: bound to one browser and one definition, finished once, and in time."""

from __future__ import annotations

import pytest

from shared.services.authorization import ProviderAnswer, cookie_name
from tests.scenes import CODE, PERSON, UNCONDITIONAL, cookies, failure
from tests.unit.services.authorization.steps import begin


def test_sign_in_may_end_on_another_instance(scene):
    """The callback goes to whichever instance the platform chooses."""
    started, _ = begin(scene)
    other = scene.another_instance()

    other.authorization.finish(scene.consent(started), cookies(started))

    assert scene.token() == "access-1"


def test_state_is_used_once(scene):
    """Who replays the callback gets nothing, and the provider is not asked again."""
    started, _ = begin(scene)
    answer = scene.consent(started)
    scene.services.authorization.finish(answer, cookies(started))

    error = failure(lambda: scene.services.authorization.finish(answer, cookies(started)))

    assert (error.kind.code, error.kind.status) == ("sign_in_expired", 400)
    assert scene.provider.calls == 1


def test_two_sign_ins_can_run_side_by_side(scene):
    """Two tabs of one browser do not disturb each other."""
    first, second = begin(scene)[0], begin(scene)[0]
    jar = cookies(first) | cookies(second)

    for started in (first, second):
        scene.services.authorization.finish(scene.consent(started), jar)

    assert scene.token() == "access-2"


def test_sign_in_succeeds_in_its_last_second(scene):
    """Ten minutes are enough for a second factor."""
    started, _ = begin(scene)
    answer = scene.consent(started)

    scene.clock.advance(seconds=599)

    assert scene.services.authorization.finish(answer, cookies(started)).signed_in_as == PERSON


@pytest.mark.parametrize("minutes", [10, 24 * 60])
def test_sign_in_is_over_after_ten_minutes(scene, minutes):
    """A sign-in that was left open is not finished by whoever comes along."""
    started, _ = begin(scene)
    answer = scene.consent(started)
    scene.clock.advance(minutes=minutes)

    error = failure(lambda: scene.services.authorization.finish(answer, cookies(started)))

    assert error.kind.code == "sign_in_expired"
    assert scene.provider.calls == 0


@pytest.mark.parametrize(
    "jar",
    [
        lambda _: {},
        lambda started: {started.cookie_name: ""},
        lambda started: {started.cookie_name: "another value"},
        lambda started: {"gateway_signin": started.cookie_value},
    ],
    ids=["none", "empty", "wrong", "another-name"],
)
def test_sign_in_belongs_to_its_browser(scene, jar):
    """A callback in another browser fails, and does not spoil the sign-in of the right one."""
    started, _ = begin(scene)
    answer = scene.consent(started)

    error = failure(lambda: scene.services.authorization.finish(answer, jar(started)))

    assert error.kind.code == "sign_in_expired"
    assert scene.provider.calls == 0
    assert scene.services.authorization.finish(answer, cookies(started)).signed_in_as == PERSON


def test_cookie_of_one_sign_in_does_not_finish_another(scene):
    """Somebody who makes you finish their sign-in in your browser is refused."""
    mine, _ = begin(scene)
    theirs, _ = begin(scene)
    jar = {theirs.cookie_name: mine.cookie_value}

    error = failure(lambda: scene.services.authorization.finish(scene.consent(theirs), jar))

    assert error.kind.code == "sign_in_expired"


@pytest.mark.parametrize("state", ["", "unknown", "a" * 10_000, "\x00", "link"])
def test_unknown_state_is_refused(scene, state):
    """Whatever comes in the callback's query, nothing is redeemed."""
    answer = ProviderAnswer(unverified_state=state, code="c", error="", error_description="")

    error = failure(
        lambda: scene.services.authorization.finish(answer, {cookie_name(state): "value"})
    )

    assert error.kind.code == "sign_in_expired"
    assert scene.provider.calls == 0


@pytest.mark.parametrize(
    "changes",
    [
        {"tenant_id": "other.example.com", "client_secret": "x"},
        {"base_url": "https://evil.example.com", "client_secret": "x"},
    ],
)
def test_integration_that_changed_meanwhile_is_not_signed_in(scene, changes):
    """The code was granted for the former definition, and goes to nobody else."""
    started, _ = begin(scene)
    answer = scene.consent(started)
    scene.services.integrations.patch(CODE, changes, UNCONDITIONAL)

    error = failure(lambda: scene.services.authorization.finish(answer, cookies(started)))

    assert (error.kind.code, error.detail) == (
        "sign_in_expired",
        "The integration was changed during the sign-in.",
    )
    assert not scene.http.sent


def test_harmless_change_meanwhile_does_not_matter(scene):
    """A new name is no reason to sign in again."""
    started, _ = begin(scene)
    answer = scene.consent(started)
    scene.services.integrations.patch(CODE, {"name": "Renamed"}, UNCONDITIONAL)

    finished = scene.services.authorization.finish(answer, cookies(started))

    assert finished.name == "Renamed"


def test_integration_deleted_meanwhile_is_not_signed_in(scene):
    """Its sign-ins went with it, also when there is a new one of that code."""
    started, _ = begin(scene)
    answer = scene.consent(started)
    scene.services.integrations.delete(CODE, UNCONDITIONAL)
    scene.integrate()

    error = failure(lambda: scene.services.authorization.finish(answer, cookies(started)))

    assert error.kind.code == "sign_in_expired"
