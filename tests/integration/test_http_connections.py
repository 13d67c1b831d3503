"""The HTTP adapter's connections, on real sockets: kept and replaced, and where they may go."""

from __future__ import annotations

import socket
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from shared.adapters import http_connections
from shared.domain.egress import EgressPolicy
from shared.domain.transport import AnswerLost, NotSent
from tests.integration.outbound import make_client, resolve_to, send
from tests.integration.raw_server import HOST, RawServer, answer, end


def test_connection_is_used_again(client):
    """Whatever the method and the status."""
    with RawServer(answer(b"x" * 100_000)) as server:
        for method in ("GET", "POST", "DELETE") * 5:
            send(client, server.url, method=method)

    assert (server.accepted, len(server.requests)) == (1, 15)


def test_connection_that_the_server_closed_is_replaced(client):
    """An idle connection ends at some time; the next call does not notice."""
    with RawServer(answer()) as server:
        send(client, server.url)
        server.drop_connections()
        send(client, server.url, method="POST", body=b"{}")

    assert (server.accepted, len(server.requests)) == (2, 2)


def test_connection_that_was_idle_for_long_is_not_trusted(client, monkeypatch):
    """Something between may have dropped it without a word to either side."""
    monkeypatch.setattr(http_connections, "_LONGEST_IDLE_SECONDS", 0.1)

    with RawServer(answer()) as server:
        for seconds in (0, 0, 0.2):
            time.sleep(seconds)
            send(client, server.url)

    assert server.accepted == 2


def test_request_is_not_sent_twice(client):
    """A server that drops the connection instead of an answer got the request once."""

    def act(connection, request):
        connection.sendall(answer()) if request.target == b"/" else end(connection)

    with RawServer(act) as server:
        send(client, server.url)
        with pytest.raises(AnswerLost):
            send(client, server.url + "/dropped", method="GET")

    assert [request.target for request in server.requests] == [b"/", b"/dropped"]


def test_many_at_once_get_their_own_answers(client):
    """32 threads over one pool, with bodies of all sizes, and connections that end between."""
    bodies = [b"%d:" % number + b"x" * (number * 997 % 70_000) for number in range(320)]

    def act(connection, request):
        number = int(request.target[1:])
        if number % 7 == 0:
            connection.sendall(answer(bodies[number], "Connection: close"))
            end(connection)
        else:
            connection.sendall(answer(bodies[number]))

    with RawServer(act) as server, ThreadPoolExecutor(32) as threads:
        found = threads.map(lambda number: send(client, f"{server.url}/{number}").body, range(320))
        assert list(found) == bodies

    assert server.accepted < 320


def test_refused_connection_is_not_sent(client):
    """Nothing left the gateway."""
    with RawServer(answer()) as server:
        pass

    with pytest.raises(NotSent, match="no connection") as caught:
        send(client, server.url)

    assert not caught.value.is_forbidden


@pytest.mark.parametrize("host", ["gateway-test.invalid", "a" * 64 + ".example", "bad..example"])
def test_unresolvable_name_is_not_sent(client, monkeypatch, host):
    """RFC 2606 keeps .invalid free; the other names no resolver even takes."""
    real = socket.getaddrinfo

    def resolve(name, *args, **options):
        if name.endswith(".invalid"):
            raise socket.gaierror(socket.EAI_NONAME, "unknown")
        return real(name, *args, **options)

    monkeypatch.setattr(socket, "getaddrinfo", resolve)

    with pytest.raises(NotSent, match="no connection"):
        send(client, f"http://{host}/")


def test_unknown_authority_is_not_sent(client, certificate):
    """Nothing of a request is shown to a server that cannot prove its name."""
    with RawServer(answer(), certificate=certificate) as server, pytest.raises(NotSent):
        send(client, server.url, headers={"authorization": "Bearer canary"})

    assert server.requests == []


def test_known_authority_is_trusted(certificate, bundle):
    """By the bundle of the settings; connections are kept here too."""
    client = make_client(trusted=bundle)

    with RawServer(answer(b"safe"), certificate=certificate) as server:
        assert [send(client, server.url).body for _ in range(3)] == [b"safe"] * 3

    assert server.accepted == 1


def test_handshake_that_is_dropped_is_not_sent(client):
    """The server went away before anything of the request was shown to it."""
    with socket.create_server((HOST, 0)) as listener, ThreadPoolExecutor(1) as threads:
        threads.submit(drop_one, listener)
        with pytest.raises(NotSent, match="no connection"):
            send(client, f"https://{HOST}:{listener.getsockname()[1]}/")


def drop_one(listener):
    """Accept a connection and close it."""
    listener.accept()[0].close()


def test_certificate_of_another_name_is_not_sent(certificate, bundle, monkeypatch):
    """The name in the URL counts, not the address that it resolves to."""
    client = make_client(trusted=bundle)
    resolve_to(monkeypatch, HOST)

    with RawServer(answer(b"safe"), certificate=certificate) as server:
        assert send(client, f"https://named.example:{server.port}/").body == b"safe"
        with pytest.raises(NotSent):
            send(client, f"https://other.example:{server.port}/")

    assert len(server.requests) == 1


@pytest.mark.parametrize(
    "address", [HOST, "169.254.169.254", "10.0.0.1", "::1", "::ffff:127.0.0.1", "fe80::1%1"]
)
def test_public_name_that_resolves_inside_is_forbidden(monkeypatch, address):
    """The definition was good when it was stored; the name points inside by now."""
    client = make_client(EgressPolicy())
    with RawServer(answer()) as server:
        resolve_to(monkeypatch, address)
        with pytest.raises(NotSent) as caught:
            send(client, f"http://public.example:{server.port}/")

    assert caught.value.is_forbidden
    assert server.accepted == 0


def test_named_private_host_is_permitted(monkeypatch):
    """An administrator listed it; its neighbours stay out of reach."""
    client = make_client(EgressPolicy(private_hosts=frozenset({"erp.example"})))
    with RawServer(answer(b"this speaks no TLS")) as server:
        resolve_to(monkeypatch, HOST)
        with pytest.raises(NotSent) as reached:
            send(client, f"https://erp.example:{server.port}/")
        with pytest.raises(NotSent) as caught:
            send(client, f"https://other.example:{server.port}/")

    assert server.accepted == 1
    assert not reached.value.is_forbidden
    assert caught.value.is_forbidden


def test_next_address_is_tried(client, monkeypatch):
    """A name may have several, of which one answers."""
    with RawServer(answer(b"found")) as server:
        resolve_to(monkeypatch, "::1", HOST)
        assert send(client, f"http://several.example:{server.port}/").body == b"found"
