"""The machine's own clock and threads."""

from __future__ import annotations

import logging
import queue
import threading
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


class DaemonBackground:
    """The port Background, by one thread that does not keep the process from ending."""

    def __init__(self) -> None:
        """Use no thread before there is work."""
        self._work: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()

    def submit(self, work: Callable[[], None]) -> None:
        """Run `work` soon; its errors are logged."""
        with self._lock:
            if self._thread is None:
                thread = threading.Thread(target=self._run, name="recording", daemon=True)
                thread.start()
                self._thread = thread
        self._work.put(work)

    def _run(self) -> None:
        while True:
            _logged(self._work.get())


def _logged(work: Callable[[], None]) -> None:
    try:
        work()
    except Exception:  # noqa: BLE001
        # The outermost frame of a thread: nobody else would ever see the error.
        _log.exception("Work in the background failed.")
