"""What the provider or the upstream wants proved goes into the next sign-in and the next token."""

from __future__ import annotations

import base64

import pytest

from tests.builders import TENANT_ID
from tests.fakes import json_answer
from tests.scenes import (
    BC,
    CODE,
    PERSON,
    UNCONDITIONAL,
    failure,
    parameters,
    refusal,
    serving,
)

CLAIMS = '{"access_token":{"acrs":{"essential":true,"value":"c1"}}}'
FROM_UPSTREAM = '{"access_token":{"nbf":{"essential":true,"value":"1772438400"}}}'
CONSENT_PAGE = f"https://login.microsoftonline.com/{TENANT_ID}/v2.0/adminconsent?"


def challenge(claims=CLAIMS):
    """Return a refusal of the token endpoint that holds claims."""
    body = {"error": "interaction_required", "error_codes": [50076], "claims": claims}
    return json_answer(body, status=400)


def insufficient(claims=FROM_UPSTREAM):
    """Return Business Central's refusal of a token that does not prove enough."""
    encoded = base64.b64encode(claims.encode()).decode()
    header = f'Bearer realm="", error="insufficient_claims", claims="{encoded}"'
    return json_answer({}, status=401, headers={"www-authenticate": header})


def asked_claims(scene, services=None):
    """Return what the next sign-in asks for."""
    started = (services or scene.services).authorization.begin(CODE)
    return parameters(started.authorization_url).get("claims")


@pytest.fixture
def challenged(signed_in):
    """Return a gateway whose provider has refused a refresh with a claims challenge."""
    signed_in.clock.advance(minutes=60)
    signed_in.provider.instead = challenge()
    failure(signed_in.token)
    signed_in.provider.instead = None
    return signed_in


def test_challenge_goes_into_the_next_sign_in(challenged):
    """On every instance, as it came, and as often as somebody tries."""
    other = challenged.another_instance()

    assert asked_claims(challenged) == asked_claims(challenged) == CLAIMS
    assert asked_claims(challenged, other) == CLAIMS


def test_finished_sign_in_answers_the_challenge(challenged):
    """The one after it asks for nothing again."""
    challenged.sign_in()

    assert challenged.token() == "access-2"
    assert asked_claims(challenged) is None


def test_sign_in_that_was_never_challenged_asks_for_no_claims(signed_in):
    """Most never meet a policy of that kind."""
    assert asked_claims(signed_in) is None


@pytest.mark.parametrize("claims", ["no JSON", "[]", '{"a":"' + "x" * 4096 + '"}', 5, None])
def test_unreadable_challenge_is_a_refusal_like_others(signed_in, claims):
    """What is no JSON object of sane size goes nowhere."""
    signed_in.clock.advance(minutes=60)
    signed_in.provider.instead = challenge(claims)

    assert failure(signed_in.token).kind.code == "sign_in_required"
    assert asked_claims(signed_in) is None


def test_challenge_goes_with_the_definition_it_was_made_for(challenged):
    """Another tenant has other policies, though an outage keeps the old state in its place."""
    changes = {"tenant_id": "other.example.com", "client_secret": "x"}
    challenged.states.fail("put")
    challenged.services.integrations.patch(CODE, changes, UNCONDITIONAL)
    challenged.states.recover()

    assert asked_claims(challenged) is None


def test_deauthorization_ends_the_challenge(challenged):
    """An administrator can begin anew, should the claims lead nowhere."""
    challenged.services.sign_off.deauthorize(challenged.record())

    assert asked_claims(challenged) is None


def test_challenge_to_a_sign_in_goes_into_the_next_one(scene):
    """The code was good, and the policy wants more; nobody was signed in before."""
    scene.integrate()
    scene.provider.instead = challenge()
    error = failure(scene.sign_in)
    scene.provider.instead = None

    assert error.kind.code == "sign_in_refused"
    assert asked_claims(scene) == CLAIMS
    assert scene.sign_in().signed_in_as == PERSON
    assert asked_claims(scene) is None


def test_challenge_to_a_sign_in_leaves_others_signed_in(signed_in):
    """Whoever is signed in stays so, and calls go on."""
    signed_in.provider.instead = challenge()
    failure(signed_in.sign_in)
    signed_in.provider.instead = None

    assert signed_in.token() == "access-1"
    assert signed_in.state().status == "authorized"
    assert asked_claims(signed_in) == CLAIMS


def test_upstream_s_challenge_goes_into_the_forced_refresh():
    """Continuous access evaluation: the renewed token has what the service wants."""
    scene = serving()
    scene.http.on(BC, insufficient(), json_answer({"value": "done"}))

    reply = scene.invoke()

    assert reply.status == 200
    assert scene.provider.forms[-1]["claims"] == FROM_UPSTREAM
    assert asked_claims(scene) is None


def test_app_s_forced_refresh_carries_the_challenge():
    """Client credentials ask for the claims in the same parameter."""
    scene = serving()
    scene.integrate(code="ROBOT", grant_type="client_credentials")
    scene.offer("ROBOT")
    scene.http.on(BC, insufficient(), json_answer({"value": "done"}))

    assert scene.invoke(integration="ROBOT").status == 200
    assert scene.provider.forms[-1]["claims"] == FROM_UPSTREAM


def test_refresh_without_a_challenge_carries_no_claims():
    """A plain 401 is answered by a plain refresh."""
    scene = serving()
    scene.http.on(BC, json_answer({}, status=401), json_answer({"value": "done"}))

    assert scene.invoke().status == 200
    assert "claims" not in scene.provider.forms[-1]


@pytest.mark.parametrize(
    ("answer", "expected"),
    [(refusal("interaction_required", 50076), FROM_UPSTREAM), (challenge(), CLAIMS)],
    ids=["upstream's", "provider's"],
)
def test_upstream_s_challenge_that_needs_a_person_waits_for_one(answer, expected):
    """424, and the next sign-in asks for the claims; the provider's own are the newer ones."""
    scene = serving()
    scene.http.on(BC, insufficient())
    scene.provider.instead = answer

    errors = [failure(scene.invoke) for _ in range(2)]

    scene.provider.instead = None
    assert {error.kind.code for error in errors} == {"sign_in_required"}
    assert scene.provider.calls == 2  # the sign-in, and the one refresh
    assert scene.state().status == "needs_sign_in"
    assert asked_claims(scene) == expected


def test_upstream_that_is_never_content_ends_as_unauthorized():
    """One refresh and one resend, whatever the second refusal asks for."""
    scene = serving()
    scene.http.on(BC, insufficient())

    assert failure(scene.invoke).kind.code == "upstream_unauthorized"
    assert len(scene.http.sent_to(BC)) == 2
    assert scene.provider.calls == 2


def test_want_of_consent_comes_with_the_administrator_s_page(signed_in):
    """For every call, in the status, and for whoever signs in, until somebody does."""
    signed_in.clock.advance(minutes=60)
    signed_in.provider.instead = refusal("invalid_grant", 65001)
    errors = [failure(signed_in.token), failure(signed_in.token), failure(signed_in.sign_in)]
    signed_in.provider.instead = None

    cause = signed_in.services.token_status.of(CODE)["cause"]
    for told in (*errors, cause):
        assert told.admin_consent_url.startswith(CONSENT_PAGE)
    signed_in.sign_in()
    assert signed_in.services.token_status.of(CODE)["cause"] is None


def test_app_without_consent_is_told_the_administrator_s_page(scene):
    """An app that signs in by itself needs an administrator's consent in any case."""
    scene.integrate(grant_type="client_credentials")
    scene.provider.instead = refusal("invalid_grant", 65001)

    errors = [failure(scene.token), failure(scene.token)]

    assert {error.kind.code for error in errors} == {"identity_misconfigured"}
    assert all(error.admin_consent_url.startswith(CONSENT_PAGE) for error in errors)


def test_other_refusals_come_without_a_consent_page(signed_in):
    """An administrator's consent does not mend an expired sign-in."""
    signed_in.clock.advance(minutes=60)
    signed_in.provider.instead = refusal("invalid_grant", 700082)

    assert failure(signed_in.token).admin_consent_url is None
    assert signed_in.services.token_status.of(CODE)["cause"].admin_consent_url is None
