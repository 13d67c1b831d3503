"""Whatever happens in whatever order: no valid token is refused, no terminal grant retried."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from shared.domain.errors import GatewayError, StorageUnavailable, VaultUnavailable
from tests.builders import CLIENT_ID
from tests.fakes import FakeBackground
from tests.scenes import CODE, UNCONDITIONAL
from tests.unit.services.surroundings import BEHAVIOURS, CRASHES, Crash
from tests.unit.services.token_model import TokenModel

if TYPE_CHECKING:
    from shared.bootstrap import Services
    from shared.domain.tokens import TokenSet
    from tests.unit.services.token_model import Issued


class Instance:
    """One process of the app, and the last token that a call got from it."""

    def __init__(self, model: TokenModel) -> None:
        """Start it, with threads of its own."""
        self.background = model.scene.background = FakeBackground()
        self.services: Services = model.scene.another_instance()
        self.tokens: TokenSet | None = None
        self.held: Issued | None = None


INSTANCES = st.sampled_from([0, 1])
ONE_OR_BOTH = st.sampled_from([(0,), (1,), (0, 1), (1, 0)])
BEHAVIOUR = st.sampled_from([None] * 6 + BEHAVIOURS)  # None: as before
PARTS = st.sampled_from(["storage", "vault"])
# A cache's life is 30 s, a lease's 90 s, and a forced refresh counts for 300 s.
MOMENTS = st.sampled_from([0, 1, 5, 15, 29, 31, 91, 299, 301])
# A token lives for 3600 s, and its refresh begins 900 s ahead of its end; idle ones are touched
# weekly.
AGES = st.sampled_from([3600, 2700, 2699, 3599, 8 * 86400])


class TokenMachine(RuleBasedStateMachine):
    """Two instances, a strict provider, and everything that can happen to them."""

    @initialize(grant_type=st.sampled_from(["authorization_code", "client_credentials"]))
    def start(self, grant_type):
        """Store an integration and start two instances."""
        self.model = TokenModel(grant_type)
        self.instances = [Instance(self.model), Instance(self.model)]
        self.ended_by: Instance | None = None
        self.generation, self.status = 0, "none"
        self.person_signs_in(at=0)

    @rule(part=PARTS, when=st.sampled_from(["now", "with the next answer"]))
    def outage_begins(self, part, when):
        """Take a part of the platform away, perhaps while the provider answers."""
        if when == "now":
            self.model.take_down(part)
        else:
            self.model.afterwards(lambda: self.model.take_down(part))

    @rule(part=PARTS)
    def outage_ends(self, part):
        """Give a part of the platform back."""
        self.model.bring_back(part)

    @rule(at=INSTANCES, is_held=st.booleans())
    def threads_lag_or_catch_up(self, at, is_held):
        """Let an instance's background work wait, or do what has waited."""
        if is_held:
            self.instances[at].background.is_held = True
        else:
            self.instances[at].background.release()

    @rule(where=ONE_OR_BOTH, seconds=MOMENTS, how=BEHAVIOUR)
    def calls_come_soon(self, where, seconds, how):
        """Let moments pass, and run calls."""
        self._calls(where, seconds, how)

    @rule(where=ONE_OR_BOTH, seconds=AGES, how=BEHAVIOUR)
    def calls_come_when_tokens_have_aged(self, where, seconds, how):
        """Let so much time pass that tokens are due or expired, and run calls."""
        self._calls(where, seconds, how)

    @rule(at=INSTANCES, how=BEHAVIOUR)
    def upstream_refuses(self, at, how):
        """Let Business Central refuse the token that a call has used."""
        self.model.behave(how)
        instance, since = self.instances[at], self.model.now
        refused, calls = instance.tokens, self.model.scene.provider.calls
        if refused is None or refused.binding != self.model.scene.record().binding:
            return
        try:
            tokens = instance.services.tokens.after_refusal(self.model.scene.record(), refused)
        except GatewayError as error:
            self.model.failed(error, since=since)
        else:
            if tokens is not None:
                assert tokens.access_token != refused.access_token
                self._take(instance, tokens, since)
        assert self.model.scene.provider.calls <= calls + 1

    @rule(at=INSTANCES)
    def timer_goes_off(self, at):
        """Run a round of the timer, which fails only where it cannot look."""
        with suppress(StorageUnavailable):
            self.instances[at].services.due_refresh.run()

    @rule(at=INSTANCES)
    def person_signs_in(self, at):
        """Sign in, or connect an app."""
        instance, scene = self.instances[at], self.model.scene
        with suppress(GatewayError):
            if self.model.needs_person:
                scene.sign_in(services=instance.services)
                instance.held = self.model.signed_in()
            elif self.model.is_up("storage"):
                self.model.reconnects()
                instance.services.authorization.begin(CODE)

    @rule(at=INSTANCES)
    def person_deauthorizes(self, at):
        """End the sign-in: here at once, elsewhere within the cache's life."""
        instance = self.instances[at]
        if self.model.is_up("storage"):
            self.model.deauthorized()
            self.ended_by, instance.held = instance, None
        with suppress(VaultUnavailable, StorageUnavailable):
            instance.services.sign_off.deauthorize(self.model.scene.record())

    @rule(at=INSTANCES, client_id=st.sampled_from([CLIENT_ID, "another-client"]))
    def definition_changes(self, at, client_id):
        """Correct the secret, or name another client as well, which voids the tokens."""
        for instance in self.instances:
            instance.background.release()  # work with the former definition may ask once more
        before = self.model.scene.record().binding
        changes = {"client_id": client_id, "client_secret": "the new one"}
        with suppress(VaultUnavailable, StorageUnavailable):
            self.instances[at].services.integrations.patch(CODE, changes, UNCONDITIONAL)
        if self.model.scene.record().binding != before:
            self.model.entrusted_anew()

    @rule(at=INSTANCES, step=st.sampled_from(["idle", *CRASHES]))
    def process_restarts(self, at, step):
        """End a process, perhaps in the middle of a renewal, and start it anew."""
        if step != "idle":
            self._crash(at, step)
        self.instances[at] = Instance(self.model)

    @rule(at=INSTANCES)
    def calm_returns(self, at):
        """Give everything back: calls go on by themselves, unless somebody has to sign in."""
        for part in ("storage", "vault"):
            self.model.bring_back(part)
        self.model.afterwards(lambda: None)
        self.model.behave("rotates")
        self.model.scene.clock.advance(seconds=301)  # the longest back-off
        if not self.model.is_renewable():
            self.person_signs_in(at)
        self._call(at, must_work=True)

    @invariant()
    def nothing_was_breached(self):
        """Judge what the provider was asked, and what the state became."""
        state = self.model.scene.states.rows.get(CODE)
        self.model.judge_vault()
        if state is not None:
            self.model.judge_state(self.status)
            assert state.state.generation >= self.generation
            self.generation, self.status = state.state.generation, state.state.status
        assert self.model.breaches == []
        for instance in self.instances:
            for error in instance.background.errors:
                assert isinstance(error, (GatewayError, Crash)), error

    def _calls(self, where, seconds, how):
        self.model.scene.clock.advance(seconds=seconds)
        self.model.behave(how)
        for at in where:
            self._call(at, must_work=self.model.is_at_hand(self.instances[at].held))

    def _call(self, at, *, must_work):
        instance, since = self.instances[at], self.model.now
        try:
            tokens = instance.services.tokens.for_call(self.model.scene.record())
        except GatewayError as error:
            self.model.failed(error, since=since, must_work=must_work)
        else:
            self._take(instance, tokens, since)

    def _crash(self, at, step):
        self.model.kill_process(step)
        with suppress(Crash, GatewayError):
            self.instances[at].services.tokens.for_call(self.model.scene.record())
        self.model.bury_process()

    def _take(self, instance, tokens, since):
        is_own_end = instance is self.ended_by
        instance.tokens = tokens
        instance.held = self.model.answered(tokens, since=since, is_own_end=is_own_end)


TestTokenMachine = TokenMachine.TestCase
