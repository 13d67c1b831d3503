"""Who may call what: the host checks keys before the app runs."""

import itertools

import pytest

from dev import sample
from tests.e2e import wire
from tests.e2e.processes import INSTANCES
from tests.e2e.standing import LISTING, STANDING


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", f"invoke/{STANDING}/{LISTING}"),
        ("GET", "integrations"),
        ("POST", "integrations"),
        ("GET", f"integrations/{STANDING}"),
        ("DELETE", f"integrations/{STANDING}"),
        ("PATCH", f"integrations/{STANDING}/endpoints/{LISTING}"),
        ("GET", f"integrations/{STANDING}/status"),
        ("POST", f"integrations/{STANDING}/signin-link"),
        ("GET", f"authorize/{STANDING}"),
        ("POST", f"deauthorize/{STANDING}"),
    ],
)
@pytest.mark.usefixtures("unchanged")
def test_call_without_the_right_key_is_refused_with_an_empty_answer(gateway, method, path):
    """No key, a wrong one and one of another function open nothing, on either instance."""
    keys = (None, "", "wrong", "DEV-HOST-KEY", sample.CONNECTOR_KEY)
    for key, instance in itertools.product(keys, INSTANCES):
        port, target = gateway.ports.instance(instance), f"/api/{path}"
        by_header = wire.send(port, target, method=method, key=key)
        by_query = wire.send(port, f"{target}?code={key or ''}", method=method, key=None)
        for answer in (by_header, by_query):
            assert (answer.status, answer.body) == (401, b"")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "integrations"),
        ("PUT", f"integrations/{STANDING}"),
        ("DELETE", f"integrations/{STANDING}/endpoints/{LISTING}"),
        ("GET", f"integrations/{STANDING}/status"),
        ("GET", f"authorize/{STANDING}"),
        ("POST", f"deauthorize/{STANDING}"),
    ],
)
@pytest.mark.usefixtures("unchanged")
def test_invoke_key_opens_no_management(gateway, method, path):
    """A caller's key is good for calls alone."""
    answer = gateway.call(method, path, key=sample.INVOKE_KEY)
    assert (answer.status_code, answer.content) == (401, b"")


def test_health_needs_no_key_and_tells_nothing_confidential(gateway):
    """A monitor learns the state of storage and vault, and no more."""
    for instance in INSTANCES:
        answer = gateway.call("GET", "health", key=None, instance=instance)
        checks = {"storage": "ok", "vault": "ok"}
        assert answer.json() == {"status": "ok", "checks": checks}
