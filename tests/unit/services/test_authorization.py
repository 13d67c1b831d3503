"""Sign-in: bound to one browser, finished once, and in time."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import logging

import msgspec
import pytest

from shared.domain.transport import TimedOut
from shared.services.authorization import ProviderAnswer, cookie_name
from tests.builders import CLIENT_ID
from tests.fakes import json_answer
from tests.scenes import (
    CALLBACK,
    CODE,
    ENTRA,
    PERSON,
    TOKEN_URL,
    UNCONDITIONAL,
    Scene,
    claims,
    cookies,
    failure,
    parameters,
    refusal,
)

IDP = "https://idp.example.com"
ELSEWHERE = {"authorize_url": f"{IDP}/authorize", "token_url": f"{IDP}/token"}


@pytest.fixture
def scene():
    """Return a gateway with an integration that nobody is signed in to."""
    scene = Scene()
    scene.integrate()
    return scene


def begin(scene, services=None):
    """Start a sign-in and return it with the parameters of the provider's page."""
    started = (services or scene.services).authorization.begin(CODE)
    return started, parameters(started.authorization_url)


def stored_text(scene) -> str:
    """Return all that is stored, with the secrets in clear."""
    rows = [*scene.sign_ins.rows.values(), *scene.states.rows.values()]
    secrets = [
        secret.reveal() for each in scene.secrets.versions.values() for secret in each.values()
    ]
    plain = [dataclasses.asdict(row) for row in rows]
    return msgspec.json.encode([plain, secrets]).decode()


def test_browser_is_sent_to_the_sign_in_page(scene):
    """The request is RFC 6749's and RFC 7636's, with Entra's defaults."""
    started, asked = begin(scene)

    assert started.authorization_url.startswith(f"{ENTRA}/authorize?")
    assert asked == asked | {
        "client_id": CLIENT_ID,
        "response_type": "code",
        "response_mode": "query",
        "redirect_uri": CALLBACK,
        "scope": "https://api.businesscentral.dynamics.com/.default openid profile offline_access",
        "code_challenge_method": "S256",
    }
    assert "prompt" not in asked


def test_other_provider_is_asked_by_its_own_urls(scene):
    """Its URL may hold a query; OpenID Connect wants consent for offline access."""
    scene.integrate(
        code="SHOP",
        tenant_id="",
        authorize_url=f"{IDP}/authorize?brand=x",
        token_url=f"{IDP}/token",
        scope="orders offline_access",
        redirect_uri="https://gateway.example/elsewhere",
    )

    url = scene.services.authorization.begin("SHOP").authorization_url

    assert url.startswith(f"{IDP}/authorize?brand=x&")
    asked = parameters(url)
    assert (asked["scope"], asked["prompt"]) == ("orders offline_access", "consent")
    assert asked["redirect_uri"] == "https://gateway.example/elsewhere"
    assert "nonce" not in asked


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


def test_code_is_redeemed_with_the_verifier_of_the_challenge(scene):
    """RFC 7636 section 4.6: the challenge is the verifier's hash."""
    started, asked = begin(scene)
    scene.services.authorization.finish(scene.consent(started), cookies(started))

    (form,) = scene.provider.forms
    hashed = hashlib.sha256(form["code_verifier"].encode()).digest()
    assert base64.urlsafe_b64encode(hashed).decode().rstrip("=") == asked["code_challenge"]
    assert form == form | {
        "grant_type": "authorization_code",
        "code": "the-code",
        "redirect_uri": CALLBACK,
        "client_id": CLIENT_ID,
    }


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
def test_failed_redemption_stores_nothing(scene, reply, code, status):
    """The person is told, and whoever was signed in before still is."""
    scene.sign_in()
    before = stored_text(scene)
    scene.provider.instead = reply

    error = failure(scene.sign_in)

    assert (error.kind.code, error.kind.status) == (code, status)
    assert stored_text(scene) == before
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


def test_sign_in_without_a_secret_is_not_begun(scene):
    """The person would sign in for nothing."""
    scene.services.integrations.patch(CODE, {"client_secret": None}, UNCONDITIONAL)

    error = failure(lambda: begin(scene))

    assert (error.kind.code, error.kind.status) == ("identity_misconfigured", 424)
    assert not scene.sign_ins.rows


def test_sign_in_to_an_unknown_integration_is_not_begun(scene):
    """The code is checked first."""
    error = failure(lambda: scene.services.authorization.begin("NOPE"))

    assert error.kind.code == "integration_not_found"


def test_storage_outage_begins_no_sign_in(scene):
    """It could not be finished."""
    scene.sign_ins.fail()

    assert failure(lambda: begin(scene)).kind.code == "storage_unavailable"


def test_app_connects_without_a_person(scene):
    """With client credentials, authorize obtains a token at once, and says if that fails."""
    changes = {"grant_type": "client_credentials", "client_secret": "x"}
    scene.services.integrations.patch(CODE, changes, UNCONDITIONAL)

    assert scene.services.authorization.begin(CODE) is None
    assert scene.services.integrations.get(CODE).document["status"] == "authorized"
    scene.provider.instead = refusal("invalid_client", 7000215, status=401)
    error = failure(lambda: scene.services.authorization.begin(CODE))
    assert error.kind.code == "identity_misconfigured"


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


def test_provider_elsewhere_gets_the_code_and_no_scope(scene):
    """RFC 6749 section 4.1.3 knows no scope there; only Entra wants it."""
    scene.http.script(ELSEWHERE["token_url"], scene.provider)
    scene.services.integrations.patch(CODE, ELSEWHERE | {"client_secret": "x"}, UNCONDITIONAL)

    scene.sign_in()

    assert "scope" not in scene.provider.forms[0]
    assert not scene.http.sent_to(TOKEN_URL)
