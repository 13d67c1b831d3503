"""Send one call to the upstream: with a valid token, within its time, and never twice by itself.

The one exception: an answer of 401 means that the call was not executed, so it is sent once more
with a token that was renewed after the refusal, and asked to hold what a claims challenge names.
"""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING

from shared import __version__
from shared.domain.claims import challenged_claims
from shared.domain.error_kinds import (
    ANSWER_TOO_LARGE,
    OUTCOME_UNKNOWN,
    UPSTREAM_NOT_ALLOWED,
    UPSTREAM_TIMEOUT,
    UPSTREAM_UNAUTHORIZED,
    UPSTREAM_UNREACHABLE,
)
from shared.domain.errors import GatewayError
from shared.domain.headers import for_upstream
from shared.domain.transport import (
    AnswerLost,
    AnswerTooLarge,
    NotSent,
    OutboundAnswer,
    OutboundRequest,
    TimedOut,
)
from shared.services.answers import shown

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from shared.domain.endpoint import Endpoint
    from shared.domain.records import StoredIntegration
    from shared.domain.tokens import TokenSet
    from shared.ports import Clock, HttpClient
    from shared.services.tokens import TokenService

_USER_AGENT = f"business-central-gateway/{__version__}"
_RETRY_AFTER_SECONDS = 10


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class UpstreamCall:
    """Everything that makes up one call."""

    record: StoredIntegration
    endpoint: Endpoint
    url: str
    caller_headers: Mapping[str, str]
    body: bytes | None
    request_id: str
    deadline: datetime


class Upstream:
    """The services behind the integrations."""

    def __init__(
        self, *, http: HttpClient, tokens: TokenService, max_answer_bytes: int, clock: Clock
    ) -> None:
        """Read no more of an answer than `max_answer_bytes`."""
        self._http = http
        self._tokens = tokens
        self._max_answer_bytes = max_answer_bytes
        self._clock = clock

    def send(self, call: UpstreamCall) -> OutboundAnswer:
        """Return the upstream's answer, whatever its status but 401.

        Raises GatewayError as the contract's table says, and what TokenService.for_call raises.
        """
        tokens = self._tokens.for_call(call.record, until=call.deadline)
        answer = self._attempt(call, tokens)
        if answer.status != HTTPStatus.UNAUTHORIZED:
            return answer
        claims = challenged_claims(answer.headers.get("www-authenticate", ""))
        renewed = self._tokens.after_refusal(
            call.record, tokens, claims=claims, until=call.deadline
        )
        if renewed is not None:
            answer = self._attempt(call, renewed)
        if answer.status == HTTPStatus.UNAUTHORIZED:
            raise GatewayError(
                UPSTREAM_UNAUTHORIZED,
                "The service refuses a token that the identity provider has just issued.",
                upstream=shown(answer),
            )
        return answer

    def _attempt(self, call: UpstreamCall, tokens: TokenSet) -> OutboundAnswer:
        left = (call.deadline - self._clock.now()).total_seconds()
        if left <= 0:
            raise GatewayError(
                UPSTREAM_UNREACHABLE,
                "The time for this call was over before it could be sent.",
                retry_after_seconds=_RETRY_AFTER_SECONDS,
            )
        request = OutboundRequest(
            method=call.endpoint.method,
            url=call.url,
            headers=_headers(call, tokens),
            body=call.body,
        )
        try:
            return self._http.send(request, timeout_seconds=left, max_bytes=self._max_answer_bytes)
        except NotSent as error:
            raise _not_sent(error) from error
        except AnswerLost as error:
            raise _answer_lost(error, call.endpoint) from error
        except AnswerTooLarge as error:
            raise _too_large(error, call.endpoint) from error


def _headers(call: UpstreamCall, tokens: TokenSet) -> dict[str, str]:
    """Return the request's headers; what is nearer to the call wins, credentials always ours."""
    defaults = {"accept": "application/json", "user-agent": _USER_AGENT}
    if call.body:
        defaults["content-type"] = "application/json"
    stored = {name.lower(): value for name, value in call.endpoint.headers.items()}
    from_caller = for_upstream(call.caller_headers)
    if from_caller.get("accept", "").strip() == "*/*":
        # The default of most clients; Business Central would take it as leave to send XML errors.
        from_caller["accept"] = "application/json, */*;q=0.1"
    if not call.body:
        from_caller.pop("content-type", None)
    if call.endpoint.read_replica:
        stored["data-access-intent"] = "ReadOnly"
    ours = {
        "authorization": f"Bearer {tokens.access_token.reveal()}",
        "client-request-id": call.request_id,
    }
    return defaults | stored | from_caller | ours


def _not_sent(error: NotSent) -> GatewayError:
    if error.is_forbidden:
        return GatewayError(UPSTREAM_NOT_ALLOWED, "The address of the service may not be called.")
    return GatewayError(
        UPSTREAM_UNREACHABLE,
        f"The service cannot be reached: {error}.",
        retry_after_seconds=_RETRY_AFTER_SECONDS,
    )


def _answer_lost(error: AnswerLost, endpoint: Endpoint) -> GatewayError:
    what = "did not answer in time" if isinstance(error, TimedOut) else "broke the connection off"
    if endpoint.changes_data:
        return GatewayError(OUTCOME_UNKNOWN, f"The service {what} after the change was sent.")
    if isinstance(error, TimedOut):
        detail = f"The service {what} (timeout_seconds is {endpoint.timeout_seconds})."
        return GatewayError(UPSTREAM_TIMEOUT, detail)
    return GatewayError(
        UPSTREAM_UNREACHABLE, f"The service {what}.", retry_after_seconds=_RETRY_AFTER_SECONDS
    )


def _too_large(error: AnswerTooLarge, endpoint: Endpoint) -> GatewayError:
    detail = f"The answer (status {error.status}) is larger than MAX_ANSWER_BYTES."
    if endpoint.changes_data:
        detail += " The change was sent and answered: do not send it again."
    return GatewayError(ANSWER_TOO_LARGE, detail)
