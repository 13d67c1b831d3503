"""One told run of calls: each is shown, sent, shown answered, and checked."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dev.errors import DevError

if TYPE_CHECKING:
    from collections.abc import Collection

    import requests

    from dev.demo.gateway_client import GatewayClient
    from dev.demo.narration import Narrator

OK = (200,)
STORED = (200, 201)
LONGEST_SHOWN_ERROR = 2000


@dataclass(frozen=True, slots=True)
class Story:
    """Calls the gateway as its administrator and as a caller, and tells of it."""

    narrator: Narrator
    administrator: GatewayClient
    caller: GatewayClient

    def manage(self, method: str, path: str, body: Any = None, *, only: Collection[str]) -> Any:
        """Call the management API and give the answer's JSON, of which `only` this is shown."""
        return self._call(self.administrator, method, path, body, expected=STORED, only=only)

    def store_quietly(self, path: str, body: Any) -> None:
        """Store a definition without telling of it."""
        self._check(self.administrator.call("PUT", path, body), STORED)

    def invoke(
        self, path: str, body: Any = None, *, method: str = "POST", expected: Collection[int] = OK
    ) -> Any:
        """Call an endpoint by name as a flow or app does, and give the answer's JSON."""
        return self._call(self.caller, method, f"invoke/{path}", body, expected=expected)

    def require(self, condition: object, expectation: str) -> None:
        """Raise DevError, naming the step, unless what was expected came true."""
        if not condition:
            raise self.failure(f"it was expected that {expectation}.")

    def failure(self, reason: str) -> DevError:
        """Give the error that names the step and what went wrong in it."""
        return DevError(f"Step {self.narrator.title!r} did not work: {reason}")

    def _call(
        self,
        client: GatewayClient,
        method: str,
        path: str,
        body: Any,
        *,
        expected: Collection[int],
        only: Collection[str] = (),
    ) -> Any:
        key = f"x-functions-key: ({client.key_name})"
        self.narrator.show_request(method, client.url(path), key, body)
        started = time.perf_counter()
        answer = client.call(method, path, body)
        milliseconds = (time.perf_counter() - started) * 1000
        self.narrator.show_answer(answer, milliseconds, only)
        self._check(answer, expected)
        return answer.json()

    def _check(self, answer: requests.Response, expected: Collection[int]) -> None:
        if answer.status_code not in expected:
            raise self.failure(
                f"{answer.request.method} {answer.url} answered {answer.status_code}, expected "
                f"{' or '.join(map(str, expected))}:\n\n{answer.text[:LONGEST_SHOWN_ERROR]}"
            )
