"""Reading a page as a person at a browser does."""

from __future__ import annotations

from dev.demo.browser import Page

SIGN_IN = """
<h1>Sign in</h1><p>to continue to <b>the Gateway</b></p>
<form method="post" action="/login?x=1">
<input type="hidden" name="flow" value="1">
<input type="radio" name="account" value="anna" checked>
<input type="radio" name="account" value="bob">
<button name="decision" value="no">Cancel</button>
<button name="decision" value="yes">Sign in</button>
</form>
"""


def test_page_shows_texts_and_a_form_as_preset():
    """What a person would read, send and press is there."""
    page = Page.read(200, "http://127.0.0.1:7091/authorize?a=b", SIGN_IN)

    assert page.texts == ["Sign in", "to continue to the Gateway"]
    assert page.form_action == "http://127.0.0.1:7091/login?x=1"
    assert page.fields == {"flow": "1", "account": "anna"}
    assert page.buttons == {"Cancel": ("decision", "no"), "Sign in": ("decision", "yes")}


def test_form_without_an_action_is_sent_to_its_own_page():
    """An absent action means the page's own URL, its query included."""
    page = Page.read(200, "http://127.0.0.1:7091/authorize?a=b", "<form></form>")

    assert page.form_action == "http://127.0.0.1:7091/authorize?a=b"
