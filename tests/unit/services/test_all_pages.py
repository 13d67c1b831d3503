"""A list in one piece: whole, or cut off by a limit that the answer names."""

from __future__ import annotations

import json

import pytest

from shared.domain.transport import AnswerLost, OutboundAnswer, TimedOut
from tests.fakes import json_answer
from tests.scenes import BC, LISTING, Scene, failure, serving
from tests.support import PUBLIC_URL

LINK = "@odata.nextLink"
NEXT = f"{BC}/v2.0/Items"
PAGE = {"kind": "odata", "method": "GET", "api_url": "Items"}
ALL = {"query": "gw_all_pages=true"}
JSON = {"content-type": "application/json"}


def page(*rows, to=None, **members):
    """Return a page of these rows; `to` names the next one."""
    link = {LINK: f"{NEXT}?$skiptoken={to}"} if to else {}
    return json_answer(members | {"value": rows} | link)


def listing(*pages, **endpoint):
    """Return a gateway whose endpoint lists these pages."""
    scene = serving(**(PAGE | endpoint))
    scene.http.on(BC, *pages)
    return scene


def sent_urls(scene):
    """Return what the service was asked for."""
    return [request.url for request in scene.http.sent_to(BC)]


def code_of(scene, **call):
    """Return the code with which a call fails."""
    return failure(lambda: scene.invoke(**(ALL | call))).kind.code


def test_pages_become_one_list():
    """With the members of the first page, in the order of the service."""
    scene = listing(
        page(1, 2, to=2, **{"@odata.context": "c", "@odata.count": 4}),
        page(3, to=3, **{"@odata.context": "c"}),
        page(4),
    )

    reply = scene.invoke(**ALL)

    expected = {"@odata.context": "c", "@odata.count": 4, "value": [1, 2, 3, 4]}
    assert (reply.status, json.loads(reply.body)) == (200, expected)
    assert "X-Gateway-Truncated" not in reply.headers
    assert sent_urls(scene)[1:] == [f"{NEXT}?$skiptoken=2", f"{NEXT}?$skiptoken=3"]


def test_rows_stay_what_they_are_byte_for_byte():
    """Decimals, numbers of any length and spaces: nothing is read and written anew."""
    first = b'{ "value" : [ {"n": 12345678901234567890.10,\n"d": 1.50} ], "%s": "%s"}'
    last = b'{"value":[{"n": 1E400 , "s": "\\u20ac"}, -0.0]}'
    scene = listing(
        OutboundAnswer(200, JSON, first % (LINK.encode(), NEXT.encode())),
        OutboundAnswer(200, JSON, last),
    )

    body = scene.invoke(**ALL).body

    assert b'{"n": 12345678901234567890.10,\n"d": 1.50}' in body
    assert b'{"n": 1E400 , "s": "\\u20ac"}, -0.0]' in body
    assert len(json.loads(body)["value"]) == 3


@pytest.mark.parametrize(
    "pages",
    [
        [page(to=2), page(1, to=3), page(2)],
        [page(1, to=2), page(to=3), page(2)],
        [page(1, to=2), page(2, to=3), page()],
    ],
    ids=["first", "middle", "last"],
)
def test_empty_page_leaves_no_gap(pages):
    """A filter of the service may let nothing through on a page."""
    assert json.loads(listing(*pages).invoke(**ALL).body) == {"value": [1, 2]}


def test_list_of_nothing_but_empty_pages_is_empty():
    """And is valid JSON all the same."""
    assert json.loads(listing(page(to=2), page()).invoke(**ALL).body) == {"value": []}


@pytest.mark.parametrize(
    "answer",
    [
        page(1, 2),
        json_answer({"value": "text", LINK: NEXT}),
        json_answer({"error": {"code": "x"}}, status=404),
        OutboundAnswer(200, {"content-type": "text/html"}, b"<html>"),
        OutboundAnswer(204, {}, b""),
    ],
    ids=["one page", "text", "error", "html", "nothing"],
)
def test_answer_of_one_piece_comes_back_as_any_other(answer):
    """Whether it is a short list, or none at all."""
    scene = listing(answer)
    plain = scene.invoke()

    reply = scene.invoke(**ALL)

    assert reply.status == plain.status == answer.status
    assert len(sent_urls(scene)) == 2
    assert LINK in reply.body.decode() or reply.body == plain.body == answer.body


def test_all_pages_are_asked_for_in_the_same_way():
    """By GET, with the caller's preferences; a condition was meant for the list, not for a page."""
    headers = {"Prefer": "odata.maxpagesize=2", "If-None-Match": '"1"', "Accept-Language": "sv"}
    scene = listing(page(1, to=2), page(2), method="POST", kind="custom", read_only=True)

    scene.invoke(headers=headers, body=b"{}", **ALL)

    first, second = scene.http.sent_to(BC)
    assert (first.method, first.body) == ("POST", b"{}")
    assert (second.method, second.body) == ("GET", None)
    assert first.headers["if-none-match"] == '"1"'
    assert "if-none-match" not in second.headers
    for name in ("prefer", "accept-language", "authorization"):
        assert second.headers[name] == first.headers[name]


def test_too_many_rows_are_cut_off_with_a_link_to_the_rest():
    """No page is fetched once there are 50,000 rows; the link goes on in the same way."""
    scene = Scene()
    scene.http.on(BC, page(*[0] * 49_999, to=2), page(1, to=3), page(2, to=4), page(3))
    scene.integrate()
    scene.offer(**PAGE)
    scene.sign_in()

    first = scene.invoke(**ALL)
    document = json.loads(first.body)
    second = scene.invoke(query=document[LINK].partition("?")[2])

    assert first.headers["X-Gateway-Truncated"] == "rows"
    assert len(document["value"]) == 50_000
    assert document[LINK].startswith(f"{PUBLIC_URL}/api/invoke/CRONUS/{LISTING}?gw_page=")
    assert json.loads(second.body) == {"value": [2, 3]}
    assert "X-Gateway-Truncated" not in second.headers


def test_too_many_bytes_are_cut_off_with_a_link_to_the_page_that_did_not_fit():
    """The limit is that of a single answer (5,000 here); no row is lost or doubled."""
    long = "x" * 2000
    scene = listing(page(long, to=2), page(long, to=3), page(long, to=4), page("end"))

    first = scene.invoke(**ALL)
    document = json.loads(first.body)
    scene.http.on(BC, page(long, to=4), page("end"))
    second = scene.invoke(query=document[LINK].partition("?")[2])

    assert first.headers["X-Gateway-Truncated"] == "bytes"
    assert document["value"] == [long, long]
    assert len(first.body) < 5000
    assert json.loads(second.body)["value"] == [long, "end"]
    assert sent_urls(scene)[2:4] == [f"{NEXT}?$skiptoken=3"] * 2


def test_first_page_that_is_too_large_is_an_error():
    """There is nothing that could be answered."""
    assert code_of(listing(page("x" * 6000, to=2))) == "answer_too_large"


def test_end_of_the_call_s_time_cuts_the_list_off():
    """A page that does not come in time can be asked for again."""
    scene = listing(page(1, to=2), TimedOut("time was up"))

    reply = scene.invoke(**ALL)

    assert reply.headers["X-Gateway-Truncated"] == "time"
    assert json.loads(reply.body)["value"] == [1]


def test_no_page_is_begun_without_time_for_it():
    """The time is the whole call's."""
    scene = listing()
    pages = iter([page(1, to=2), page(2, to=3)])

    def slowly(_):
        scene.clock.advance(seconds=60)
        return next(pages)

    scene.http.script(BC, slowly)

    reply = scene.invoke(**ALL)

    assert reply.headers["X-Gateway-Truncated"] == "time"
    assert json.loads(reply.body)["value"] == [1, 2]


def test_first_page_that_is_late_is_an_error():
    """As for any other call."""
    assert code_of(listing(TimedOut("time was up"))) == "upstream_timeout"


def test_list_that_leads_back_is_refused():
    """A service that errs would be asked until the time is up."""
    scene = listing(page(1, to=2), page(2, to=3), page(3, to=2))

    assert code_of(scene) == "broken_next_link"
    assert len(sent_urls(scene)) == 3


@pytest.mark.parametrize(
    "answer",
    [
        OutboundAnswer(200, JSON, b"<html>"),
        json_answer({"value": "x"}),
        OutboundAnswer(204, {}, b""),
    ],
    ids=["html", "text", "nothing"],
)
def test_list_that_goes_on_as_something_else_is_refused(answer):
    """The rows so far are not the list, and what came is not either."""
    assert code_of(listing(page(1, to=2), answer)) == "broken_next_link"


def test_later_page_on_another_host_is_refused():
    """The token would go where nobody sent it."""
    foreign = json_answer({"value": [2], LINK: "https://evil.example/"})
    scene = listing(page(1, to=2), foreign)

    assert code_of(scene) == "foreign_next_link"
    assert all(url.startswith(BC) for url in sent_urls(scene))


@pytest.mark.parametrize("status", [400, 403, 404, 410])
def test_refusal_of_a_later_page_is_the_answer(status):
    """As the service gave it: a list that is short by accident would be taken for whole."""
    refused = json_answer({"error": {"code": "Gone"}}, status=status)

    reply = listing(page(1, to=2), refused).invoke(**ALL)

    assert (reply.status, reply.body) == (status, refused.body)


def test_redirect_of_a_later_page_is_refused():
    """Nor is it followed."""
    assert code_of(listing(page(1, to=2), OutboundAnswer(302, {}, b""))) == "upstream_redirect"


def test_failure_that_lasts_fails_the_whole_list():
    """A lost connection is no limit of ours."""
    scene = listing(page(1, to=2), AnswerLost("connection lost"))

    assert code_of(scene) == "upstream_unreachable"


def test_page_that_nobody_can_be_signed_in_for_fails_the_whole_list():
    """However late it is: without a sign-in, the link to the rest leads nowhere either."""
    scene = listing()

    def last_before_the_end(_):
        scene.clock.advance(seconds=95)
        scene.services.sign_off.deauthorize(scene.record())
        return page(1, to=2)

    scene.http.script(BC, last_before_the_end)

    assert code_of(scene) == "sign_in_required"


def test_key_that_came_for_one_page_is_not_for_all():
    """The caller would take the page that is replayed for the list."""
    scene = listing(page(1, to=2), page(2))
    key = {"headers": {"idempotency-key": "list-1"}}
    scene.invoke(**key)

    assert code_of(scene, **key) == "idempotency_key_reused"


@pytest.mark.parametrize(
    "query", ["gw_all_pages=", "gw_all_pages=1", "gw_all_pages=false", "gw_all_pages",
              "gw_all_pages=true&GW_ALL_PAGES=true"]
)  # fmt: skip
def test_other_value_is_refused(query):
    """Nobody gets one page and takes it for all."""
    scene = listing(page(1))

    assert code_of(scene, query=query) == "invalid_parameter"
    assert sent_urls(scene) == []


def test_misspelt_name_is_refused():
    """The hint knows the right one."""
    error = failure(lambda: listing(page(1)).invoke(query="gw_allpages=true"))

    assert (error.kind.code, error.hint) == ("query_not_allowed", "Did you mean gw_all_pages?")


def test_change_has_no_pages():
    """Only what reads may be sent more than once for one call."""
    scene = serving()

    assert code_of(scene) == "invalid_parameter"
    assert scene.http.sent_to(BC) == []
