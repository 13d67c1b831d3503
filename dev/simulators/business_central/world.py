"""Everything that a reset forgets."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dev.simulators.business_central.auth import TokenChecker
from dev.simulators.business_central.companies import build_environments
from dev.simulators.business_central.throttle import Throttle

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from werkzeug.wrappers import Request

    from dev.simulators.business_central.auth import FindKey
    from dev.simulators.business_central.companies import Environment
    from dev.simulators.business_central.settings import Settings

LOG_LENGTH = 200


@dataclass(slots=True)
class LoggedRequest:
    """A request as it arrived; header names in lower case, of a token only scheme and id."""

    method: str
    target: str
    headers: dict[str, str]
    authorization_scheme: str | None
    body: str
    token_id: str | None = None
    status: int | None = None


@dataclass(slots=True)
class World:
    """The state of the simulator."""

    settings: Settings
    environments: Mapping[str, Environment]
    tokens: TokenChecker
    throttle: Throttle
    log: deque[LoggedRequest]


def build_world(settings: Settings, find_key: FindKey, now: Callable[[], datetime]) -> World:
    """Set everything up anew."""
    return World(
        settings,
        build_environments(now),
        TokenChecker(find_key, now),
        Throttle(now),
        deque(maxlen=LOG_LENGTH),
    )


def logged(request: Request) -> LoggedRequest:
    """Note down a request."""
    headers = {name.lower(): value for name, value in request.headers.items()}
    authorization = headers.pop("authorization", None)
    return LoggedRequest(
        request.method,
        request.environ["REQUEST_URI"],
        headers,
        authorization.partition(" ")[0] if authorization else None,
        request.get_data(as_text=True),
    )
