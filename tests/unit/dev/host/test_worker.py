import logging
import queue
import threading
import uuid
from concurrent.futures import ThreadPoolExecutor

import azure.functions as func
import pytest

from dev.host.indexing import Function
from dev.host.worker import InvocationError, Worker, thread_count


def make_function(handler):
    """Give a function with this handler."""
    return Function(
        name="sample", handler=handler, bindings=({"type": "httpTrigger", "name": "req"},)
    )


def test_function_gets_the_triggers_argument():
    """By the name that its binding has."""
    assert Worker(1).invoke(make_function(lambda req: f"{req} seen"), "request") == "request seen"


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


def test_as_many_handlers_run_as_the_setting_says():
    """Side by side, and no more; the next one runs when there is room."""
    worker, began, go_on = Worker(2), queue.SimpleQueue(), threading.Event()

    def handler(req):
        began.put(req)
        assert go_on.wait(timeout=10)

    with ThreadPoolExecutor(3) as callers:
        calls = [callers.submit(worker.invoke, make_function(handler), each) for each in "abc"]
        try:
            first = {began.get(timeout=10) for _ in range(2)}
            with pytest.raises(queue.Empty):
                began.get(timeout=0.1)
        finally:
            go_on.set()
        assert {began.get(timeout=10)} | first == {"a", "b", "c"}

    assert [call.exception() for call in calls] == [None] * 3


@pytest.mark.parametrize("error", [RuntimeError("boom"), SystemExit(3)], ids=["error", "exit"])
def test_handler_that_fails_makes_room(error):
    """The next one runs."""
    worker = Worker(1)

    def fail(**_):
        raise error

    with pytest.raises(InvocationError):
        worker.invoke(make_function(fail), None)

    assert worker.invoke(make_function(lambda req: req), "next") == "next"


def test_thread_count_comes_from_the_settings():
    """The platform's setting decides, else the default of Python's executor."""
    assert thread_count({"PYTHON_THREADPOOL_THREAD_COUNT": "64"}) == 64
    assert 5 <= thread_count({}) <= 32
