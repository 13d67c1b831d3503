"""The companies to choose from in the form of an integration."""

from __future__ import annotations

import pytest

from shared.domain.transport import TimedOut
from tests.builders import COMPANY, COMPANY_ID, TENANT_ID
from tests.fakes import json_answer
from tests.scenes import BC, CODE

PAGE = f"integrations/{CODE}/companies"
COMPANIES = f"{BC}/v2.0/{TENANT_ID}/Production/api/v2.0/companies"


@pytest.fixture
def panel(panel):
    """Return the panel of a gateway to which a person is signed in."""
    panel.scene.integrate()
    panel.scene.sign_in()
    return panel


def listed(*companies):
    """Return a list as Business Central answers it."""
    return json_answer({"value": [{"id": COMPANY_ID, **company} for company in companies]})


def test_companies_are_offered_by_name_and_id(panel):
    """With the names by which people know them."""
    panel.scene.http.on(COMPANIES, listed({"name": COMPANY, "displayName": "Cronus in America"}))

    page = panel.get(PAGE).text

    assert f'<option value="{COMPANY}">Cronus in America</option>' in page
    assert f'<option value="{COMPANY_ID}">{COMPANY}</option>' in page
    assert "has 1 company here" in page


def test_company_without_a_display_name_is_offered(panel):
    """Older services have none."""
    panel.scene.http.on(COMPANIES, listed({"name": COMPANY}, {"name": "Other A/S"}))

    page = panel.get(PAGE).text

    assert f'<option value="{COMPANY}"></option>' in page
    assert "has 2 companies here" in page


def test_nobody_signed_in_means_no_list(panel):
    """The page says what to do first, and asks nobody."""
    panel.scene.services.sign_off.deauthorize(panel.scene.record())

    answer = panel.get(PAGE)

    assert answer.status_code == 200
    assert "Sign in under Authorization, then choose from the list here." in answer.text
    assert not panel.scene.http.sent_to(BC)


@pytest.mark.parametrize(
    ("reply", "told"),
    [
        (json_answer({"error": {"code": "Authorization_Denied", "message": "no"}}, status=403),
         ("answered with 403", "permission sets")),
        (json_answer({"error": {"code": "NoEnvironment", "message": "no"}}, status=404),
         ("answered with 404", "Check tenant_id, environment and base_url")),
        (json_answer({}), ("The service does not list its companies.",)),
        (TimedOut("slow"), ("The companies cannot be listed now.", "in time")),
    ],
    ids=["no permission", "no environment", "no list", "slow"],
)  # fmt: skip
def test_refusal_is_told_with_what_to_do(panel, reply, told):
    """The field stays a text in which a name can be typed."""
    panel.scene.http.on(COMPANIES, reply)

    answer = panel.get(PAGE)

    assert answer.status_code == 200
    assert [text for text in told if text not in answer.text] == []


def test_list_is_waited_for_ten_seconds_at_most(panel):
    """A person waits for it."""
    panel.scene.http.on(COMPANIES, listed())

    panel.get(PAGE)

    assert panel.scene.http.sent[-1].url == COMPANIES
    assert panel.scene.http.timeouts[-1] <= 10


@pytest.mark.parametrize("attack", ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>'])
def test_words_of_business_central_are_text(panel, attack):
    """Whoever names companies cannot write pages."""
    panel.scene.http.on(COMPANIES, listed({"id": attack, "name": attack, "displayName": attack}))

    page = panel.get(PAGE).text

    assert attack not in page
    assert "alert(1)" in page
