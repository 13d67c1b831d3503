"""The ports Clock, Background and AssertionSource, kept by the fakes and by the machine itself."""

from __future__ import annotations

import logging.handlers
import queue
import threading
from datetime import UTC, timedelta

import jwt
import pytest

from dev.simulators.identity import TOKEN_EXCHANGE
from shared.adapters.managed_identity import ManagedIdentityAssertion
from shared.adapters.system import DaemonBackground, SystemClock, ThreadBackground
from tests.fakes import FakeAssertionSource, FakeBackground, FakeClock

PATIENCE_SECONDS = 10


@pytest.mark.parametrize("make_clock", [FakeClock, SystemClock])
class TestClock:
    """The port Clock."""

    def test_now_is_in_utc(self, make_clock):
        """Aware of its zone, since stored times are."""
        assert make_clock().now().tzinfo is UTC

    def test_sleep_lets_the_time_pass(self, make_clock):
        """At least as long as was said."""
        clock = make_clock()
        before = clock.now()

        clock.sleep(0.02)

        assert clock.now() - before >= timedelta(seconds=0.019)


@pytest.fixture(
    params=[FakeBackground, lambda: ThreadBackground(2), DaemonBackground],
    ids=["fake", "threads", "daemon"],
)
def background(request):
    """Return what runs the work, of each kind."""
    return request.param()


class TestBackground:
    """The port Background."""

    def test_work_is_done(self, background):
        """Without anybody waiting for it."""
        is_done = threading.Event()

        background.submit(is_done.set)

        assert is_done.wait(PATIENCE_SECONDS)

    def test_failing_work_does_not_disturb(self, background):
        """Neither whoever submits it nor the work that comes after."""
        is_done = threading.Event()

        for _ in range(20):
            background.submit(fail)
        background.submit(is_done.set)

        assert is_done.wait(PATIENCE_SECONDS)


def fail():
    """Do what no work should."""
    raise ZeroDivisionError("on purpose")


def test_failing_work_is_logged():
    """Nobody else would ever see the error."""
    heard = queue.Queue()
    listener = logging.handlers.QueueHandler(heard)
    logging.getLogger().addHandler(listener)
    try:
        ThreadBackground(2).submit(fail)
        record = heard.get(timeout=PATIENCE_SECONDS)
    finally:
        logging.getLogger().removeHandler(listener)

    assert record.levelno == logging.ERROR
    assert "on purpose" in record.message


def test_background_work_runs_on_other_threads():
    """So that the caller's answer need not wait for it."""
    background, names, is_done = ThreadBackground(2), [], threading.Event()

    def work():
        names.append(threading.current_thread())
        is_done.set()

    background.submit(work)

    assert is_done.wait(PATIENCE_SECONDS)
    assert names != [threading.current_thread()]


class TestAssertionSource:
    """The port AssertionSource."""

    @pytest.fixture(params=["fake", "identity"])
    def source(self, request):
        """Return a source of each kind."""
        if request.param == "fake":
            return FakeAssertionSource()
        credential = request.getfixturevalue("credential")
        return ManagedIdentityAssertion(lambda: credential)

    def test_assertion_is_a_text_to_send(self, source):
        """Printable ASCII, as a form or header demands; and nothing that prints itself."""
        assertion = source.assertion()

        assert assertion.reveal().isascii()
        assert assertion.reveal().isprintable()
        assert assertion.reveal() not in repr(assertion)


def test_assertion_is_made_for_the_token_exchange(credential):
    """Entra takes no other audience from a managed identity."""
    assertion = ManagedIdentityAssertion(lambda: credential).assertion()

    claims = jwt.decode(assertion.reveal(), options={"verify_signature": False})
    assert claims["aud"] == TOKEN_EXCHANGE


def test_credential_is_made_on_first_use():
    """A cold start that needs no assertion makes no credential."""
    made = []

    ManagedIdentityAssertion(lambda: made.append("credential"))

    assert made == []
