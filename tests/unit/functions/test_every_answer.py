"""What every answer carries; and the gateway as the tests of the triggers call it."""

from __future__ import annotations

import functools
import importlib
import json
import logging
import uuid
from typing import TYPE_CHECKING, Any

import pytest
from werkzeug.wrappers import Response

from dev.host.conversion import from_function, to_function
from dev.host.indexing import Function, index
from dev.host.messages import Incoming
from dev.host.routing import RouteTable
from shared import bootstrap
from tests.builders import integration_document
from tests.fakes import json_answer
from tests.scenes import BC, CODE, LISTING, Scene
from tests.support import PUBLIC_URL

if TYPE_CHECKING:
    from collections.abc import Mapping

INTEGRATION = f"/api/integrations/{CODE}"
ENDPOINT = f"{INTEGRATION}/endpoints/{LISTING}"
INVOKE = f"/api/invoke/{CODE}/{LISTING}"
SECURITY_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}


@functools.cache
def functions() -> list[Function]:
    """Return the functions of the app; an app gives them only once."""
    return index(importlib.import_module("function_app"))


@functools.cache
def routes() -> RouteTable:
    """Return the routes as the host sees them."""
    return RouteTable(functions(), prefix="api")


class Answer(Response):
    """An answer as the host sends it."""

    @property
    def text(self) -> str:
        """The body."""
        return self.get_data(as_text=True)


class Gateway:
    """The app's functions as the host calls them; what lies behind the ports is faked."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, **changes: Any) -> None:
        self.scene = Scene(**changes)
        monkeypatch.setattr(bootstrap, "_services", self.scene.services)

    def call(
        self,
        method: str,
        address: str,
        document: object = None,
        *,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Call the function whose route this is; an address of PUBLIC_URL will do too."""
        path, mark, query = address.removeprefix(PUBLIC_URL).partition("?")
        match = routes().find(method, path)
        assert match is not None, f"no function serves {method} {path}"
        lowered = {name.lower(): value for name, value in (headers or {}).items()}
        incoming = Incoming(
            method=method,
            path=path,
            query=mark + query,
            headers={"host": "instance-1.internal"} | lowered,
            body=body if document is None else json.dumps(document).encode(),
        )
        answer = from_function(match.function.handler(to_function(incoming, match.values)))
        return Answer(answer.body, answer.status, list(answer.headers))

    def manage(self, method: str, address: str, document: object = None) -> Any:
        """Call the management API, which must succeed, and return the answer's JSON."""
        answer = self.call(method, address, document)
        assert answer.status_code < 300, answer.text
        return answer.json


@pytest.fixture
def gateway(monkeypatch):
    """Return a gateway with an integration, an endpoint, and a person signed in."""
    gateway = Gateway(monkeypatch)
    gateway.scene.http.on(BC, json_answer({"value": "done"}))
    gateway.scene.integrate()
    gateway.scene.offer()
    gateway.scene.sign_in()
    return gateway


CALLS = [
    ("GET", "/api/audit", None, 200),
    ("GET", "/api/audit?after=x", None, 400),
    ("GET", f"/api/authorize/{CODE}", None, 302),
    ("GET", "/api/authorize/NOBODY", None, 404),
    ("GET", "/api/callback?state=unknown&code=x", None, 400),
    ("GET", "/api/callback?asset=result.css", None, 200),
    ("POST", f"/api/deauthorize/{CODE}", None, 200),
    ("POST", "/api/deauthorize/NOBODY", None, 404),
    ("GET", f"{INTEGRATION}/endpoints", None, 200),
    ("DELETE", f"{INTEGRATION}/endpoints", None, 405),
    ("GET", ENDPOINT, None, 200),
    ("PATCH", ENDPOINT, {"colour": "red"}, 422),
    ("DELETE", ENDPOINT, None, 204),
    ("GET", f"{ENDPOINT}/idempotency", None, 400),
    ("GET", "/api/health", None, 200),
    ("GET", "/api/openapi.json", None, 200),
    ("GET", "/api/integrations", None, 200),
    ("POST", "/api/integrations", integration_document(code="NEW"), 201),
    ("POST", "/api/integrations", integration_document(), 409),
    ("PUT", INTEGRATION, ["no object"], 400),
    ("DELETE", INTEGRATION, None, 204),
    ("POST", INVOKE, {}, 200),
    ("GET", INVOKE, None, 405),
    ("POST", f"/api/invoke/{CODE}/NOTHING", {}, 404),
    ("GET", "/api/signin/unknown", None, 400),
    ("POST", f"{INTEGRATION}/signin-link", None, 201),
    ("GET", f"{INTEGRATION}/status", None, 200),
]


@pytest.mark.parametrize(("method", "address", "document", "status"), CALLS)
def test_every_answer_carries_the_headers_that_protect_the_panel(
    gateway, method, address, document, status
):
    """Nothing that the app answers may run, be sniffed, or tell where it came from."""
    answer = gateway.call(method, address, document)

    assert answer.status_code == status
    assert {name: answer.headers.get(name) for name in SECURITY_HEADERS} == SECURITY_HEADERS


# Its pages have a policy of their own (panel/test_rendering.py).
PANEL = ("GET", "/api/panel", None, 403)


@pytest.mark.parametrize(("method", "address", "document", "status"), [*CALLS, PANEL])
def test_every_answer_tells_who_speaks_and_its_request(gateway, method, address, document, status):
    """A caller can name the request to an administrator, and sees whose answer it is."""
    answers = [gateway.call(method, address, document) for _ in range(2)]

    ids = {answer.headers["X-Gateway-Request-Id"] for answer in answers}
    assert {str(uuid.UUID(each)) for each in ids} == ids
    assert len(ids) == 2
    assert answers[0].status_code == status
    assert answers[0].headers["X-Gateway-Source"] in {"gateway", "identity", "upstream"}


def test_no_function_is_left_out():
    """The calls above meet every function that HTTP can start."""
    met = [*CALLS, PANEL]
    matches = [routes().find(method, address.partition("?")[0]) for method, address, *_ in met]

    called = {match.function.name for match in matches}
    assert called == {function.name for function in functions() if function.is_http}


@pytest.mark.parametrize("status", [200, 204, 304, 400, 404, 429])
def test_answer_of_the_service_is_marked_as_such(gateway, status):
    """Whatever the status, it is Business Central that speaks."""
    gateway.scene.http.on(BC, json_answer({}, status=status))

    assert gateway.call("POST", INVOKE).headers["X-Gateway-Source"] == "upstream"


@pytest.mark.parametrize(
    ("prepare", "source"),
    [
        (lambda scene: scene.endpoints.rows.clear(), "gateway"),
        (lambda scene: scene.services.sign_off.deauthorize(scene.record()), "identity"),
        (lambda scene: scene.http.on(BC, json_answer({}, status=301)), "upstream"),
    ],
    ids=["unknown endpoint", "nobody signed in", "redirect"],
)
def test_error_is_marked_with_whose_it_is(gateway, prepare, source):
    """The header and the member of the document say the same."""
    prepare(gateway.scene)

    answer = gateway.call("POST", INVOKE)

    assert (answer.headers["X-Gateway-Source"], answer.json["source"]) == (source, source)


def test_service_cannot_loosen_the_headers(gateway):
    """What a service says about its own pages does not count for the gateway's origin."""
    loose = {
        "content-security-policy": "default-src *",
        "referrer-policy": "unsafe-url",
        "x-gateway-source": "gateway",
        "set-cookie": "gateway_signin=theirs; Path=/",
    }
    gateway.scene.http.on(BC, json_answer({}, headers=loose))

    answer = gateway.call("POST", INVOKE)

    assert {name: answer.headers.get(name) for name in SECURITY_HEADERS} == SECURITY_HEADERS
    assert answer.headers["X-Gateway-Source"] == "upstream"
    assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize("accept", ["application/json", "text/html"])
@pytest.mark.parametrize("address", [INTEGRATION, f"/api/authorize/{CODE}"])
def test_unexpected_failure_tells_no_details(gateway, caplog, address, accept):
    """Our own fault is 424, which nobody resends by itself; only the log says more."""
    caplog.set_level(logging.ERROR)
    gateway.scene.integrations.fail("get", error=RuntimeError("went wrong"))

    answer = gateway.call("GET", address, headers={"Accept": accept})

    assert answer.status_code == 424
    assert answer.headers["X-Gateway-Source"] == "gateway"
    assert not [text for text in ("RuntimeError", "went wrong") if text in answer.text]
    assert "RuntimeError: went wrong" in caplog.text
    assert answer.headers["X-Gateway-Request-Id"] in caplog.text


def test_unexpected_failure_is_a_document_for_scripts_and_a_page_for_people(gateway):
    """Each can read what to do next."""
    gateway.scene.integrations.fail("get", error=RuntimeError("went wrong"))
    address = f"/api/authorize/{CODE}"

    document = gateway.call("GET", address, headers={"Accept": "application/json"})
    page = gateway.call("GET", address, headers={"Accept": "text/html"})

    assert document.json["code"] == "internal_error"
    assert "The gateway failed" in page.text


@pytest.mark.parametrize("host", ["[abc]", "[", "a@b", ""])
def test_strange_host_header_is_no_failure(gateway, host):
    """The host's name in the URL comes from the client, and no answer rests on it."""
    answer = gateway.call("GET", "/api/integrations/NOBODY?x=1", headers={"Host": host})

    assert (answer.status_code, answer.json["instance"]) == (404, "/api/integrations/NOBODY")
