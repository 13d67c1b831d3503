"""A call of an endpoint, written for the tools from which people make it."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import msgspec

from shared.domain.payloads import NotReadable, read_json

if TYPE_CHECKING:
    from collections.abc import Mapping

KEY_PLACEHOLDER = "<your invoke key>"
_KEY_HEADER = "x-functions-key"
_JSON_STRING = re.compile(r'"(?:[^"\\]|\\.)*"')
# PowerShell takes typographic quotes for quotes as well.
# learn.microsoft.com/powershell/module/microsoft.powershell.core/about/about_quoting_rules
_POWERSHELL_QUOTES = re.compile("['\u2018\u2019\u201a\u201b]")


@dataclass(frozen=True, slots=True)
class Snippet:
    """A text to copy, and what it is written for."""

    id: str
    title: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayCall:
    """A call as a program makes it; the key is left for the reader to put in."""

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str = ""

    @property
    def all_headers(self) -> dict[str, str]:
        """The headers with the key and, where there is a body, its type."""
        content_type = {"Content-Type": "application/json"} if self.body else {}
        return {_KEY_HEADER: KEY_PLACEHOLDER} | content_type | dict(self.headers)


def snippets(call: GatewayCall) -> list[Snippet]:
    """Return the call for each tool."""
    return [
        Snippet("snippet-curl", "curl", curl(call)),
        Snippet("snippet-powershell", "PowerShell", powershell(call)),
        Snippet("snippet-python", "Python", python(call)),
        Snippet("snippet-flow", "Power Automate: HTTP action", power_automate(call)),
    ]


def curl(call: GatewayCall) -> str:
    """Write it for curl in a POSIX shell."""
    parts = [f"curl -X {call.method} {shlex.quote(call.url)}"]
    parts += [f"-H {shlex.quote(f'{name}: {value}')}" for name, value in call.all_headers.items()]
    if call.body:
        parts.append(f"--data-raw {shlex.quote(call.body)}")
    return " \\\n  ".join(parts)


def powershell(call: GatewayCall) -> str:
    """Write it for PowerShell 5.1 and later, which would send a text as Latin-1."""
    headers = "; ".join(
        f"{_quoted(name)} = {_quoted(value)}"
        for name, value in call.all_headers.items()
        if name != "Content-Type"
    )
    command = f"Invoke-RestMethod -Method {call.method} -Uri {_quoted(call.url)} `\n"
    command += f"  -Headers @{{ {headers} }}"
    if not call.body:
        return command
    return (
        f"$body = {_quoted(call.body)}\n{command} `\n"
        "  -ContentType 'application/json; charset=utf-8' `\n"
        "  -Body ([Text.Encoding]::UTF8.GetBytes($body))"
    )


def python(call: GatewayCall) -> str:
    """Write it for Python with requests."""
    headers = "".join(f"        {name!r}: {value!r},\n" for name, value in call.all_headers.items())
    data = f"    data={call.body!r}.encode(),\n" if call.body else ""
    return (
        "import requests\n\n"
        "response = requests.request(\n"
        f"    {call.method!r},\n"
        f"    {call.url!r},\n"
        f"    headers={{\n{headers}    }},\n"
        f"{data}"
        "    timeout=120,\n"
        ")\n"
        "response.raise_for_status()\n"
        "print(response.text)"
    )


def power_automate(call: GatewayCall) -> str:
    """Write it as the definition of an HTTP action, to be pasted in its code view."""
    inputs: dict[str, object] = {
        "method": call.method,
        "uri": call.url,
        "headers": call.all_headers,
    }
    if call.body:
        inputs["body"] = _json_or_text(call.body)
    action = msgspec.json.encode({"type": "Http", "inputs": inputs})
    return _JSON_STRING.sub(_without_expressions, msgspec.json.format(action, indent=2).decode())


def _quoted(text: str) -> str:
    return f"'{_POWERSHELL_QUOTES.sub(lambda found: found[0] * 2, text)}'"


def _json_or_text(body: str) -> object:
    try:
        raw: msgspec.Raw = read_json(body, msgspec.Raw)  # its numbers stay as they were typed
    except NotReadable:
        return body
    return raw


def _without_expressions(found: re.Match[str]) -> str:
    """Write text that a flow would take for an expression so that it stays text.

    learn.microsoft.com/azure/logic-apps/workflow-definition-language-functions-reference
    """
    text = found[0][1:-1]
    begins_one = text.startswith("@") and not text.startswith("@{")
    escaped = text.replace("@{", "@@{")
    return f'"@{escaped}"' if begins_one else f'"{escaped}"'
