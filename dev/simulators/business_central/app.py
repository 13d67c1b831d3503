"""The WSGI application: control, token, limits, environment, service, headers (section 12)."""

from __future__ import annotations

import gzip
import time
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING
from uuid import uuid4

from werkzeug.wrappers import Request, Response

from dev import sample
from dev.faults import Faults
from dev.simulators.business_central import control, services
from dev.simulators.business_central.call import Call
from dev.simulators.business_central.companies import environment_list
from dev.simulators.business_central.errors import (
    FrontEndError,
    ODataError,
    error_response,
    uri_not_found,
)
from dev.simulators.business_central.odata import json_response
from dev.simulators.business_central.settings import Settings
from dev.simulators.business_central.target import parse_target
from dev.simulators.business_central.world import build_world, logged

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from wsgiref.types import StartResponse, WSGIEnvironment

    from dev.serving import WsgiApp
    from dev.simulators.business_central.auth import FindKey
    from dev.simulators.business_central.companies import Environment
    from dev.simulators.business_central.world import LoggedRequest, World

COMPRESSED_FROM_BYTES = 1024
TENANTS = (sample.TENANT_ID, sample.USER_PRINCIPAL_NAME.partition("@")[2])
SERVICE_ROOTS = ("api", "odatav4")


def utc_now() -> datetime:
    """Return the time."""
    return datetime.now(UTC)


def create_app(
    *,
    find_key: FindKey,
    now: Callable[[], datetime] = utc_now,
    sleep: Callable[[float], None] = time.sleep,
    settings: Settings | None = None,
) -> WsgiApp:
    """Build the simulator with fault injection in front of it."""
    return Faults(BusinessCentral(find_key, now, sleep, settings or Settings()))


class BusinessCentral:
    """The simulated service for one tenant."""

    def __init__(
        self,
        find_key: FindKey,
        now: Callable[[], datetime],
        sleep: Callable[[float], None],
        settings: Settings,
    ) -> None:
        self._build_world = partial(build_world, settings, find_key, now)
        self._sleep = sleep
        self._world = self._build_world()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        request = Request(environ)
        if request.path.startswith(control.PREFIX):
            response = control.answer(request, self._world, self._reset)
        else:
            response = self._answer(request)
        return response(environ, start_response)

    def _reset(self) -> None:
        self._world = self._build_world()

    def _answer(self, request: Request) -> Response:
        world = self._world
        entry = logged(request)
        world.log.append(entry)
        correlation_id = str(uuid4())
        try:
            response = self._admit(request, world, entry)
        except ODataError as error:
            response = error_response(error, request, correlation_id)
        entry.status = response.status_code
        response.headers["OData-Version"] = "4.0"
        response.headers["request-id"] = str(uuid4())
        response.headers["ms-correlation-x"] = correlation_id
        return _compressed(request, response)

    def _admit(self, request: Request, world: World, entry: LoggedRequest) -> Response:
        caller = world.tokens.check(request.headers.get("Authorization"), world.settings)
        entry.token_id = caller.token_id
        with world.throttle.admit(caller.user, world.settings):
            return self._route(request, world)

    def _route(self, request: Request, world: World) -> Response:
        target = parse_target(request.environ["REQUEST_URI"])
        origin = request.host_url.rstrip("/")
        names = [segment.name.lower() for segment in target.segments]
        if names == ["environments", "v1.2"]:
            return json_response(environment_list(world.environments, origin))
        environment, length = _find_environment(names, world)
        service = services.find_service(target.segments[length:])
        if service is None:
            raise uri_not_found(origin + target.path)
        length += len(service.root.split("/"))
        base = "/".join(segment.text for segment in target.segments[:length])
        return services.answer(
            Call(
                request=request,
                target=target,
                environment=environment,
                service=service,
                service_url=f"{origin}/{base}",
                segments=target.segments[length:],
                settings=world.settings,
                sleep=self._sleep,
            )
        )


def _find_environment(names: list[str], world: World) -> tuple[Environment, int]:
    """Read `v2.0/{tenant}/{environment}` or `v2.0/{environment}`; return its length as well.

    An unknown tenant is answered like an unknown environment (assumed).
    """
    match names:
        case ["v2.0", name, root, *_] if root in SERVICE_ROOTS:
            length = 2
        case ["v2.0", tenant, name, *_] if tenant in TENANTS:
            length = 3
        case ["v2.0", *_]:
            raise FrontEndError(404, "NoEnvironment", "Environment does not exist.")
        case _:
            raise FrontEndError(400, "RequestDataInvalid", "Request data is invalid.")
    if name not in world.environments:
        raise FrontEndError(404, "NoEnvironment", "Environment does not exist.")
    return world.environments[name], length


def _compressed(request: Request, response: Response) -> Response:
    body = response.get_data()
    if request.accept_encodings["gzip"] > 0 and len(body) > COMPRESSED_FROM_BYTES:
        response.set_data(gzip.compress(body, mtime=0))
        response.headers["Content-Encoding"] = "gzip"
        response.headers["Vary"] = "Accept-Encoding"
    return response
