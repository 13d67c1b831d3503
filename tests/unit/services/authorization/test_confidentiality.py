"""Sign-in: nothing stored, logged or used before could finish one."""

from __future__ import annotations

import logging

from tests.scenes import CODE, cookies
from tests.unit.services.authorization.steps import begin, stored_text


def test_nothing_stored_could_finish_a_sign_in(scene):
    """State, cookie and verifier exist only in the browser; the row holds a hash."""
    started, asked = begin(scene)
    stored = stored_text(scene)
    scene.services.authorization.finish(scene.consent(started), cookies(started))

    verifier = scene.provider.forms[0]["code_verifier"]
    for confidential in (asked["state"], started.cookie_value, verifier, asked["nonce"]):
        assert len(confidential) >= 43
        assert confidential not in stored
        assert confidential not in stored_text(scene)
    assert verifier not in started.authorization_url


def test_every_sign_in_has_its_own_values(scene):
    """Nothing of one helps with another."""
    starts = [begin(scene) for _ in range(3)]

    for name in ("state", "nonce", "code_challenge"):
        assert len({asked[name] for _, asked in starts}) == 3
    assert len({started.cookie_name for started, _ in starts}) == 3
    assert len({started.cookie_value for started, _ in starts}) == 3


def test_sign_ins_are_logged_without_anything_confidential(scene, caplog):
    """An operator sees that somebody signed in to what, and nothing that would help to."""
    caplog.set_level(logging.DEBUG)
    started, asked = begin(scene)
    scene.services.authorization.finish(scene.consent(started), cookies(started))
    link = scene.services.authorization.create_link(CODE)

    for event in ("sign_in_started", "signed_in", "sign_in_link_created"):
        assert f'"event":"{event}","integration":"CRONUS"' in caplog.text
    for confidential in (asked["state"], started.cookie_value, "the-code", link.token):
        assert confidential not in caplog.text
