"""What one call sent, for the person who tries it; nothing of it is stored or logged."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from shared.domain.transport import OutboundRequest

_MASKED = {"authorization": "Bearer ***"}  # the only credential that the gateway adds


@dataclass(frozen=True, slots=True)
class SentRequest:
    """A request as it went out, without its token."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes


class Trace:
    """Notes each request of a call that goes out to the service, in order."""

    def __init__(self) -> None:
        """Begin with none."""
        self.sent: list[SentRequest] = []

    def note(self, request: OutboundRequest) -> None:
        """Note a request."""
        headers = {
            name: _MASKED.get(name.lower(), value) for name, value in request.headers.items()
        }
        self.sent.append(SentRequest(request.method, request.url, headers, request.body or b""))
