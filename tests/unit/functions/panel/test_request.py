"""Forms as browsers post them, and what is no form."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest

from functions.panel.request import Form
from tests.scenes import CODE

NEW = "integrations/new"
MEBIBYTE = 1024 * 1024


def post(panel, body):
    """Send a body as it is."""
    return panel.send("POST", NEW, panel.headers, body=body)


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"name=" + b"x" * 4 * MEBIBYTE, 413, "payload_too_large"),
        (urlencode([("x", "")] * 501).encode(), 400, "invalid_payload"),
        (b"&" * 600, 400, "invalid_payload"),
        (b"name=\xff", 400, "invalid_payload"),
        (b"name=%ff", 400, "invalid_payload"),
    ],
    ids=["huge", "too-many-fields", "too-many-separators", "no-utf-8", "bad-percent-encoding"],
)
def test_what_cannot_be_read_is_refused(panel, body, status, code):
    """With a page, and before anything is done."""
    answer = post(panel, body)

    assert answer.status_code == status
    assert f"<code>{code}</code>" in answer.text
    assert "What to do next" in answer.text
    assert panel.scene.stored_calls() == 0


@pytest.mark.parametrize(
    "body",
    [b"", b"=", b"%", b"name=%zz&code=%", b'{"code": "NEW"}', b"code", b"code=a&code=b;c"],
    ids=["nothing", "no-name", "percent", "half-encoded", "json", "no-value", "twice"],
)
def test_strange_form_is_one_with_wrong_fields(panel, body):
    """What browsers do not send is read as far as it goes, and told as what it lacks."""
    answer = post(panel, body)

    assert answer.status_code == 422
    assert not panel.scene.integrations.rows


def test_form_has_what_was_entered():
    """A field that browsers left out is empty, and one that stands there twice has both."""
    form = Form([("name", " Shop "), ("code", "A"), ("code", "B"), ("lines", "a\r\n b\r\n")])

    assert form.text("name") == "Shop"
    assert form.raw("lines") == "a\n b\n"
    assert form.text("missing") == ""
    assert form.all("code") == ["A", "B"]
    assert form.all("missing") == []
    assert (form.is_checked("name"), form.is_checked("missing")) == (True, False)


def test_code_in_the_address_has_no_case(panel):
    """As for the API."""
    panel.scene.integrate()

    assert panel.get(f"integrations/{CODE.lower()}").status_code == 200
