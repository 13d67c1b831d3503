"""What tests can see and change beside the service."""

from __future__ import annotations

import pytest

COMPANIES = "api/v2.0/companies"


def log(bc):
    """Return the logged requests."""
    return bc.control("GET", "log").json


def test_log_shows_what_arrived(bc):
    """Target and body are raw, and of the token only scheme and id are kept."""
    token = bc.token()
    bc.call("Echo", {"text": "Grüße"}, token=token, headers={"client-request-id": "abc"})

    (entry,) = log(bc)

    assert entry["method"] == "POST"
    assert entry["target"].endswith("/APICodeunits_Echo?company=CRONUS%20USA%2C%20Inc.")
    assert entry["body"] == '{"text": "Gr\\u00fc\\u00dfe"}'
    assert entry["headers"]["client-request-id"] == "abc"
    assert (entry["authorization_scheme"], entry["token_id"]) == ("Bearer", "token-1")
    assert entry["status"] == 200
    assert token not in str(entry)


def test_log_holds_refused_requests(bc):
    """A request without a good token arrived all the same."""
    bc.client.get("/anything")

    (entry,) = log(bc)

    assert (entry["target"], entry["status"]) == ("/anything", 401)
    assert (entry["authorization_scheme"], entry["token_id"]) == (None, None)


def test_log_keeps_the_last_requests(bc):
    """The log is bounded, and DELETE empties it."""
    for number in range(201):
        bc.client.get(f"/{number}")

    entries = log(bc)
    assert (len(entries), entries[0]["target"]) == (200, "/1")
    assert bc.control("DELETE", "log").status_code == 204
    assert log(bc) == []


def test_one_token_is_rejected_early(bc):
    """A token rejected by its id is 401; another one is good."""
    bc.control("POST", "reject_tokens", {"jti": "token-1"})

    assert bc.get(COMPANIES).status_code == 401
    assert bc.get(COMPANIES, token=bc.token(jti="token-2")).status_code == 200


def test_older_tokens_are_rejected_early(bc):
    """Tokens issued before a time are 401; later ones are good."""
    old = bc.token()
    bc.pass_time(60)
    bc.control("POST", "reject_tokens", {"before": bc.moment.timestamp()})

    assert bc.get(COMPANIES, token=old).status_code == 401
    assert bc.get(COMPANIES).status_code == 200


def test_settings_are_shown_and_changed(bc):
    """A change keeps the other settings."""
    before = bc.control("GET", "settings").json

    after = bc.control("POST", "settings", {"queued": 3}).json

    assert after == before | {"queued": 3}
    assert (before["running"], before["queued"]) == (5, 95)


@pytest.mark.parametrize(
    ("name", "document"),
    [
        ("settings", {"speed": 1}),
        ("settings", {"running": "many"}),
        ("settings", []),
        ("reject_tokens", {"sub": "x"}),
    ],
)
def test_unfit_control_document_is_refused(bc, name, document):
    """A mistyped control request does not pass silently."""
    assert bc.control("POST", name, document).status_code == 400


def test_unknown_control_url_is_not_found(bc):
    """There are no others."""
    assert bc.control("POST", "other").status_code == 404


def test_reset_forgets_everything(bc, api):
    """Records, settings, rejected tokens and the log start anew."""
    bc.post(f"{api}/customers", {"displayName": "New"})
    bc.control("POST", "settings", {"max_page_size": 1})
    bc.control("POST", "reject_tokens", {"jti": "token-1"})

    assert bc.control("POST", "reset").status_code == 204

    assert log(bc) == []
    assert len(bc.get(f"{api}/customers").json["value"]) == 30


def test_faults_come_first(bc):
    """An injected answer replaces the service's, which never sees the request."""
    bc.control("POST", "faults", {"path": "companies", "status": 503, "times": 1})

    assert bc.get(COMPANIES).status_code == 503
    assert log(bc) == []
    assert bc.get(COMPANIES).status_code == 200
