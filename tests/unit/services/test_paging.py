"""Continuation links: sealed where they stay with the service, and nowhere else."""

from __future__ import annotations

import json

import pytest

from shared.domain.transport import OutboundAnswer
from tests.fakes import json_answer
from tests.scenes import BC, LISTING, failure, serving

LINK = "@odata.nextLink"
FOREIGN = [
    "https://evil.example/v2.0/x",
    "//evil.example/x",
    "https://api.businesscentral.dynamics.com.evil.example/",
    f"{BC}@evil.example/",
    "http://[",
    "../" * 20 + "x\\..",
    f"{BC}/v2.0/x\r\nX-Smuggled: 1",
]


def listed(link):
    """Return a page that goes on at `link`."""
    return json_answer({"value": [1], LINK: link})


def continuation(reply):
    """Return the link in an answer."""
    return json.loads(reply.body).get(LINK)


@pytest.mark.parametrize(
    "endpoint",
    [{"read_only": True}, {}, {"kind": "odata", "method": "GET", "api_url": "Items"}],
    ids=["read-only POST", "POST", "GET"],
)
def test_link_comes_back_sealed(endpoint):
    """Whatever the endpoint: BC's own link would show tenant and host, and need a token."""
    scene = serving(listed(f"{BC}/v2.0/next?$skiptoken=7"), **endpoint)

    link = continuation(scene.invoke())
    scene.http.on(BC, json_answer({"value": [2]}))
    page = scene.invoke(query=link.partition("?")[2])

    assert link.startswith(f"https://gateway.example/api/invoke/CRONUS/{LISTING}?gw_page=")
    assert json.loads(page.body) == {"value": [2]}
    request = scene.http.sent_to(BC)[-1]
    assert (request.method, request.url) == ("GET", f"{BC}/v2.0/next?$skiptoken=7")


@pytest.mark.parametrize("link", FOREIGN)
def test_foreign_link_of_a_read_is_refused(link):
    """The token would go where nobody sent it."""
    scene = serving(listed(link), read_only=True)

    assert failure(scene.invoke).kind.code == "foreign_next_link"


@pytest.mark.parametrize("link", FOREIGN)
def test_foreign_link_after_a_change_is_left_out(caplog, link):
    """The change was made: its answer counts more than the link, and the log tells."""
    scene = serving(listed(link))

    reply = scene.invoke()

    assert (reply.status, json.loads(reply.body)) == (200, {"value": [1]})
    assert "next_link_dropped" in caplog.text


def test_outage_while_sealing_loses_no_answer_of_a_change():
    """Nor does a vault that is down turn a change into an error that is sent again."""
    scene = serving(listed(f"{BC}/v2.0/next"))
    scene.secrets.fail()

    assert json.loads(scene.invoke().body) == {"value": [1]}


def test_foreign_link_of_a_later_page_is_refused():
    """A page is read, even where the first one came from a change."""
    scene = serving(listed(f"{BC}/v2.0/next"))
    link = continuation(scene.invoke())
    scene.http.on(BC, listed("https://evil.example/"))

    error = failure(lambda: scene.invoke(query=link.partition("?")[2]))

    assert error.kind.code == "foreign_next_link"


@pytest.mark.parametrize("sealed", ["", "x", "%C3%A9", "%00", "gAAAAA", "a" * 5000])
def test_link_that_is_none_is_invalid(sealed):
    """Whatever stands there."""
    scene = serving(read_only=True)

    error = failure(lambda: scene.invoke(query=f"gw_page={sealed}"))

    assert (error.kind.code, error.kind.status) == ("invalid_page", 400)


@pytest.mark.parametrize(
    "body",
    [
        b'{"value": "\xff", "@odata.nextLink": "x"}',
        b'{"@odata.nextLink": 1}',
        b"[" * 4000 + b'"@odata.nextLink"',
    ],
    ids=["no UTF-8", "no text", "too deep"],
)
def test_answer_that_cannot_be_read_comes_back_as_it_is(body):
    """It holds no link that anybody could follow."""
    scene = serving(OutboundAnswer(200, {"content-type": "application/json"}, body))

    assert scene.invoke().body == body
