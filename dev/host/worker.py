"""The worker's part at run time: where and how a function is called.

`def` handlers run in a pool of `PYTHON_THREADPOOL_THREAD_COUNT` threads, `async def` handlers on
one event loop, which a blocking call stops for all.
(azure-functions-runtime: handle_event.py, utils/threadpool.py)
"""

from __future__ import annotations

import asyncio
import inspect
import logging
import os
import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from azure.functions import Context

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dev.host.indexing import Function

_logger = logging.getLogger(__name__)
_thread_local_storage = threading.local()


class InvocationError(Exception):
    """A function that raised; the log says what."""


@Context.register
@dataclass(frozen=True, kw_only=True)
class InvocationContext:
    """What a function is told about its invocation; tracing and retries are not modelled."""

    invocation_id: str
    function_name: str
    function_directory: str
    thread_local_storage: threading.local = _thread_local_storage


def thread_count(settings: Mapping[str, str]) -> int:
    """Give the size of the thread pool; unset, it is that of Python's own executor."""
    return int(settings.get("PYTHON_THREADPOOL_THREAD_COUNT") or min(32, (os.cpu_count() or 1) + 4))


class Worker:
    """One worker process's pool and loop."""

    def __init__(self, threads: int) -> None:
        """Prepare a pool that grows to `threads`."""
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="worker")
        self._loop: asyncio.AbstractEventLoop | None = None
        self._loop_lock = threading.Lock()

    def invoke(self, function: Function, argument: object) -> Any:
        """Call a function with its trigger's argument and wait; InvocationError if it raises."""
        invocation_id = str(uuid.uuid4())
        arguments = {function.trigger["name"]: argument}
        if function.wants_context:
            arguments["context"] = InvocationContext(
                invocation_id=invocation_id,
                function_name=function.name,
                function_directory=str(Path(inspect.getfile(function.handler)).parent),
            )
        if inspect.iscoroutinefunction(function.handler):
            future = asyncio.run_coroutine_threadsafe(
                function.handler(**arguments), self._running_loop()
            )
        else:
            future = self._pool.submit(function.handler, **arguments)
        failure = future.exception()
        if failure is not None:
            _logger.error(
                "Executed 'Functions.%s' (Failed, Id=%s)",
                function.name,
                invocation_id,
                exc_info=failure,
            )
            raise InvocationError(function.name) from failure
        return future.result()

    def _running_loop(self) -> asyncio.AbstractEventLoop:
        with self._loop_lock:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                threading.Thread(target=self._loop.run_forever, name="loop", daemon=True).start()
            return self._loop
