"""The worker's part at run time: where and how a function is called.

`PYTHON_THREADPOOL_THREAD_COUNT` says how many `def` handlers run at once; the others wait in their
turn. The platform has a pool of so many threads, and here each handler runs in the thread that has
its request. `async def` handlers run on one event loop, which a blocking call stops for all.
(azure-functions-runtime: handle_event.py, utils/threadpool.py)
"""

from __future__ import annotations

import asyncio
import inspect
import logging
import os
import threading
import uuid
from collections import deque
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
    """Give how many handlers run at once; unset, as many as Python's own executor has threads."""
    return int(settings.get("PYTHON_THREADPOOL_THREAD_COUNT") or min(32, (os.cpu_count() or 1) + 4))


class _Slots:
    """So many may be inside at once; the others wait, and get in first come, first served."""

    def __init__(self, count: int) -> None:
        self._lock = threading.Lock()
        self._free = count
        self._waiting: deque[threading.Event] = deque()

    def __enter__(self) -> None:
        with self._lock:
            if self._free > 0:
                self._free -= 1
                return
            turn = threading.Event()
            self._waiting.append(turn)
        turn.wait()

    def __exit__(self, *_: object) -> None:
        with self._lock:
            if self._waiting:
                self._waiting.popleft().set()
            else:
                self._free += 1


class Worker:
    """One worker process's threads and loop."""

    def __init__(self, threads: int) -> None:
        """Run up to `threads` handlers at once."""
        self._slots = _Slots(threads)
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
        try:
            return self._call(function, arguments)
        except BaseException as error:  # whatever a function raises, the worker lives on
            _logger.exception(
                "Executed 'Functions.%s' (Failed, Id=%s)", function.name, invocation_id
            )
            raise InvocationError(function.name) from error

    def _call(self, function: Function, arguments: Mapping[str, object]) -> Any:
        if inspect.iscoroutinefunction(function.handler):
            handling = function.handler(**arguments)
            return asyncio.run_coroutine_threadsafe(handling, self._running_loop()).result()
        with self._slots:
            return function.handler(**arguments)

    def _running_loop(self) -> asyncio.AbstractEventLoop:
        with self._loop_lock:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                threading.Thread(target=self._loop.run_forever, name="loop", daemon=True).start()
            return self._loop
