import json
import threading
from datetime import UTC, datetime
from types import SimpleNamespace

import azure.functions as func
import pytest
from werkzeug.test import Client

from dev.host.configuration import Configuration
from dev.host.easy_auth import EasyAuth
from dev.host.indexing import index
from dev.host.server import FunctionsHost
from dev.host.worker import Worker

CUSTOM_HEADERS = {"X-Content-Type-Options": "nosniff", "X-Mine": "host"}
INPUT = {"input": ""}


def make_host(*, settings=None, has_easy_auth=False, fired=None):
    """Give a client of a host with a sample app."""
    app = func.FunctionApp()

    def echo(req: func.HttpRequest) -> func.HttpResponse:
        seen = {
            "url": req.url,
            "params": dict(req.params),
            "route": dict(req.route_params),
            "headers": dict(req.headers),
            "body": req.get_body().decode(),
        }
        return func.HttpResponse(
            json.dumps(seen), mimetype="application/json", headers={"X-Mine": "app"}
        )

    def fails(req):
        raise RuntimeError(req.url)

    def nothing(req):
        req.get_body()

    def tick(timer: func.TimerRequest) -> None:
        if not timer.past_due:
            fired.set()

    def add(handler, name, route, **arguments):
        app.function_name(name)(app.route(route, **arguments)(handler))

    anonymous = {"auth_level": func.AuthLevel.ANONYMOUS}
    add(echo, "echo", "echo/{*rest}", **anonymous)
    add(echo, "invoke", "invoke/{endpoint}", methods=["GET", "POST"])
    add(echo, "connector", "connector/{*path}")
    add(echo, "boss", "boss", auth_level=func.AuthLevel.ADMIN)
    add(fails, "fails", "fails", **anonymous)
    add(nothing, "nothing", "nothing", **anonymous)
    add(
        lambda req: func.HttpResponse("body", status_code=int(req.route_params["code"])),
        "status",
        "status/{code}",
        **anonymous,
    )
    app.function_name("tick")(app.timer_trigger(arg_name="timer", schedule="0 0 0 1 1 *")(tick))
    host = FunctionsHost(
        index(SimpleNamespace(app=app)),
        worker=Worker(2),
        configuration=Configuration(route_prefix="api", custom_headers=CUSTOM_HEADERS),
        settings=settings or {},
        easy_auth=EasyAuth(b"key", now=lambda: datetime(2026, 11, 22, tzinfo=UTC))
        if has_easy_auth
        else None,
    )
    return Client(host)


@pytest.mark.parametrize(
    ("path", "key", "status"),
    [
        pytest.param("/api/echo/x", None, 200, id="anonymous-without-key"),
        pytest.param("/api/echo/x", "bad", 200, id="anonymous-with-bad-key"),
        pytest.param("/api/invoke/x", None, 401, id="no-key"),
        pytest.param("/api/invoke/x", "bad", 401, id="bad-key"),
        pytest.param("/api/invoke/x", "", 401, id="empty-key"),
        pytest.param("/api/invoke/x", "dev-host-key", 200, id="host-key"),
        pytest.param("/api/invoke/x", "dev-invoke-key", 200, id="function-key"),
        pytest.param("/api/invoke/x", "dev-connector-key", 401, id="key-of-another-function"),
        pytest.param("/api/invoke/x", "dev-master-key", 200, id="master-key"),
        pytest.param("/api/connector/a/b", "dev-connector-key", 200, id="connector-key"),
        pytest.param("/api/connector/a/b", "dev-invoke-key", 401, id="invoke-key-elsewhere"),
        pytest.param("/api/boss", "dev-host-key", 401, id="too-weak"),
        pytest.param("/api/boss", "dev-master-key", 200, id="admin-level"),
        pytest.param("/api/nowhere", "dev-master-key", 404, id="unknown-route"),
        pytest.param("/api/invoke", None, 404, id="routing-comes-before-keys"),
        pytest.param("/admin/host/status", "dev-master-key", 404, id="other-admin-paths"),
        pytest.param("/.auth/me", None, 404, id="no-easy-auth"),
    ],
)
def test_key_opens_what_its_level_allows(path, key, status):
    """A short key is a 401 without a body, an unknown route a 404 before any key."""
    answer = make_host().get(path, headers={} if key is None else {"x-functions-key": key})

    assert answer.status_code == status
    assert status == 200 or answer.data == b""


@pytest.mark.parametrize(
    ("query", "header", "status"),
    [
        pytest.param("code=dev-host-key", None, 200, id="query"),
        pytest.param("CODE=dev-host-key", None, 200, id="any-case"),
        pytest.param("code=dev-host-key&code=bad", None, 200, id="first-value"),
        pytest.param("code=bad&code=dev-host-key", None, 401, id="second-value"),
        pytest.param("code=dev-host-key", "bad", 401, id="header-wins"),
        pytest.param("code=bad", "dev-host-key", 200, id="header-wins-for-good"),
    ],
)
def test_key_may_stand_in_the_query(query, header, status):
    """`code` counts where there is no header."""
    headers = {"x-functions-key": header} if header else {}

    assert make_host().get(f"/api/invoke/x?{query}", headers=headers).status_code == status


def test_wrong_method_is_not_found():
    """The method is part of the route; there is no 405."""
    answer = make_host().delete("/api/invoke/x", headers={"x-functions-key": "dev-host-key"})

    assert answer.status_code == 404


def test_disabled_function_is_not_found():
    """A key is checked first, and the master key still opens it."""
    client = make_host(settings={"AzureWebJobs.invoke.Disabled": "true"})

    statuses = [
        client.get("/api/invoke/x", headers={"x-functions-key": key}).status_code
        for key in ("bad", "dev-host-key", "dev-master-key")
    ]

    assert statuses == [401, 404, 200]


def test_request_arrives_in_the_function():
    """URL, route values and body are the caller's; forwarding headers are not believed."""
    answer = make_host().post(
        "/API/Echo/a%2Fb/%C3%A5?x=1&y=",
        data="hello",
        headers={"Host": "gateway.example", "X-Forwarded-Proto": "https"},
    )

    assert answer.json["url"] == "http://gateway.example/API/Echo/a%2Fb/%C3%A5?x=1&y="
    assert answer.json["params"] == {"x": "1"}
    assert answer.json["route"] == {"rest": "a%2Fb/å"}
    assert answer.json["body"] == "hello"
    assert answer.json["headers"]["content-length"] == "5"


@pytest.mark.parametrize(
    ("environ", "status"),
    [
        pytest.param({"REQUEST_URI": "/api/echo/%00"}, 400, id="nul-in-path"),
        pytest.param({"REQUEST_URI": "*"}, 404, id="asterisk-form"),
        pytest.param({"REQUEST_URI": "/api/x/../echo/a"}, 200, id="dot-segments"),
        pytest.param({"HTTP_X_A": "\xe5"}, 400, id="header-no-utf-8"),
        pytest.param({"CONTENT_LENGTH": "5"}, 400, id="body-cut-off"),
        pytest.param({"CONTENT_LENGTH": "104857601"}, 413, id="body-too-large"),
        pytest.param({"HTTP_TRANSFER_ENCODING": "chunked"}, 200, id="chunked"),
    ],
)
def test_odd_request_is_answered(environ, status):
    """What gets past the wire and is no request for a function gets its status, and no more."""
    assert make_host().get("/api/echo/x", environ_overrides=environ).status_code == status


def test_body_limit_comes_from_the_settings():
    """The host's setting replaces the 100 MiB."""
    client = make_host(settings={"FUNCTIONS_REQUEST_BODY_SIZE_LIMIT": "3"})

    assert client.post("/api/echo/x", data="abc").status_code == 200
    assert client.post("/api/echo/x", data="abcd").status_code == 413


@pytest.mark.parametrize("path", ["/api/fails", "/api/nothing", "/api/status/1000"])
def test_failed_function_is_a_500_without_a_body(path, caplog):
    """What went wrong stands in the log only."""
    answer = make_host().get(path)

    assert (answer.status_code, answer.data) == (500, b"")
    assert "Traceback" in caplog.text


@pytest.mark.parametrize("status", [204, 304])
def test_answer_without_body_has_none(status):
    """Neither a body nor a length goes out."""
    answer = make_host().get(f"/api/status/{status}")

    assert answer.status_code == status
    assert answer.data == b""
    assert "Content-Length" not in answer.headers


def test_head_is_answered_without_the_body():
    """The length is that of the body that a GET would have."""
    answer = make_host().head("/api/status/200")

    assert (answer.data, answer.headers["Content-Length"]) == (b"", "4")


def test_status_of_the_apps_own_gets_through():
    """A status that no standard knows is fine."""
    assert make_host().get("/api/status/799").status_code == 799


@pytest.mark.parametrize(
    ("path", "value"), [("/api/echo/x", "app"), ("/api/nowhere", "host"), ("/", "host")]
)
def test_custom_header_is_added_where_the_function_set_none(path, value):
    """host.json's headers are on every answer, and the function's own win."""
    headers = make_host().get(path).headers

    assert headers.getlist("X-Mine") == [value]
    assert headers["X-Content-Type-Options"] == "nosniff"


def test_home_page_is_there():
    """The root says that the host runs."""
    assert make_host().get("/").status_code == 200


@pytest.mark.parametrize(
    ("method", "name", "key", "body", "status"),
    [
        pytest.param("POST", "TICK", "dev-master-key", INPUT, 202, id="master-key"),
        pytest.param("POST", "tick", "dev-host-key", INPUT, 401, id="host-key"),
        pytest.param("POST", "tick", "dev-master-key", None, 400, id="no-body"),
        pytest.param("POST", "tick", "dev-master-key", [], 400, id="no-input"),
        pytest.param("GET", "tick", "dev-master-key", INPUT, 404, id="other-method"),
        pytest.param("POST", "echo", "dev-master-key", INPUT, 404, id="no-timer"),
        pytest.param("POST", "nope", "dev-master-key", INPUT, 404, id="no-function"),
    ],
)
def test_administrator_runs_a_timer_by_hand(method, name, key, body, status):
    """The admin API starts a timer function with the master key, and does not wait for it."""
    fired = threading.Event()

    answer = make_host(fired=fired).open(
        f"/admin/functions/{name}", method=method, headers={"x-functions-key": key}, json=body
    )

    assert answer.status_code == status
    assert fired.wait(10 if status == 202 else 0) == (status == 202)


def test_principal_from_outside_is_passed_on_without_easy_auth():
    """The real host does so too, and the app must not believe it."""
    answer = make_host().get("/api/echo/x", headers={"X-MS-CLIENT-PRINCIPAL": "e30="})

    assert answer.json["headers"]["x-ms-client-principal"] == "e30="


def test_person_signs_in_and_out():
    """With Easy Auth on, a browser's session decides who the app sees."""
    client = make_host(has_easy_auth=True)
    spoofed = {"X-MS-CLIENT-PRINCIPAL-NAME": "somebody"}

    def seen_name():
        headers = client.get("/api/echo/x", headers=spoofed).json["headers"]
        return headers.get("x-ms-client-principal-name")

    before = seen_name()
    client.post("/.auth/login/aad", data={"name": "Anna Lindqvist"})
    during = seen_name()
    client.get("/.auth/logout")

    assert (before, during, seen_name()) == (None, "anna@cronus.example", None)
