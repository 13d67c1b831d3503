import logging
import threading
import uuid

import azure.functions as func
import pytest

from dev.host.indexing import Function
from dev.host.worker import InvocationError, Worker, thread_count


def make_function(handler):
    """Give a function with this handler."""
    return Function(
        name="sample", handler=handler, bindings=({"type": "httpTrigger", "name": "req"},)
    )


def test_function_runs_in_the_pool():
    """A `def` handler gets the trigger's argument, on a thread of the worker."""
    result = Worker(1).invoke(
        make_function(lambda req: (req, threading.current_thread().name)), "request"
    )

    assert result == ("request", "worker_0")


@pytest.mark.enable_socket  # an event loop wakes itself over a pair of sockets
def test_coroutine_functions_share_one_loop():
    """An `async def` handler runs on the worker's event loop."""
    worker = Worker(1)

    async def handler(**_):
        return threading.current_thread().name

    names = {worker.invoke(make_function(handler), None) for _ in range(2)}

    assert names == {"loop"}


def test_context_tells_about_the_invocation():
    """A handler with a `context` parameter gets one per invocation."""
    worker = Worker(1)

    def handler(context, **_):
        return context

    first, second = (worker.invoke(make_function(handler), None) for _ in range(2))

    assert isinstance(first, func.Context)
    assert first.function_name == "sample"
    assert uuid.UUID(first.invocation_id) != uuid.UUID(second.invocation_id)


@pytest.mark.parametrize("error", [RuntimeError("boom"), SystemExit(3)], ids=["error", "exit"])
def test_exception_is_logged_and_told(error, caplog):
    """Nothing that a function raises goes any further than the log."""

    def handler(**_):
        raise error

    with caplog.at_level(logging.ERROR), pytest.raises(InvocationError):
        Worker(1).invoke(make_function(handler), None)

    assert "Functions.sample" in caplog.text
    assert "Traceback" in caplog.text


def test_pool_has_as_many_threads_as_the_setting_says():
    """As many handlers run side by side, and no more."""
    both_run = threading.Barrier(2)
    worker = Worker(2)

    def handler(**_):
        return both_run.wait(timeout=10)

    callers = [
        threading.Thread(target=worker.invoke, args=(make_function(handler), None)) for _ in "ab"
    ]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()

    assert not both_run.broken


def test_thread_count_comes_from_the_settings():
    """The platform's setting decides, else the default of Python's executor."""
    assert thread_count({"PYTHON_THREADPOOL_THREAD_COUNT": "64"}) == 64
    assert 5 <= thread_count({}) <= 32
