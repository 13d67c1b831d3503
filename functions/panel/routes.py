"""The pages of the panel, in the order in which they are tried."""

from __future__ import annotations

from functions.panel.routing import Route
from functions.panel.views import (
    activity,
    audit,
    authorization,
    companies,
    endpoint_form,
    endpoints,
    integration_form,
    integrations,
    try_it,
)

_INTEGRATION = "integrations/{integration}"
_ENDPOINTS = f"{_INTEGRATION}/endpoints"
_ENDPOINT = f"{_ENDPOINTS}/{{endpoint}}"

ROUTES = (
    Route("", get=integrations.show_list),
    Route("activity", get=activity.show),
    Route("audit", get=audit.show),
    Route("integrations/new", get=integration_form.new, post=integration_form.create),
    Route(_INTEGRATION, get=integration_form.show, post=integration_form.save),
    Route(f"{_INTEGRATION}/delete", get=integrations.confirm_deletion, post=integrations.delete),
    Route(f"{_INTEGRATION}/authorize", get=authorization.begin),
    Route(f"{_INTEGRATION}/deauthorize", post=authorization.deauthorize),
    Route(f"{_INTEGRATION}/signin-link", post=authorization.create_link),
    Route(f"{_INTEGRATION}/health", get=authorization.health),
    Route(f"{_INTEGRATION}/companies", get=companies.show),
    Route(f"{_ENDPOINTS}/new", get=endpoint_form.new, post=endpoint_form.create),
    Route(f"{_ENDPOINTS}/presets", get=endpoints.show_presets, post=endpoints.add_presets),
    Route(f"{_ENDPOINTS}/preview", post=endpoint_form.preview),
    Route(_ENDPOINT, get=endpoint_form.edit, post=endpoint_form.save),
    Route(f"{_ENDPOINT}/delete", get=endpoints.confirm_deletion, post=endpoints.delete),
    Route(f"{_ENDPOINT}/switch", post=endpoints.switch),
    Route(f"{_ENDPOINT}/try", get=try_it.show, post=try_it.run),
)
