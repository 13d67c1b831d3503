"""Function keys: who may call what.

Match order and levels are those of the host's SecretManager and AuthenticationLevelHandler: the key
stands in the header `x-functions-key`, which wins even if it is wrong, else in the query's `code`.
"""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING

from dev import sample

if TYPE_CHECKING:
    from dev.host.messages import Incoming

MASTER_KEY = "dev-master-key"
FUNCTION_KEYS = {"invoke": sample.INVOKE_KEY, "connector": sample.CONNECTOR_KEY}


class Level(IntEnum):
    """What a key opens, and what a function asks for."""

    ANONYMOUS = 0
    FUNCTION = 1
    ADMIN = 2


def level(request: Incoming, function_name: str) -> Level:
    """Give the level that a request's key has on a function."""
    key = request.headers.get("x-functions-key", request.first_query_value("code"))
    if key == MASTER_KEY:
        return Level.ADMIN
    if key and key in {sample.HOST_KEY, FUNCTION_KEYS.get(function_name.lower())}:
        return Level.FUNCTION
    return Level.ANONYMOUS
