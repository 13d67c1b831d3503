"""The control URLs of what imitates the platform, as the rounds use them."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from dev.demo.gateway_client import TIMEOUT_SECONDS, http_session
from dev.faults import CONTROL_PATH

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class Simulator:
    """One simulated service, which can be told to fail."""

    def __init__(self, url: str, *, trusted: Path | None = None) -> None:
        """Control the service at `url`; one over TLS has a certificate by `trusted`."""
        self._url = url
        self._session = http_session()
        if trusted is not None:
            self._session.verify = str(trusted)

    def control(self, method: str, name: str, body: Any = None) -> Any:
        """Call `/_control/{name}` and give the answer's JSON."""
        return self._call(method, f"/_control/{name}", body)

    @contextmanager
    def failing(self, **rule: Any) -> Iterator[None]:
        """Let requests fail by a rule of `dev.faults` while the block runs."""
        self._call("POST", CONTROL_PATH, rule)
        try:
            yield
        finally:
            self._call("DELETE", CONTROL_PATH)

    def _call(self, method: str, path: str, body: Any = None) -> Any:
        answer = self._session.request(
            method, f"{self._url}{path}", json=body, timeout=TIMEOUT_SECONDS
        )
        answer.raise_for_status()
        return answer.json() if answer.content else None
