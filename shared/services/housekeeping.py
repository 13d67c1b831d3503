"""Remove what has had its time: unfinished sign-ins, calls kept for their keys, old activity."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from shared.ports import IdempotencyStore, SignInStore
    from shared.services.activity_clearing import ActivityClearing

# Some ten milliseconds each: a round stays far below a minute, and there is one every five.
_MOST_CALLS = 2000


class Housekeeping:
    """Tidies up, a bounded part at a time."""

    def __init__(
        self, *, sign_ins: SignInStore, idempotency: IdempotencyStore, activity: ActivityClearing
    ) -> None:
        """Tidy these stores."""
        self._activity = activity
        self._sign_ins = sign_ins
        self._idempotency = idempotency

    def run(self, now: datetime) -> None:
        """Remove what is over; StorageUnavailable where that cannot be done."""
        self._sign_ins.delete_expired(now)
        self._idempotency.delete_expired(now, limit=_MOST_CALLS)
        self._activity.run(now)
