"""The other side of the network in memory."""

# ruff: noqa: D102 - the ports describe their methods

from __future__ import annotations

from collections.abc import Callable

import msgspec

from shared.domain.transport import AnswerTooLarge, OutboundAnswer, OutboundRequest, SendError
from tests.fakes.base import Fake

Reply = OutboundAnswer | SendError
Script = Callable[[OutboundRequest], Reply]


class FakeHttpClient(Fake):
    """The port HttpClient: answers as it is told, and keeps what was sent."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: list[OutboundRequest] = []
        self.timeouts: list[float] = []
        self._scripts: dict[str, Script] = {}

    def on(self, prefix: str, *replies: Reply) -> None:
        """Answer URLs that begin so with these in turn, the last one from then on."""
        left = list(replies)

        def next_one(_: OutboundRequest) -> Reply:
            with self._lock:
                return left.pop(0) if len(left) > 1 else left[0]

        self.script(prefix, next_one)

    def script(self, prefix: str, script: Script) -> None:
        """Answer URLs that begin so as `script` says; the longest prefix that fits counts."""
        self._scripts[prefix] = script

    def sent_to(self, prefix: str) -> list[OutboundRequest]:
        """Return the requests whose URLs begin so."""
        return [request for request in self.sent if request.url.startswith(prefix)]

    def send(
        self, request: OutboundRequest, *, timeout_seconds: float, max_bytes: int
    ) -> OutboundAnswer:
        with self._lock:
            self.sent.append(request)
            self.timeouts.append(timeout_seconds)
        self.enter("send")
        reply = self._script_for(request.url)(request)  # without the lock: a script may wait
        if isinstance(reply, SendError):
            raise reply
        if len(reply.body) > max_bytes:
            raise AnswerTooLarge(reply.status)
        return reply

    def _script_for(self, url: str) -> Script:
        prefixes = [prefix for prefix in self._scripts if url.startswith(prefix)]
        assert prefixes, f"nothing is scripted for {url}"
        return self._scripts[max(prefixes, key=len)]


def json_answer(
    document: object, *, status: int = 200, headers: dict[str, str] | None = None
) -> OutboundAnswer:
    """Return an answer with a JSON body."""
    content_type = {"content-type": "application/json"}
    return OutboundAnswer(status, content_type | (headers or {}), msgspec.json.encode(document))
