"""A service that is not Business Central: OData or any other REST, behind bearer tokens."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.e2e.foreign.server import NotingServer, Reply, Seen

if TYPE_CHECKING:
    from collections.abc import Callable

JSON = {"Content-Type": "application/json"}
GREETING = {"value": [{"no": "1001", "city": "Köln", "weight": 1.10}]}
_REFUSED = Reply(401, headers={"WWW-Authenticate": "Bearer"})


class Upstream(NotingServer):
    """Answers whoever brings a token that `is_active`: as `replies` say for a path, or in JSON."""

    def __init__(self, is_active: Callable[[str], bool]) -> None:
        """Listen."""
        super().__init__()
        self.replies: dict[str, Reply] = {}
        self._is_active = is_active

    def reply(self, request: Seen) -> Reply:
        """Answer a request."""
        scheme, _, token = request.header("Authorization").partition(" ")
        if scheme != "Bearer" or not self._is_active(token):
            return _REFUSED
        default = Reply(200, json.dumps(GREETING).encode(), JSON)
        return self.replies.get(request.path, default)
