"""Calls with an idempotency key, and a service that counts what it executes."""

from __future__ import annotations

from tests.fakes import json_answer
from tests.scenes import BC, serving

KEY = {"idempotency-key": "order-4711"}


class Effects:
    """A service that counts what it executes, and then replies so."""

    def __init__(self, *replies):
        self.count = 0
        self._replies = list(replies)

    def __call__(self, _):
        """Execute, and reply; the last reply is for all that follow."""
        self.count += 1
        reply = self._replies.pop(0) if len(self._replies) > 1 else self._replies[0]
        return reply() if callable(reply) else reply


def posting(*replies, **endpoint):
    """Return a gateway in front of a service that counts, and the count."""
    scene = serving(**endpoint)
    effects = Effects(*(replies or (json_answer({"no": "S-1"}, headers={"etag": 'W/"1"'}),)))
    scene.http.script(BC, effects)
    return scene, effects


def rows(scene):
    """Return what is stored under keys."""
    return list(scene.idempotency.rows.values())


def lose_answer(store, method, error):
    """Let the next write be executed, and then end in the error: its repetition met itself."""
    write = getattr(store, method)

    def written_and_lost(call):
        setattr(store, method, write)
        write(call)
        raise error

    setattr(store, method, written_and_lost)


def break_down():
    """Fail as no code expects it."""
    raise RuntimeError("something broke")
