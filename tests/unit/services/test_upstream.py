"""One call on its way to the service: its headers, its time, and the resend after a 401."""

from __future__ import annotations

from dataclasses import replace

import pytest

from shared.domain.transport import AnswerLost, NotSent, OutboundAnswer, TimedOut
from tests.builders import make_endpoint
from tests.fakes import json_answer
from tests.scenes import BC, CODE, LISTING, TOKEN_URL, failure, refusal, serving

REFUSED = json_answer({"error": {"code": "Authentication_InvalidCredentials"}}, status=401)
DONE = json_answer({"value": "done"})


def sent(scene):
    """Return the one request that reached the service."""
    (request,) = scene.http.sent_to(BC)
    return request


def sent_headers(from_caller, body=b"{}", **endpoint):
    """Return what a caller's headers have become on their way to the service."""
    scene = serving(**endpoint)
    scene.invoke(headers=from_caller, body=body)
    return sent(scene).headers


def received_headers(headers):
    """Return what the service's headers have become on their way to the caller."""
    return serving(OutboundAnswer(200, headers, b"")).invoke().headers


def test_call_carries_the_token_and_our_id():
    """The id is the one that the caller gets, so that support can find the call on both sides."""
    headers = sent_headers({})

    assert headers["authorization"] == "Bearer access-1"
    assert headers["client-request-id"] == "request-1"
    assert headers["user-agent"].startswith("business-central-gateway/")
    assert headers["accept"] == "application/json"
    assert headers["content-type"] == "application/json"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Accept", "application/json;odata.metadata=none"),
        ("Accept-Language", "de-DE"),
        ("Content-Type", "application/json; charset=utf-8"),
        ("If-Match", 'W/"JzE5Ozk="'),
        ("IF-NONE-MATCH", "*"),
        ("Prefer", "odata.maxpagesize=20"),
        ("Isolation", "snapshot"),
        ("Data-Access-Intent", "ReadOnly"),
        ("OData-Version", "4.0"),
        ("odata-maxversion", "4.0"),
    ],
)
def test_header_of_the_caller_goes_along(name, value):
    """Those that mean something to OData, whatever the case of their names."""
    assert sent_headers({name: value})[name.lower()] == value


@pytest.mark.parametrize(
    "name",
    [
        "Authorization", "Cookie", "x-functions-key", "X-MS-CLIENT-PRINCIPAL", "Host",
        "Content-Length", "Transfer-Encoding", "Connection", "X-Forwarded-For", "X-Forwarded-Host",
        "X-HTTP-Method-Override", "client-request-id", "User-Agent", "Accept-Encoding", "Origin",
        "x-ms-workflow-run-id", "Idempotency-Key", "X-Odata-Version",
    ],
)  # fmt: skip
def test_other_header_of_the_caller_stays_here(name):
    """Above all keys, cookies and anything that would change the request's target."""
    assert "the caller's" not in str(sent_headers({name: "the caller's"}))


@pytest.mark.parametrize("value", ["a\r\nAuthorization: x", "a\nb", "\x00", "\u20ac", "a\u2028b"])
def test_header_that_could_split_the_request_is_refused(value):
    """400, and nothing is sent."""
    scene = serving()

    error = failure(lambda: scene.invoke(headers={"Prefer": value}))

    assert (error.kind.status, error.kind.code) == (400, "invalid_parameter")
    assert not scene.http.sent_to(BC)


def test_nearer_headers_win():
    """The caller's over the endpoint's, the endpoint's over the defaults."""
    stored = {"Prefer": "return=minimal", "Accept-Language": "en-US", "X-Own": "1"}

    headers = sent_headers({"accept-language": "de-DE"}, headers=stored)

    assert headers["prefer"] == "return=minimal"
    assert headers["accept-language"] == "de-DE"
    assert headers["x-own"] == "1"


def test_credentials_are_always_the_gateway_s():
    """Even where a stored header of that name had slipped past the checks."""
    scene = serving()
    stored = scene.endpoints.rows[CODE, LISTING]
    slipped = make_endpoint(headers={"Authorization": "Basic x", "client-request-id": "x"})
    scene.endpoints.rows[CODE, LISTING] = replace(stored, definition=slipped)

    scene.invoke()

    headers = sent(scene).headers
    assert headers["authorization"] == "Bearer access-1"
    assert headers["client-request-id"] == "request-1"


def test_accepting_anything_means_json_first():
    """Most clients say so by default; Business Central would send its errors as XML."""
    assert sent_headers({"Accept": "*/*"})["accept"] == "application/json, */*;q=0.1"


def test_replica_is_read_where_the_endpoint_says_so():
    """Seconds old, but out of the way of those who write."""
    headers = sent_headers({}, kind="api", method="GET", api_url="items", read_replica=True,
                           company="9e1b6ea7-0000-4000-8000-000000000001")  # fmt: skip

    assert headers["data-access-intent"] == "ReadOnly"


def test_content_type_is_not_sent_without_a_body():
    """A type of nothing only confuses."""
    assert "content-type" not in sent_headers({"Content-Type": "application/json"}, body=b"")


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("content-type", "Content-Type"), ("content-disposition", "Content-Disposition"),
        ("content-language", "Content-Language"), ("etag", "ETag"), ("location", "Location"),
        ("last-modified", "Last-Modified"), ("retry-after", "Retry-After"),
        ("preference-applied", "Preference-Applied"), ("odata-version", "OData-Version"),
        ("odata-entityid", "OData-EntityId"), ("request-id", "request-id"),
    ],
)  # fmt: skip
def test_header_of_the_service_comes_back(name, shown):
    """Those worth having, in their usual spelling."""
    assert received_headers({name: "theirs"}) == {shown: "theirs"}


@pytest.mark.parametrize(
    "name",
    [
        "set-cookie", "server", "connection", "transfer-encoding", "content-length",
        "content-encoding", "keep-alive", "www-authenticate", "strict-transport-security",
        "content-security-policy", "access-control-allow-origin", "x-gateway-source",
        "x-gateway-request-id", "refresh", "clear-site-data", "link",
    ],
)  # fmt: skip
def test_other_header_of_the_service_stays_out(name):
    """Nothing hop-by-hop, and nothing that would speak for the gateway's own origin."""
    assert received_headers({name: "theirs"}) == {}


@pytest.mark.parametrize("value", ["a\r\nSet-Cookie: x=y", "\u20ac", "a\x00"])
def test_unprintable_header_of_the_service_is_dropped(value):
    """The host would fail on it, or split the answer."""
    assert received_headers({"request-id": value, "etag": "fine"}) == {"ETag": "fine"}


def test_token_refused_once_is_renewed_and_the_call_resent():
    """A 401 means that nothing was done: the same call goes out again, with a new token."""
    scene = serving()
    scene.http.on(BC, REFUSED, DONE)

    reply = scene.invoke(body=b'{"no": "1"}', headers={"Prefer": "x"})

    first, second = scene.http.sent_to(BC)
    assert reply.status == 200
    assert first.headers.pop("authorization") == "Bearer access-1"
    assert second.headers.pop("authorization") == "Bearer access-2"
    assert (first.method, first.url, first.headers, first.body) == (
        second.method, second.url, second.headers, second.body,
    )  # fmt: skip


def test_token_refused_twice_is_told():
    """424, with the service's answer below; there is no third try."""
    scene = serving(REFUSED)

    error = failure(scene.invoke)

    assert (error.kind.status, error.kind.code) == (424, "upstream_unauthorized")
    assert error.upstream["status"] == 401
    assert len(scene.http.sent_to(BC)) == 2
    assert scene.provider.calls == 2


def test_service_that_refuses_every_token_costs_one_renewal():
    """The next calls are told at once, without tiring the provider."""
    scene = serving(REFUSED)

    for _ in range(5):
        failure(scene.invoke)

    assert scene.provider.calls == 2


def test_refused_token_of_an_ended_sign_in_is_told_as_that():
    """The provider knows better than the service what is wrong."""
    scene = serving(REFUSED)
    scene.provider.instead = refusal("invalid_grant", 50173)

    errors = [failure(scene.invoke) for _ in range(3)]

    assert {error.kind.code for error in errors} == {"sign_in_required"}
    assert scene.provider.calls == 2


def test_refused_token_while_the_provider_is_down_can_be_retried():
    """Nothing was done, and time will help."""
    scene = serving(REFUSED)
    scene.http.on(TOKEN_URL, NotSent("no connection"))

    error = failure(scene.invoke)

    assert (error.kind.code, error.kind.status) == ("identity_unavailable", 503)


@pytest.mark.parametrize(
    ("second", "code"),
    [(TimedOut("slow"), "outcome_unknown"), (json_answer({}, status=503), "outcome_unknown"),
     (NotSent("gone"), "upstream_unreachable")],
    ids=["slow", "503", "gone"],
)  # fmt: skip
def test_resent_call_is_judged_as_any_other(second, code):
    """Only the first sending is known to have done nothing."""
    scene = serving()
    scene.http.on(BC, REFUSED, second)

    assert failure(scene.invoke).kind.code == code


def test_call_has_the_endpoint_s_time():
    """From its arrival on; waiting for a token counts."""
    scene = serving(timeout_seconds=20)
    scene.clock.advance(minutes=60)
    scene.provider.afterwards = lambda: scene.clock.advance(seconds=5)

    scene.invoke()

    assert scene.http.timeouts[-1] == 15


def test_call_whose_time_is_over_is_not_sent():
    """A token that came too late: the caller is told that nothing was done."""
    scene = serving(timeout_seconds=20)
    scene.clock.advance(minutes=60)
    scene.provider.afterwards = lambda: scene.clock.advance(seconds=20)

    error = failure(scene.invoke)

    assert (error.kind.code, error.kind.status) == ("upstream_unreachable", 503)
    assert error.retry_after_seconds
    assert not scene.http.sent_to(BC)


def test_resend_has_what_is_left_of_the_time():
    """The two attempts share the endpoint's time."""
    scene = serving(timeout_seconds=20)
    scene.http.on(BC, REFUSED, DONE)
    scene.http.before("send", lambda: scene.clock.advance(seconds=8))

    scene.invoke()

    assert [scene.http.timeouts[-3], scene.http.timeouts[-1]] == [20, 12]


@pytest.mark.parametrize(
    ("error", "detail"),
    [
        (NotSent("no connection"), "The call could not be sent: no connection."),
        (TimedOut("slow"), "The service did not answer in time after the change was sent."),
        (AnswerLost("cut"), "The service broke the connection off after the change was sent."),
    ],
)
def test_failure_is_told_in_plain_words(error, detail):
    """Without addresses, headers or the library's own words."""
    assert failure(serving(error).invoke).detail == detail


def test_timeout_of_a_read_names_the_setting():
    """Who wants to wait longer finds out how."""
    scene = serving(TimedOut("slow"), read_only=True, timeout_seconds=20)

    error = failure(scene.invoke)

    assert "timeout_seconds is 20" in error.detail
    assert "timeout_seconds" in error.hint


def test_answer_is_bounded():
    """The limit of MAX_ANSWER_BYTES is given to whoever reads the answer."""
    scene = serving(OutboundAnswer(200, {}, b"x" * 5000))

    assert len(scene.invoke().body) == 5000
    scene.http.on(BC, OutboundAnswer(200, {}, b"x" * 5001))
    assert failure(scene.invoke).kind.code == "answer_too_large"


def test_every_integration_uses_its_own_token():
    """Calls of one never carry what belongs to another."""
    scene = serving()
    scene.integrate(code="OTHER")
    scene.offer("OTHER")
    scene.sign_in("OTHER")

    scene.invoke()
    scene.invoke(integration="OTHER")

    tokens = [request.headers["authorization"] for request in scene.http.sent_to(BC)]
    assert tokens == ["Bearer access-1", "Bearer access-2"]
