"""What Key Vault has of a sign-in, and what the provider's own books say of it."""

from __future__ import annotations

import shutil
import time
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import msgspec

from dev.sample import CLIENT_ID
from dev.simulators.entra.errors import EntraError
from dev.simulators.entra.grants import Grants
from dev.simulators.key_vault.store import Vault
from shared.domain.secret import Secret
from shared.domain.secret_names import tokens_name
from shared.domain.tokens import Freshness, TokenSet

if TYPE_CHECKING:
    from dev.simulators.entra.grants import Grant
    from dev.soak.stage import Stage

_NOW = partial(datetime.now, UTC)
_POLL_SECONDS = 0.1


def kept_tokens(stage: Stage, code: str) -> TokenSet:
    """Give the tokens of an integration as Key Vault has them."""
    folder = stage.stack.folder / "state" / "key-vault"
    vault = Vault(folder, now=_NOW, allow_purge=False)
    tokens = TokenSet.from_secret(Secret(vault.find(tokens_name(code)).version().value))
    if tokens is None:
        raise msgspec.ValidationError(f"{code} has no tokens")
    return tokens


def wait_until_expired(stage: Stage, *codes: str) -> None:
    """Wait until the gateway does not use the access tokens of these integrations any more."""
    for code in codes:
        while kept_tokens(stage, code).freshness(_NOW(), timedelta(0)) is not Freshness.EXPIRED:
            time.sleep(_POLL_SECONDS)


def is_lost(stage: Stage, code: str) -> bool:
    """Tell whether the provider would refuse the refresh token that Key Vault has.

    A copy of its books is asked: the question alone may end a grant.
    """
    token = kept_tokens(stage, code).refresh_token
    assert token is not None  # noqa: S101 - every sign-in of the rounds gives one
    with TemporaryDirectory() as folder:
        books = shutil.copy(stage.stack.folder / "state" / "entra-grants.json", folder)
        grants = Grants(Path(books), _NOW)
        try:
            grants.refresh(
                token.reveal(), client_id=CLIENT_ID, rotate=False, strict=True, check=_no_policy
            )
        except EntraError:
            return True
    return False


def _no_policy(_grant: Grant) -> None:
    """Let nothing but the books themselves speak against a grant."""
