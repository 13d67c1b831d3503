"""Make JSON, URLs and texts fit for a console: short, in ASCII, and without a secret."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlsplit, urlunsplit

WIDTH = 96
SHOWN_ITEMS = 2
SHOWN_LINES = 24
SHOWN_CHARACTERS = 110
MASK = "********"
SECRETS_IN_JSON = ("client_secret", "access_token", "refresh_token")
SECRETS_IN_URLS = ("code", "state", "code_challenge", "nonce")
# What tells nothing to a reader of the walk-through.
UNSHOWN_NAMES = ("@odata.context", "@odata.etag")


def shortened_json(value: Any) -> str:
    """Write JSON for reading: secrets masked, long lists, texts and documents cut."""
    lines = _written(_shortened(value), WIDTH)
    if len(lines) > SHOWN_LINES:
        cut = len(lines) - SHOWN_LINES
        lines[SHOWN_LINES:] = [f"... ({cut} more lines)"]
    return "\n".join(lines)


def masked_url(url: str) -> str:
    """Mask the secret values in a URL's query."""
    parts = urlsplit(url)
    pairs = []
    for pair in parts.query.split("&"):
        name, equals, _ = pair.partition("=")
        pairs.append(f"{name}={MASK}" if equals and name in SECRETS_IN_URLS else pair)
    return urlunsplit(parts._replace(query="&".join(pairs)))


def ascii_only(text: str) -> str:
    """Replace what an old console could not print."""
    return text.encode("ascii", "replace").decode()


def _shortened(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            name: MASK if name in SECRETS_IN_JSON and isinstance(item, str) else _shortened(item)
            for name, item in value.items()
            if name not in UNSHOWN_NAMES
        }
    if isinstance(value, list):
        shown = [_shortened(item) for item in value[:SHOWN_ITEMS]]
        rest = len(value) - SHOWN_ITEMS
        return [*shown, f"... {rest} more"] if rest > 0 else shown
    if isinstance(value, str):
        text = masked_url(value) if value.startswith("http") else value
        return f"{text[:SHOWN_CHARACTERS]}..." if len(text) > SHOWN_CHARACTERS else text
    return value


def _written(value: Any, width: int) -> list[str]:
    """Write JSON in few lines: what fits stands on one, and plain members share theirs."""
    whole = json.dumps(value)
    if len(whole) <= width or not isinstance(value, dict | list):
        return [whole]
    if isinstance(value, dict):
        members = [(f"{json.dumps(name)}: ", item) for name, item in value.items()]
    else:
        members = [("", item) for item in value]
    lines: list[str] = []
    can_share = False
    for number, (name, item) in enumerate(members, start=1):
        written = _written(item, width - 2)
        written[0] = name + written[0]
        written[-1] += "," if number < len(members) else ""
        is_plain = not isinstance(item, dict | list)
        if can_share and is_plain and len(lines[-1]) + len(written[0]) < width - 2:
            lines[-1] += f" {written[0]}"
        else:
            lines += written
        can_share = is_plain
    opening, closing = "{}" if isinstance(value, dict) else "[]"
    return [opening, *(f"  {line}" for line in lines), closing]
