"""The HTTP adapter against real sockets: what goes out, and what comes back."""

from __future__ import annotations

import gzip
import tracemalloc

import pytest

from shared.domain.transport import AnswerLost, AnswerTooLarge
from tests.integration.outbound import MEBIBYTE, send
from tests.integration.raw_server import HOST, RawServer, answer, chunk, head, sending


@pytest.mark.parametrize(
    "target",
    [
        "/plain",
        "/caf%c3%a9",
        "/A%2Fb/%2e%7e",
        "/Company('CRONUS%20USA%2C%20Inc.')/items",
        "/items?$filter=name eq 'x'".replace(" ", "%20"),
        "/items?$filter='a'&$select=\"b\"&x={1}|^`",
        "/items?a=1&&b=%zz",
        "/a;b=c/d:e@f",
        "//double//slashes",
        "/?a",
    ],
)
def test_target_goes_out_byte_for_byte(client, target):
    """No library on the way normalises an encoding, a quote or a slash."""
    with RawServer(answer()) as server:
        send(client, server.url + target)

    assert server.requests[0].target == target.encode()


@pytest.mark.parametrize(("path", "target"), [("", b"/"), ("?a=1", b"/?a=1")])
def test_url_without_path_asks_for_the_root(client, path, target):
    """RFC 9112 section 3.2.1."""
    with RawServer(answer()) as server:
        send(client, server.url + path)

    assert server.requests[0].target == target


@pytest.mark.parametrize(
    ("method", "body", "length"),
    [
        ("POST", b"\x00\xff\r\n\r\n{}", b"8"),
        ("POST", None, b"0"),
        ("PATCH", b"", b"0"),
        ("PUT", b"{}", b"2"),
        ("GET", None, None),
        ("DELETE", None, None),
        ("DELETE", b"{}", b"2"),
    ],
)
def test_body_goes_out_with_its_length(client, method, body, length):
    """Never chunked, and a method that has a body by nature says so when it is empty."""
    with RawServer(answer()) as server:
        send(client, server.url, method=method, body=body)

    request = server.requests[0]
    assert request.head.startswith(method.encode() + b" / HTTP/1.1\r\n")
    assert (request.body, request.header("Content-Length")) == (body or b"", length)
    assert request.header("Transfer-Encoding") is None


def test_headers_go_out_as_given(client):
    """Beside them only what HTTP itself needs."""
    with RawServer(answer()) as server:
        send(client, server.url, headers={"authorization": "Bearer x", "if-match": 'W/"1"'})

    names = {line.split(b":")[0].lower() for line in server.requests[0].head.split(b"\r\n")[1:]}
    transport = {b"", b"host", b"accept-encoding", b"user-agent"}
    assert names - transport == {b"authorization", b"if-match"}
    assert server.requests[0].header("host") == f"{HOST}:{server.port}".encode()


def test_cookies_stay_with_the_answer_that_set_them(client):
    """The next request may be another caller's."""
    with RawServer(answer(b"", "Set-Cookie: session=one; Path=/")) as server:
        send(client, server.url)
        send(client, server.url)

    assert [request.header("Cookie") for request in server.requests] == [None, None]


def test_environment_adds_neither_proxy_nor_credentials(client, monkeypatch, tmp_path):
    """Variables and files of the machine do not lead a call elsewhere."""
    netrc = tmp_path / "netrc"
    netrc.write_text(f"machine {HOST} login somebody password canary\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    with RawServer(answer()) as proxy, RawServer(answer()) as server:
        for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, proxy.url)
        for name in ("NO_PROXY", "no_proxy"):
            monkeypatch.delenv(name, raising=False)
        send(client, server.url)

    assert proxy.accepted == 0
    assert server.requests[0].header("Authorization") is None


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "307 Temporary", "308 Permanent"])
def test_redirect_is_not_followed(client, status):
    """Its target never sees the token; the answer comes back as it is."""
    with RawServer(answer()) as other:
        location = f"Location: {other.url}/elsewhere"
        with RawServer(answer(b"moved", location, status=status)) as server:
            found = send(client, server.url, headers={"authorization": "Bearer canary"})

    assert found.status == int(status[:3])
    assert found.headers["location"] == f"{other.url}/elsewhere"
    assert (other.accepted, len(server.requests)) == (0, 1)


@pytest.mark.parametrize("status", [200, 204, 304, 400, 401, 404, 429, 500, 503, 599])
def test_every_status_is_an_answer(client, status):
    """Whatever it means, it is for the caller of the client to judge."""
    body = b"" if status in {204, 304} else b"body"
    with RawServer(answer(body, status=f"{status} Reason")) as server:
        found = send(client, server.url)

    assert (found.status, found.body) == (status, body)


def test_interim_answer_ends_the_connection(client):
    """Its final answer must not meet the next request on the same connection."""
    early = head("Link: </a>", status="103 Early Hints")

    def act(connection, request):
        connection.sendall(early if request.target == b"/early" else answer(b"mine"))

    with RawServer(act) as server:
        with pytest.raises(AnswerLost):
            send(client, server.url + "/early")
        assert send(client, server.url).body == b"mine"

    assert server.accepted == 2


def test_continue_is_waited_over(client):
    """100 is no answer yet (RFC 9110 section 15.2.1)."""
    with RawServer(head(status="100 Continue") + answer(b"body")) as server:
        assert send(client, server.url, method="POST", body=b"{}").body == b"body"


def test_headers_come_back_in_lower_case_and_joined(client):
    """A header that stands twice is one list (RFC 9110 section 5.3)."""
    data = answer(b"", 'ETag: W/"1"', "X-Twice: one", "x-twice: two", "Empty:")
    with RawServer(data) as server:
        headers = send(client, server.url).headers

    assert headers == {"content-length": "0", "etag": 'W/"1"', "x-twice": "one, two", "empty": ""}


@pytest.mark.parametrize(
    "data",
    [
        answer(bytes(range(256))),
        head("Transfer-Encoding: chunked")
        + chunk(bytes(range(100))) + chunk(bytes(range(100, 256))) + chunk(b""),
        head("Connection: close") + bytes(range(256)),
    ],
    ids=["length", "chunked", "until-close"],
)  # fmt: skip
def test_binary_body_comes_back_as_it_was(client, data):
    """In every framing that HTTP has."""
    with RawServer(sending(data, then_close=b"close" in data)) as server:
        assert send(client, server.url).body == bytes(range(256))


def test_compressed_body_comes_back_decompressed(client):
    """The client asks for gzip, and for nothing else."""
    text = b'{"value": "x"}' * 1000
    with RawServer(answer(gzip.compress(text), "Content-Encoding: gzip")) as server:
        assert send(client, server.url).body == text

    assert server.requests[0].header("Accept-Encoding") == b"gzip"


def test_body_of_the_largest_size_comes_back(client):
    """The limit itself is within the limit."""
    with RawServer(answer(b"x" * 200_000)) as server:
        assert len(send(client, server.url, max_bytes=200_000).body) == 200_000


def test_body_over_the_limit_is_cut_off(client):
    """Not read to its end, which may never come; the connection is not used again."""

    def act(connection, _):
        connection.sendall(head("Content-Length: 1000000000", status="201 Created"))
        while True:
            connection.sendall(b"x" * 10_000)

    with RawServer(act) as server:
        for _ in range(2):
            with pytest.raises(AnswerTooLarge) as caught:
                send(client, server.url, max_bytes=100_000)
            assert caught.value.status == 201

    assert server.accepted == 2


def test_compressed_body_counts_by_its_real_size(client):
    """A bomb of a thousand times its size is not unpacked either."""
    bomb = gzip.compress(bytes(64 * MEBIBYTE))
    with RawServer(answer(bomb, "Content-Encoding: gzip")) as server:
        tracemalloc.start()
        try:
            with pytest.raises(AnswerTooLarge):
                send(client, server.url)
            assert tracemalloc.get_traced_memory()[1] < 8 * MEBIBYTE
        finally:
            tracemalloc.stop()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        head("Content-Length: 10") + b"short",
        head("Transfer-Encoding: chunked") + b"a\r\nshort",
        head("Transfer-Encoding: chunked") + chunk(b"whole"),
        head("Transfer-Encoding: chunked") + b"nonsense\r\n",
        head("Content-Length: 10", "Content-Encoding: gzip") + gzip.compress(b"whole")[:5],
        answer(b"not gzip at all", "Content-Encoding: gzip"),
        b"nonsense\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200 + b"\r\n",
    ],
    ids=[
        "nothing", "short-body", "short-chunk", "no-last-chunk", "no-chunk",
        "short-gzip", "no-gzip", "no-http", "too-many-headers",
    ],
)  # fmt: skip
def test_answer_that_is_not_whole_is_lost(client, data):
    """The request may have been carried out; a part of an answer is never taken for all of it."""
    with (
        RawServer(sending(data, then_close=True)) as server,
        pytest.raises(AnswerLost, match="connection lost"),
    ):
        send(client, server.url, method="POST", body=b"{}")

    assert len(server.requests) == 1
