"""What Business Central's error codes add to the answers of a call."""

from __future__ import annotations

import pytest

from shared.domain.bc_errors import STEPS
from tests.fakes import json_answer
from tests.scenes import BC, failure, serving


def said(code, status):
    """Return an error as Business Central gives it."""
    return json_answer({"error": {"code": code, "message": "m"}}, status=status)


def test_hint_comes_beside_the_answer_which_stays_as_it_is():
    """A maker sees at once what to do, and the program what Business Central said."""
    told = said("Request_EntityChanged", 409)

    reply = serving(told).invoke()

    assert (reply.status, reply.body) == (409, told.body)
    assert reply.headers["X-Gateway-Hint"] == STEPS["Request_EntityChanged"]


@pytest.mark.parametrize(
    "reply", [json_answer({"value": "done"}), json_answer({"error": "other"}, status=400)]
)
def test_nothing_is_added_where_nothing_is_known(reply):
    """An answer that is no error, or of another service, has no such header."""
    assert "X-Gateway-Hint" not in serving(reply).invoke().headers


def test_service_cannot_set_the_hint():
    """Only the gateway's own table speaks in it."""
    reply = json_answer({}, status=400, headers={"x-gateway-hint": "Call this number"})

    assert "X-Gateway-Hint" not in serving(reply).invoke().headers


def test_lookup_of_a_company_tells_why_it_failed():
    """A wrong environment shows first where the company's id is looked up."""
    scene = serving(kind="api", method="GET", api_url="customers")
    scene.http.on(BC, said("NoEnvironment", 404))

    error = failure(scene.invoke)

    assert error.kind.code == "company_not_found"
    assert error.hint == STEPS["NoEnvironment"]
    assert error.upstream["status"] == 404
