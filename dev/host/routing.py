"""Which function a request is for.

The host registers one route per function in the alphabetical order of the functions' names and
takes the first that matches; a literal segment does not win over a parameter. The method is a
constraint of the route like any other, so a wrong one ends in 404.
(azure-functions-host: WebScriptHostHttpRoutesManager, FunctionMetadataManager)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from dev.host.templates import Template

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dev.host.indexing import Function


class Match(NamedTuple):
    """The function that a request is for, and its route values."""

    function: Function
    values: dict[str, str]


class RouteTable:
    """The routes of an app's HTTP functions."""

    def __init__(self, functions: Iterable[Function], *, prefix: str) -> None:
        """Register the routes under `prefix`; TemplateError for one that cannot be read."""
        self._routes = [
            (function, Template(f"{prefix}/{function.route}" if prefix else function.route))
            for function in in_order(functions)
            if function.is_http
        ]

    def find(self, method: str, path: str) -> Match | None:
        """Give the function for a method and a decoded path, if there is one."""
        for function, template in self._routes:
            if function.methods and method.upper() not in function.methods:
                continue
            values = template.match(path)
            if values is not None:
                return Match(function, values)
        return None


def in_order(functions: Iterable[Function]) -> list[Function]:
    """Sort functions as the host does: by upper-cased name, character by character."""
    return sorted(functions, key=lambda function: function.name.upper())
