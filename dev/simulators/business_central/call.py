"""One request to a service, after authentication and routing to an environment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from werkzeug.wrappers import Request

    from dev.simulators.business_central.companies import Environment
    from dev.simulators.business_central.schema import Service
    from dev.simulators.business_central.settings import Settings
    from dev.simulators.business_central.target import Segment, Target


@dataclass(frozen=True, slots=True)
class Call:
    """The request, the service it is for, and what is left of its path behind the root."""

    request: Request
    target: Target
    environment: Environment
    service: Service
    service_url: str
    segments: tuple[Segment, ...]
    settings: Settings
    sleep: Callable[[float], None]

    def context(self, path: str) -> str:
        """Return the `@odata.context` of what stands at `path` in the service."""
        return f"{self.service_url}/$metadata#{path}"

    def url(self) -> str:
        """Return the URL as it was called, without its query."""
        return self.request.host_url.rstrip("/") + self.target.path
