"""How long an adapter may keep its caller waiting."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

# Retries of Microsoft's clients included.
BOUND_SECONDS = 12


@contextmanager
def bounded() -> Iterator[None]:
    """Fail if what is done inside takes longer than a caller may be kept waiting."""
    started = time.monotonic()
    yield
    assert time.monotonic() - started < BOUND_SECONDS
