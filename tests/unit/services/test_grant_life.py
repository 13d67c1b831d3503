"""How long a person's sign-in lasts: what providers tell of it, and what is known otherwise."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.scenes import CODE, Scene

DAY = 24 * 3600
ELSEWHERE = "https://idp.example.com"


@pytest.fixture
def foreign(scene) -> Scene:
    """Return a gateway with an integration whose provider is not Entra."""
    scene.http.script(ELSEWHERE, scene.provider)
    scene.integrate(token_url=f"{ELSEWHERE}/token", authorize_url=f"{ELSEWHERE}/authorize")
    return scene


def left(scene: Scene) -> timedelta | None:
    """Return how much time the grant has."""
    expires_on = scene.state().grant_expires_on
    return None if expires_on is None else expires_on - scene.clock.now()


def level(scene: Scene) -> str:
    """Return the level of health."""
    return scene.services.token_status.of(CODE)["level"]


@pytest.mark.parametrize(
    ("told", "life"),
    [
        ({"refresh_token_expires_in": 7 * DAY}, timedelta(days=7)),
        ({"refresh_token_expires_in": "15897600"}, timedelta(days=184)),
        ({"refresh_expires_in": 1800}, timedelta(minutes=30)),
        ({"refresh_expires_in": 0}, None),
        ({"refresh_expires_in": -1}, None),
        ({"refresh_token_expires_in": "soon"}, None),
        ({"refresh_token_expires_in": [1]}, None),
        ({"refresh_token_expires_in": "NaN"}, None),
        ({"refresh_token_expires_in": 1e300}, None),
        ({}, None),
    ],
    ids=str,
)
def test_life_is_what_the_provider_tells(foreign, told, life):
    """No standard has it: two names are in use, numbers and texts, and 0 for no end."""
    foreign.provider.changes = told
    foreign.sign_in()

    assert left(foreign) == life
    assert level(foreign) == "ok"


def test_entra_does_not_tell_and_gives_ninety_days(signed_in):
    """Anew with every renewal, as its documentation has it."""
    first = left(signed_in)
    signed_in.clock.advance(days=30)
    signed_in.token()

    assert first == left(signed_in) == timedelta(days=90)


def test_app_that_signs_in_by_itself_has_no_grant(scene):
    """Each token is asked for anew, so nothing can age out."""
    scene.integrate(grant_type="client_credentials")
    scene.token()

    assert (left(scene), scene.state().is_renewable) == (None, True)


def test_sign_in_without_a_refresh_token_cannot_be_renewed(signed_in):
    """The next sign-in with one can."""
    signed_in.provider.changes = {"refresh_token": None}
    signed_in.sign_in()
    without = (signed_in.state().is_renewable, left(signed_in), level(signed_in))
    signed_in.provider.changes = {}
    signed_in.sign_in()

    assert without == (False, None, "warning")
    assert (signed_in.state().is_renewable, level(signed_in)) == (True, "ok")


def test_refresh_token_that_stays_keeps_its_end(foreign):
    """An answer without a new one says nothing of the old one (RFC 6749 section 6)."""
    foreign.provider.is_rotating = False
    foreign.provider.changes = {"refresh_token_expires_in": 30 * DAY}
    foreign.sign_in()
    foreign.provider.changes = {}
    for _ in range(23):
        foreign.clock.advance(days=1)
        foreign.token()

    assert left(foreign) == timedelta(days=7)
    assert level(foreign) == "warning"


def test_grant_with_a_fixed_end_is_warned_of_though_it_is_renewed(foreign):
    """Renewals that do not put off the end, to the second, are no reason for calm."""
    foreign.provider.changes = {"refresh_token_expires_in": 60 * DAY}
    foreign.sign_in()
    levels = []
    for day in range(1, 60):
        foreign.clock.advance(days=1)
        foreign.provider.changes = {"refresh_token_expires_in": (60 - day) * DAY + day % 2}
        foreign.token()
        levels.append(level(foreign))

    assert levels == ["ok"] * 45 + ["warning"] * 12 + ["action_needed"] * 2


def test_short_grant_that_is_renewed_stays_well(foreign):
    """Half an hour, anew with each renewal: never an alarm while the renewals succeed."""
    foreign.provider.life = 600
    foreign.provider.changes = {"refresh_expires_in": 1800}
    foreign.sign_in()
    levels = set()
    for _ in range(50):
        foreign.clock.advance(minutes=5)
        foreign.token()
        levels.add(level(foreign))

    assert levels == {"ok"}


def test_new_sign_in_begins_a_new_life(foreign):
    """The end of the former grant is no measure of the new one."""
    foreign.provider.changes = {"refresh_token_expires_in": 60 * DAY}
    foreign.sign_in()
    first_on = foreign.state().signed_in_on
    foreign.clock.advance(days=1)
    foreign.provider.changes = {"refresh_token_expires_in": 30 * DAY}
    foreign.sign_in()

    state = foreign.state()
    assert state.grant_renewed_on == state.signed_in_on == foreign.clock.now()
    assert state.signed_in_on != first_on


def test_crash_between_vault_and_state_loses_no_life(foreign):
    """The vault's tokens tell it themselves."""
    foreign.provider.changes = {"refresh_token_expires_in": 60 * DAY}
    foreign.sign_in()
    before = foreign.states.rows[CODE]
    foreign.clock.advance(minutes=60)
    foreign.token()
    foreign.states.rows[CODE] = before

    foreign.another_instance().tokens.renew(foreign.record(), beyond=before.state.generation)

    assert foreign.provider.calls == 2
    assert left(foreign) == timedelta(days=60)
