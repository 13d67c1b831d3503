"""What a page says after a change: the query names it, so that nobody can put words there."""

from __future__ import annotations

_NOTICES = {
    "saved": "Saved.",
    "created": "Created.",
    "deleted": "Deleted.",
    "enabled": "The endpoint is on. Callers can use it now.",
    "disabled": "The endpoint is off. Calls are answered with 404 endpoint_disabled.",
    "deauthorized": "Signed out. The tokens are deleted.",
    "connected": "Connected.",
    "presets_added": "The endpoints were added.",
}


def notice_of(name: str) -> str | None:
    """Return the text of a notice, or None."""
    return _NOTICES.get(name)
