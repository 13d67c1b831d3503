"""The sample tenant that the simulators serve and the walk-through uses."""

from __future__ import annotations

TENANT_ID = "11111111-2222-4333-8444-555555555555"
ENVIRONMENTS = ("Production", "Sandbox")

CLIENT_ID = "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee"
CLIENT_SECRET = "dev-client-secret"
USER_NAME = "Anna Lindqvist"
USER_PRINCIPAL_NAME = "anna@cronus.example"

# Claim `aud` of the tokens and prefix of the scopes.
BUSINESS_CENTRAL_RESOURCE = "https://api.businesscentral.dynamics.com"

# Name and id of each company; the second one holds every awkward character of a real name.
COMPANIES = {
    "CRONUS USA, Inc.": "9e1b6ea7-0000-4000-8000-000000000001",
    "O'Brien & Sons, Ltd.": "9e1b6ea7-0000-4000-8000-000000000002",
}

HOST_KEY = "dev-host-key"
INVOKE_KEY = "dev-invoke-key"
CONNECTOR_KEY = "dev-connector-key"
