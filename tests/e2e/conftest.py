"""One stack for all end-to-end tests; each test stores integrations under codes of its own."""

import itertools

import pytest

from dev.demo.gateway_client import http_session
from dev.demo.warehouse_definitions import CUSTOMERS, ENDPOINTS, integration
from dev.stack.ports import url
from tests.e2e.foreign.evil import Evil
from tests.e2e.foreign.provider import Provider
from tests.e2e.foreign.shop import Shop
from tests.e2e.foreign.upstream import Upstream
from tests.e2e.gateway import Gateway
from tests.e2e.processes import shared_stack
from tests.e2e.standing import STANDING

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def stack(tmp_path_factory):
    """Return the stack: two instances of the app and the platform around them, as processes."""
    with shared_stack(tmp_path_factory.mktemp("stack")) as running:
        yield running


@pytest.fixture(scope="session")
def gateway(stack):
    """Return the gateway of the stack."""
    client = Gateway(stack.ports)
    yield client
    client.close()


@pytest.fixture(scope="session")
def standing(gateway):
    """Return the code of an integration with somebody signed in, which no test may change."""
    gateway.store(integration(gateway.ports) | {"code": STANDING}, *ENDPOINTS, CUSTOMERS)
    gateway.sign_in(STANDING)
    return STANDING


@pytest.fixture
def unchanged(gateway, standing):
    """Require that the test leaves all definitions as they were, to the time of their change."""
    paths = ("integrations", f"integrations/{standing}/endpoints")
    before = [gateway.manage("GET", path) for path in paths]
    yield
    assert [gateway.manage("GET", path) for path in paths] == before


@pytest.fixture
def code():
    """Return a code that no other test uses: what the instances remember is never in the way."""
    return f"TEST_{next(_numbers)}"


@pytest.fixture
def control(stack):
    """Return a function that calls the control URL of a simulator and gives the answer's JSON."""
    ports = {"entra": stack.ports.entra, "business_central": stack.ports.business_central}
    with http_session() as session:

        def call(part, method, name, body=None):
            target = f"{url(ports[part])}/_control/{name}"
            answer = session.request(method, target, json=body, timeout=10)
            answer.raise_for_status()
            return answer.json() if answer.content else None

        yield call


@pytest.fixture
def shop(gateway, code):
    """Return services that are not ours, serving: a strict provider, and what takes its tokens."""
    with Provider() as provider, Upstream(provider.grants.is_active) as upstream:
        yield Shop(code, gateway.url("callback"), provider, upstream)


@pytest.fixture
def evil():
    """Return the server of an attacker, serving."""
    with Evil() as listening:
        yield listening
