"""The templates hold nothing that the policy forbids, and escape all that they are given."""

from __future__ import annotations

import re
from pathlib import Path

import jinja2
import pytest

from functions.panel import rendering
from functions.panel.notices import notice_of
from functions.panel.rendering import html, panel_path, redirect

FOLDER = Path(rendering.__file__).parent
TEMPLATES = sorted((FOLDER / "templates").glob("*.html"))
XSS = '"><img src=x onerror=alert(1)><script>alert(1)</script>'
FORBIDDEN = {
    "style attribute": r"\sstyle\s*=",
    "style element": r"<style",
    "script with content": r"<script[^>]*>\s*[^<\s]",
    "handler": r"\son[a-z]+\s*=",
    "what needs eval": r"hx-on|hx-vars|\bjs:|javascript:|hx-trigger=\"[^\"]*\w\[",
    "what switches escaping off": r"\|\s*safe|autoescape|Markup",
    "file of another site": r"(?:src|href|action|hx-\w+)=\"(?:https?:)?//",
    "attribute without quotes": r"<\w[^<>]*\s(?:href|src|action|value|id|class|hx-\w+)=(?![\"'])",
}


def sources():
    """Return the templates without their comments, by name."""
    texts = ((file.name, file.read_text(encoding="utf-8")) for file in TEMPLATES)
    return {name: re.sub(r"\{#.*?#\}", "", text, flags=re.DOTALL) for name, text in texts}


@pytest.mark.parametrize("pattern", FORBIDDEN.values(), ids=FORBIDDEN)
def test_no_template_has_what_the_policy_forbids(pattern):
    """It would not work, or it would need a weaker policy."""
    found = {name: re.findall(pattern, text, re.IGNORECASE) for name, text in sources().items()}

    assert TEMPLATES
    assert {name: what for name, what in found.items() if what} == {}


@pytest.mark.parametrize(
    ("kind", "bad"),
    [
        ("style attribute", '<p style="x">'),
        ("style element", "<style>"),
        ("script with content", "<script>\nalert(1)</script>"),
        ("handler", '<p onclick="x">'),
        ("what needs eval", '<p hx-on:click="x">'),
        ("what needs eval", '<p hx-trigger="click[x]">'),
        ("what switches escaping off", "{{ name | safe }}"),
        ("file of another site", '<script src="//cdn.example/x.js">'),
        ("file of another site", '<a href="https://evil.example">'),
        ("attribute without quotes", "<a href={{ path() }}>"),
    ],
)
def test_search_finds_what_is_forbidden(kind, bad):
    """Else it would find nothing in the templates either."""
    assert re.search(FORBIDDEN[kind], bad, re.IGNORECASE)


def test_policy_allows_nothing_inline_and_nothing_from_elsewhere():
    """Only Pico's icons are data, and only its style sheet uses them."""
    policy = dict(
        part.split(" ", 1) for part in rendering.HEADERS["Content-Security-Policy"].split("; ")
    )

    assert policy.pop("img-src") == "'self' data:"
    assert set(policy.values()) == {"'self'", "'none'"}
    assert {name for name, value in policy.items() if value == "'self'"} == {
        "script-src", "style-src", "connect-src", "form-action",
    }  # fmt: skip
    assert policy["default-src"] == policy["frame-ancestors"] == policy["base-uri"] == "'none'"


def test_pages_can_neither_be_framed_nor_read_by_other_sites():
    """The other headers are the same on every page; those of all answers come on top."""
    others = {
        name: value
        for name, value in rendering.HEADERS.items()
        if name != "Content-Security-Policy"
    }

    assert others == {
        "Referrer-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "X-Frame-Options": "DENY",
    }


def test_htmx_is_told_to_do_what_the_policy_allows():
    """It neither evaluates text nor adds a style sheet, and asks no other site."""
    layout = (FOLDER / "templates/layout.html").read_text(encoding="utf-8")

    assert '"includeIndicatorStyles": false' in layout
    assert '"allowEval": false' in layout
    assert '"selfRequestsOnly": true' in layout


def test_values_are_shown_as_text():
    """In elements and in attributes, whichever quotes a template uses."""
    environment = rendering._environment()
    pattern = environment.from_string("<p title=\"{{ x }}\" id='{{ x }}'>{{ x }}</p>")

    shown = pattern.render(x=f"'{XSS}")

    assert re.sub(r"&[#\w]+;", "", shown).count("<") == 2
    assert shown.count('"') == shown.count("'") == 2


def test_missing_value_is_an_error():
    """A page with a gap would look like one that has nothing to tell."""
    with pytest.raises(jinja2.UndefinedError):
        html("error.html", title="x")


@pytest.mark.parametrize(
    ("path", "parameters", "expected"),
    [
        ("", {}, "/api/panel"),
        ("integrations/A", {}, "/api/panel/integrations/A"),
        ("audit", {"integration": "A", "after": None, "x": ""}, "/api/panel/audit?integration=A"),
        ("", {"after": '&"> '}, "/api/panel?after=%26%22%3E+"),
    ],
)
def test_path_has_the_parameters_that_have_a_value(path, parameters, expected):
    """Encoded, so that none can add another."""
    assert panel_path(path, **parameters) == expected


def test_change_ends_with_a_redirect_to_a_page():
    """Status 303: the browser gets the page, and reloading it repeats nothing."""
    answer = redirect("integrations/A", done="saved")

    assert (answer.status_code, answer.get_body()) == (303, b"")
    assert answer.headers["Location"] == "/api/panel/integrations/A?done=saved"


def test_every_notice_that_a_view_names_has_a_text():
    """A name without one would show nothing after a change."""
    files = sorted((FOLDER / "views").glob("*.py"))
    named = {
        name
        for file in files
        for part in re.findall(r"done=([^)]*)\)", file.read_text(encoding="utf-8"))
        for name in re.findall(r'"(\w+)"', part)
    }

    assert named
    assert [name for name in sorted(named) if notice_of(name) is None] == []


@pytest.mark.parametrize("done", [XSS, "Saved.", "x", ""])
def test_query_puts_no_words_on_a_page(panel, done):
    """It names a notice, or nothing."""
    panel.scene.integrate()
    before = panel.get("integrations/CRONUS").text

    assert panel.get(f"integrations/CRONUS?done={done}").text == before


def test_notice_is_told_to_screen_readers(panel):
    """It stands in the live region of the page."""
    answer = panel.get("?done=deleted")

    region = re.search(r'<div id="results"([^>]*)>(.*?)</div>', answer.text, re.DOTALL)
    assert 'aria-live="polite"' in region[1]
    assert "Deleted." in region[2]
