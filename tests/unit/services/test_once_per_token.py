"""Work that one token set calls for is done once, and tried again where it failed."""

from __future__ import annotations

import pytest

from shared.domain.error_kinds import SIGN_IN_REQUIRED
from shared.domain.errors import IdentityRefused, VaultUnavailable
from shared.services.once_per_token import OncePerToken
from tests.fakes import FakeBackground, FakeClock

REFUSED = IdentityRefused(SIGN_IN_REQUIRED, "Somebody has to sign in.")
BUSY = VaultUnavailable("Come back.", retry_after_seconds=60)
DOWN = VaultUnavailable("No answer.")


class Bench:
    """The service, and work that counts how often it was done."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.background = FakeBackground()
        self.once = OncePerToken(self.background, self.clock)
        self.done: list[tuple[str, int]] = []
        self.error: Exception | None = None

    def start(self, code: str = "A", generation: int = 1) -> None:
        """See that a token set calls for the work."""

        def work() -> None:
            self.done.append((code, generation))
            if self.error is not None:
                raise self.error

        self.once.start(code, generation, work)


@pytest.fixture
def bench() -> Bench:
    """Return the service with nothing started."""
    return Bench()


def test_calls_that_see_the_same_token_start_the_work_once(bench):
    """Neither while it waits for a thread nor after it was done is it started again."""
    bench.background.is_held = True
    for _ in range(100):
        bench.start()
    waiting = len(bench.background.waiting)
    bench.background.release()

    bench.clock.advance(days=1)
    bench.start()

    assert (waiting, bench.done) == (1, [("A", 1)])


def test_next_token_calls_for_the_work_anew(bench):
    """Each set is renewed in its turn, without any pause after a success."""
    for generation in (1, 2, 3):
        bench.start(generation=generation)

    assert bench.done == [("A", 1), ("A", 2), ("A", 3)]


def test_integrations_do_not_count_for_each_other(bench):
    """One that fails keeps no other one back."""
    bench.error = DOWN
    bench.start("A")

    bench.start("B")

    assert bench.done == [("A", 1), ("B", 1)]


@pytest.mark.parametrize("generation", [1, 2], ids=["same-token", "next-token"])
@pytest.mark.parametrize(
    ("error", "pause"), [(REFUSED, 5), (DOWN, 10), (BUSY, 60)], ids=["refused", "down", "busy"]
)
def test_failed_work_is_tried_again_after_a_pause(bench, error, pause, generation):
    """What failed a moment ago is left alone for as long as it asks, or for a few seconds."""
    bench.error = error
    bench.start()
    bench.clock.advance(seconds=pause - 1)
    for _ in range(100):
        bench.start(generation=generation)
    during_the_pause = list(bench.done)

    bench.clock.advance(seconds=1)
    bench.start(generation=generation)

    assert during_the_pause == [("A", 1)]
    assert bench.done == [("A", 1), ("A", generation)]


def test_pause_begins_where_the_work_ends(bench):
    """Work that waited long for a thread, and failed late, is not repeated at once."""
    bench.error = REFUSED
    bench.background.is_held = True
    bench.start()
    bench.clock.advance(minutes=1)
    bench.background.release()

    bench.start()

    assert bench.done == [("A", 1)]


def test_forgotten_integration_begins_anew(bench):
    """A new sign-in may count from the same generation, and does not inherit a pause."""
    bench.error = DOWN
    bench.start()

    bench.once.forget("A")
    bench.start()

    assert len(bench.done) == 2


def test_forgetting_during_the_work_leaves_no_pause_behind(bench):
    """The old work's failure says nothing about what came after it."""
    bench.background.is_held = True
    bench.start()
    bench.once.forget("A")
    bench.error = DOWN
    bench.background.release()
    bench.error = None

    bench.start()

    assert len(bench.done) == 2


def test_renewals_and_adoptions_do_not_disturb_each_other(signed_in):
    """A hundred calls that hold a stale token and hear of a newer one queue one work of each."""
    other = signed_in.another_instance()
    signed_in.token(other)
    signed_in.clock.advance(minutes=50)
    signed_in.token()  # renewed early, by this instance
    signed_in.clock.advance(seconds=31)
    signed_in.background.is_held = True

    served = {signed_in.token(other) for _ in range(100)}
    waiting = len(signed_in.background.waiting)
    signed_in.background.release()

    assert (served, waiting) == ({"access-1"}, 2)
    assert (signed_in.token(other), signed_in.provider.calls) == ("access-2", 2)


def test_vault_that_is_down_is_not_asked_by_every_call(signed_in):
    """An adoption that failed is tried again after a pause, and succeeds once it can."""
    other = signed_in.another_instance()
    signed_in.token(other)
    signed_in.services.tokens.after_refusal(signed_in.record(), signed_in.tokens())
    signed_in.clock.advance(seconds=31)
    signed_in.secrets.fail("get")
    reads = signed_in.secrets.calls["get"]

    served = {signed_in.token(other) for _ in range(100)}
    reads = signed_in.secrets.calls["get"] - reads
    signed_in.secrets.recover()
    signed_in.clock.advance(seconds=10)
    signed_in.token(other)

    assert (served, reads) == ({"access-1"}, 1)
    assert signed_in.token(other) == "access-2"
