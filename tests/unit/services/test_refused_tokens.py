"""Access tokens that the upstream refuses before they expire."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

from tests.fakes import json_answer
from tests.scenes import BC, CODE, UNCONDITIONAL

CALLERS = 16


def test_refused_token_is_renewed_once_for_all_threads(signed_in):
    """All calls meet the refusal at the same time; each is sent once more, with the one token."""
    all_are_refused = threading.Barrier(CALLERS)

    def business_central(request):
        if request.headers["authorization"] == "Bearer access-1":
            all_are_refused.wait(timeout=30)
            return json_answer({}, status=401)
        return json_answer({"value": request.headers["authorization"]})

    signed_in.services.integrations.patch(CODE, {"max_in_flight": CALLERS}, UNCONDITIONAL)
    signed_in.http.script(BC, business_central)
    with ThreadPoolExecutor(CALLERS) as threads:
        replies = list(threads.map(lambda _: signed_in.invoke(), range(CALLERS)))

    assert {reply.body for reply in replies} == {b'{"value":"Bearer access-2"}'}
    assert len(signed_in.http.sent_to(BC)) == 2 * CALLERS
    assert signed_in.provider.calls == 2


def test_refused_token_is_renewed_once_for_all_callers(signed_in):
    """Every call that met the refusal gets the one new token."""
    tokens, record = signed_in.services.tokens, signed_in.record()
    refused = signed_in.tokens()

    renewed = [tokens.after_refusal(record, refused) for _ in range(3)]

    assert {each.access_token.reveal() for each in renewed} == {"access-2"}
    assert signed_in.provider.calls == 2


def test_refused_new_token_is_not_renewed_again(signed_in):
    """A service that refuses a fresh token will refuse the next one too; it is tried later."""
    tokens, record = signed_in.services.tokens, signed_in.record()
    renewed = tokens.after_refusal(record, signed_in.tokens())

    at_once = tokens.after_refusal(record, renewed)
    signed_in.clock.advance(minutes=5)
    later = tokens.after_refusal(record, renewed)

    assert at_once is None
    assert later.access_token.reveal() == "access-3"
