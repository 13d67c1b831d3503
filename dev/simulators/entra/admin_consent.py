"""The admin consent endpoint ("Admin consent on the Microsoft identity platform").

Whoever opens it counts as an administrator; consent holds for everybody until a test withdraws it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode

from werkzeug.utils import redirect

from dev.sample import TENANT_ID
from dev.simulators.entra.authorize import decision_of, redirect_uri_of
from dev.simulators.entra.errors import aadsts
from dev.simulators.entra.pages import admin_consent_page
from dev.simulators.entra.scopes import parse_scopes

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from werkzeug.wrappers import Request, Response

    from dev.simulators.entra.control import Control
    from dev.simulators.entra.registry import Registry


class AdminConsentEndpoint:
    """Serves `/v2.0/adminconsent`; `automatic` consents without showing a page."""

    def __init__(
        self,
        registry: Registry,
        control: Control,
        *,
        automatic: bool,
        now: Callable[[], datetime],
    ) -> None:
        self._registry = registry
        self._control = control
        self._automatic = automatic
        self._now = now

    def answer(self, request: Request) -> Response:
        """Show the consent page (GET), or act on what the administrator decided there (POST)."""
        application = self._registry.application(request.args.get("client_id", ""))
        redirect_uri = redirect_uri_of(request, application)
        scopes = parse_scopes(request.args.get("scope", ""))
        decision = decision_of(request, automatic=self._automatic)
        if decision == "yes":
            self._control.consent_for_everybody()
            result = {"tenant": TENANT_ID, "scope": request.args["scope"]}
        elif decision == "no":
            body = aadsts(65004).body(request.headers.get("client-request-id"), self._now())
            result = {
                "error": "consent_required",
                "error_description": body["error_description"],
            }
        else:
            return admin_consent_page(application, scopes, redirect_uri=redirect_uri)
        state = {"state": request.args["state"]} if "state" in request.args else {}
        return redirect(f"{redirect_uri}?{urlencode({'admin_consent': 'True'} | result | state)}")
