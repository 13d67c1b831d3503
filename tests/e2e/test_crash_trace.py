"""A host that crashes in native code leaves in its log where, for all the threads that it has."""

import os
import signal
import sys

import pytest

from dev.demo.gateway_client import http_session
from dev.paths import ROOT
from dev.stack.app_settings import process_environment
from dev.stack.parts import HOSTS
from dev.stack.ports import free_block, is_listening, url
from dev.stack.processes import Part, processes
from tests.e2e.processes import wait_until

SECONDS = 30
# As shipped: with the host's own, more threads than Python prints.
SETTINGS = {"PYTHON_THREADPOOL_THREAD_COUNT": "64", "REFRESH_SCHEDULE": "0 0 0 1 1 *"}


@pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="elsewhere the crash could not be kept from disk"
)
def test_thread_that_crashed_is_in_the_log_of_the_host(tmp_path):
    """The first thing that whoever reads the log needs."""
    import resource  # noqa: PLC0415 - Windows has none

    port = free_block(1).base
    host = Part(
        name="host-1",
        command=[sys.executable, "-m", "dev.host", "--app", str(ROOT), "--port", str(port)],
        port=port,
        tier=HOSTS,
        environment=process_environment() | SETTINGS,
    )
    with processes(tmp_path) as started:
        started.start(host)
        started.wait_until_listening(SECONDS)
        with http_session() as session:  # answered when all threads are there
            session.get(url(port), timeout=SECONDS)
        resource.prlimit(started.pid("host-1"), resource.RLIMIT_CORE, (0, 0))
        os.kill(started.pid("host-1"), signal.SIGSEGV)
        wait_until(lambda: not is_listening(port), SECONDS, "the end of the host")
        log = (tmp_path / "host-1.log").read_text(encoding="utf-8")

    trace = log.partition("Fatal Python error: Segmentation fault")[2]
    assert "(most recent call first)" in trace
    assert '__main__.py", line' in trace
    assert " in main" in trace
