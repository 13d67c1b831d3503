"""A text that cannot be printed by accident."""

from __future__ import annotations

import hmac


class Secret:
    """Hold a confidential text; only `reveal` gives it, never `str`, `repr` or JSON."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        """Wrap `text`."""
        self._text = text

    def reveal(self) -> str:
        """Return the text, to be handed to the one service that it is meant for."""
        return self._text

    def __repr__(self) -> str:
        return "Secret(****)"

    __str__ = __repr__

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self._text.encode(), other._text.encode())

    __hash__ = None  # type: ignore[assignment]  # a secret is no key of a mapping
