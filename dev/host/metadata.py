"""What the host checks in a function's metadata.

A function that breaks a rule is left out, the others run.
(azure-functions-host: Utility, WorkerFunctionMetadataProvider, ScriptHost.ValidateHttpFunction)
"""

from __future__ import annotations

import logging
import re
from typing import TYPE_CHECKING

from dev.host.ncrontab import ScheduleError
from dev.host.routing import in_order
from dev.host.timer import schedule_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from dev.host.indexing import Function

RESERVED_PREFIXES = ("admin", "runtime")
# What the host brings along; other bindings come with an extension bundle.
BUILT_IN_BINDINGS = {"httpTrigger", "http", "timerTrigger"}

_FUNCTION_NAME = re.compile(r"(?!host$)[a-z][a-z0-9_-]{0,127}", re.IGNORECASE)
_BINDING_NAME = re.compile(r"[a-zA-Z][a-zA-Z0-9]{0,127}|\$return")
_logger = logging.getLogger(__name__)


def sound_functions(functions: Iterable[Function], settings: Mapping[str, str]) -> list[Function]:
    """Give the functions that the host runs, and log the broken rule of each of the others."""
    sound: list[Function] = []
    for function in in_order(functions):
        rule = next(_broken_rules(function, sound, settings), None)
        if rule is None:
            sound.append(function)
        else:
            _logger.error("The '%s' function is in error: %s", function.name, rule)
    return sound


def is_disabled(function: Function, settings: Mapping[str, str]) -> bool:
    """Tell whether an app setting switches the function off."""
    return settings.get(f"AzureWebJobs.{function.name}.Disabled", "").lower() in {"true", "1"}


def _broken_rules(
    function: Function, earlier: list[Function], settings: Mapping[str, str]
) -> Iterator[str]:
    if not _FUNCTION_NAME.fullmatch(function.name):
        yield "a function name is a letter and up to 127 letters, digits, '_' or '-', not 'host'"
    names = [binding["name"] for binding in function.bindings]
    for name in names:
        if not _BINDING_NAME.fullmatch(name):
            yield f"the binding name {name!r} may hold letters and digits only, and no '_'"
    if len({name.lower() for name in names}) != len(names):
        yield "two of its bindings have the same name"
    if unknown := {binding["type"] for binding in function.bindings} - BUILT_IN_BINDINGS:
        yield f"the bindings {sorted(unknown)} need an extension, and there is none"
    if function.is_timer:
        try:
            schedule_of(function, settings)
        except ScheduleError as error:
            yield str(error)
    if function.is_http:
        yield from _broken_route_rules(function, earlier)


def _broken_route_rules(function: Function, earlier: list[Function]) -> Iterator[str]:
    route = _comparable(function.route)
    if route.startswith(RESERVED_PREFIXES):
        yield f"the route {function.route!r} begins with the reserved 'admin' or 'runtime'"
    for other in earlier:
        shares_a_method = (
            not function.methods or not other.methods or function.methods & other.methods
        )
        if other.is_http and shares_a_method and _comparable(other.route) == route:
            yield f"its route {function.route!r} conflicts with that of the function {other.name!r}"


def _comparable(route: str) -> str:
    return route.strip("/").lower()
