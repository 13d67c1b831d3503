"""The port AssertionSource: the app's managed identity as a federated credential.

learn.microsoft.com/entra/workload-id/workload-identity-federation-config-app-trust-managed-identity
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from azure.core.exceptions import AzureError

from shared.domain.errors import IdentityUnavailable
from shared.domain.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Callable

    from azure.core.credentials import TokenCredential

_TOKEN_EXCHANGE = "api://AzureADTokenExchange/.default"


class ManagedIdentityAssertion:
    """Tokens of the managed identity that Entra takes for the app's proof."""

    def __init__(self, credential: Callable[[], TokenCredential]) -> None:
        """Ask the credential, which is made on first use."""
        self._credential = credential

    def assertion(self) -> Secret:
        """Return a token for api://AzureADTokenExchange; raise IdentityUnavailable."""
        try:
            return Secret(self._credential().get_token(_TOKEN_EXCHANGE).token)
        except AzureError:
            # The SDK's own text may hold addresses.
            raise IdentityUnavailable("The managed identity gave no token.") from None
