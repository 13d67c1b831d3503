"""Which view answers which path below `/api/panel`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from functions.panel.errors import PAGE_NOT_FOUND
from shared.domain.errors import GatewayError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    import azure.functions as func

    from functions.panel.request import PanelRequest

    View = Callable[[PanelRequest], func.HttpResponse]


@dataclass(frozen=True, slots=True)
class Route:
    """A path such as `integrations/{integration}`, with a view for each method it knows."""

    path: str
    get: View | None = None
    post: View | None = None

    def values_of(self, segments: list[str]) -> dict[str, str] | None:
        """Return what stands for the names in braces, or None where the path is another."""
        own = self.path.split("/")
        if len(own) != len(segments):
            return None
        values = {}
        for name, segment in zip(own, segments, strict=True):
            if name.startswith("{"):
                values[name[1:-1]] = segment
            elif name != segment:
                return None
        return values


def find(routes: Iterable[Route], path: str) -> tuple[Route, Mapping[str, str]]:
    """Return the first route of the path, with its values; GatewayError `page_not_found`."""
    segments = path.strip("/").split("/")
    for route in routes:
        values = route.values_of(segments)
        if values is not None:
            return route, values
    raise GatewayError(PAGE_NOT_FOUND, "The control panel has no page at this address.")
