"""One stack and one Chromium for all browser tests; each test has a session of its own."""

import itertools

import pytest
from playwright.sync_api import sync_playwright

from dev import chromium
from dev.demo.warehouse_definitions import CUSTOMERS, ENDPOINTS, integration
from dev.stack.ports import url
from tests.browser.visitor import SCREEN, Visitor
from tests.e2e.gateway import Gateway
from tests.e2e.processes import shared_stack

_numbers = itertools.count(1)


@pytest.fixture(scope="package")
def browser():
    """Return Chromium, running."""
    program = chromium.find()
    if program is None:
        pytest.skip(chromium.MISSING)
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=program, args=chromium.FLAGS)
        yield running
        running.close()


@pytest.fixture(scope="package")
def stack(browser, tmp_path_factory):  # noqa: ARG001 - without one, nothing is started
    """Return the stack, which is only worth starting if there is a browser for it."""
    with shared_stack(tmp_path_factory.mktemp("stack")) as running:
        yield running


@pytest.fixture(scope="package")
def gateway(stack):
    """Return the gateway of the stack, for what is there before a visit and comes after it."""
    client = Gateway(stack.ports)
    yield client
    client.close()


@pytest.fixture
def code():
    """Return the code of an integration that no other test uses."""
    return f"SHOP_{next(_numbers)}"


@pytest.fixture
def shop(gateway, code):
    """Return the code of an integration with endpoints, to which nobody is signed in."""
    return gateway.store(integration(gateway.ports) | {"code": code}, *ENDPOINTS, CUSTOMERS)


@pytest.fixture
def connected_shop(gateway, shop):
    """Return the code of an integration with endpoints and somebody signed in."""
    gateway.sign_in(shop)
    return shop


@pytest.fixture
def visit(browser, gateway):
    """Return a function that opens a browser at the gateway; none of its pages may complain."""
    opened = []

    def start(*, has_script=True):
        context = browser.new_context(
            viewport=SCREEN, reduced_motion="reduce", java_script_enabled=has_script
        )
        context.set_default_timeout(10_000)
        origin = url(gateway.ports.instance(1))
        opened.append(Visitor(context, origin, has_script=has_script))
        return opened[-1]

    yield start
    for visitor in opened:
        visitor.context.close()
    assert [visitor.watch.complaints for visitor in opened] == [[] for _ in opened]


@pytest.fixture(scope="package")
def session(browser, gateway):
    """Return the cookies of an administrator who has signed in to the panel."""
    context = browser.new_context()
    visitor = Visitor(context, url(gateway.ports.instance(1)))
    visitor.open()
    visitor.sign_in()
    cookies = context.cookies()
    context.close()
    return cookies


@pytest.fixture
def administrator(visit, session):
    """Return a visitor who is signed in to the control panel."""
    visitor = visit()
    visitor.context.add_cookies(session)
    return visitor
