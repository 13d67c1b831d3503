from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, urlsplit

import pytest
from werkzeug.test import Client

from dev.faults import CONTROL_PATH, Faults
from dev.sample import TENANT_ID
from dev.simulators.identity import ManagedIdentity
from dev.simulators.key_vault.store import MAX_VALUE_BYTES, Vault
from dev.simulators.key_vault.wire import KeyVault

START = datetime(2026, 11, 22, 12, tzinfo=UTC)
KEY = bytes(range(32))
ORIGIN = "https://127.0.0.1:7093"
RESOURCE = "https://0.0.1:7093"


class Clock:
    """A clock that a test moves."""

    def __init__(self):
        self.time = START

    def __call__(self):
        """Return the time that the test has set."""
        return self.time


class Caller:
    """A client of one vault that carries a token."""

    def __init__(self, folder, clock, *, allow_purge=False, resource=RESOURCE, key=KEY):
        vault = Vault(folder, now=clock, allow_purge=allow_purge)
        self._client = Client(Faults(KeyVault(vault, key=lambda: KEY, now=clock)))
        identity = Client(ManagedIdentity(header="", key=key, now=clock))
        query = {"api-version": "2019-08-01", "resource": resource}
        token = identity.get("/msi/token", query_string=query, headers={"X-IDENTITY-HEADER": ""})
        self.headers = {"Authorization": f"Bearer {token.json['access_token']}"}

    def __call__(self, method, path, body=None, **query):
        """Send a request with the token and an API version."""
        return self._client.open(
            path,
            base_url=ORIGIN,
            method=method,
            json=body,
            query_string={"api-version": "7.6"} | query,
            headers=self.headers,
        )

    def set(self, name, value="v", **members):
        """Set a secret and return what the vault answers."""
        return self("PUT", f"/secrets/{name}", {"value": value} | members).json


@pytest.fixture
def clock():
    """Return a clock that a test moves."""
    return Clock()


@pytest.fixture
def call(tmp_path, clock):
    """Return a client of an empty vault."""
    return Caller(tmp_path / "vault", clock)


def ids(answer):
    """Return the ids of a list, without the vault's address."""
    return [item["id"].removeprefix(ORIGIN) for item in answer.json["value"]]


def code(answer):
    """Return status, code and inner code of an error."""
    error = answer.json["error"]
    return answer.status_code, error["code"], error.get("innererror", {}).get("code")


def test_request_without_token_is_challenged(call):
    """The challenge names Entra and a resource whose host is a suffix of the vault's."""
    call.headers = {}

    answer = call("PUT", "/secrets/a")

    assert code(answer) == (401, "Unauthorized", None)
    assert answer.json["error"]["message"].startswith("AKV10000")
    assert answer.headers["WWW-Authenticate"] == (
        f'Bearer authorization="https://login.microsoftonline.com/{TENANT_ID}", '
        f'resource="{RESOURCE}"'
    )


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        pytest.param({"resource": "https://storage.azure.com"}, "AKV10022", id="other-audience"),
        pytest.param({"key": bytes(32)}, "AKV10046", id="other-signer"),
    ],
)
def test_token_that_is_not_for_this_vault_is_refused(tmp_path, clock, changes, problem):
    """A token must be signed by the identity and made for the vault's resource."""
    answer = Caller(tmp_path / "vault", clock, **changes)("GET", "/secrets")

    assert code(answer) == (401, "Unauthorized", None)
    assert answer.json["error"]["message"].startswith(problem)
    assert RESOURCE in answer.headers["WWW-Authenticate"]


def test_expired_token_is_refused(call, clock):
    """A token stops working when its lifetime is over."""
    clock.time += timedelta(hours=24)

    answer = call("GET", "/secrets")

    assert code(answer) == (401, "Unauthorized", None)
    assert "IDX10223" in answer.json["error"]["message"]


def test_secret_that_was_set_is_given(call):
    """A secret comes back with its value, a versioned id and all that was said of it."""
    attributes = {"enabled": True, "nbf": 1, "exp": 2}
    stored = call.set("Shop-Key", contentType="text/plain", tags={"a": "b"}, attributes=attributes)

    assert call("GET", "/secrets/shop-key").json == stored
    assert re.fullmatch(rf"{ORIGIN}/secrets/Shop-Key/[0-9a-f]{{32}}", stored["id"])
    assert stored == {
        "id": stored["id"],
        "value": "v",
        "contentType": "text/plain",
        "tags": {"a": "b"},
        "attributes": {
            **attributes,
            "created": int(START.timestamp()),
            "updated": int(START.timestamp()),
            "recoveryLevel": "Recoverable",
            "recoverableDays": 90,
        },
    }


def test_versions_stay_readable(call):
    """Setting a name again adds a version, and the older one is still there under its id."""
    old, new = call.set("a", "old"), call.set("A", "new")

    assert call("GET", "/secrets/a/").json == new
    assert call("GET", urlsplit(old["id"]).path).json == old
    versions = call("GET", "/secrets/a/versions").json["value"]
    assert {version["id"] for version in versions} == {old["id"], new["id"]}
    assert not any("value" in version for version in versions)


def test_update_changes_only_what_is_given(call, clock):
    """A patch keeps the value and the version, and moves the time of the update."""
    stored = call.set("a", tags={"old": "tag"}, contentType="text/plain")
    clock.time += timedelta(minutes=1)

    answer = call("PATCH", "/secrets/a/", {"tags": {"new": "tag"}, "attributes": {"exp": 9}})

    attributes = stored["attributes"] | {"exp": 9, "updated": int(clock.time.timestamp())}
    expected = stored | {"tags": {"new": "tag"}, "attributes": attributes}
    assert call("GET", "/secrets/a").json == expected
    expected.pop("value")
    assert answer.json == expected


def test_disabled_secret_is_listed_but_not_given(call):
    """A disabled version shows its attributes, not its value."""
    call.set("a", attributes={"enabled": False})

    assert code(call("GET", "/secrets/a")) == (403, "Forbidden", "SecretDisabled")
    assert ids(call("GET", "/secrets")) == ["/secrets/a"]


def test_list_comes_in_pages(call):
    """Lists are ordered by name, show no value and go on behind `nextLink`."""
    for name in ("c", "a", "b"):
        call.set(name)

    first = call("GET", "/secrets", maxresults=2)
    link = urlsplit(first.json["nextLink"])
    last = call("GET", link.path, **dict(parse_qsl(link.query)))

    assert ids(first) == ["/secrets/a", "/secrets/b"]
    assert "value" not in first.json["value"][0]
    assert ids(last) == ["/secrets/c"]
    assert last.json["nextLink"] is None


def test_page_holds_no_more_than_the_service_allows(call):
    """25 is the size of a page and the most that can be asked for."""
    for number in range(26):
        call.set(f"s{number}")

    assert len(call("GET", "/secrets").json["value"]) == 25
    assert code(call("GET", "/secrets", maxresults=26)) == (400, "BadParameter", None)


def test_deleted_secret_is_kept_apart(call):
    """Deletion is soft: the secret leaves the list and shows up among the deleted ones."""
    stored = call.set("a")

    deleted = call("DELETE", "/secrets/a").json

    assert deleted["id"] == stored["id"]
    assert deleted["recoveryId"] == f"{ORIGIN}/deletedsecrets/a"
    assert deleted["scheduledPurgeDate"] - deleted["deletedDate"] == 90 * 24 * 60 * 60
    assert "value" not in deleted
    assert call("GET", "/deletedsecrets/A").json == deleted
    assert call("GET", "/deletedsecrets").json["value"] == [deleted]
    assert code(call("GET", "/secrets/a")) == (404, "SecretNotFound", None)
    assert ids(call("GET", "/secrets")) == []


def test_name_of_a_deleted_secret_cannot_be_reused(call):
    """Setting a deleted name is a conflict until it is recovered."""
    call.set("a", "old")
    call("DELETE", "/secrets/a")

    conflict = call("PUT", "/secrets/A", {"value": "new"})

    assert code(conflict) == (409, "Conflict", "ObjectIsDeletedButRecoverable")


def test_recovered_secret_is_in_use_again(call):
    """Recovery brings back the value, and the name can be set."""
    stored = call.set("a", "old")
    call("DELETE", "/secrets/a")

    recovered = call("POST", "/deletedsecrets/a/recover").json

    assert recovered == {name: stored[name] for name in ("id", "attributes")}
    assert call("GET", "/secrets/a").json == stored
    assert call.set("a", "new")["value"] == "new"


def test_purge_is_refused_under_purge_protection(call):
    """As in production, a deleted secret stays for its retention period."""
    call.set("a")
    call("DELETE", "/secrets/a")

    assert code(call("DELETE", "/deletedsecrets/a")) == (403, "Forbidden", None)
    assert call("GET", "/deletedsecrets/a").status_code == 200


def test_purge_without_protection_frees_the_name(tmp_path, clock):
    """A vault without purge protection forgets at once, and says so in its recovery level."""
    call = Caller(tmp_path / "vault", clock, allow_purge=True)
    assert call.set("a")["attributes"]["recoveryLevel"] == "Recoverable+Purgeable"
    call("DELETE", "/secrets/a")

    assert call("DELETE", "/deletedsecrets/a").status_code == 204
    assert call.set("a", "new")["value"] == "new"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/secrets/missing"),
        ("GET", "/secrets/missing/versions"),
        ("GET", f"/secrets/present/{'0' * 32}"),
        ("PATCH", "/secrets/missing/"),
        ("DELETE", "/secrets/missing"),
        ("GET", "/deletedsecrets/present"),
        ("DELETE", "/deletedsecrets/present"),
        ("POST", "/deletedsecrets/present/recover"),
    ],
)
def test_missing_secret_is_not_found(call, method, path):
    """Whatever is asked of a secret that is not there is answered in the same way."""
    call.set("present")

    assert code(call(method, path, {})) == (404, "SecretNotFound", None)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        pytest.param("/secrets/under_score", {"value": "v"}, id="character"),
        pytest.param(f"/secrets/{'a' * 128}", {"value": "v"}, id="long-name"),
        pytest.param("/secrets/a", {}, id="no-value"),
        pytest.param("/secrets/a", {"value": 1}, id="value-no-string"),
        pytest.param("/secrets/a", None, id="no-body"),
        pytest.param("/secrets/a", {"value": "é" * (MAX_VALUE_BYTES // 2 + 1)}, id="long-value"),
    ],
)
def test_bad_request_stores_nothing(call, path, body):
    """Names, bodies and the 25 KB of a value are checked."""
    assert code(call("PUT", path, body)) == (400, "BadParameter", None)
    assert ids(call("GET", "/secrets")) == []


def test_longest_value_is_stored(call):
    """25 KB of UTF-8 fit."""
    value = "é" * (MAX_VALUE_BYTES // 2)

    call.set("a", value)

    assert call("GET", "/secrets/a").json["value"] == value


def test_request_without_api_version_is_refused(call):
    """Every request says which version of the API it means."""
    assert code(call("GET", "/secrets", **{"api-version": ""})) == (400, "BadParameter", None)


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("GET", "/keys", (404, "NotFound", None)),
        ("POST", "/secrets/a", (405, "MethodNotAllowed", None)),
    ],
    ids=["path", "method"],
)
def test_unknown_operation_is_an_error_of_the_vault(call, method, path, expected):
    """Errors of routing have the shape of all others."""
    assert code(call(method, path)) == expected


def test_contents_survive_a_restart(tmp_path, clock):
    """A vault opened again holds the same versions and the same deleted secrets."""
    before = Caller(tmp_path / "vault", clock)
    kept = before.set("kept", tags={"a": "b"}, contentType="text/plain")
    before.set("gone")
    before("DELETE", "/secrets/gone")

    after = Caller(tmp_path / "vault", clock)

    assert after("GET", "/secrets/kept").json == kept
    assert ids(after("GET", "/secrets")) == ["/secrets/kept"]
    assert after("GET", "/deletedsecrets/gone").status_code == 200


def test_throttling_is_injected_as_a_fault(call):
    """The control URL makes the vault answer as the service does under load."""
    body = '{"error": {"code": "Throttled", "message": "Too many requests."}}'
    rule = {"status": 429, "times": 1, "headers": {"Retry-After": "1"}, "body": body}
    call("POST", CONTROL_PATH, rule)

    throttled, served = call("GET", "/secrets"), call("GET", "/secrets")

    assert (throttled.status_code, throttled.headers["Retry-After"]) == (429, "1")
    assert served.status_code == 200
