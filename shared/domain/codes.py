"""Codes: the short names of integrations and endpoints."""

from __future__ import annotations

import re

_CODE = re.compile(r"[A-Z][A-Z0-9_]{0,49}")

CODE_RULE = "must be a letter followed by up to 49 letters, digits or underscores"


def fold(code: str) -> str:
    """Return the code as it is stored: case does not matter in a URL or a body."""
    return code.upper() if code.isascii() else code


def is_code(code: str) -> bool:
    """Tell whether a folded code is well formed."""
    return _CODE.fullmatch(code) is not None
