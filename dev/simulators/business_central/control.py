"""The control URLs of tests, below `/_control/`. They are no part of the real service.

settings       GET, POST {"running": 1, ...}: see `Settings`
log            GET the last requests, oldest first; DELETE
reject_tokens  POST {"jti": "..."} or {"before": seconds since 1970}: 401 from now on
reset          POST: forget records, settings, log, rejected tokens and used-up limits
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from werkzeug.wrappers import Response

if TYPE_CHECKING:
    from collections.abc import Callable

    from werkzeug.wrappers import Request

    from dev.simulators.business_central.world import World

PREFIX = "/_control/"


class RejectedTokens(msgspec.Struct, forbid_unknown_fields=True):
    """Tokens to refuse: one by its id, or all that were issued before a time."""

    jti: str | None = None
    before: float | None = None


_REJECTED_TOKENS = msgspec.json.Decoder(RejectedTokens)


def answer(request: Request, world: World, reset: Callable[[], None]) -> Response:
    """Answer a control request."""
    try:
        match request.method, request.path.removeprefix(PREFIX):
            case "GET", "settings":
                return _json(world.settings)
            case "POST", "settings":
                world.settings = world.settings.changed_by(msgspec.json.decode(request.get_data()))
                return _json(world.settings)
            case "GET", "log":
                return _json(list(world.log))
            case "DELETE", "log":
                world.log.clear()
                return Response(status=204)
            case "POST", "reject_tokens":
                rejected = _REJECTED_TOKENS.decode(request.get_data())
                if rejected.jti is not None:
                    world.tokens.reject_id(rejected.jti)
                if rejected.before is not None:
                    world.tokens.reject_before(rejected.before)
                return Response(status=204)
            case "POST", "reset":
                reset()
                return Response(status=204)
            case _:
                return Response(status=404)
    except msgspec.MsgspecError as error:
        return Response(str(error), 400)


def _json(document: object) -> Response:
    return Response(msgspec.json.encode(document), content_type="application/json")
