"""The company of a call, and its id where the URL needs it."""

from __future__ import annotations

import pytest

from shared.domain.transport import AnswerTooLarge, NotSent, OutboundAnswer, TimedOut
from tests.builders import COMPANY_ID, TENANT_ID
from tests.fakes import json_answer
from tests.scenes import BC, CODE, LISTING, UNCONDITIONAL, failure, serving

API = {"kind": "api", "method": "GET", "api_url": "customers"}
COMPANIES = f"{BC}/v2.0/{TENANT_ID}/Production/api/v2.0/companies"
LISTED = json_answer(
    {
        "value": [
            {"id": COMPANY_ID, "name": "CRONUS USA, Inc.", "displayName": ""},
            {"id": "9e1b6ea7-0000-4000-8000-000000000002", "name": "Other A/S"},
        ]
    }
)


@pytest.fixture
def api():
    """Return a gateway with an endpoint that names its company by id."""
    scene = serving(**API)
    scene.http.on(COMPANIES, LISTED)
    scene.http.on(f"{COMPANIES}(", json_answer({"value": []}))
    return scene


def test_company_s_id_is_looked_up_once(api):
    """The definition holds the name, the URL needs the id."""
    api.invoke()
    api.invoke()

    urls = [request.url for request in api.http.sent_to(BC)]
    assert urls == [COMPANIES, *[f"{COMPANIES}({COMPANY_ID})/customers"] * 2]


def test_looked_up_id_is_no_part_of_the_definition(api):
    """The definition stays what the administrator wrote."""
    api.invoke()

    assert api.services.integrations.get(CODE).document["company_id"] is None


def test_known_id_is_not_looked_up(api):
    """Neither the integration's nor the caller's choice of an id."""
    api.services.integrations.patch(CODE, {"company_id": COMPANY_ID}, UNCONDITIONAL)

    api.invoke()
    api.invoke(query=f"gw_company={COMPANY_ID}")

    assert len(api.http.sent_to(BC)) == 2


@pytest.mark.parametrize("kind", ["codeunit", "odata"])
def test_other_kinds_use_the_name(kind):
    """No lookup, where the URL can do without."""
    scene = serving(kind=kind, api_url="Items")

    scene.invoke()

    (request,) = scene.http.sent_to(BC)
    assert "CRONUS%20USA%2C%20Inc." in request.url


def test_chosen_company_is_looked_up_too(api):
    """The list that was read once answers for all its companies."""
    api.services.integrations.patch(CODE, {"allowed_companies": ["Other A/S"]}, UNCONDITIONAL)
    api.invoke()

    api.invoke(query="gw_company=Other%20A/S")

    assert api.http.sent[-1].url.endswith("000000000002)/customers")
    assert len(api.http.sent_to(BC)) == 3


def test_company_that_is_not_allowed_is_not_looked_up(api):
    """403, before anything is sent."""
    error = failure(lambda: api.invoke(query="gw_company=Other"))

    assert (error.kind.status, error.kind.code) == (403, "company_not_allowed")
    assert not api.http.sent_to(BC)


@pytest.mark.parametrize(
    ("call", "status"),
    [
        ({"query": "company=Other"}, 400),
        ({"query": "gw_compnay=Other"}, 400),
        ({"body": b"{", "headers": {"content-type": "application/json"}}, 400),
        ({"body": b"{}" * 2000}, 413),
    ],
    ids=["query", "misspelt", "payload", "size"],
)
def test_faulty_call_is_told_before_anything_is_sent(api, call, status):
    """What is wrong with the call itself needs no service."""
    assert failure(lambda: api.invoke(**call)).kind.status == status
    assert not api.http.sent_to(BC)


@pytest.mark.parametrize(
    "listed",
    [
        json_answer({"value": []}),
        json_answer({"value": [{"id": COMPANY_ID, "name": "cronus usa, inc."}]}),
        json_answer({"value": [{"id": COMPANY_ID, "name": "CRONUS USA, Inc."}]}, status=203),
        json_answer({"error": {"code": "Internal"}}, status=500),
        json_answer({}, status=404),
        OutboundAnswer(200, {}, b"<html>"),
        json_answer({"value": [{"id": 5, "name": None}]}),
        json_answer({}, status=302),
        AnswerTooLarge(200),
    ],
    ids=[
        "none",
        "another-case",
        "not-200",
        "500",
        "404",
        "html",
        "other-form",
        "302",
        "large",
    ],
)
def test_company_that_cannot_be_found_is_told(api, listed):
    """Without its id there is no URL: 424, and the call is not sent to some other company."""
    api.http.on(COMPANIES, listed)

    error = failure(api.invoke)

    assert (error.kind.status, error.kind.code) == (424, "company_not_found")
    assert len(api.http.sent_to(f"{COMPANIES}(")) == 0


@pytest.mark.parametrize(
    ("failed", "status", "code"),
    [
        (NotSent("no connection"), 503, "upstream_unreachable"),
        (TimedOut("slow"), 504, "upstream_timeout"),
    ],
    ids=["gone", "slow"],
)
def test_lookup_without_an_answer_may_be_tried_again(api, failed, status, code):
    """It is the service that is away, as it is for any call, and nothing was executed."""
    api.http.on(COMPANIES, failed)

    error = failure(api.invoke)

    assert (error.kind.status, error.kind.code) == (status, code)
    assert error.kind.retryable


def test_failed_lookup_is_not_kept(api):
    """The next call tries again at once."""
    api.http.on(COMPANIES, json_answer({}, status=403), LISTED)
    failure(api.invoke)

    assert api.invoke().status == 200


def test_missing_company_is_looked_up_again_after_a_while(api):
    """A misspelt name does not cost a request with each call; a new company is found soon."""
    api.http.on(COMPANIES, json_answer({"value": []}))
    for _ in range(5):
        failure(api.invoke)
    lookups = len(api.http.sent_to(BC))
    api.http.on(COMPANIES, LISTED)

    api.clock.advance(seconds=30)

    assert lookups == 1
    assert api.invoke().status == 200


def test_found_company_is_looked_up_again_after_an_hour(api):
    """Somebody may have deleted it, and made another one of the same name."""
    api.invoke()
    made_anew = COMPANY_ID.replace("000001", "000009")
    listed = {"value": [{"id": made_anew, "name": "CRONUS USA, Inc."}]}
    api.http.on(COMPANIES, json_answer(listed))

    api.clock.advance(minutes=59)
    api.invoke()
    api.clock.advance(minutes=1)
    api.invoke()

    called = [request.url for request in api.http.sent_to(f"{COMPANIES}(")]
    assert [COMPANY_ID in url for url in called] == [True, True, False]
    assert made_anew in called[-1]


def test_lookup_takes_its_time_from_the_call(api):
    """The caller waits no longer than the endpoint's timeout_seconds for both together."""
    api.services.endpoints.patch(CODE, LISTING, {"timeout_seconds": 20}, UNCONDITIONAL)
    api.http.before("send", lambda: api.clock.advance(seconds=15))

    api.invoke()

    assert api.http.timeouts[-2:] == [20, 5]


def test_lookup_ends_after_half_a_minute(api):
    """A long timeout is meant for the call itself."""
    api.services.endpoints.patch(CODE, LISTING, {"timeout_seconds": 200}, UNCONDITIONAL)

    api.invoke()

    assert api.http.timeouts[-2:] == [30, 200]


def test_lookup_without_a_token_is_told_as_that(api):
    """What is missing is a sign-in, not the company."""
    api.services.sign_off.deauthorize(api.record())

    assert failure(api.invoke).kind.code == "sign_in_required"


def test_lookup_with_a_refused_token_is_told_as_that(api):
    """Nor would any other call be let in."""
    api.http.on(COMPANIES, json_answer({}, status=401))

    assert failure(api.invoke).kind.code == "upstream_unauthorized"


def test_failed_lookup_for_a_template_is_told(api):
    """Without the segment the call would go to whatever company is the service's default."""
    template = "{base_url}/c/{company_id}/{endpoint}"
    api.services.integrations.patch(CODE, {"url_template": template}, UNCONDITIONAL)
    api.services.endpoints.patch(CODE, LISTING, {"kind": "custom"}, UNCONDITIONAL)
    api.http.on(COMPANIES, json_answer({}, status=500))

    error = failure(api.invoke)

    assert (error.kind.status, error.kind.code) == (424, "company_not_found")
