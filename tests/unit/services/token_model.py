"""What must hold of tokens whatever happens: an account kept between the gateway and a provider.

The provider rotates its refresh tokens and refuses one that was traded before. The account notes
what it granted and refused, and judges from that alone what the gateway may ask and has to answer.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from shared.domain.transport import AnswerLost, OutboundAnswer, SendError
from tests.scenes import TOKEN_URL
from tests.unit.services.surroundings import LOSES_THE_ANSWER, Surroundings

if TYPE_CHECKING:
    from datetime import datetime

    from shared.domain.errors import GatewayError
    from shared.domain.tokens import TokenSet
    from shared.domain.transport import OutboundRequest

LIFE = timedelta(hours=1)
# DEFINITION_CACHE_SECONDS, and how long a cache in trouble serves what it has.
NOTICED_WITHIN = timedelta(seconds=30)
IN_TROUBLE_FOR = timedelta(seconds=60)
SHORTEST_BACK_OFF, TOLD_BACK_OFF = timedelta(seconds=2.5), timedelta(seconds=120)
LONGEST_BACK_OFF = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Issued:
    """An access token that the provider has issued; they are numbered in turn."""

    number: int
    client_id: str
    expires_on: datetime
    refresh_token: str | None


@dataclass(frozen=True, slots=True)
class Verdict:
    """A refusal that stands until somebody signs in, or until the definition it names changes."""

    revision: str | None


class TokenModel(Surroundings):
    """The account of one integration's tokens, kept amid all that happens to it."""

    def __init__(self, grant_type: str) -> None:
        """Begin with the integration stored and nobody signed in."""
        super().__init__()
        self.scene.integrate(grant_type=grant_type)
        self.scene.http.script(TOKEN_URL, self._token_endpoint)
        self.needs_person = grant_type == "authorization_code"
        self.is_signed_in = not self.needs_person
        self.verdict: Verdict | None = None
        self.breaches: list[str] = []
        self._not_before = self.now
        self._issued: dict[str, Issued] = {}
        self._in_force: set[int] = set()
        self._successors: dict[str, str] = {}
        self._voided_with = self._ended_with = 0
        self._to_be_kept = 0
        self._ended_on = self._refused_on = self._outage_on = self.now - LIFE

    @property
    def newest(self) -> Issued | None:
        """The token that the vault holds, or None."""
        kept = self.scene.kept_tokens()
        return self._issued[kept["access_token"]] if kept else None

    def is_at_hand(self, held: Issued | None) -> bool:
        """Tell whether an instance that last answered with `held` has a valid token to answer.

        In its memory, whatever is down; or in the vault, while vault and storage answer.
        """
        if held is not None and self._is_valid(held):
            return True
        kept = self.newest if not self.down else None
        return kept is not None and kept.number in self._in_force and self._is_valid(kept)

    def is_renewable(self) -> bool:
        """Tell whether a sound provider, asked in good time, would renew the token."""
        if not self.is_signed_in or self._is_refused():
            return False
        kept = self.newest
        return not self.needs_person or (
            kept is not None
            and kept.client_id == self._client_id
            and kept.refresh_token is not None
            and kept.refresh_token == self.scene.provider._refresh_token
        )

    def answered(self, tokens: TokenSet, *, since: datetime, is_own_end: bool = False) -> Issued:
        """Judge the answer to a call that began at `since`, and return what was issued."""
        issued = self._issued[tokens.access_token.reveal()]
        self._require(issued.client_id == self._client_id, f"another client's token: {issued}")
        self._require(issued.expires_on > since, f"an expired token: {issued}")
        if issued.number <= self._ended_with:
            until = max(self._ended_on + NOTICED_WITHIN, self.storage_back_on + IN_TROUBLE_FOR)
            is_excused = not is_own_end and (since < until or not self.is_up("storage"))
            self._require(is_excused, f"a token served though it was ended: {issued}")
        return issued

    def failed(self, error: GatewayError, *, since: datetime, must_work: bool = False) -> None:
        """Judge the failure of a call that began at `since`: nobody is blamed without a cause."""
        self._require(not must_work, f"a valid token was refused: {error}")
        for part in ("storage", "vault"):
            if error.kind.code == f"{part}_unavailable":
                self._require(not self.is_up(part), f"the {part} is up: {error}")
        if error.kind.code == "identity_unavailable":
            is_recent = since - self._outage_on <= LONGEST_BACK_OFF
            self._require(is_recent, f"the provider has not failed lately: {error}")
        if error.kind.status == 424:
            is_refused = self._is_refused() or self._refused_on >= since
            needs_person = is_refused or not self.is_signed_in or not self._can_refresh()
            self._require(needs_person, f"time would have helped: {error}")

    def signed_in(self) -> Issued:
        """Note that a person was told of a successful sign-in."""
        self.is_signed_in, self.verdict, self._not_before = True, None, self.now
        newest = max(self._issued.values(), key=lambda issued: issued.number)
        self._in_force.add(newest.number)
        return newest

    def reconnects(self) -> None:
        """Note that an administrator asks for an app's token at once."""
        self.is_signed_in, self.verdict, self._not_before = True, None, self.now

    def deauthorized(self) -> None:
        """Note that nothing that was issued so far may be used any more."""
        self.entrusted_anew()
        self._ended_with, self._ended_on = len(self._issued), self.now
        self.is_signed_in = False

    def entrusted_anew(self) -> None:
        """Note that the definition names another client: nobody need be served with old tokens."""
        self._voided_with = len(self._issued)
        self.is_signed_in = not self.needs_person
        self.verdict, self._not_before = None, self.now

    def judge_state(self, before: str) -> None:
        """Judge the stored status, which was `before`: only a refusal makes it a terminal one."""
        status = self.scene.state().status
        if status in {"needs_sign_in", "misconfigured"} and status != before:
            is_justified = self.verdict is not None or not self._can_refresh()
            self._require(is_justified, f"{before} became {status} without a refusal")

    def judge_vault(self) -> None:
        """Judge what was kept: all that a renewal was granted, unless the vault was down."""
        if self._to_be_kept > self._voided_with and self.is_up("vault"):
            kept = self.newest
            is_kept = kept is not None and kept.number >= self._to_be_kept
            self._require(is_kept, "a renewed grant did not reach the vault")
        self._to_be_kept = 0

    @property
    def _client_id(self) -> str:
        return self.scene.record().definition.client_id

    def _is_valid(self, issued: Issued) -> bool:
        return (
            issued.number > self._voided_with
            and issued.client_id == self._client_id
            and self.now < issued.expires_on
        )

    def _is_refused(self) -> bool:
        verdict = self.verdict
        return verdict is not None and verdict.revision in {None, self.scene.record().revision}

    def _can_refresh(self) -> bool:
        """Tell whether the gateway has something to ask the provider with."""
        kept = self.newest
        return not self.needs_person or (
            kept is not None
            and kept.refresh_token is not None
            and kept.client_id == self._client_id
        )

    def _token_endpoint(self, request: OutboundRequest) -> OutboundAnswer | SendError:
        form = dict(parse_qsl((request.body or b"").decode()))
        is_renewal = form["grant_type"] != "authorization_code"
        if is_renewal:
            self._judge_renewal(form.get("refresh_token"))
        if self.behaviour == "no answer":
            self.scene.clock.advance(seconds=60)
        reply = self.scene.provider(request)
        answer = json.loads(reply.body) if isinstance(reply, OutboundAnswer) else {}
        if "access_token" in answer:
            self._note_grant(form, answer, is_in_force=is_renewal)
        if self.behaviour == LOSES_THE_ANSWER and "access_token" in answer:
            reply = AnswerLost("connection lost")
        if "error" in answer:
            self._refused_on = self.now
        elif isinstance(reply, SendError) or reply.status != 200:
            self._outage_on = self.now
        if is_renewal and self.is_up("storage") and not self.is_dying:
            self._note_outcome(reply, answer)
        return reply

    def _judge_renewal(self, refresh_token: str | None) -> None:
        state = self.scene.state()
        self._require(state.is_leased(self.now), "the provider was asked without the lease")
        self._require(self.is_signed_in, "the provider was asked though nobody is signed in")
        self._require(not self._is_refused(), "a terminal grant was retried")
        self._require(self.now >= self._not_before, "the provider was asked too early")
        kept, successor = self.newest, self._successors.get(refresh_token or "")
        is_lost = successor is None or kept is None or kept.refresh_token != successor
        self._require(is_lost, "a refresh token was traded twice though its successor is stored")

    def _note_grant(
        self, form: dict[str, str], answer: dict[str, str], *, is_in_force: bool
    ) -> None:
        given = answer.get("refresh_token")
        issued = Issued(
            number=len(self._issued) + 1,
            client_id=form["client_id"],
            expires_on=self.now + LIFE,
            refresh_token=given or form.get("refresh_token"),
        )
        self._issued[answer["access_token"]] = issued
        if is_in_force:
            self._in_force.add(issued.number)
        if given and "refresh_token" in form:
            self._successors[form["refresh_token"]] = given
        if is_in_force and self.behaviour != LOSES_THE_ANSWER and not self.is_dying:
            self._to_be_kept = issued.number

    def _note_outcome(self, reply: OutboundAnswer | SendError, answer: dict[str, str]) -> None:
        """Note what the gateway was told and could record."""
        self.verdict, self._not_before = None, self.now
        if "error" in answer:
            by_person = self.needs_person and answer["error"] != "invalid_client"
            self.verdict = Verdict(None if by_person else self.scene.record().revision)
        elif isinstance(reply, SendError) or reply.status == 500:
            self._not_before += SHORTEST_BACK_OFF
        elif reply.status == 429:
            self._not_before += TOLD_BACK_OFF

    def _require(self, condition: bool, breach: str) -> None:  # noqa: FBT001 - reads as assert
        if not condition:
            self.breaches.append(breach)
