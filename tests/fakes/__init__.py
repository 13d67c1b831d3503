"""One complete in-memory class for each port of `shared/ports.py`.

Every fake counts its calls by method, can be made to fail, and can let something happen just before
a call, which is how a test plays another instance. The contract tests hold the fakes to what the
real adapters do.
"""

from tests.fakes.activity import FakeActivityStore
from tests.fakes.audit import FakeAuditStore
from tests.fakes.base import Fake
from tests.fakes.http import FakeHttpClient, Reply, json_answer
from tests.fakes.machine import FakeAssertionSource, FakeBackground, FakeClock
from tests.fakes.stores import (
    FakeEndpointStore,
    FakeIdempotencyStore,
    FakeIntegrationStore,
    FakeSignInStore,
    FakeTokenStateStore,
)
from tests.fakes.vault import FakeSecretStore

__all__ = [
    "Fake",
    "FakeActivityStore",
    "FakeAssertionSource",
    "FakeAuditStore",
    "FakeBackground",
    "FakeClock",
    "FakeEndpointStore",
    "FakeHttpClient",
    "FakeIdempotencyStore",
    "FakeIntegrationStore",
    "FakeSecretStore",
    "FakeSignInStore",
    "FakeTokenStateStore",
    "Reply",
    "json_answer",
]
