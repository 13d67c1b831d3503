"""A request to another service and its answer, and how sending one can fail.

SendError
├── NotSent        nothing left the gateway: safe to send again
├── AnswerLost     sent, and no whole answer came
│   └── TimedOut   for the time was up
└── AnswerTooLarge the answer passed the limit; it was not read to its end
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, repr=False)
class OutboundRequest:
    """A request as it goes out; it holds credentials and therefore shows nothing of itself."""

    method: str
    url: str
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes | None = None


@dataclass(frozen=True, slots=True, repr=False)
class OutboundAnswer:
    """An answer, read whole and decompressed; header names are in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes


class SendError(Exception):
    """A request could not be brought to its end."""


class NotSent(SendError):
    """Nothing was sent: no address, no connection, no TLS."""

    def __init__(self, reason: str, *, is_forbidden: bool = False) -> None:
        """Give the reason; `is_forbidden` where the egress policy refused the address."""
        super().__init__(reason)
        self.is_forbidden = is_forbidden


class AnswerLost(SendError):
    """The request, or a part of it, was sent, and the connection ended before the answer did."""


class TimedOut(AnswerLost):
    """The request was sent, and its time was up before the answer was whole."""


class AnswerTooLarge(SendError):
    """The answer is larger than the limit."""

    def __init__(self, status: int) -> None:
        """Keep the answer's status."""
        super().__init__(f"answer with status {status} over the limit")
        self.status = status
