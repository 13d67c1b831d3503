"""Sign-in: what comes of it, or why nothing does."""

from __future__ import annotations

import msgspec
import pytest

from shared.domain.transport import TimedOut
from shared.services.authorization import ProviderAnswer
from tests.fakes import json_answer
from tests.scenes import CODE, PERSON, claims, cookies, failure, refusal
from tests.unit.services.authorization.steps import begin


def test_finished_sign_in_lets_calls_through(scene):
    """It is known who signed in, and the tokens are at hand on every instance."""
    finished = scene.sign_in()

    assert (finished.integration, finished.name) == (CODE, "Business Central")
    assert (finished.signed_in_as, finished.is_renewable) == (PERSON, True)
    shown = scene.services.integrations.get(CODE).document
    assert (shown["status"], shown["is_valid_auth"], shown["signed_in_as"]) == (
        "authorized", True, PERSON,
    )  # fmt: skip
    assert scene.token(scene.another_instance()) == "access-1"


@pytest.mark.parametrize(
    ("id_token", "expected"),
    [
        (None, None),
        ("no token", None),
        ("a.b.c", None),
        ("e30.W10.x", None),
        (claims(), None),
        (claims(preferred_username=5, upn="upn@x"), "upn@x"),
        (claims(sub="1234"), "1234"),
        (claims(name="N", email="e@x"), "e@x"),
    ],
)
def test_who_signed_in_is_told_where_the_provider_says_it(scene, id_token, expected):
    """A provider without OpenID Connect, or with another idea of it, does for all else."""
    scene.provider.changes = {"id_token": id_token}

    assert scene.sign_in().signed_in_as == expected


@pytest.mark.parametrize(
    ("error", "description", "told"),
    [
        ("access_denied", "AADSTS65004: User declined to consent.", "AADSTS65004"),
        ("invalid_client", "AADSTS7000218: The request body must...", "AADSTS7000218"),
        ("access_denied", "The user said no.", "The sign-in was declined. (access_denied)"),
        ("consent_required", "", "Consent is missing."),
        ("x<script>alert(1)</script>", "<b>anything</b>", "The provider refused the request."),
        ("temporarily_unavailable", "AADSTS" + "9" * 5000 + ": x", "The provider refused"),
        ("", "", "neither a code nor an error"),
    ],
    ids=["declined", "no-secret", "plain", "consent", "hostile", "long-number", "nothing"],
)
def test_provider_s_refusal_is_explained(scene, error, description, told):
    """In plain words and with its number; the provider's free text is not repeated."""
    started, asked = begin(scene)
    answer = ProviderAnswer(
        unverified_state=asked["state"], code="", error=error, error_description=description
    )

    refused = failure(lambda: scene.services.authorization.finish(answer, cookies(started)))

    assert (refused.kind.code, refused.kind.status) == ("sign_in_refused", 400)
    assert told in refused.detail
    assert refused.hint
    assert "<" not in refused.detail + refused.hint
    assert len(refused.detail) < 300


def test_refused_sign_in_cannot_be_finished_with_a_code_later(scene):
    """Its state is used up by the refusal."""
    started, asked = begin(scene)
    refused = ProviderAnswer(asked["state"], "", "access_denied", "")
    failure(lambda: scene.services.authorization.finish(refused, cookies(started)))

    answer = scene.consent(started)

    error = failure(lambda: scene.services.authorization.finish(answer, cookies(started)))
    assert error.kind.code == "sign_in_expired"


def test_error_beside_a_code_counts(scene):
    """A code that comes together with an error is not redeemed."""
    started, asked = begin(scene)
    answer = ProviderAnswer(asked["state"], "the-code", "access_denied", "")

    failure(lambda: scene.services.authorization.finish(answer, cookies(started)))

    assert scene.provider.calls == 0


@pytest.mark.parametrize(
    ("reply", "code", "status"),
    [
        (refusal("invalid_grant", 54005), "sign_in_refused", 400),
        (refusal("invalid_client", 7000215, status=401), "sign_in_refused", 400),
        (json_answer({}, status=503), "identity_unavailable", 503),
        (TimedOut("slow"), "identity_unavailable", 503),
        (json_answer({"token_type": "Bearer"}), "identity_unavailable", 503),
    ],
    ids=["code-used", "wrong-secret", "down", "slow", "no-token"],
)
def test_failed_redemption_changes_no_tokens(scene, reply, code, status):
    """The person is told, and whoever was signed in before still is."""
    scene.sign_in()
    kept, state = scene.kept_tokens(), scene.state()
    scene.provider.instead = reply

    error = failure(scene.sign_in)

    assert (error.kind.code, error.kind.status) == (code, status)
    assert scene.kept_tokens() == kept
    told = {"failed_sign_in": None, "failed_sign_in_on": None}
    assert msgspec.structs.replace(scene.state(), **told) == state
    assert scene.token() == "access-1"


def test_answer_to_another_sign_in_is_refused(scene):
    """OpenID Connect Core 3.1.2.1: the id_token's nonce is the one that was sent."""
    started, _ = begin(scene)
    answer = scene.consent(started)
    scene.provider.nonce = "of another sign-in"

    error = failure(lambda: scene.services.authorization.finish(answer, cookies(started)))

    assert error.kind.code == "sign_in_refused"
    assert scene.kept_tokens() is None


def test_nonce_of_any_characters_is_only_another_one(scene):
    """A hostile provider causes a refusal, not a failure of the gateway."""
    started, _ = begin(scene)
    answer = scene.consent(started)
    scene.provider.nonce = "\u00e4\u20ac"

    error = failure(lambda: scene.services.authorization.finish(answer, cookies(started)))

    assert error.kind.code == "sign_in_refused"
