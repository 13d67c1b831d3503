"""A process that ends writes its last activity with the real adapter, too."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime

from dev.paths import ROOT
from shared.adapters.activity_table import ActivityTable

PROGRAM = """
import atexit, sys
from shared.adapters.activity_table import ActivityTable
from shared.adapters.system import DaemonBackground, SystemClock
from shared.adapters.tables import open_tables
from shared.domain.secret import Secret
from shared.services.activity import ActivityLog

tables = open_tables(url=None, connection=Secret(sys.argv[1]), credential=None)
log = ActivityLog(ActivityTable(tables), SystemClock(), DaemonBackground())
atexit.register(log.close)
log.token_event("CRONUS", "last")
"""


def test_last_entries_are_stored_while_the_interpreter_ends(platform, tables):
    """The storage's SDK prepares transactions in threads, and by then none can be started."""
    done = subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "-c", PROGRAM, platform["AzureWebJobsStorage"]],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert (done.returncode, done.stderr) == (0, "")
    kept = ActivityTable(tables).batches("CRONUS", since=datetime(2000, 1, 1, tzinfo=UTC))
    assert [entry.event for batch in kept for entry in batch.entries] == ["last"]
