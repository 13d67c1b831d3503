"""What surrounds one integration, and everything that can go wrong with it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from shared.domain.transport import TimedOut
from tests.fakes import json_answer
from tests.scenes import Scene, refusal

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from tests.fakes import Fake

GRANTS = {
    "rotates": {},
    "keeps the refresh token": {},
    "gives no refresh token": {"refresh_token": None},
    "leaves out expires_in": {"expires_in": None},
    "sends expires_in as text": {"expires_in": "3600"},
}
REFUSALS = {
    "invalid_grant": refusal("invalid_grant", 700082),
    "invalid_client": refusal("invalid_client", 7000215, status=401),
    "consent_required": refusal("consent_required", 65001),
}
OUTAGES = {
    "429": json_answer({}, status=429, headers={"retry-after": "120"}),
    "500": json_answer({}, status=500),
    "no answer": TimedOut("time was up"),
}
LOSES_THE_ANSWER = "loses the answer"
CRASHES = ["asking", "answered", "saved"]
BEHAVIOURS = [*GRANTS, *REFUSALS, *OUTAGES, LOSES_THE_ANSWER]


class Crash(Exception):
    """What stands for the end of a process: no code of the gateway expects it."""


class Surroundings:
    """A gateway's provider, storage and vault, and the ends of its processes."""

    def __init__(self) -> None:
        """Begin with everything sound."""
        self.scene = Scene()
        self.behaviour = "rotates"
        self.is_dying = False
        self.down: set[str] = set()
        self.storage_back_on = self.now - timedelta(days=1)  # it was never away

    @property
    def now(self) -> datetime:
        """The moment."""
        return self.scene.clock.now()

    def behave(self, how: str | None) -> None:
        """Let the provider answer so from now on; None: as before."""
        if how is None:
            return
        self.behaviour = how
        self.scene.provider.instead = (REFUSALS | OUTAGES).get(how)
        self.scene.provider.changes = GRANTS.get(how, {})
        self.scene.provider.is_rotating = "refresh token" not in how

    def take_down(self, part: str) -> None:
        """Let the storage or the vault be down."""
        self.down.add(part)
        for port in self._ports(part):
            port.fail()

    def bring_back(self, part: str) -> None:
        """Let the storage or the vault answer again."""
        if part == "storage" and part in self.down:
            self.storage_back_on = self.now
        self.down.discard(part)
        for port in self._ports(part):
            port.recover()

    def afterwards(self, act: Callable[[], object]) -> None:
        """Let this happen once, while the provider's next answer is on its way."""
        provider = self.scene.provider

        def once() -> None:
            provider.afterwards = lambda: None
            act()

        provider.afterwards = once

    def kill_process(self, step: str) -> None:
        """Let the process that asks the provider next die at a step of its renewal."""
        scene = self.scene

        def die() -> None:
            self.is_dying = True
            for port in (scene.states, scene.secrets, scene.http):
                port.fail(error=Crash())

        if step == "asking":
            scene.http.before("send", die)
        elif step == "answered":
            self.afterwards(die)
        else:
            scene.secrets.before("set", lambda: scene.states.fail(error=Crash()))

    def bury_process(self) -> None:
        """Let everything be as it was for the next process."""
        scene = self.scene
        self.is_dying = False
        self.afterwards(lambda: None)
        for port in (scene.states, scene.secrets, scene.http):
            port._before.clear()
            port.recover()
        for part in self.down:
            self.take_down(part)

    def is_up(self, part: str) -> bool:
        """Tell whether the storage or the vault answers."""
        return part not in self.down

    def _ports(self, part: str) -> tuple[Fake, ...]:
        scene = self.scene
        storage = (scene.integrations, scene.endpoints, scene.states, scene.sign_ins)
        return storage if part == "storage" else (scene.secrets,)
