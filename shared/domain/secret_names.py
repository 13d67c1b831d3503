"""The names of the gateway's secrets in Key Vault, which knows letters, digits and hyphens."""

from __future__ import annotations


def client_secret_name(code: str) -> str:
    """Return the name of an integration's client secret."""
    return f"{code.replace('_', '-')}-client-secret"


def tokens_name(code: str) -> str:
    """Return the name of an integration's tokens."""
    return f"{code.replace('_', '-')}-tokens"
