"""The list of integrations, with the health of each at a glance."""

from __future__ import annotations

from typing import TYPE_CHECKING

from functions.panel.rendering import page
from shared.bootstrap import get_services

if TYPE_CHECKING:
    import azure.functions as func

    from functions.panel.request import PanelRequest

_MOST_SHOWN = 500


def show_list(request: PanelRequest) -> func.HttpResponse:
    """Show every integration, or where to begin if there is none."""
    found = get_services().integrations.list(after="", limit=_MOST_SHOWN)
    return page(request, "integrations.html", integrations=found.documents)
