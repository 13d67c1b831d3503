"""Calls written for other tools, run with those tools."""

from __future__ import annotations

import shutil
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from functions.panel.snippets import KEY_PLACEHOLDER, curl, python
from tests.unit.functions.panel.test_snippets import PAYLOADS, call


@pytest.fixture(scope="module")
def listener():
    """Serve on loopback, and keep what comes."""
    received = []

    class Keep(BaseHTTPRequestHandler):
        def do_POST(self):
            length = int(self.headers.get("Content-Length", 0))
            received.append((self.path, dict(self.headers), self.rfile.read(length)))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Keep)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/invoke?$filter=a%20eq%20'b'&$top=5", received
    server.shutdown()
    server.server_close()


@pytest.mark.skipif(
    not (shutil.which("bash") and shutil.which("curl")), reason="needs bash and curl"
)
@pytest.mark.parametrize("body", PAYLOADS.values(), ids=PAYLOADS)
def test_curl_sends_the_payload_byte_for_byte(listener, body):
    """A shell changes nothing of it."""
    url, received = listener

    subprocess.run(  # noqa: S603
        [shutil.which("bash"), "-c", f"{curl(call(body, url))} -sS --noproxy '*'"], check=True
    )

    path, headers, content = received[-1]
    assert url.endswith(path)
    assert content.decode() == body
    assert headers["Idempotency-Key"] == "it's 1"
    assert headers["x-functions-key"] == KEY_PLACEHOLDER
    assert headers["Content-Type"] == "application/json"


@pytest.mark.parametrize("body", PAYLOADS.values(), ids=PAYLOADS)
def test_python_sends_the_payload_byte_for_byte(listener, body):
    """The program runs as it was copied."""
    url, received = listener

    subprocess.run(  # noqa: S603
        [sys.executable, "-c", python(call(body, url))], check=True, env={"NO_PROXY": "*"}
    )

    path, headers, content = received[-1]
    assert url.endswith(path)
    assert content.decode() == body
    assert headers["Idempotency-Key"] == "it's 1"
