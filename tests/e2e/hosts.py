"""What can be told about a running host from outside: its memory, and the errors in its log."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dev.stack.running import Stack

MEBIBYTE = 1024 * 1024
_ERROR = re.compile(r" host-\d+ (ERROR|CRITICAL) |^Traceback|internal_error", re.MULTILINE)


class Memory:
    """The memory of a process, as Linux tells it in /proc."""

    def __init__(self, pid: int) -> None:
        """Read about this process."""
        self._folder = Path(f"/proc/{pid}")

    def begin(self) -> int:
        """Forget the peak so far, and return what is in use."""
        (self._folder / "clear_refs").write_text("5", encoding="ascii")
        return self._bytes("VmRSS")

    def peak(self) -> int:
        """Return the most that was in use since then."""
        return self._bytes("VmHWM")

    def _bytes(self, name: str) -> int:
        lines = (self._folder / "status").read_text(encoding="ascii").splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(name))


class HostLog:
    """The log of one instance, from here on."""

    def __init__(self, stack: Stack, instance: int) -> None:
        """Begin at the present end."""
        self._path = stack.logs / f"host-{instance}.log"
        self._start = self._path.stat().st_size

    def errors(self) -> list[str]:
        """Return the lines that tell of a failure of the app itself."""
        with self._path.open("rb") as log:
            log.seek(self._start)
            text = log.read().decode(errors="replace")
        return [line for line in text.splitlines() if _ERROR.search(line)]
