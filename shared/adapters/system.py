"""The machine's own clock and threads."""

from __future__ import annotations

import logging
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_log = logging.getLogger(__name__)


class SystemClock:
    """The port Clock, by the machine's time."""

    def now(self) -> datetime:
        """Return the moment in UTC."""
        return datetime.now(UTC)

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)


class ThreadBackground:
    """The port Background, by a few threads of this process."""

    def __init__(self, threads: int) -> None:
        """Use up to `threads` threads, and none before there is work."""
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="background")

    def submit(self, work: Callable[[], None]) -> None:
        """Run `work` soon; its errors are logged."""
        self._threads.submit(_logged, work)


def _logged(work: Callable[[], None]) -> None:
    try:
        work()
    except Exception:  # noqa: BLE001
        # The outermost frame of a thread: nobody else would ever see the error.
        _log.exception("Work in the background failed.")
