"""The function app: registers the triggers. No logic here."""

import importlib

import azure.functions as func

TRIGGERS = (
    "audit",
    "authorize",
    "callback",
    "deauthorize",
    "endpoints",
    "health",
    "idempotency",
    "integrations",
    "invoke",
    "openapi",
    "panel",
    "refresh",
    "status",
)

app = func.FunctionApp(http_auth_level=func.AuthLevel.FUNCTION)

for name in TRIGGERS:
    app.register_functions(importlib.import_module(f"functions.{name}").blueprint)
