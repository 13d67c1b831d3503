"""Storing the sample definitions at the start of a stack."""

from __future__ import annotations

import json

import pytest
import requests

from dev.demo.seeding import store_sample
from dev.demo.warehouse_definitions import ENDPOINTS, INTEGRATION, integration
from dev.errors import DevError
from dev.stack.ports import PortBlock


class FakeGateway:
    """A management API that keeps documents by their path."""

    def __init__(self, refusal=None):
        self.stored = {}
        self.writes = []
        self._refusal = refusal

    def call(self, method, path, body=None):
        """Answer as the management API does."""
        answer = requests.Response()
        answer.url = path
        answer.status_code = 200
        if method == "PUT":
            self.writes.append(path)
            self.stored[path] = body
        elif path not in self.stored:
            answer.status_code = 404
        if self._refusal:
            answer.status_code = self._refusal
        answer._content = json.dumps(self.stored.get(path)).encode()
        return answer


def test_empty_gateway_gets_the_whole_sample():
    """The integration comes first, since endpoints belong to it."""
    gateway = FakeGateway()

    store_sample(gateway, PortBlock())

    assert gateway.writes[0] == f"integrations/{INTEGRATION}"
    assert len(gateway.writes) == 1 + len(ENDPOINTS)


def test_stored_sample_is_left_as_it_is():
    """What somebody has changed is not changed back."""
    gateway = FakeGateway()
    store_sample(gateway, PortBlock())
    gateway.stored[f"integrations/{INTEGRATION}"]["company"] = "Another company"
    gateway.writes.clear()

    store_sample(gateway, PortBlock())

    assert gateway.writes == []


def test_sample_follows_the_stack_to_other_ports():
    """With another --port the simulators are elsewhere, and so is Business Central's URL."""
    gateway = FakeGateway()
    store_sample(gateway, PortBlock(7071))
    gateway.writes.clear()

    store_sample(gateway, PortBlock(8071))

    assert gateway.writes == [f"integrations/{INTEGRATION}"]
    assert gateway.stored[f"integrations/{INTEGRATION}"] == integration(PortBlock(8071))


def test_integration_led_to_a_real_service_stays_there():
    """A base URL that is no simulator's is the developer's choice."""
    gateway = FakeGateway()
    store_sample(gateway, PortBlock())
    real = "https://api.businesscentral.dynamics.com"
    gateway.stored[f"integrations/{INTEGRATION}"]["base_url"] = real

    store_sample(gateway, PortBlock(8071))

    assert gateway.stored[f"integrations/{INTEGRATION}"]["base_url"] == real


def test_refused_sample_ends_with_the_reason():
    """A gateway that does not take the sample stops the start."""
    with pytest.raises(DevError, match="integrations/CRONUS"):
        store_sample(FakeGateway(refusal=503), PortBlock())
