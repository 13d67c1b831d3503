"""host.json, as far as it matters here: the HTTP section's `routePrefix` and `customHeaders`."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


class ConfigurationError(Exception):
    """A host.json with which the host does not start."""


@dataclass(frozen=True, kw_only=True)
class Configuration:
    """What host.json says."""

    route_prefix: str
    custom_headers: Mapping[str, str]


def read_configuration(directory: Path) -> Configuration:
    """Read the app folder's host.json; ConfigurationError if the host would not take it."""
    file = directory / "host.json"
    try:
        content = json.loads(file.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise ConfigurationError(f"host.json cannot be read: {error}") from error
    except ValueError as error:
        raise ConfigurationError(f"host.json is no JSON: {error}") from error
    root = _object(content, "host.json")
    # HostJsonFileConfigurationSource takes no number and no other version.
    if root.get("version") != "2.0":
        raise ConfigurationError(
            f"{root.get('version')!r} is an invalid value for host.json 'version', which is \"2.0\""
        )
    http = _object(_object(root.get("extensions"), "extensions").get("http"), "extensions.http")
    prefix = http.get("routePrefix", "api")
    custom_headers = _object(http.get("customHeaders"), "customHeaders")
    if not isinstance(prefix, str):
        raise ConfigurationError("host.json: routePrefix is not a string")
    if not all(isinstance(value, str) for value in custom_headers.values()):
        raise ConfigurationError("host.json: a value of customHeaders is not a string")
    return Configuration(route_prefix=prefix.strip("/"), custom_headers=custom_headers)


def _object(value: Any, name: str) -> dict[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise ConfigurationError(f"host.json: {name} is not an object")
    return value
