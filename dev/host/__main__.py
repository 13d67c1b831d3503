"""Run one instance of the host: `python -m dev.host --app DIR --port N --instance K [--timer]`.

The app's settings are the process's environment.
"""

from __future__ import annotations

import argparse
import faulthandler
import logging
import os
import secrets
import sys
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from dev.host.configuration import ConfigurationError, read_configuration
from dev.host.easy_auth import EasyAuth, is_enabled
from dev.host.indexing import IndexingError, load
from dev.host.kestrel import KestrelConnection
from dev.host.metadata import is_disabled, sound_functions
from dev.host.server import FunctionsHost
from dev.host.templates import TemplateError
from dev.host.timer import Timer
from dev.host.worker import Worker, thread_count
from dev.serving import LoopbackServer

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from dev.host.indexing import Function

# Beside those that wait for the worker: 404, 401 and sign-in need none and are answered at once.
SPARE_THREADS = 64


def main() -> None:
    """Serve the app until SIGTERM or Ctrl+C."""
    # Of all threads Python prints a hundred; the host has more, and the one that crashed matters.
    faulthandler.enable(all_threads=False)
    parser = argparse.ArgumentParser(prog="python -m dev.host", description=__doc__)
    parser.add_argument("--app", type=Path, required=True, help="folder with function_app.py")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--instance", type=int, default=1, help="its number, for the log")
    parser.add_argument("--timer", action="store_true", help="run the timer functions here")
    arguments = parser.parse_args()
    # The worker hangs its own handler on the root logger; what the app logs goes the same way.
    logging.basicConfig(
        level=logging.INFO,
        format=f"%(asctime)s host-{arguments.instance} %(levelname)s %(name)s: %(message)s",
    )
    settings = os.environ
    try:
        configuration = read_configuration(arguments.app)
        functions = sound_functions(load(arguments.app.resolve()), settings)
        threads = thread_count(settings)
        worker = Worker(threads)
        host = FunctionsHost(
            functions,
            worker=worker,
            configuration=configuration,
            settings=settings,
            easy_auth=_easy_auth(settings),
        )
    except (ConfigurationError, IndexingError, TemplateError) as error:
        sys.exit(f"The host did not start: {error}")
    server = LoopbackServer(
        host,
        port=arguments.port,
        threads=threads + SPARE_THREADS,
        connection=KestrelConnection,
    )
    stopped = threading.Event()
    if arguments.timer:
        _start_timers(functions, worker, settings, stopped)
    server.serve()
    stopped.set()
    logging.shutdown()
    # A function that still waits for something must not keep a stopped host alive.
    os._exit(0)


def _easy_auth(settings: Mapping[str, str]) -> EasyAuth | None:
    if not is_enabled(settings):
        return None
    key = settings.get("DEV_EASY_AUTH_KEY") or secrets.token_hex()
    return EasyAuth(key.encode(), now=_now)


def _start_timers(
    functions: Iterable[Function],
    worker: Worker,
    settings: Mapping[str, str],
    stopped: threading.Event,
) -> None:
    for function in functions:
        if function.is_timer and not is_disabled(function, settings):
            timer = Timer(function, worker=worker, settings=settings, now=_now, wait=stopped.wait)
            threading.Thread(target=timer.run, name=function.name, daemon=True).start()


def _now() -> datetime:
    return datetime.now(UTC)


if __name__ == "__main__":
    main()
