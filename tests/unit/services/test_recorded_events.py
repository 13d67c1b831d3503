"""What becomes an entry of the activity: every call, and what happens to sign-ins."""

from __future__ import annotations

from contextlib import suppress

import pytest

from shared.domain.activity import CallEntry
from shared.domain.errors import GatewayError
from shared.domain.transport import NotSent
from shared.services.authorization import ProviderAnswer
from tests.builders import CLIENT_ID
from tests.fakes import json_answer
from tests.scenes import BC, CODE, LISTING, TOKEN_URL, Scene, cookies, refusal, serving
from tests.support import make_settings
from tests.unit.domain.test_principals import header

CANARY = "canary-5e1f"


def recorded(scene, partition=CODE):
    """Return what is written after all that waits was."""
    scene.recording.release()
    return scene.activity.entries(partition)


def calls(scene, partition=CODE):
    """Return the calls among it."""
    return [entry for entry in recorded(scene, partition) if isinstance(entry, CallEntry)]


def events(scene):
    """Return the token events among it, each with its code."""
    found = [entry for entry in recorded(scene) if not isinstance(entry, CallEntry)]
    return [(entry.event, entry.code) for entry in found]


def test_call_is_recorded_as_it_ended():
    """With the names as they are stored, and the endpoint's own method."""
    scene = serving(kind="custom", api_url="items", method="PATCH")
    scene.http.before("send", lambda: scene.clock.advance(seconds=1.5))
    began_on = scene.clock.now()

    scene.invoke(LISTING.lower(), integration="cronus", headers={"x-ms-workflow-run-id": "run-7"})

    (entry,) = calls(scene)
    assert (entry.moment - began_on).total_seconds() == 1.5
    assert (entry.integration, entry.endpoint, entry.method) == (CODE, LISTING, "PATCH")
    assert (entry.status, entry.code, entry.milliseconds) == (200, None, 1500)
    assert (entry.request_id, entry.flow_run, entry.caller) == ("request-1", "run-7", None)


@pytest.mark.parametrize(
    ("call", "endpoint", "status", "code"),
    [
        ({"endpoint": "nope"}, "NOPE", 404, "endpoint_not_found"),
        ({"endpoint": "x" * 99}, "X" * 50, 404, "endpoint_not_found"),
        ({"method": "DELETE"}, LISTING, 405, "method_not_allowed"),
        ({"body": b"x" * 2001}, LISTING, 413, "payload_too_large"),
    ],
    ids=["unknown", "long", "method", "payload"],
)
def test_refused_call_is_recorded_with_its_code(call, endpoint, status, code):
    """As its caller was answered."""
    scene = serving()

    with suppress(GatewayError):
        scene.invoke(**call)

    (entry,) = calls(scene)
    assert (entry.endpoint, entry.status, entry.code) == (endpoint, status, code)


def test_answer_of_the_service_is_recorded_by_its_status():
    """It has no code of ours."""
    scene = serving(json_answer({"error": {"code": CANARY}}, status=404))

    scene.invoke()

    (entry,) = calls(scene)
    assert (entry.status, entry.code, entry.is_error) == (404, None, True)
    assert CANARY not in str(entry)


@pytest.mark.parametrize("name", ["nope", "\u202e", "x" * 500])
def test_call_to_no_integration_is_recorded_under_none(name):
    """Whoever types names makes no partitions; an outage shows nobody's existence, either."""
    scene = serving()
    with suppress(GatewayError):
        scene.invoke(integration=name)
    scene.integrations.fail()
    with suppress(GatewayError):
        scene.invoke(integration=f"{name}1")

    assert [entry.code for entry in calls(scene, "_")] == [
        "integration_not_found",
        "integration_not_found" if len(name) > 50 or name == "\u202e" else "storage_unavailable",
    ]
    assert scene.activity.partitions(after="", limit=9) == [CODE, "_"]


def test_continuation_is_recorded_like_the_call_it_continues():
    """By the endpoint's name and method; nothing of the sealed link is kept."""
    scene = serving(kind="odata", method="GET", api_url="Items")
    scene.http.on(BC, json_answer({"value": [], "@odata.nextLink": f"{BC}/v2.0/next"}))
    link = scene.invoke().body.decode().split('nextLink":"')[1].split('"')[0]

    scene.invoke(method="GET", query=link.partition("?")[2])

    first, second = calls(scene)
    assert (first.endpoint, first.method, first.status) == (LISTING, "GET", 200)
    assert (second.endpoint, second.method, second.status) == (LISTING, "GET", 200)
    assert "gw_page" not in str(second)


@pytest.mark.parametrize(
    ("easy_auth", "claims", "caller"),
    [
        ("True", [("preferred_username", "anna@cronus.example"), ("azp", CLIENT_ID)],
         "anna@cronus.example"),
        ("True", [("azp", CLIENT_ID)], CLIENT_ID),
        ("True", [("roles", "Orders.Read")], None),
        ("False", [("preferred_username", "anna@cronus.example")], None),
    ],
    ids=["person", "app", "no-name", "easy-auth-off"],
)  # fmt: skip
def test_caller_is_named_only_where_the_platform_tells_who_it_is(easy_auth, claims, caller):
    """Anybody can send the header while Easy Auth is off."""
    scene = Scene(settings=make_settings(WEBSITE_AUTH_ENABLED=easy_auth))
    scene.http.on(BC, json_answer({}))
    scene.integrate()
    scene.offer()
    scene.sign_in()

    scene.invoke(headers={"x-ms-client-principal": header(*claims)})

    assert [entry.caller for entry in calls(scene)] == [caller]


@pytest.mark.parametrize("value", ["", "a b", "x" * 101, f"{CANARY}\n", f"https://x/?k={CANARY}"])
def test_header_that_is_no_flow_run_is_not_kept(value):
    """A header may hold anything."""
    scene = serving()

    scene.invoke(headers={"x-ms-workflow-run-id": value})

    assert [entry.flow_run for entry in calls(scene)] == [None]


def test_call_is_recorded_without_a_storage_call_of_its_own(signed_in):
    """The warm path stays as it is; nothing is written before the recorder does."""
    signed_in.invoke()
    before = signed_in.stored_calls()

    signed_in.invoke()

    assert signed_in.stored_calls() == before
    assert len(calls(signed_in)) == 2


def test_broken_storage_of_the_activity_disturbs_no_call(signed_in):
    """Callers learn nothing of it."""
    signed_in.activity.fail()

    assert signed_in.invoke().status == 200


def test_sign_in_and_sign_off_are_recorded(signed_in):
    """In the order of time."""
    signed_in.clock.advance(minutes=1)

    signed_in.services.sign_off.deauthorize(signed_in.record())

    assert events(signed_in) == [("signed_in", None), ("signed_off", None)]


def test_declined_sign_in_is_recorded(scene):
    """With the explanation, and nothing of what came through the browser."""
    scene.integrate()
    started = scene.services.authorization.begin(CODE)
    state = scene.consent(started).unverified_state
    answer = ProviderAnswer(
        unverified_state=state, code="", error="access_denied", error_description=CANARY
    )

    with suppress(GatewayError):
        scene.services.authorization.finish(answer, cookies(started))

    assert events(scene) == [("sign_in_failed", "sign_in_refused")]
    assert "declined" in scene.activity.entries(CODE)[0].reason
    assert CANARY not in str(scene.activity.entries(CODE))


@pytest.mark.parametrize(
    ("reply", "event", "code"),
    [
        (None, "renewed", None),
        (NotSent(CANARY), "renewal_failed", "identity_unavailable"),
        (json_answer({"error": CANARY}, status=500), "renewal_failed", "identity_unavailable"),
        (refusal("invalid_grant", 70008), "renewal_refused", "sign_in_required"),
        (refusal("invalid_client", 7000215, status=401), "renewal_refused",
         "identity_misconfigured"),
        (json_answer({"error": "invalid_grant", "error_description": CANARY}, status=400),
         "renewal_refused", "sign_in_required"),
    ],
    ids=["good", "unreachable", "down", "ended", "wrong-secret", "own-words"],
)  # fmt: skip
def test_renewal_is_recorded_as_it_ended(expired, reply, event, code):
    """With the gateway's own explanation: what a provider writes may hold anything."""
    if reply is not None:
        expired.http.on(TOKEN_URL, reply)

    with suppress(GatewayError):
        expired.invoke()

    assert events(expired) == [("signed_in", None), (event, code)]
    assert (expired.activity.entries(CODE)[1].reason is None) == (reply is None)
    assert CANARY not in str(expired.activity.entries(CODE))
