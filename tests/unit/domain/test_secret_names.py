"""The names of secrets in the vault."""

from __future__ import annotations

import re

from hypothesis import example, given
from hypothesis import strategies as st

from shared.domain.codes import is_code
from shared.domain.secret_names import client_secret_name, tokens_name
from shared.services.sealing import KEY_NAME

# Codes whose names are nearest to each other: made of the suffixes, with and without underscores.
PARTS = ["A", "B1", "_", "__", "TOKENS", "CLIENT", "SECRET", "GATEWAY", "SEAL", "KEY"]
CODES = st.lists(st.sampled_from(PARTS), min_size=1, max_size=6).map("".join).filter(is_code)


@given(st.sets(CODES, min_size=2, max_size=6))
@example({"A", "A_TOKENS", "A_CLIENT_SECRET", "A_CLIENT", "A_", "A__", "GATEWAY_SEAL_KEY"})
def test_names_of_two_secrets_never_collide(codes):
    """Not even in a vault, which takes upper and lower case for the same."""
    names = [KEY_NAME]
    names += [name_of(code) for name_of in (tokens_name, client_secret_name) for code in codes]

    assert len({name.lower() for name in names}) == len(names)


@given(st.from_regex(r"[A-Z][A-Z0-9_]{0,49}", fullmatch=True))
def test_name_of_a_secret_is_one_that_a_vault_takes(code):
    """learn.microsoft.com/azure/key-vault/general/about-keys-secrets-certificates."""
    for name in (tokens_name(code), client_secret_name(code)):
        assert re.fullmatch(r"[0-9a-zA-Z-]{1,127}", name)
