"""How a body is shown on a page: as text that can be read, if it is one."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from shared.domain.payloads import NotReadable, read_json

_LONGEST_SHOWN = 200_000  # characters; a browser would take long for more


@dataclass(frozen=True, slots=True)
class Shown:
    """The text of a body, or None where it is no text; and what the reader should know of it."""

    text: str | None
    remark: str = ""


def shown_body(body: bytes) -> Shown | None:
    """Return a body as it is shown, or None if it is empty; numbers keep every digit."""
    if not body:
        return None
    try:
        read_json(body, msgspec.Raw)
        text = msgspec.json.format(body, indent=2).decode()
    except NotReadable:
        try:
            text = body.decode()
        except UnicodeDecodeError:
            return Shown(None, f"{len(body):,} bytes that are no text, such as a file or an image.")
    if len(text) > _LONGEST_SHOWN:
        return Shown(text[:_LONGEST_SHOWN], f"Cut off: the whole body has {len(body):,} bytes.")
    return Shown(text)
