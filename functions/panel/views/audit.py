"""Who changed what, and when: the latest change first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from functions.panel.forms.state import FormState
from functions.panel.rendering import page
from shared.bootstrap import get_services

if TYPE_CHECKING:
    import azure.functions as func

    from functions.panel.request import PanelRequest

_LIMIT = 50
_ACTIONS = {
    "created": "Created",
    "changed": "Changed",
    "deleted": "Deleted",
    "sign_in_started": "Sign-in started",
    "sign_in_link_created": "Sign-in link created",
    "signed_in": "Signed in",
    "connected": "Connected",
    "deauthorized": "Deauthorized",
    "key_settled": "Idempotency key settled",
}


def show(request: PanelRequest) -> func.HttpResponse:
    """Show the changes: all, or those of an integration or an endpoint."""
    names = ("integration", "endpoint")
    wanted = {name: request.parameter(name) for name in names if request.parameter(name)}
    after = request.parameter("after")
    found = get_services().audit.list(after=after, limit=_LIMIT, **wanted)
    return page(
        request,
        "audit.html",
        form=FormState(wanted),
        wanted=wanted,
        entries=found.documents,
        next_after=found.next_after,
        is_continued=bool(after),
        actions=_ACTIONS,
    )
