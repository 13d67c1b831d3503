"""Steps of a sign-in, and what must not be found afterwards."""

from __future__ import annotations

import dataclasses

import msgspec

from tests.scenes import CODE, parameters


def begin(scene, services=None):
    """Start a sign-in and return it with the parameters of the provider's page."""
    started = (services or scene.services).authorization.begin(CODE)
    return started, parameters(started.authorization_url)


def stored_text(scene) -> str:
    """Return all that is stored, with the secrets in clear."""
    rows = [*scene.sign_ins.rows.values(), *scene.states.rows.values()]
    secrets = [
        secret.reveal() for each in scene.secrets.versions.values() for secret in each.values()
    ]
    plain = [dataclasses.asdict(row) for row in rows]
    return msgspec.json.encode([plain, secrets]).decode()
