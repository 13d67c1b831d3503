"""The lock that keeps two commands from working on the same files."""

from __future__ import annotations

import pytest

from dev.setup.locking import locked


class BusyError(Exception):
    """Stands for not wanting to wait."""


def refuse():
    """Refuse to wait for a lock."""
    raise BusyError


def test_free_lock_is_taken_at_once_and_again(tmp_path):
    """A lock that was let go is free."""
    for _ in range(2):
        with locked(tmp_path / "folder" / "lock", on_busy=refuse):
            pass


def test_held_lock_refuses_who_will_not_wait(tmp_path):
    """The second one is told, and the first one keeps its lock."""
    with (
        locked(tmp_path / "lock", on_busy=refuse),
        pytest.raises(BusyError),
        locked(tmp_path / "lock", on_busy=refuse),
    ):
        pass
