"""The pages of the panel, in the order in which they are tried."""

from __future__ import annotations

from functions.panel.routing import Route
from functions.panel.views import integrations

ROUTES = (Route("", get=integrations.show_list),)
