"""The hours of work that the pictures show: `python -m dev.pictures.past --port N`.

It is a process of the app whose clock is turned back, since an integration shows no activity from
before it was created.
"""

from __future__ import annotations

import argparse
import os
import random
import secrets
import uuid
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from dev import sample
from dev.bench.instruments import TurnedClock
from dev.demo.warehouse_definitions import CUSTOMERS, ENDPOINTS, INTEGRATION, integration
from dev.stack.ports import PortBlock
from shared.bootstrap import build, real_ports
from shared.domain.activity import Batch, CallEntry
from shared.services.activity_counts import ActivityCounts
from shared.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

SANDBOX, WEB_SHOP = "SANDBOX", "WEBSHOP"
HOURS = timedelta(hours=6)
EVERY = timedelta(minutes=2)
# How often nobody calls for a while, and how often a call fails.
_QUIET, _FAILING = 0.25, 0.04


def main() -> None:
    """Store the definitions, and what has happened since."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    stack = PortBlock(parser.parse_args().port)
    settings = Settings.from_mapping(os.environ)
    ports = real_ports(settings)
    clock = TurnedClock(ports.clock)
    now = clock.now()
    clock.turn(-HOURS)
    services = build(settings, replace(ports, clock=clock))
    for document in _integrations(stack, now):
        services.integrations.create(document, by=sample.USER_PRINCIPAL_NAME)
    for endpoint in (*ENDPOINTS, CUSTOMERS):
        services.endpoints.create(INTEGRATION, dict(endpoint), by=sample.USER_PRINCIPAL_NAME)
    calls = list(_calls(clock.now(), now))
    batches = [Batch(id=secrets.token_hex(8), entries=(call,)) for call in calls]
    ports.activity.write(INTEGRATION, batches, ActivityCounts().add(INTEGRATION, calls))


def _integrations(stack: PortBlock, now: datetime) -> Iterator[dict[str, Any]]:
    pattern = integration(stack)
    secret_ends = now + timedelta(days=200)
    yield pattern | {"name": "Warehouse", "client_secret_expires_on": f"{secret_ends:%Y-%m-%d}"}
    secret_ends = now + timedelta(days=12)
    yield pattern | {
        "code": SANDBOX,
        "name": "Warehouse, for trials",
        "environment": sample.ENVIRONMENTS[1],
        "client_secret_expires_on": f"{secret_ends:%Y-%m-%d}",
    }
    yield pattern | {"code": WEB_SHOP, "name": "Web shop"}


def _calls(since: datetime, until: datetime) -> Iterator[CallEntry]:
    """Give calls as flows make them; the same ones each time, but for their ids."""
    chance = random.Random(5)  # noqa: S311 - nothing here is secret
    moment = since
    while moment < until - EVERY:
        moment += EVERY
        if chance.random() < _QUIET:
            continue
        for _ in range(chance.randint(1, 5)):
            endpoint = chance.choice(ENDPOINTS)
            failed = chance.random() < _FAILING
            yield CallEntry(
                moment=moment + timedelta(seconds=chance.randint(0, 110)),
                integration=INTEGRATION,
                endpoint=endpoint["code"],
                method=endpoint["method"],
                status=503 if failed else 200,
                code="upstream_unavailable" if failed else None,
                milliseconds=round(chance.lognormvariate(5.6, 0.5)),
                request_id=str(uuid.uuid4()),
                flow_run=f"0858{chance.randint(10**15, 10**16)}CU12",
            )


if __name__ == "__main__":
    main()
