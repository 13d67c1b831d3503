"""What a call ended with, as it is kept for those who send it again: sealed, and bounded."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from shared.domain.error_kinds import ANSWER_TOO_LARGE, OUTCOME_UNKNOWN, UPSTREAM_REDIRECT
from shared.domain.errors import GatewayError
from shared.domain.idempotency import LONGEST_KEPT_BODY_BYTES
from shared.domain.reply import Reply

if TYPE_CHECKING:
    from shared.services.sealing import Sealer

_TOLD = {kind.code: kind for kind in (OUTCOME_UNKNOWN, ANSWER_TOO_LARGE, UPSTREAM_REDIRECT)}


class _Reply(msgspec.Struct, tag="reply"):
    status: int
    headers: dict[str, str]
    body: bytes


class _Error(msgspec.Struct, tag="error"):
    code: str
    detail: str
    hint: str
    upstream: bytes


_KEPT = msgspec.msgpack.Decoder(_Reply | _Error)
_UPSTREAMS = msgspec.json.Decoder(dict[str, msgspec.Raw] | None)


def sealed_answer(sealer: Sealer, answer: Reply | GatewayError) -> bytes:
    """Return what `opened_answer` gives back; a body too long to keep is left out."""
    kept: _Reply | _Error
    if isinstance(answer, Reply):
        kept = _Reply(answer.status, answer.headers, answer.body)
        if not is_short(answer):
            described = {"Content-Type", "Content-Disposition"}
            headers = {name: answer.headers[name] for name in answer.headers.keys() - described}
            kept = _Reply(answer.status, headers, b"")
    else:
        upstream = msgspec.json.encode(answer.upstream)
        kept = _Error(answer.kind.code, answer.detail, answer.hint, upstream)
    return sealer.seal(msgspec.msgpack.encode(kept)).encode()


def opened_answer(sealer: Sealer, sealed: bytes) -> Reply | GatewayError:
    """Return the answer; raise BrokenSeal."""
    # The record says itself until when it counts, whatever the clock of the instance that wrote it.
    kept = _KEPT.decode(sealer.open(sealed.decode()))
    if isinstance(kept, _Reply):
        return Reply(kept.status, kept.headers, kept.body)
    upstream = _UPSTREAMS.decode(kept.upstream)
    return GatewayError(_TOLD[kept.code], kept.detail, hint=kept.hint, upstream=upstream)


def is_short(reply: Reply) -> bool:
    """Tell whether the body can be kept."""
    return len(reply.body) <= LONGEST_KEPT_BODY_BYTES
