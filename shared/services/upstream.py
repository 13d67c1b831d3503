"""Send one call to the upstream: in its turn, with a valid token, within its time.

Sent again by itself is only what cannot be executed twice: `shared.domain.retry_policy` says what
that is. Beside it, an answer of 401 means that the call was not executed, so it goes out once more
with a token that was renewed after the refusal, and asked to hold what a claims challenge names.
"""

from __future__ import annotations

import itertools
import random
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING, TypeGuard

from shared import __version__
from shared.domain.bc_errors import with_next_step
from shared.domain.claims import challenged_claims
from shared.domain.error_kinds import UPSTREAM_UNAUTHORIZED
from shared.domain.errors import GatewayError
from shared.domain.events import log_event
from shared.domain.headers import for_upstream
from shared.domain.retry_policy import PATIENCE, wait_before_resend
from shared.domain.transport import (
    AnswerTooLarge,
    NotSent,
    OutboundAnswer,
    OutboundRequest,
    SendError,
)
from shared.services.answers import shown, without_answer

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from shared.domain.endpoint import Endpoint
    from shared.domain.records import StoredIntegration
    from shared.domain.retry_policy import Outcome
    from shared.domain.tokens import TokenSet
    from shared.ports import Clock, HttpClient
    from shared.services.admission import Admission
    from shared.services.tokens import TokenService
    from shared.services.trace import Trace

_USER_AGENT = f"business-central-gateway/{__version__}"
# The part of a call's time without which no attempt begins.
_LEAST_SHARE = 1 / 10
_REFUSALS = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.TOO_MANY_REQUESTS})


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
    all_pages: bool = False
    max_answer_bytes: int | None = None  # where there is less room than usual
    trace: Trace | None = None

    @property
    def latest_start(self) -> datetime:
        """Until when an attempt may begin: a change that is sent too late ends as unknown."""
        return self.deadline - timedelta(seconds=self.endpoint.timeout_seconds * _LEAST_SHARE)


class Upstream:
    """The services behind the integrations."""

    def __init__(
        self,
        *,
        http: HttpClient,
        tokens: TokenService,
        admission: Admission,
        max_answer_bytes: int,
        clock: Clock,
    ) -> None:
        """Read no more of an answer than `max_answer_bytes`."""
        self._http = http
        self._tokens = tokens
        self._admission = admission
        self._max_answer_bytes = max_answer_bytes
        self._clock = clock

    def send(self, call: UpstreamCall) -> OutboundAnswer:
        """Return the upstream's answer, whatever its status but 401, holding one of its slots.

        The slot is kept while waiting to send again: a service that asks for patience asks it of
        the whole integration, whose other calls would only be refused as well.

        Raises GatewayError as the contract's table says, and what TokenService.for_call raises.
        """
        record = call.record
        # Waiting for a token takes nobody's slot; each attempt then finds the one of its moment.
        self._tokens.for_call(record, until=call.latest_start)
        with self._admission.slot(
            record.code, limit=record.definition.max_in_flight, deadline=call.latest_start
        ):
            outcome = self._outcome(call)
        if isinstance(outcome, SendError):
            raise without_answer(outcome, call.endpoint) from outcome
        return outcome

    def _outcome(self, call: UpstreamCall) -> Outcome:
        """Return how the last attempt ended that policy and time allow."""
        patience_ends = call.latest_start
        for attempt in itertools.count(1):
            outcome = self._attempt(call)
            now = self._clock.now()
            patience_ends = min(patience_ends, now + PATIENCE) if attempt == 1 else patience_ends
            wait = wait_before_resend(
                outcome,
                attempt=attempt,
                changes_data=call.endpoint.changes_data,
                chance=random.random(),  # noqa: S311 - spreads load, no secret
                now=now,
            )
            if wait is None or now + wait >= patience_ends:
                break
            _log_resend(call, outcome, attempt, wait)
            self._clock.sleep(wait.total_seconds())
        return outcome

    def _attempt(self, call: UpstreamCall) -> Outcome:
        tokens = self._tokens.for_call(call.record, until=call.latest_start)
        outcome = self._exchange(call, tokens)
        if not _is_refusal(outcome):
            return outcome
        claims = challenged_claims(outcome.headers.get("www-authenticate", ""))
        renewed = self._tokens.after_refusal(
            call.record, tokens, claims=claims, until=call.latest_start
        )
        if renewed is not None:
            outcome = self._exchange(call, renewed)
        if _is_refusal(outcome):
            raise GatewayError(
                UPSTREAM_UNAUTHORIZED,
                "The service refuses a token that the identity provider has just issued.",
                hint=with_next_step(UPSTREAM_UNAUTHORIZED.hint, outcome.status, outcome.body),
                upstream=shown(outcome),
            )
        return outcome

    def _exchange(self, call: UpstreamCall, tokens: TokenSet) -> Outcome:
        now = self._clock.now()
        if now >= call.latest_start:
            return NotSent("the time for this call was over")
        request = OutboundRequest(
            method=call.endpoint.method,
            url=call.url,
            headers=_headers(call, tokens),
            body=call.body,
        )
        if call.trace is not None:
            call.trace.note(request)
        try:
            return self._http.send(
                request,
                timeout_seconds=(call.deadline - now).total_seconds(),
                max_bytes=call.max_answer_bytes or self._max_answer_bytes,
            )
        except AnswerTooLarge as error:
            # Both say by their status alone that nothing was executed, and what to do.
            return OutboundAnswer(error.status, {}, b"") if error.status in _REFUSALS else error
        except SendError as error:
            return error


def _is_refusal(outcome: Outcome) -> TypeGuard[OutboundAnswer]:
    return isinstance(outcome, OutboundAnswer) and outcome.status == HTTPStatus.UNAUTHORIZED


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


def _log_resend(call: UpstreamCall, outcome: Outcome, attempt: int, wait: timedelta) -> None:
    log_event(
        "sent_again",
        integration=call.record.code,
        endpoint=call.endpoint.code,
        attempt=attempt,
        status=outcome.status if isinstance(outcome, OutboundAnswer) else None,
        reason=None if isinstance(outcome, OutboundAnswer) else str(outcome),
        wait_milliseconds=int(wait.total_seconds() * 1000),
        request_id=call.request_id,
    )
