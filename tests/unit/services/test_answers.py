"""How a service's answer stands in an error: with all ids, and whatever its form."""

from __future__ import annotations

import msgspec
import pytest

from shared.domain.transport import OutboundAnswer
from shared.services.answers import shown
from tests.fakes import json_answer

ID = "64c04b4f-edf8-4fda-836a-df76af0b519d"
TEXT = f"Something failed.  CorrelationId:  {ID}."
XML = (
    '<error xmlns="http://docs.oasis-open.org/odata/ns/metadata">'
    f"<code>NoEnvironment</code><message>{TEXT}</message></error>"
)


def told(answer):
    """Return what the error says, as its reader sees it."""
    return msgspec.json.decode(msgspec.json.encode(shown(answer)))


def body(content):
    """Return an answer with that body."""
    return OutboundAnswer(500, {}, content)


def test_every_id_that_support_asks_for_is_kept():
    """From both headers and from the message; each names the call in another log."""
    document = {"error": {"code": "Internal_ServerError", "message": TEXT}}
    headers = {"request-id": "r-1", "ms-correlation-x": "c-1"}

    assert told(json_answer(document, status=500, headers=headers)) == {
        "status": 500,
        "request_id": "r-1",
        "ms_correlation_x": "c-1",
        "correlation_id": ID,
        "body": document,
    }


def test_id_in_xml_is_kept_too():
    """Business Central answers in XML where JSON was not asked for."""
    assert told(body(XML.encode())) == {"status": 500, "correlation_id": ID, "body": XML}


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", ""),
        (b'{"code": "environmentNotFound", "message": "x"}',
         {"code": "environmentNotFound", "message": "x"}),
        (b'"text"', "text"),
        (b"<html>Bad gateway</html>", "<html>Bad gateway</html>"),
        (b'\xef\xbb\xbf<?xml version="1.0"?>', '<?xml version="1.0"?>'),
        (b"\xff\x00", "\ufffd\x00"),
        (b'{"half": ', '{"half": '),
    ],
    ids=["empty", "flat", "string", "html", "bom", "binary", "half"],
)  # fmt: skip
def test_body_of_any_form_survives(content, expected):
    """A proxy's page, an empty answer or half of one: something of it is always told."""
    assert told(body(content)) == {"status": 500, "body": expected}


@pytest.mark.parametrize("content", [b'"%s"' % (b"x" * 20_000), b"x" * 20_000])
def test_long_body_is_cut(content):
    """An error is kept and logged by others, who have no use for megabytes."""
    assert told(body(content))["body"] == content[:4000].decode()


def test_id_far_behind_is_not_searched_for():
    """What is that long is no message."""
    assert "correlation_id" not in shown(body(b" " * 100_000 + TEXT.encode()))
