"""Changes of level reach the log that alerts are set on: once, failure and recovery alike."""

from __future__ import annotations

import json

from tests.e2e.foreign.shop import endpoint
from tests.e2e.gateway import problem
from tests.e2e.processes import wait_until


def events(stack, name, **fields):
    """Return what instance 1, whose timer runs, has logged under this name."""
    lines = (stack.logs / "host-1.log").read_text(encoding="utf-8").splitlines()
    marked = (line[line.index('{"event"') :] for line in lines if f'{{"event":"{name}"' in line)
    told = [json.JSONDecoder().raw_decode(text)[0] for text in marked]
    return [event for event in told if fields.items() <= event.items()]


def run_timer(gateway, stack):
    """Let the timer run, and wait for the end of its round."""
    rounds = len(events(stack, "refresh_round"))
    gateway.run_timer()
    wait_until(lambda: len(events(stack, "refresh_round")) > rounds, 20, "the round has ended")


def test_end_of_a_sign_in_and_recovery_are_told_once(gateway, stack, shop):
    """The status tells the level on every instance, and the timer's instance logs its changes."""
    gateway.store(shop.for_person(), endpoint())
    gateway.sign_in(shop.code)
    levels = [gateway.status(shop.code)["level"]]

    shop.provider.grants.revoke_all()
    answer = gateway.invoke(f"{shop.code}/ORDERS", method="GET", instance=2)
    problem(answer, 424, "sign_in_required")
    for _ in range(2):
        run_timer(gateway, stack)
    status = gateway.status(shop.code)
    levels.append(status["level"])

    gateway.sign_in(shop.code, instance=2)
    for _ in range(2):
        run_timer(gateway, stack)
    levels.append(gateway.status(shop.code)["level"])

    assert levels == ["ok", "action_needed", "ok"]
    assert [found["code"] for found in status["findings"]] == ["sign_in_required"]
    told = events(stack, "level_changed", integration=shop.code)
    assert [(event["from"], event["to"], event["reasons"]) for event in told] == [
        ("ok", "action_needed", ["sign_in_required"]),
        ("action_needed", "ok", []),
    ]
