"""The client secret in the form of an integration: written, and never shown."""

from __future__ import annotations

import pytest

from functions.panel.forms import integration as form
from functions.panel.request import Form
from tests.scenes import CODE, UNCONDITIONAL
from tests.unit.functions.panel.test_endpoint_form import fields, told
from tests.unit.functions.panel.test_integration_form import (
    CANARY,
    HOME,
    NEW,
    linked,
    secret_in_the_vault,
    stored,
)


@pytest.fixture
def owner(panel):
    """Return the panel of a gateway with an integration that nobody is signed in to."""
    panel.scene.integrate(client_secret=CANARY)
    return panel


def test_secret_is_never_shown(owner):
    """Not where it is stored, and not where it was just typed and something else was wrong."""
    typed = fields(owner.get(HOME))
    assert typed["client_secret"] == ""
    assert form.entered(Form([("client_secret", CANARY)]))["client_secret"] == ""

    answers = [
        owner.get(HOME),
        owner.post(HOME, typed | {"client_secret": CANARY, "client_id": ""}),
        owner.post(HOME, typed | {"client_secret": CANARY, "etag": "old"}),
        owner.post(NEW, typed | {"client_secret": CANARY, "code": "1st"}),
        owner.post(NEW, typed | {"client_secret": CANARY * 900, "code": "X"}),
    ]

    assert [answer.status_code for answer in answers] == [200, 422, 412, 422, 422]
    assert not [answer for answer in answers if CANARY in answer.text]


@pytest.mark.parametrize("path", [HOME, NEW])
def test_typed_secret_that_was_not_saved_is_asked_for_again(owner, path):
    """Otherwise the next press of the button would save everything but the secret."""
    typed = fields(owner.get(path), client_id="", client_secret="new")

    answer = owner.post(path, typed)

    assert "Enter it again: nothing was saved" in answer.text
    assert "Enter it again" not in owner.post(path, typed | {"client_secret": ""}).text


@pytest.mark.parametrize(("typed", "kept"), [("", CANARY), (" other ", " other ")])
def test_empty_field_keeps_the_secret(owner, typed, kept):
    """Another value takes its place, just as it was typed."""
    answer = owner.post(HOME, fields(owner.get(HOME), name="Named", client_secret=typed))

    assert answer.status_code == 303
    assert secret_in_the_vault(owner) == kept
    assert stored(owner)["name"] == "Named"


def test_secret_is_asked_for_again_where_it_would_go_elsewhere(owner):
    """Beside its field; with it, the change is saved."""
    typed = fields(owner.get(HOME), base_url="https://other.example")

    answer = owner.post(HOME, typed)

    assert answer.status_code == 422
    assert told(answer) == {
        "client_secret": "must be given again: a field changes that tells where or for whom it is "
        "used"
    }
    assert linked(answer) == {"client_secret": "Client secret"}
    assert owner.post(HOME, fields(answer, client_secret="new")).status_code == 303
    assert stored(owner)["base_url"] == "https://other.example"


def test_page_says_whether_there_is_a_secret(owner):
    """Without saying it."""
    assert '<span class="badge good">stored</span></label>' in owner.get(HOME).text

    owner.scene.services.integrations.patch(CODE, {"client_secret": None}, UNCONDITIONAL)

    assert '<span class="badge soon">missing</span></label>' in owner.get(HOME).text
