"""The control panel: pages for administrators, who sign in by App Service Authentication.

- routing, routes: which view answers which path
- access, errors: who is let in, and what others see
- same_origin: that no other site acts in an administrator's name
- views, forms: one module for each subject, what is shown and what is posted
- rendering, filters, notices, templates: how it looks, and the headers that keep it harmless
- assets, static: the panel's own files
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import azure.functions as func

from functions.http import trigger

if TYPE_CHECKING:
    from functions.http import Request
    from shared.domain.errors import GatewayError

blueprint = func.Blueprint()


def _error_page(request: Request, error: GatewayError) -> func.HttpResponse:
    from functions.panel.refusals import error_page  # noqa: PLC0415 - no call of the API needs it

    return error_page(request, error)


# The host lets everybody in: it knows keys, and the panel is for people.
@blueprint.route("panel/{*path}", methods=["GET", "POST"], auth_level=func.AuthLevel.ANONYMOUS)
@partial(trigger, render_error=_error_page)
def panel(request: Request) -> func.HttpResponse:
    """Show a page of the control panel, or do what one of its forms asks for."""
    from functions.panel.access import answer  # noqa: PLC0415 - no call of the API needs it

    return answer(request)
