"""Why a lease was not to be had: nobody can hand it out, or somebody holds it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from shared.services.token_states import TokenStates
from tests.scenes import CODE, failure


@pytest.mark.parametrize("method", ["get", "put"])
def test_dead_lease_backend_is_told_at_once(expired, method):
    """Waiting would not help, and the provider is not asked without the lease."""
    expired.states.fail(method)
    started_on = expired.clock.now()

    error = failure(lambda: expired.token(expired.another_instance()))

    assert (error.kind.code, error.kind.status) == ("storage_unavailable", 503)
    assert (expired.clock.now(), expired.provider.calls) == (started_on, 1)


def test_busy_holder_is_waited_for_and_then_told(expired):
    """The storage is sound: the sign-in is being renewed elsewhere, for too long."""
    holders = TokenStates(expired.states, expired.clock, token_call=timedelta(seconds=110))
    holders.wait_for_lease(CODE)
    started_on = expired.clock.now()

    error = failure(expired.token)

    assert (error.kind.code, error.kind.status) == ("identity_unavailable", 503)
    assert expired.clock.now() - started_on >= timedelta(seconds=90)
    assert expired.provider.calls == 1
