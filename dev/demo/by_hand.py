"""How to go on by hand: addresses, keys, and calls to copy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dev.demo.warehouse_definitions import INTEGRATION
from dev.sample import (
    CLIENT_ID,
    CLIENT_SECRET,
    HOST_KEY,
    INVOKE_KEY,
    TENANT_ID,
    USER_NAME,
)
from dev.stack.ports import url

if TYPE_CHECKING:
    from dev.stack.running import Stack

PAYLOAD = '{"shipmentNo": "SH000002"}'


def addresses(stack: Stack) -> str:
    """Tell where everything is and which keys open it."""
    return f"""\
The control panel               {stack.gateway}/api/panel
The gateway                     {stack.gateway}
  key of administrators         {HOST_KEY:<16} opens every function
  key of flows and apps         {INVOKE_KEY:<16} opens invoke and nothing else
Business Central, simulated     {url(stack.ports.business_central)}
Microsoft's sign-in, simulated  {url(stack.ports.entra)}
  tenant                        {TENANT_ID}
  client id and secret          {CLIENT_ID}, {CLIENT_SECRET}
Logs of all parts               {stack.logs}"""


def sign_in(stack: Stack) -> str:
    """Tell how to sign in with a browser."""
    return f"""\
Sign in as {USER_NAME}, in a browser (until somebody has, calls are answered with 424): press
Authorize in the control panel, or open

  {stack.gateway}/api/authorize/{INTEGRATION}?code={HOST_KEY}"""


def calls(stack: Stack) -> str:
    """Show a call on two command lines."""
    call = f"{stack.gateway}/api/invoke/{INTEGRATION}/GET_WHSE_PICKS"
    return f"""\
Ask for the picks of shipment SH000002, with curl:

  curl {call} \\
    -H 'x-functions-key: {INVOKE_KEY}' -H 'Content-Type: application/json' \\
    -d '{PAYLOAD}'

or with PowerShell:

  Invoke-RestMethod {call} -Method Post `
    -Headers @{{ 'x-functions-key' = '{INVOKE_KEY}' }} -ContentType 'application/json' `
    -Body '{PAYLOAD}'"""
