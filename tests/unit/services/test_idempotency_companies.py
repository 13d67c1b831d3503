"""Idempotency keys where the URL needs a company's id, which the service alone may know."""

from __future__ import annotations

import pytest

from shared.domain.transport import AnswerTooLarge, NotSent, TimedOut
from tests.builders import COMPANY_ID, TENANT_ID
from tests.fakes import json_answer
from tests.scenes import BC, CODE, UNCONDITIONAL, failure
from tests.unit.services.keyed_calls import KEY, posting, rows

COMPANIES = f"{BC}/v2.0/{TENANT_ID}/Production/api/v2.0/companies"
NAME, OTHER = "CRONUS USA, Inc.", "Other"
OTHER_ID = COMPANY_ID.replace("000001", "000002")
GONE = NotSent("gone")


def listing(**ids):
    """Return the answer that lists the company, and another one."""
    found = {NAME: COMPANY_ID, OTHER: OTHER_ID} | ids
    return json_answer({"value": [{"id": found[name], "name": name} for name in found]})


def posting_by_id(*replies, kind="api"):
    """Return a gateway that names the company by its id to a service that counts, and the count."""
    scene, effects = posting(*replies, kind=kind, api_url="customers")
    template = "{base_url}/c/{company_id}/{endpoint}"
    scene.services.integrations.patch(
        CODE, {"url_template": template, "allowed_companies": ["*"]}, UNCONDITIONAL
    )
    scene.http.on(COMPANIES, listing())
    scene.http.script(f"{COMPANIES}(", effects)
    return scene, effects


def go_down(scene):
    """Let nothing of the service be reached any more."""
    for prefix in (BC, COMPANIES, f"{COMPANIES}("):
        scene.http.on(prefix, GONE)


@pytest.mark.parametrize("kind", ["api", "custom"])
def test_kept_answer_is_replayed_while_the_service_is_down(kind):
    """On an instance that knows no ids yet."""
    scene, effects = posting_by_id(kind=kind)
    first = scene.invoke(headers=KEY)
    go_down(scene)
    sent = len(scene.http.sent)

    again = scene.invoke(headers=KEY, services=scene.another_instance())

    assert again.body == first.body
    assert again.headers["Idempotency-Replayed"] == "true"
    assert (effects.count, len(scene.http.sent)) == (1, sent)


def test_unknown_outcome_is_repeated_while_the_service_is_down():
    """It was the outage that left it unknown."""
    scene, effects = posting_by_id(TimedOut("slow"))
    failure(lambda: scene.invoke(headers=KEY))
    go_down(scene)

    again = failure(lambda: scene.invoke(headers=KEY, services=scene.another_instance()))

    assert (again.kind.code, effects.count) == ("outcome_unknown", 1)
    assert again.headers["Idempotency-Replayed"] == "true"


def test_key_with_another_company_is_refused_while_the_service_is_down():
    """What tells the calls apart are the companies' names."""
    scene, effects = posting_by_id()
    scene.invoke(headers=KEY)
    go_down(scene)
    other = {"headers": KEY, "query": f"gw_company={OTHER}"}

    error = failure(lambda: scene.invoke(**other, services=scene.another_instance()))

    assert (error.kind.code, effects.count) == ("idempotency_key_reused", 1)


@pytest.mark.parametrize(
    ("listed", "code"),
    [
        (GONE, "upstream_unreachable"),
        (TimedOut("slow"), "upstream_timeout"),
        (AnswerTooLarge(200), "company_not_found"),
        (AnswerTooLarge(303), "company_not_found"),
        (json_answer({}, status=503), "company_not_found"),
        (json_answer({"value": []}), "company_not_found"),
    ],
    ids=["gone", "slow", "large", "large-redirect", "503", "none"],
)
def test_lookup_that_fails_frees_the_key(listed, code):
    """Nothing was executed, however the list of companies was answered."""
    scene, effects = posting_by_id()
    scene.http.on(COMPANIES, listed)

    error = failure(lambda: scene.invoke(headers=KEY))

    assert (error.kind.code, effects.count) == (code, 0)
    assert rows(scene) == []
    scene.http.on(COMPANIES, listing())
    reply = scene.invoke(headers=KEY, services=scene.another_instance())
    assert (reply.status, effects.count) == (200, 1)


def test_company_is_looked_up_under_the_reservation():
    """Whoever waits for the first call does not ask as well."""
    scene, _ = posting_by_id()
    reserved = []
    scene.http.script(COMPANIES, lambda _: reserved.extend(rows(scene)) or listing())

    scene.invoke(headers=KEY)

    assert [row.record.state for row in reserved] == ["running"]


def test_company_that_was_made_anew_is_the_same_company():
    """The call names it as it did."""
    scene, effects = posting_by_id()
    scene.invoke(headers=KEY)
    scene.http.on(COMPANIES, listing(**{NAME: OTHER_ID, OTHER: COMPANY_ID}))

    again = scene.invoke(headers=KEY, services=scene.another_instance())

    assert again.headers["Idempotency-Replayed"] == "true"
    assert effects.count == 1


@pytest.mark.parametrize(
    ("query", "code"),
    [("company=Other", "query_not_allowed"), ("gw_company=%2E%2E", "company_not_allowed")],
)
def test_faulty_call_reserves_nothing(query, code):
    """It could not be sent, however often."""
    scene, _ = posting_by_id()
    before = len(scene.http.sent)

    error = failure(lambda: scene.invoke(headers=KEY, query=query))

    assert error.kind.code == code
    assert (rows(scene), len(scene.http.sent)) == ([], before)
