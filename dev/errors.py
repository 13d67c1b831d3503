"""The one error of the developer's commands."""

from __future__ import annotations


class DevError(Exception):
    """Something the developer can mend: the text says what is wrong and what to do."""
