"""Try an endpoint: the same call as any caller's, with all that happened shown."""

from __future__ import annotations

import http.client
import time
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING

from functions.http import hint_for
from functions.panel.bodies import Shown, shown_body
from functions.panel.forms import trial
from functions.panel.rendering import page
from functions.panel.snippets import GatewayCall, snippets
from shared.bootstrap import get_services
from shared.domain.errors import GatewayError
from shared.domain.principals import PRINCIPAL_HEADER
from shared.services.invocation import Call
from shared.services.trace import Trace

if TYPE_CHECKING:
    from collections.abc import Mapping

    import azure.functions as func

    from functions.panel.forms.state import FormState
    from functions.panel.request import PanelRequest
    from shared.domain.endpoint import Endpoint
    from shared.domain.reply import Reply


@dataclass(frozen=True, slots=True, kw_only=True)
class _Result:
    """What came of a call: an answer of the service, or an error of the gateway."""

    status: int
    headers: Mapping[str, str]
    hint: str
    body: Shown | None = None
    error: GatewayError | None = None

    @property
    def is_done(self) -> bool:
        """Tell whether the service says that it did what was asked."""
        return self.error is None and self.status < HTTPStatus.MULTIPLE_CHOICES

    @property
    def is_replayed(self) -> bool:
        """Tell whether it is the answer to an earlier call with the same key."""
        return "Idempotency-Replayed" in self.headers

    @property
    def reason(self) -> str:
        """The status in words."""
        return http.client.responses.get(self.status, "")


def show(request: PanelRequest) -> func.HttpResponse:
    """Show the form for a call."""
    endpoint = _endpoint(request)
    return _page(request, endpoint, trial.fresh(endpoint))


def run(request: PanelRequest) -> func.HttpResponse:
    """Make the call, and show what was sent and what came back."""
    endpoint = _endpoint(request)
    state = trial.entered(endpoint, request.form)
    if state.errors:
        return _page(request, endpoint, state, status=422)
    trace, started = Trace(), time.perf_counter()
    try:
        reply = get_services().invocation.run(_call(request, endpoint, state, trace))
    except GatewayError as error:
        result = _failed(request, error)
    else:
        result = _answered(reply)
        if result.is_done:
            state = trial.with_fresh_key(state)  # the next run is another call
    return _page(
        request,
        endpoint,
        state,
        result=result,
        milliseconds=int((time.perf_counter() - started) * 1000),
        request_id=request.http.id,
        sent=[(each, shown_body(each.body)) for each in trace.sent],
    )


def _answered(reply: Reply) -> _Result:
    return _Result(
        status=reply.status,
        headers=reply.headers,
        hint=reply.headers.get("X-Gateway-Hint", ""),
        body=shown_body(reply.body),
    )


def _failed(request: PanelRequest, error: GatewayError) -> _Result:
    return _Result(
        status=error.kind.status,
        headers=error.headers,
        hint=hint_for(request.http, error),
        error=error,
    )


def _endpoint(request: PanelRequest) -> Endpoint:
    return get_services().endpoints.find(request.integration, request.endpoint).definition


def _call(request: PanelRequest, endpoint: Endpoint, state: FormState, trace: Trace) -> Call:
    return Call(
        integration=request.integration,
        endpoint=endpoint.code,
        method="POST",
        query=trial.query_of(endpoint, state),
        headers={
            "content-type": "application/json",
            PRINCIPAL_HEADER: request.http.headers.get(PRINCIPAL_HEADER, ""),
            **{name.lower(): value for name, value in trial.headers_of(state).items()},
        },
        body=state.text("payload").encode(),
        request_id=request.http.id,
        trace=trace,
    )


def _page(
    request: PanelRequest,
    endpoint: Endpoint,
    state: FormState,
    *,
    status: int = 200,
    result: _Result | None = None,
    **about_result: object,
) -> func.HttpResponse:
    query = trial.query_of(endpoint, state)
    public_url = get_services().settings.public_url
    url = f"{public_url}/api/invoke/{request.integration}/{endpoint.code}"
    call = GatewayCall(
        method="POST",
        url=f"{url}?{query}" if query else url,
        headers=trial.headers_of(state),
        body=state.text("payload"),
    )
    return page(
        request,
        "try_it.html",
        status=status,
        integration=request.integration,
        endpoint=endpoint,
        form=state,
        parameters={trial.parameter_field(name): name for name in endpoint.parameters},
        takes_payload=trial.takes_payload(endpoint),
        snippets=snippets(call),
        result=result,
        **about_result,
    )
