from datetime import UTC, datetime
from http.cookies import SimpleCookie

import azure.functions as func
import pytest

from dev.host.conversion import ResponseError, from_function, to_function
from dev.host.messages import Answer, Incoming


def make_response(*cookies, body="", headers=(), **arguments):
    """Give a response with headers and cookies that may repeat."""
    response = func.HttpResponse(body, **arguments)
    for name, value in headers:
        response.headers.add(name, value)
    for cookie in cookies:
        response.headers.add("Set-Cookie", cookie)
    return response


def test_request_is_told_to_the_function_in_the_workers_terms():
    """URL, parameters, headers and body come as the worker decodes them."""
    request = Incoming(
        method="post",
        path="/api/a%2Fb/å",
        query="?x=1&X=2&y=",
        headers={"host": "gateway.example", "x-forwarded-proto": "https", "x-a": "1,2"},
        body=b'{"n": 1}',
    )

    converted = to_function(request, {"id": "7"})

    assert converted.method == "POST"
    assert converted.url == "http://gateway.example/api/a%2Fb/%C3%A5?x=1&X=2&y="
    assert dict(converted.params) == {"x": "1,2"}
    assert dict(converted.route_params) == {"id": "7"}
    assert converted.headers["X-A"] == "1,2"
    assert converted.get_body() == b'{"n": 1}'
    assert converted.get_json() == {"n": 1}


@pytest.mark.parametrize(
    ("response", "answer"),
    [
        pytest.param(
            func.HttpResponse("å"),
            Answer(
                status=200,
                headers=(("content-type", "text/plain; charset=utf-8"),),
                body="å".encode(),
            ),
            id="text",
        ),
        pytest.param(
            func.HttpResponse(b"{}", mimetype="application/json", status_code=201),
            Answer(status=201, headers=(("content-type", "application/json"),), body=b"{}"),
            id="json-without-charset",
        ),
        pytest.param(
            make_response(headers=[("Content-Type", "a/b"), ("X-R", "1"), ("X-R", "2")]),
            Answer(status=200, headers=(("Content-Type", "a/b"), ("X-R", "2"))),
            id="same-name-collapses-to-the-last",
        ),
        pytest.param(
            make_response(headers=[("Content-Type", "a/b"), ("X-R", "1"), ("x-r", "2")]),
            Answer(status=200, headers=(("Content-Type", "a/b"), ("X-R", "1"))),
            id="other-case-does-not-overwrite",
        ),
    ],
)
def test_response_is_answered_as_the_host_does(response, answer):
    """Content type and headers are those that worker and host make of a response."""
    assert from_function(response) == answer


@pytest.mark.parametrize(
    ("cookie", "line"),
    [
        pytest.param(
            "sid=abc-_.~; Path=/; HttpOnly; Secure; SameSite=Lax",
            "sid=abc-_.~; domain=; path=/; secure; samesite=lax; httponly",
            id="usual",
        ),
        pytest.param("a=x/y+z=", "a=x%2Fy%2Bz%3D; domain=; path=", id="value-is-escaped"),
        pytest.param('a="x y"; Path=/', "a=x%20y; domain=; path=/", id="quoted"),
        pytest.param(
            "a=; Max-Age=0; Domain=h.example; Path=/b; SameSite=None",
            "a=; max-age=0; domain=h.example; path=/b; samesite=none",
            id="deleted",
        ),
        pytest.param(
            "a=b; Expires=Sun, 22 Nov 2026 10:00:00 GMT",
            "a=b; expires=Sun, 22 Nov 2026 10:00:00 GMT; domain=; path=",
            id="expires",
        ),
    ],
)
def test_cookie_is_written_again(cookie, line):
    """A cookie goes out in the words of ASP.NET Core, its value percent-encoded."""
    assert ("Set-Cookie", line) in from_function(make_response(cookie)).headers


def test_every_cookie_is_kept_but_the_unparsable():
    """Set-Cookie is the one header that may repeat; what SimpleCookie cannot read vanishes."""
    answer = from_function(make_response("a=1; Path=/", "not a cookie", "b=2; Path=/"))

    cookies = [value.partition(";")[0] for name, value in answer.headers if name == "Set-Cookie"]
    assert cookies == ["a=1", "b=2"]


def test_cookie_for_another_client_survives_the_rewriting():
    """What the host writes is still a cookie of the same value."""
    expires = datetime(2027, 1, 1, tzinfo=UTC).strftime("%a, %d %b %Y %H:%M:%S GMT")

    line = dict(from_function(make_response(f"a=b; Expires={expires}")).headers)["Set-Cookie"]

    assert SimpleCookie(line)["a"]["expires"] == expires


@pytest.mark.parametrize(
    "returned",
    [
        pytest.param(None, id="none"),
        pytest.param("text", id="str"),
        pytest.param({"a": 1}, id="dict"),
        pytest.param(make_response(status_code=1000), id="status-too-large"),
        pytest.param(make_response(status_code=99), id="status-too-small"),
        pytest.param(make_response(status_code="many"), id="status-no-number"),
        pytest.param(make_response(headers=[("X-A", "å")]), id="non-ascii-header"),
        pytest.param(make_response(headers=[("X-A", "a\x7f")]), id="control-character"),
        pytest.param(make_response(headers=[("X A", "a")]), id="header-name"),
        pytest.param(make_response(headers=[("Content-Length", "3")]), id="content-length"),
        pytest.param(
            make_response(headers=[("Transfer-Encoding", "chunked")]), id="transfer-encoding"
        ),
        pytest.param(make_response("a=b; Expires=tomorrow"), id="bad-date-of-cookie"),
        pytest.param(make_response("a=b; Max-Age=long"), id="bad-age-of-cookie"),
    ],
)
def test_what_the_host_cannot_send_is_an_error(returned):
    """The client gets a 500 for it."""
    with pytest.raises(ResponseError):
        from_function(returned)


def test_line_break_in_a_header_fails_in_the_function():
    """The SDK refuses it, so no answer can be split."""
    with pytest.raises(ValueError, match="newline"):
        func.HttpResponse(headers={"X-A": "a\r\nX-B: b"})
