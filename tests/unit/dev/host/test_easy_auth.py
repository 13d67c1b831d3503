import base64
import json
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

import pytest

from dev.host.easy_auth import EasyAuth, is_enabled
from dev.host.messages import Incoming

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def make_request(path, *, query="", method="GET", body=b"", **headers):
    """Give a request; an underscore in a header name stands for a hyphen."""
    return Incoming(
        method=method,
        path=path,
        query=query,
        headers={name.replace("_", "-"): value for name, value in headers.items()},
        body=body,
    )


def make_easy_auth(key=b"key", now=NOON):
    """Give the feature at a fixed time."""
    return EasyAuth(key, now=lambda: now)


def sign_in(**form):
    """Fill in the sign-in page; give the answer's headers."""
    body = urlencode(form).encode()
    request = make_request("/.auth/login/aad", method="POST", body=body)
    answer = make_easy_auth().answer(request)
    assert answer.status == 302
    return dict(answer.headers)


def session_of(**form):
    """Sign in; give the Cookie header of the session."""
    return sign_in(**form)["Set-Cookie"].partition(";")[0]


def principal_headers(cookie, easy_auth=None, **headers):
    """Give the headers `X-MS-*` that the app sees."""
    request = make_request("/api/panel", cookie=cookie, **headers)
    seen = (easy_auth or make_easy_auth()).identify(request).headers
    return {name: value for name, value in seen.items() if name.startswith("x-ms-")}


def claims_of(headers):
    """Decode the claims of a principal."""
    principal = json.loads(base64.b64decode(headers["x-ms-client-principal"]))
    return {claim["typ"]: claim["val"] for claim in principal["claims"]}


@pytest.mark.parametrize(
    ("value", "enabled"),
    [("true", True), ("True", True), (" TRUE ", True), ("1", False), ("yes", False), ("", False)],
)
def test_feature_is_on_when_the_setting_is_a_true_boolean(value, enabled):
    """The host parses the setting as .NET does."""
    assert is_enabled({"WEBSITE_AUTH_ENABLED": value}) is enabled


def test_sign_in_page_is_a_form():
    """The page asks for a name and a role, and keeps where to go on."""
    request = make_request("/.auth/login/aad", query="?post_login_redirect_uri=/api/%22x")

    answer = make_easy_auth().answer(request)

    page = answer.body.decode()
    assert dict(answer.headers)["Content-Type"] == "text/html; charset=utf-8"
    assert 'name="name"' in page
    assert 'value="Gateway.Admin"' in page
    assert 'value="/api/&quot;x"' in page


def test_signing_in_sets_a_session_and_goes_on():
    """The cookie is for the server alone, and the browser goes where it wanted."""
    headers = sign_in(name="Anna Lindqvist", post_login_redirect_uri="/api/panel?x=1")

    assert headers["Location"] == "/api/panel?x=1"
    assert headers["Set-Cookie"].startswith("AppServiceAuthSession=")
    assert headers["Set-Cookie"].endswith("; HttpOnly; Path=/; SameSite=Lax")


@pytest.mark.parametrize(
    "target",
    [
        "",
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "/\t/evil",
        "/a\r\nX: y",
        "/å",
    ],
)
def test_redirect_stays_on_this_site(target):
    """A target that a browser could take for another host is replaced."""
    assert sign_in(name="Anna", post_login_redirect_uri=target)["Location"] == "/"


def test_session_becomes_the_principals_headers():
    """The app learns name, account and roles as on the platform."""
    headers = principal_headers(session_of(name="Anna Lindqvist", role="Gateway.Admin"))

    assert headers["x-ms-client-principal-name"] == "anna@cronus.example"
    assert headers["x-ms-client-principal-idp"] == "aad"
    assert claims_of(headers) == {
        "name": "Anna Lindqvist",
        "preferred_username": "anna@cronus.example",
        "oid": headers["x-ms-client-principal-id"],
        "roles": "Gateway.Admin",
    }


def test_role_is_given_only_when_it_was_ticked():
    """Somebody without the role is signed in all the same."""
    assert "roles" not in claims_of(principal_headers(session_of(name="Åsa Öberg")))


def test_instances_with_the_same_key_share_sessions():
    """What one instance signed, another accepts."""
    cookie = session_of(name="Anna")

    assert principal_headers(cookie, make_easy_auth())
    assert not principal_headers(cookie, make_easy_auth(key=b"other"))


@pytest.mark.parametrize(
    "cookie",
    [
        pytest.param("", id="none"),
        pytest.param("AppServiceAuthSession=abc", id="no-signature"),
        pytest.param("AppServiceAuthSession=a.00", id="no-base64"),
        pytest.param("AppServiceAuthSession=\ud800", id="no-text"),
        pytest.param("AppServiceAuthSession=e30=.\xe5", id="non-ascii-signature"),
        pytest.param("AppServiceAuthSession=e30=." + "0" * 64, id="forged"),
    ],
)
def test_bad_session_is_anonymous(cookie):
    """A cookie that is not ours makes nobody of the caller, and no error."""
    assert principal_headers(cookie) == {}


def test_session_ends_after_eight_hours():
    """App Service's default lifetime holds."""
    later = make_easy_auth(now=NOON + timedelta(hours=8, seconds=1))

    assert principal_headers(session_of(name="Anna"), later) == {}


def test_headers_from_outside_are_taken_away():
    """Nobody can bring a principal or token along."""
    headers = principal_headers(
        "",
        x_ms_client_principal="e30=",
        x_ms_client_principal_id="1",
        x_ms_token_aad_access_token="t",
        x_ms_other="stays",
    )

    assert headers == {"x-ms-other": "stays"}


def test_signing_out_ends_the_session():
    """The cookie expires, and the browser goes on to a page of this site."""
    request = make_request("/.auth/logout", query="?post_logout_redirect_uri=/bye")

    headers = dict(make_easy_auth().answer(request).headers)

    assert headers["Location"] == "/bye"
    assert "AppServiceAuthSession=;" in headers["Set-Cookie"]
    assert "Max-Age=0" in headers["Set-Cookie"]


def test_me_tells_who_is_signed_in():
    """The person's claims come as JSON, and nothing for nobody."""
    cookie = session_of(name="Anna Lindqvist")

    someone = make_easy_auth().answer(make_request("/.auth/me", cookie=cookie))
    nobody = make_easy_auth().answer(make_request("/.auth/me"))

    assert json.loads(someone.body)[0]["user_id"] == "anna@cronus.example"
    assert (nobody.status, nobody.body) == (401, b"")


def test_other_paths_are_unknown():
    """Nothing else is there."""
    assert make_easy_auth().answer(make_request("/.auth/refresh")).status == 404
