"""The worker's part at start: it imports the app, takes its functions and checks their parameters.

What is wrong here leaves the whole app without functions on the platform; this process ends.
(azure-functions-runtime: loader.py, functions.py)
"""

from __future__ import annotations

import importlib
import inspect
import json
import os
import sys
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_type_hints

from azure.functions import FunctionRegister
from azure.functions.http import HttpRequestConverter, HttpResponseConverter
from azure.functions.timer import TimerRequestConverter

from dev.host.keys import Level

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

SCRIPT = "function_app"
HTTP_TRIGGER = "httpTrigger"
TIMER_TRIGGER = "timerTrigger"

_CONVERTERS = {HTTP_TRIGGER: HttpRequestConverter, TIMER_TRIGGER: TimerRequestConverter}


class IndexingError(Exception):
    """An app that the worker cannot index."""


@dataclass(frozen=True, kw_only=True)
class Function:
    """One function, as the worker describes it to the host."""

    name: str
    handler: Callable[..., Any]
    bindings: tuple[dict[str, Any], ...]

    @cached_property
    def trigger(self) -> dict[str, Any]:
        """Give the binding that starts the function."""
        return next(each for each in self.bindings if each["type"].endswith("Trigger"))

    @property
    def is_http(self) -> bool:
        """Tell whether an HTTP request starts the function."""
        return bool(self.trigger["type"] == HTTP_TRIGGER)

    @property
    def is_timer(self) -> bool:
        """Tell whether a schedule starts the function."""
        return bool(self.trigger["type"] == TIMER_TRIGGER)

    @property
    def route(self) -> str:
        """Give the route below the prefix."""
        return self.trigger.get("route") or self.name

    @cached_property
    def methods(self) -> frozenset[str]:
        """Give the methods of the route; none means all."""
        return frozenset(method.upper() for method in self.trigger.get("methods", ()))

    @property
    def level(self) -> Level:
        """Give the level that a caller's key needs."""
        return Level[self.trigger.get("authLevel", "FUNCTION").upper()]

    @cached_property
    def wants_context(self) -> bool:
        """Tell whether the handler takes the invocation's context."""
        return "context" in inspect.signature(self.handler).parameters


def load(directory: Path) -> list[Function]:
    """Import the app folder's function_app.py the way the worker does, and index it.

    The folder is the current directory, and the last on the search path: standard library and
    installed packages win over modules of the app.
    """
    if not (directory / f"{SCRIPT}.py").is_file():
        raise IndexingError(f"there is no {SCRIPT}.py in {directory}: 0 functions found")
    started_in = Path.cwd()
    os.chdir(directory)
    # `python -m` puts the folder in which it was started first.
    sys.path[:] = [each for each in sys.path if Path(each).resolve() not in {started_in, directory}]
    sys.path.append(str(directory))
    return index(importlib.import_module(SCRIPT))


def index(module: ModuleType) -> list[Function]:
    """Take the functions of the one function app in a module."""
    apps = [value for value in vars(module).values() if isinstance(value, FunctionRegister)]
    if len(apps) != 1:
        raise IndexingError(f"{SCRIPT}.py holds {len(apps)} top-level function apps, not one")
    try:
        indexed = apps[0].get_functions()
    except ValueError as error:
        raise IndexingError(str(error)) from error
    functions = [
        Function(
            name=each.get_function_name() or "",
            handler=each.get_user_function(),
            bindings=tuple(json.loads(binding) for binding in each.get_raw_bindings()),
        )
        for each in indexed
    ]
    for function in functions:
        _check_signature(function)
    return functions


def _check_signature(function: Function) -> None:
    """Check that each parameter is a binding or the context, and is annotated as what it is."""
    try:
        hints = get_type_hints(function.handler)
    except NameError as error:
        raise IndexingError(
            f"cannot load the {function.name} function: {error}; annotations must be resolvable at"
            " run time, so their names cannot be imported for type checking alone"
        ) from error
    parameters = inspect.signature(function.handler).parameters.keys()
    bound = {binding["name"] for binding in function.bindings} - {"$return"}
    trigger = function.trigger
    converter = _CONVERTERS.get(trigger["type"])
    problem = ""
    if undeclared := parameters - bound - {"context"}:
        problem = f"parameters that are no bindings: {sorted(undeclared)}"
    elif missing := bound - parameters:
        problem = f"bindings that are no parameters: {sorted(missing)}"
    elif "context" in hints and getattr(hints["context"], "__name__", "") != "Context":
        problem = "the context parameter is not annotated as azure.functions.Context"
    elif converter and not _accepts(converter.check_input_type_annotation, hints, trigger["name"]):
        problem = f"the annotation of {trigger['name']!r} does not match {trigger['type']}"
    elif function.is_http and not _accepts(
        HttpResponseConverter.check_output_type_annotation, hints, "return"
    ):
        problem = "the return annotation does not match an HTTP response"
    if problem:
        raise IndexingError(f"cannot load the {function.name} function: {problem}")


def _accepts(check: Callable[[type], bool], hints: dict[str, Any], name: str) -> bool:
    return name not in hints or (isinstance(hints[name], type) and check(hints[name]))
