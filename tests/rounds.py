"""Many integrations whose tokens are due, and the timer's round over them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from types import MappingProxyType

import msgspec

from shared.domain.secret_names import client_secret_name
from shared.domain.tokens import TokenState


def seed(scene, count, *, prefix="APP", state=MappingProxyType({}), **changes):
    """Store apps whose tokens are in use and due, in another order than that of their codes.

    Each has its code as client id, by which the provider can tell them apart.
    """
    first = scene.integrate(code=f"{prefix}_0", grant_type="client_credentials", **changes)
    secret = scene.secrets.versions[client_secret_name(first.code)]
    scene.integrations.delete(first)
    codes = [f"{prefix}_{number}" for number in range(count)]
    for number, code in enumerate(codes):
        definition = msgspec.structs.replace(first.definition, code=code, client_id=code)
        record = scene.integrations.insert(replace(first, definition=definition))
        scene.secrets.versions[client_secret_name(code)] = secret
        scene.states.put(code, due_state(scene, record, number * 7919 % count, **state), etag=None)
    return codes


def due_state(scene, record, place, **changes):
    """Return the state of a token that is due; one of an earlier place expires sooner."""
    now = scene.clock.now()
    state = TokenState(
        status="authorized",
        generation=1,
        binding=record.binding,
        obtained_on=now - timedelta(hours=1),
        expires_on=now + timedelta(milliseconds=place),
        last_used_on=now,
    )
    return msgspec.structs.replace(state, **changes)


def fire(scene):
    """Let the timer do its round on an instance of its own, as the platform does."""
    return scene.another_instance().due_refresh.run()


def asked_for(scene):
    """Return the codes of the integrations that the provider was asked for, in that order."""
    return [form["client_id"] for form in scene.provider.forms]


def soonest_first(scene):
    """Return the codes of all integrations in the order in which their tokens expire."""
    return sorted(scene.states.rows, key=lambda code: scene.state(code).expires_on)
