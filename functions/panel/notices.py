"""What a page says after a change: the query names it, so that nobody can put words there."""

from __future__ import annotations

_NOTICES = {
    "saved": "Saved.",
    "created": "Created.",
    "deleted": "Deleted.",
    "enabled": "The endpoint is on. Callers can use it now.",
    "disabled": "The endpoint is off. Calls are answered with 404 endpoint_disabled.",
    "deauthorized": "Deauthorized. The gateway has deleted its tokens. The provider did not revoke "
    "them: to end them there as well, revoke the account's sessions at the provider.",
    "revoked": "Deauthorized. The gateway has deleted its tokens; the provider has revoked them.",
    "connected": "Connected.",
    "presets_added": "The endpoints were added.",
}


def notice_of(name: str) -> str | None:
    """Return the text of a notice, or None."""
    return _NOTICES.get(name)
