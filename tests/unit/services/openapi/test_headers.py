"""Headers in the OpenAPI document: all that invoke reads, passes on, and adds by itself."""

from __future__ import annotations

from typing import get_args

import pytest

from shared.domain import headers
from shared.domain.endpoint import Method
from shared.domain.errors import GatewayError
from shared.domain.reply import Reply
from shared.domain.transport import AnswerTooLarge, NotSent, TimedOut
from shared.services.openapi.document import document
from tests.fakes import json_answer
from tests.unit.services.keyed_calls import KEY, posting

# OpenAPI tells these otherwise: as the content of bodies.
OF_CONTENT = {"accept", "content-type"}
OF_KEYS = {"idempotency-key", "x-ms-workflow-run-id", "x-ms-action-tracking-id"}
METHODS = [method.lower() for method in get_args(Method)]


def operations(path):
    """Return the operations of a path by their methods."""
    return document()["paths"][path]


def invoke(method="post"):
    """Return the operation that runs an endpoint."""
    return operations("/api/invoke/{integration}/{endpoint}")[method]


def documented(status):
    """Return the headers that an answer of invoke may have with this status."""
    responses = invoke()["responses"]
    return responses.get(str(status), responses["default"])["headers"].keys()


def headers_of(operation):
    """Return the headers that an operation reads, and whether one has to be there."""
    given = [each for each in operation["parameters"] if each["in"] == "header"]
    return {each["name"].lower(): each.get("required", False) for each in given}


@pytest.mark.parametrize("method", METHODS)
def test_every_header_that_invoke_reads_is_documented(method):
    """What goes along to the service, and what makes a key: with each method, reads too."""
    read = headers_of(invoke(method))

    of_odata = {name for name in read if name.startswith("odata-")}
    assert of_odata
    assert read.keys() - of_odata == (headers._TO_UPSTREAM - OF_CONTENT) | OF_KEYS
    assert headers.for_upstream(dict.fromkeys(of_odata, "4.0")).keys() == of_odata


@pytest.mark.parametrize("method", ["get", "post"])
def test_key_is_found_by_either_of_its_forms(method):
    """An administrator has the key that was given, or the headers that it was derived from."""
    path = "/api/integrations/{integration}/endpoints/{endpoint}/idempotency"

    assert headers_of(operations(path)[method]) == dict.fromkeys(OF_KEYS, False)


@pytest.mark.parametrize("status", [200, 201, 400, 404, 409, 429, 503])
def test_every_header_that_invoke_passes_on_is_documented(status):
    """Whatever the service answers, these come back."""
    passed_on = {name for name in headers._TO_CALLER.values() if name.lower() not in OF_CONTENT}

    assert passed_on < documented(status)


@pytest.mark.parametrize(
    ("reply", "status"),
    [
        (json_answer({}), 200),
        (json_answer({}, status=201), 201),
        (TimedOut("slow"), 409),
        (AnswerTooLarge(200), 424),
        (json_answer({}, status=303), 424),
    ],
    ids=["done", "created", "unknown", "too-large", "redirect"],
)
def test_replay_is_documented(reply, status):
    """Whoever sends a call again sees by a header that it is the first one's outcome."""
    scene, _ = posting(reply)

    answers = [answered(scene) for _ in range(2)]

    assert [each.status for each in answers] == [status] * 2
    assert "Idempotency-Replayed" in answers[1].headers
    assert answers[1].headers.keys() - {"Content-Type"} <= documented(status)


@pytest.mark.parametrize(
    ("reply", "status"),
    [
        (json_answer({}, status=400), 400),
        (json_answer({}, status=404), 404),
        (json_answer({}, status=418), 418),
        (NotSent("gone"), 503),
    ],
    ids=["refused", "not-found", "by-default", "not-sent"],
)
def test_warning_is_documented(reply, status):
    """A key that could not be freed is told with whatever became of the call."""
    scene, _ = posting(reply)
    scene.idempotency.fail("delete")

    answer = answered(scene)

    assert answer.status == status
    assert "X-Gateway-Warning" in answer.headers
    assert answer.headers.keys() - {"Content-Type"} <= documented(status)


def answered(scene):
    """Call with a key, and return status and headers of what comes back, be it an error."""
    try:
        return scene.invoke(headers=KEY)
    except GatewayError as error:
        return Reply(error.kind.status, error.headers, b"")
