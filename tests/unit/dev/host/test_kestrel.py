from io import BytesIO
from types import SimpleNamespace

import pytest
from cheroot import wsgi

from dev.host.kestrel import KestrelRequest

START = b"GET /x HTTP/1.1\r\n"
HOST = b"Host: h\r\n"
CHUNKED = b"POST /x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"


def talk(raw):
    """Give the first answer's status, the WSGI environment that it was made from, and the rest."""
    seen = []

    def app(environ, start_response):
        seen.append(environ | {"body": environ["wsgi.input"].read()})
        start_response("200 OK", [("Content-Length", "0")])
        return []

    connection = SimpleNamespace(
        rfile=BytesIO(raw), wfile=BytesIO(), remote_addr="127.0.0.1", remote_port=1, ssl_env={}
    )
    request = KestrelRequest(wsgi.Server(("127.0.0.1", 0), app), connection)
    request.parse_request()
    if request.ready:
        request.respond()
    status = int(connection.wfile.getvalue()[9:12] or 0)
    return status, seen[0] if seen else None, connection.rfile.read()


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        pytest.param(b"GARBAGE\r\n\r\n", 400, id="no-request-line"),
        pytest.param(b" GET /x HTTP/1.1\r\n" + HOST + b"\r\n", 400, id="leading-space"),
        pytest.param(b"G@T /x HTTP/1.1\r\n" + HOST + b"\r\n", 400, id="method-no-token"),
        pytest.param(b"GET  /x HTTP/1.1\r\n" + HOST + b"\r\n", 400, id="two-spaces"),
        pytest.param(b"GET x HTTP/1.1\r\n" + HOST + b"\r\n", 400, id="no-slash"),
        pytest.param(b"GET /\xc3\xa5 HTTP/1.1\r\n" + HOST + b"\r\n", 400, id="non-ascii-target"),
        pytest.param(b"GET http://h/x HTTP/1.1\r\n" + HOST + b"\r\n", 400, id="absolute-form"),
        pytest.param(b"CONNECT h:1 HTTP/1.1\r\n" + HOST + b"\r\n", 400, id="authority-form"),
        pytest.param(b"GET * HTTP/1.1\r\n" + HOST + b"\r\n", 400, id="asterisk-without-options"),
        pytest.param(b"GET /x HTTP/2.0\r\n" + HOST + b"\r\n", 505, id="http-2"),
        pytest.param(b"GET /x HTTP/1.1\nHost: h\n\n", 400, id="bare-line-feeds"),
        pytest.param(b"GET /" + b"x" * 8192 + b" HTTP/1.1\r\n\r\n", 414, id="long-line"),
        pytest.param(START + b"\r\n", 400, id="no-host"),
        pytest.param(START + HOST + HOST + b"\r\n", 400, id="two-hosts"),
        pytest.param(START + b"Host: a/b\r\n\r\n", 400, id="bad-host"),
        pytest.param(START + b"Host: a,b\r\n\r\n", 400, id="list-of-hosts"),
        pytest.param(START + HOST + b"X-A: a\r\n b\r\n\r\n", 400, id="folded-header"),
        pytest.param(START + HOST + b"X-A : a\r\n\r\n", 400, id="space-before-colon"),
        pytest.param(START + HOST + b"X-A: a\rX-B: b\r\n\r\n", 400, id="carriage-return"),
        pytest.param(START + HOST + b"X-A: a\0\r\n\r\n", 400, id="nul"),
        pytest.param(START + HOST + b"X-A\r\n\r\n", 400, id="no-colon"),
        pytest.param(START + HOST, 400, id="headers-cut-off"),
        pytest.param(START + HOST + b"X: " + b"x" * 32768 + b"\r\n\r\n", 431, id="giant-header"),
        pytest.param(START + HOST + b"X: y\r\n" * 100 + b"\r\n", 431, id="too-many-headers"),
        pytest.param(START + HOST + b"Content-Length: -1\r\n\r\n", 400, id="negative-length"),
        pytest.param(START + HOST + b"Content-Length: 1_0\r\n\r\n", 400, id="odd-length"),
        pytest.param(START + HOST + b"Content-Length: 1\r\n" * 2 + b"\r\nx", 400, id="two-lengths"),
        pytest.param(CHUNKED[:-2] + b"Content-Length: 5\r\n\r\n0\r\n\r\n", 400, id="length-too"),
        pytest.param(
            START + HOST + b"Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n", 400, id="twice"
        ),
        pytest.param(CHUNKED.replace(b"1.1", b"1.0") + b"0\r\n\r\n", 400, id="chunked-in-http-1.0"),
        pytest.param(b"POST /x HTTP/1.0\r\n\r\n", 400, id="http-1.0-without-length"),
        pytest.param(CHUNKED + b"0x5\r\nhello\r\n0\r\n\r\n", 400, id="bad-chunk-size"),
        pytest.param(CHUNKED + b"5\r\nhello!\r\n0\r\n\r\n", 400, id="chunk-too-long"),
        pytest.param(CHUNKED + b"5\r\nhel", 400, id="chunk-cut-off"),
        pytest.param(CHUNKED + b"0\r\nX-T\r\n\r\n", 400, id="bad-trailer"),
        pytest.param(CHUNKED + b"FFFFFFFF\r\nhello", 413, id="huge-chunk"),
    ],
)
def test_hostile_request_never_reaches_the_host(raw, status):
    """What Kestrel would refuse is answered on the wire."""
    assert talk(raw)[:2] == (status, None)


def test_client_that_is_gone_gets_no_answer():
    """A connection that ends before a request is no request."""
    assert talk(b"") == (0, None, b"")


@pytest.mark.parametrize(
    ("raw", "name", "value"),
    [
        pytest.param(START + HOST + b"X-A: 1\r\nx-a: 2\r\n\r\n", "HTTP_X_A", "1,2", id="repeats"),
        pytest.param(START + HOST + b"X-A:\r\nX-A: 2\r\n\r\n", "HTTP_X_A", "2", id="empty-first"),
        pytest.param(START + HOST + b"X-A: \t \r\n\r\n", "HTTP_X_A", "", id="empty"),
        pytest.param(START + HOST + b"x_a: 1\r\n\r\n", "HTTP_X_A", None, id="underscore-dropped"),
        pytest.param(START + b"Host: [::1]:80\r\n\r\n", "HTTP_HOST", "[::1]:80", id="ipv6-host"),
        pytest.param(b"\r\n" + START + HOST + b"\r\n", "REQUEST_URI", "/x", id="empty-line-first"),
        pytest.param(
            b"GET /%41?a=%zz&b HTTP/1.1\r\n" + HOST + b"\r\n",
            "REQUEST_URI",
            "/%41?a=%zz&b",
            id="raw-target",
        ),
        pytest.param(b"get /x HTTP/1.0\r\n\r\n", "REQUEST_METHOD", "get", id="any-method-and-1.0"),
        pytest.param(
            b"OPTIONS * HTTP/1.1\r\n" + HOST + b"\r\n", "REQUEST_URI", "*", id="asterisk-form"
        ),
    ],
)
def test_request_reaches_the_host_as_it_was_sent(raw, name, value):
    """Targets arrive byte for byte, headers joined."""
    status, environ, _ = talk(raw)

    assert status == 200
    assert environ.get(name) == value


def test_chunked_body_is_drained_and_not_handed_over():
    """The host sees the header and no body, and the next request of the connection is intact."""
    status, environ, rest = talk(CHUNKED + b"5;x=y\r\nhello\r\n0\r\nX-T: 1\r\n\r\nGET /next")

    assert status == 200
    assert environ["HTTP_TRANSFER_ENCODING"] == "chunked"
    assert environ["body"] == b""
    assert rest == b"GET /next"
