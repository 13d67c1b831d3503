"""When the gateway sends a call again by itself, and after how long.

    what happened                           a change   a read
    nothing was sent                        again      again
    429: refused, and not executed          again      again
    408, or 5xx but 501                     never      again
    sent, and the connection was lost       never      again
    sent, and the time was up               never      no time is left
    anything else                           never      never

Every attempt may use all the time that is left: a report that is slow the first time is slow again,
and would only be started twice. So what is left to repeat for reads are the failures that come
early. A 401 is no failure of this kind: the call goes out once more with another token.

What the statuses mean: learn.microsoft.com/dynamics365/business-central/dev-itpro/api-reference/
v2.0/dynamics-rate-limits and dynamics-error-codes; 429 by RFC 6585, Retry-After by RFC 9110.
"""

from __future__ import annotations

from datetime import timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING

from shared.domain.headers import retry_after_seconds
from shared.domain.transport import AnswerLost, NotSent, OutboundAnswer, SendError

if TYPE_CHECKING:
    from datetime import datetime

Outcome = OutboundAnswer | SendError

# From the first failure on. A service that wants longer is left to the caller, who is told: Power
# Automate comes back by itself, and waiting here keeps a slot from the other calls.
PATIENCE = timedelta(seconds=20)
# Of the waits after the first, second, ... attempt; after the last one there is none.
LONGEST_JITTER_SECONDS = (1, 2, 4, 8)


def leaves_open(status: int) -> bool:
    """Tell whether an answer leaves open if the call was executed.

    A time limit, a crash on the way back, or a proxy that gave up (some have statuses of their own,
    such as 520 to 527). 501 says that nobody could have executed it.
    """
    is_failure = status == HTTPStatus.REQUEST_TIMEOUT or 500 <= status < 600  # noqa: PLR2004
    return is_failure and status != HTTPStatus.NOT_IMPLEMENTED


def may_resend(outcome: Outcome, *, changes_data: bool) -> bool:
    """Tell whether sending once more may help and cannot execute a change twice."""
    if isinstance(outcome, NotSent):
        return not outcome.is_forbidden
    if isinstance(outcome, OutboundAnswer):
        if outcome.status == HTTPStatus.TOO_MANY_REQUESTS:
            return True
        return not changes_data and leaves_open(outcome.status)
    return not changes_data and isinstance(outcome, AnswerLost)


def wait_before_resend(
    outcome: Outcome, *, attempt: int, changes_data: bool, chance: float, now: datetime
) -> timedelta | None:
    """Return how long to wait after an attempt, the first being 1; None if it was the last.

    As long as Retry-After says, and beyond that an ever longer time of which `chance`, a random
    number from 0 to 1, takes its part (full jitter): callers told the same do not return at once.
    """
    is_last = attempt > len(LONGEST_JITTER_SECONDS)
    if is_last or not may_resend(outcome, changes_data=changes_data):
        return None
    told = None
    if isinstance(outcome, OutboundAnswer):
        told = retry_after_seconds(outcome.headers.get("retry-after"), now)
    return timedelta(seconds=(told or 0) + chance * LONGEST_JITTER_SECONDS[attempt - 1])
