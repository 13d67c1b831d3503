"""What the walk-through does with an answer that is not the expected one."""

from __future__ import annotations

import io
import json

import pytest
import requests

from dev.demo.narration import Narrator
from dev.demo.story import Story
from dev.errors import DevError


class FakeGateway:
    """A gateway that always gives the same answer."""

    key_name = "a key"

    def __init__(self, status, document):
        self._status = status
        self._document = document

    def url(self, path):
        """Return where a route would be."""
        return f"http://127.0.0.1/api/{path}"

    def call(self, method, path, _body=None):
        """Answer."""
        answer = requests.Response()
        answer.request = requests.Request(method, self.url(path)).prepare()
        answer.url = self.url(path)
        answer.status_code = self._status
        answer.headers["Content-Type"] = "application/json"
        answer._content = json.dumps(self._document).encode()
        return answer


def make_story(status=200, document=None):
    """Return a story in its first step, and what it prints to."""
    out = io.StringIO()
    gateway = FakeGateway(status, document or {})
    story = Story(Narrator(out), administrator=gateway, caller=gateway)
    story.narrator.start_step("Post the shipment", "It is posted.")
    return story, out


def test_expected_answer_is_shown_and_given():
    """A step goes on with what the gateway answered."""
    story, out = make_story(200, {"value": 1})

    assert story.invoke("CRONUS/POST_WHSE_SHPT", {}) == {"value": 1}
    assert '{"value": 1}' in out.getvalue()


def test_unexpected_status_names_step_call_and_answer():
    """A developer sees where it went wrong and what the gateway said."""
    story, _ = make_story(424, {"code": "sign_in_required"})

    with pytest.raises(DevError) as problem:
        story.invoke("CRONUS/POST_WHSE_SHPT", {})

    assert "'1. Post the shipment' did not work" in str(problem.value)
    assert "invoke/CRONUS/POST_WHSE_SHPT answered 424, expected 200" in str(problem.value)
    assert "sign_in_required" in str(problem.value)


def test_expectation_that_fails_names_the_step():
    """An answer of the right status with the wrong content is no success either."""
    story, _ = make_story()

    with pytest.raises(DevError, match=r"Post the shipment.*expected that it has a number"):
        story.require(None, "it has a number")


def test_management_answer_is_shown_in_part():
    """A stored definition comes back with every field; the reader needs a few."""
    story, out = make_story(201, {"code": "CRONUS", "name": "n", "query": {}})

    story.manage("PUT", "integrations/CRONUS", {}, only=("code",))

    assert '{"code": "CRONUS", "...": "2 more"}' in out.getvalue()
