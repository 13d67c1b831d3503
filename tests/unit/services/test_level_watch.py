"""Changes of level are told once, failure and recovery alike."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass

import pytest
from msgspec.structs import replace

from shared.domain.errors import StorageUnavailable
from shared.ports import Conflict
from shared.services.level_watch import LevelWatch
from shared.services.token_states import TokenStates
from tests.fakes import json_answer
from tests.scenes import CODE, TOKEN_URL, UNCONDITIONAL, Scene, failure, refusal


@dataclass
class Bench:
    """A gateway, the watch on two of its instances, and what was logged."""

    scene: Scene
    caplog: pytest.LogCaptureFixture

    def look(self, times=1):
        """Let one instance after the other look, as their timers do."""
        for _ in range(times):
            self.watch().look(self.scene.record(), self.scene.state())

    def watch(self) -> LevelWatch:
        """Return the watch of one more instance."""
        token_call = self.scene.settings.token_call
        states = TokenStates(self.scene.states, self.scene.clock, token_call=token_call)
        return LevelWatch(self.scene.integrations, states, self.scene.clock)

    def told(self):
        """Return what was told so far: log level, level before and after, and the reasons."""
        events = [(each.levelname, each.message) for each in self.caplog.records]
        lines = [(name, json.loads(text)) for name, text in events if '"level_changed"' in text]
        assert {line["integration"] for _, line in lines} <= {CODE}
        return [(name, line["from"], line["to"], line["reasons"]) for name, line in lines]

    def end_sign_in(self):
        """Let the provider refuse the sign-in."""
        self.scene.provider.instead = refusal("invalid_grant", 700082)
        self.scene.clock.advance(minutes=60)
        failure(self.scene.token)
        self.scene.provider.instead = None


ENDED = ("ERROR", "ok", "action_needed", ["sign_in_required"])
RECOVERED = ("INFO", "action_needed", "ok", [])


@pytest.fixture
def bench(signed_in, caplog):
    """Return a gateway with a person signed in."""
    caplog.set_level(logging.INFO, logger="gateway")
    return Bench(signed_in, caplog)


def test_nothing_is_written_or_told_while_nothing_changes(bench):
    """The timer looks at thousands of integrations every five minutes."""
    calls = bench.scene.states.calls.copy()

    bench.look(times=3)

    assert bench.told() == []
    assert bench.scene.states.calls == calls


def test_failure_and_recovery_are_told_once(bench):
    """However often it is looked at, and by however many instances."""
    bench.end_sign_in()
    bench.look(times=3)
    bench.scene.sign_in()
    bench.look(times=3)

    assert bench.told() == [ENDED, RECOVERED]


def test_warning_is_told_as_one(bench):
    """An outage that lasts: nobody has to act, and the log level says so."""
    bench.scene.http.on(TOKEN_URL, json_answer({}, status=503))
    bench.scene.clock.advance(minutes=60)
    failure(bench.scene.token)

    bench.look(times=2)

    assert bench.told() == [("WARNING", "ok", "warning", ["renewals_failing"])]


def test_worsening_is_told_too(bench):
    """From a warning to a need for action is another change."""
    bench.scene.services.integrations.patch(
        CODE, {"client_secret_expires_on": "2026-04-01"}, UNCONDITIONAL
    )
    for days in (0, 10, 14):
        bench.scene.clock.advance(days=days)
        bench.scene.token()
        bench.look()

    assert bench.told() == [
        ("WARNING", "ok", "warning", ["client_secret_expires"]),
        ("ERROR", "warning", "action_needed", ["client_secret_expires"]),
    ]


def test_two_watchers_at_the_same_time_tell_it_once(bench):
    """Both have seen the change, one has written it."""
    bench.end_sign_in()
    bench.scene.states.before("put", bench.look)

    bench.look()

    assert bench.told() == [ENDED]


@pytest.mark.parametrize("is_changed_since", [False, True], ids=["untouched", "changed since"])
def test_change_whose_answer_was_lost_is_told_once(bench, monkeypatch, is_changed_since):
    """The SDK sends the write again, and meets what it has written itself."""
    bench.end_sign_in()
    put = bench.scene.states.put

    def put_twice(integration, state, *, etag):
        monkeypatch.undo()
        row = put(integration, state, etag=etag)
        if is_changed_since:
            put(integration, replace(state, last_used_on=bench.scene.clock.now()), etag=row.etag)
        raise Conflict(integration)

    monkeypatch.setattr(bench.scene.states, "put", put_twice)

    bench.look(times=2)

    assert bench.told() == [ENDED]


def test_recovery_during_the_look_is_nothing_to_tell(bench):
    """What is stored counts, not what the watcher had read before."""
    bench.end_sign_in()
    seen = bench.scene.state()
    bench.scene.sign_in()

    bench.watch().look(bench.scene.record(), seen)

    assert bench.told() == []


def test_renewal_during_the_look_is_not_undone(bench):
    """The watcher writes the level into what is there by then."""
    bench.end_sign_in()
    bench.scene.states.before("put", bench.scene.sign_in)

    bench.look()

    assert bench.scene.state().status == "authorized"
    assert bench.told() == []


def change_identity(scene):
    """Let the integration sign in as another app, which voids its sign-in."""
    changes = {"client_id": "22222222-2222-2222-2222-222222222222", "client_secret": "x"}
    scene.services.integrations.patch(CODE, changes, UNCONDITIONAL)


def test_sign_in_of_a_deleted_integration_is_not_told_of(bench):
    """It is nobody's any more, and no row is made for it."""
    bench.end_sign_in()
    seen, record = bench.scene.state(), bench.scene.record()
    bench.scene.services.integrations.delete(CODE, UNCONDITIONAL)

    bench.watch().look(record, seen)

    assert bench.told() == []
    assert bench.scene.states.rows == {}


VOID = ("ERROR", "ok", "action_needed", ["not_signed_in"])


@pytest.mark.parametrize("is_dropped", [True, False], ids=["dropped", "not dropped in an outage"])
def test_sign_in_that_a_change_of_identity_voids_is_told(bench, is_dropped):
    """Callers fail from then on, until somebody signs in."""
    if not is_dropped:
        bench.scene.states.fail("put")
    change_identity(bench.scene)
    bench.scene.states.recover()
    bench.look(times=2)
    bench.scene.sign_in()
    bench.look(times=2)

    assert bench.told() == [VOID, RECOVERED]


def test_sign_in_to_a_definition_that_is_newer_than_the_one_seen_is_well(bench):
    """Tokens that the definition of some minutes ago would take for void."""
    seen = bench.scene.record()
    change_identity(bench.scene)
    bench.scene.sign_in()

    bench.watch().look(seen, bench.scene.state())

    assert bench.told() == []


def test_recovery_is_told_after_a_change_of_identity(bench):
    """What was told before is known through the emptied state."""
    bench.end_sign_in()
    bench.look()
    changes = {"scope": "x", "revocation_url": "https://idp.example.com/revoke"}
    bench.scene.services.integrations.patch(CODE, changes | {"client_secret": "new"}, UNCONDITIONAL)
    bench.scene.sign_in()
    bench.look()

    assert bench.told() == [ENDED, RECOVERED]


def test_deauthorization_is_told_and_recovers_by_a_sign_in(bench):
    """Callers fail from then on: whoever looks after them wants to know."""
    bench.scene.services.sign_off.deauthorize(bench.scene.record())
    bench.look(times=2)
    bench.scene.sign_in()
    bench.look()

    assert bench.told() == [("ERROR", "ok", "action_needed", ["deauthorized"]), RECOVERED]


def test_outage_of_the_storage_is_for_the_round_to_tell(bench):
    """Nothing is told before it is written, so that it is told once."""
    bench.end_sign_in()
    bench.scene.states.fail("put")
    with pytest.raises(StorageUnavailable):
        bench.look()
    bench.scene.states.recover()

    bench.look()

    assert bench.told() == [ENDED]


def test_timer_looks(bench):
    """As part of its round, without anything to renew."""
    bench.end_sign_in()

    bench.scene.another_instance().due_refresh.run()

    assert bench.told() == [ENDED]


EXPIRES_SOON = {"client_secret_expires_on": "2026-03-12"}
NEW_APP = {"grant_type": "client_credentials"}


@pytest.fixture
def new(scene, caplog):
    """Return a gateway without any integration."""
    caplog.set_level(logging.INFO, logger="gateway")
    return Bench(scene, caplog)


def fire(bench, times=1):
    """Let the timer run, on one instance after the other."""
    for _ in range(times):
        bench.scene.another_instance().due_refresh.run()


@pytest.mark.parametrize(
    "definition",
    [
        {},
        EXPIRES_SOON,
        {"client_secret": None},
        NEW_APP,
        NEW_APP | {"client_secret": None},
        NEW_APP | {"client_auth": "managed_identity", "client_secret": None},
    ],
    ids=["person", "secret expires", "no secret", "app", "app without secret", "managed identity"],
)
def test_new_integration_raises_no_alert_and_gets_no_row(new, definition):
    """Whoever sets it up sees in the status what is missing."""
    new.scene.integrate(**definition)

    fire(new)

    assert new.told() == []
    assert new.scene.states.rows == {}


def test_new_integration_that_is_corrected_raises_no_alert(new):
    """There was no sign-in that the change could have voided."""
    new.scene.integrate()
    change_identity(new.scene)

    fire(new)

    assert new.told() == []


def test_secret_of_an_app_that_nobody_has_used_is_told_of(new):
    """It needs no sign-in: it is ready, and callers may count on it tomorrow."""
    new.scene.integrate(**NEW_APP | EXPIRES_SOON)
    fire(new, times=2)
    changes = {"client_secret": "new", "client_secret_expires_on": "2028-03-01"}
    new.scene.services.integrations.patch(CODE, changes, UNCONDITIONAL)
    fire(new, times=2)

    assert new.told() == [
        ("WARNING", "ok", "warning", ["client_secret_expires"]),
        ("INFO", "warning", "ok", []),
    ]
    assert new.scene.token() == "access-1"


def test_level_that_the_round_itself_mends_is_not_told(bench):
    """The token had expired, and is renewed a moment later."""
    bench.scene.provider.instead = json_answer({}, status=503)
    bench.scene.clock.advance(minutes=61)
    failure(bench.scene.token)
    bench.scene.provider.instead = None
    bench.scene.clock.advance(seconds=30)

    fire(bench)

    assert bench.told() == []


def test_what_a_round_meets_is_told_in_the_same_round(bench):
    """Five minutes earlier than the next one would."""
    bench.scene.provider.instead = refusal("invalid_grant", 700082)
    bench.scene.clock.advance(minutes=60)

    fire(bench)

    assert bench.told() == [ENDED]
