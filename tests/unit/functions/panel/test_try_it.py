"""Trying an endpoint from the panel."""

from __future__ import annotations

import html

import pytest

from shared.domain.activity import CallEntry
from shared.domain.transport import NotSent, OutboundAnswer, TimedOut
from tests.fakes import json_answer
from tests.scenes import BC, CODE, LISTING
from tests.unit.functions.panel.conftest import ADMINISTRATOR

TRY = f"integrations/{CODE}/endpoints/{LISTING}/try"
XSS = '"><img src=x onerror=alert(1)><script>alert(1)</script>'
CONFIRMED = {"confirmed": "true"}


@pytest.fixture
def scene(panel):
    """Return what lies behind a panel whose integration is signed in."""
    panel.scene.http.on(BC, json_answer({"value": "done"}))
    panel.scene.integrate()
    panel.scene.sign_in()
    return panel.scene


def sent(scene):
    """Return what reached Business Central."""
    return scene.http.sent_to(BC)


def shown(answer):
    """Return the page's text as a person reads it."""
    return html.unescape(answer.text)


def test_form_begins_with_the_payload_that_the_schema_names(panel, scene):
    """Nobody has to look up how the members are called."""
    schema = {"properties": {"shipmentNo": {"type": "string"}, "lines": {"type": "array"}}}
    scene.offer(request_schema=schema)

    page = panel.get(TRY)

    assert page.status_code == 200
    assert '"shipmentNo": ""' in shown(page)
    assert '"lines": []' in shown(page)


def test_run_shows_answer_and_exact_request_without_the_token(panel, scene):
    """What went over the wire is there to be compared, but for the credential."""
    scene.offer(read_only=True)

    page = panel.post(TRY, {"payload": '{"shipmentNo": "SH000002"}'})

    (request,) = sent(scene)
    assert page.status_code == 200
    assert request.url in shown(page)
    assert "authorization: Bearer ***" in shown(page)
    assert '"shipmentNo": "SH000002"' in shown(page)
    assert '"value": "done"' in shown(page)
    token = request.headers["authorization"].removeprefix("Bearer ")
    assert token not in page.text


def test_change_without_confirmation_sends_nothing(panel, scene):
    """The server asks, whatever the browser does."""
    scene.offer()

    page = panel.post(TRY, {"payload": '{"shipmentNo": "kept"}'})

    assert page.status_code == 422
    assert "Nothing was sent." in page.text
    assert "kept" in page.text
    assert sent(scene) == []


def test_confirmed_change_runs_once_under_its_key(panel, scene):
    """Running it again by mistake gets the first answer, and says so."""
    scene.offer()
    fields = CONFIRMED | {"payload": "{}", "idempotency_key": "trial-1"}

    first, second = panel.post(TRY, fields), panel.post(TRY, fields)

    assert len(sent(scene)) == 1
    assert "was made before" not in first.text
    assert "was made before" in second.text
    assert "Nothing was sent to the service" in second.text
    assert 'value="trial-1"' not in first.text  # the next run is another call


def test_unknown_outcome_keeps_its_key(panel, scene):
    """The same key asks what became of the call; another one would make it again."""
    scene.offer()
    scene.http.on(BC, TimedOut("time was up"))

    page = panel.post(TRY, CONFIRMED | {"idempotency_key": "trial-2"})

    assert "outcome_unknown" in page.text or "409" in page.text
    assert 'value="trial-2"' in page.text


def test_every_attempt_is_shown(panel, scene):
    """What was sent again by itself is no secret."""
    scene.offer(read_only=True)
    busy = json_answer({}, status=503)
    scene.http.on(BC, busy, json_answer({"value": "done"}))

    page = panel.post(TRY, {"payload": "{}"})

    assert "The requests that were sent (2)" in page.text


def test_error_of_the_gateway_says_what_to_do(panel, scene):
    """Title, detail, places and next step, as an API caller would read them."""
    scene.offer(request_schema={"required": ["shipmentNo"]}, read_only=True)

    page = panel.post(TRY, {"payload": "{}"})

    assert "does not fit the endpoint's schema" in shown(page)
    assert "shipmentNo" in shown(page)
    assert "What to do next:" in page.text
    assert sent(scene) == []


def test_error_of_business_central_is_shown_with_its_words(panel, scene):
    """What was refused, and why, comes first of all from Business Central."""
    scene.offer(read_only=True)
    error = {"error": {"code": "Internal_RecordNotFound", "message": "It does not exist."}}
    scene.http.on(BC, json_answer(error, status=404))

    page = panel.post(TRY, {"payload": "{}"})

    assert "404 Not Found" in page.text
    assert "It does not exist." in page.text


def test_unreachable_service_is_told(panel, scene):
    """Nothing is left to guess where nothing was sent."""
    scene.offer(read_only=True)
    scene.http.on(BC, NotSent("no connection"))

    page = panel.post(TRY, {"payload": "{}"})

    assert "503 Service Unavailable" in page.text
    assert "What to do next:" in page.text


def test_parameters_and_query_become_part_of_the_url(panel, scene):
    """Declared parameters have a field each; the rest is typed as in a URL, spaces and all."""
    scene.offer(
        kind="odata",
        method="GET",
        api_url="Orders({id})",
        parameters={"id": "guid"},
        read_only=True,
    )
    guid = "11111111-2222-3333-4444-555555555555"

    panel.post(TRY, {"parameter.id": guid, "query": "$filter=city eq 'Åre'&$top=5"})

    (request,) = sent(scene)
    assert f"Orders({guid})" in request.url
    assert "$filter=city%20eq%20'%C3%85re'&$top=5" in request.url


def test_administrator_is_the_caller_in_the_activity(panel, scene):
    """A trial is a call like any other, and leaves the same trace."""
    scene.offer(read_only=True)

    panel.post(TRY, {"payload": "{}"})

    scene.recording.release()
    calls = [each for each in scene.activity.entries(CODE) if isinstance(each, CallEntry)]
    assert [each.caller for each in calls] == [ADMINISTRATOR]


def test_disabled_endpoint_says_where_to_switch_it_on(panel, scene):
    """It is refused, as every caller is."""
    scene.offer(is_enabled=False, read_only=True)

    assert "This endpoint is off" in panel.get(TRY).text
    assert "is switched off" in panel.post(TRY, {"payload": "{}"}).text


def test_hostile_texts_are_shown_as_text(panel, scene):
    """What administrators, callers and Business Central write is never markup."""
    scene.offer(name=XSS, description=XSS, read_only=True)
    scene.http.on(BC, OutboundAnswer(400, {"request-id": XSS}, XSS.encode()))

    page = panel.post(TRY, {"payload": XSS, "query": XSS, "if_match": XSS})
    answered = panel.post(TRY, {"payload": "{}"})

    for each in (page, answered):
        assert "<img" not in each.text.replace('<img src="/api/panel/assets', "")
        assert "<script>alert" not in each.text
    assert XSS in shown(answered)


@pytest.mark.usefixtures("scene")
def test_endpoint_that_is_not_there_is_a_page_with_404(panel):
    """A link that has grown old says so."""
    answer = panel.get(f"integrations/{CODE}/endpoints/NOTHING/try")

    assert answer.status_code == 404
    assert "<h1>" in answer.text
