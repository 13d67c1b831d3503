"""The function app: registers the triggers. No logic here."""

import azure.functions as func

from functions import (
    authorize,
    callback,
    deauthorize,
    endpoints,
    health,
    integrations,
    invoke,
    refresh,
    status,
)

app = func.FunctionApp(http_auth_level=func.AuthLevel.FUNCTION)

for module in (
    authorize,
    callback,
    deauthorize,
    endpoints,
    health,
    integrations,
    invoke,
    refresh,
    status,
):
    app.register_functions(module.blueprint)
