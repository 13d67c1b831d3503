"""What the services need from the outside; the adapters and the tests' fakes keep these promises.

Every call to a store or the vault may raise StorageUnavailable or VaultUnavailable: the service
behind it is down, slow, throttled, or refuses the app. So may a call that needs one row which
cannot be read, being damaged or of another version; lists log its partition and leave it out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime

    from shared.domain.activity import Batch
    from shared.domain.activity_tally import RollUp
    from shared.domain.audit import AuditEntry
    from shared.domain.idempotency import StoredCall
    from shared.domain.records import (
        SignIn,
        StoredEndpoint,
        StoredIntegration,
        StoredTokenState,
    )
    from shared.domain.secret import Secret
    from shared.domain.tokens import TokenState
    from shared.domain.transport import OutboundAnswer, OutboundRequest


class Conflict(Exception):
    """A row is not as the writer believed: it exists already, changed meanwhile, or is gone."""


class IntegrationStore(Protocol):
    """The stored integrations."""

    def get(self, code: str) -> StoredIntegration | None:
        """Return the integration, or None."""

    def list(self, *, after: str, limit: int) -> list[StoredIntegration]:
        """Return up to `limit` readable integrations whose codes come after `after`, in order."""

    def insert(self, record: StoredIntegration) -> StoredIntegration:
        """Store a new integration and return it with its ETag; raise Conflict if it exists."""

    def replace(self, record: StoredIntegration) -> StoredIntegration:
        """Store it over the row that still has its ETag; raise Conflict otherwise."""

    def delete(self, record: StoredIntegration) -> None:
        """Remove the row that still has its ETag; raise Conflict if it changed."""


class EndpointStore(Protocol):
    """The stored endpoints, each under its integration."""

    def get(self, integration: str, code: str) -> StoredEndpoint | None:
        """Return the endpoint, or None."""

    def list(self, integration: str, *, after: str, limit: int) -> list[StoredEndpoint]:
        """Return up to `limit` readable endpoints whose codes come after `after`, in order."""

    def insert(self, record: StoredEndpoint) -> StoredEndpoint:
        """Store a new endpoint and return it with its ETag; raise Conflict if it exists."""

    def replace(self, record: StoredEndpoint) -> StoredEndpoint:
        """Store it over the row that still has its ETag; raise Conflict otherwise."""

    def delete(self, record: StoredEndpoint) -> None:
        """Remove the row that still has its ETag; raise Conflict if it changed."""

    def delete_all(self, integration: str) -> None:
        """Remove every endpoint of the integration."""


class TokenStateStore(Protocol):
    """What is known about each integration's tokens, shared by all instances."""

    def get(self, integration: str) -> StoredTokenState | None:
        """Return the state, or None where nothing was ever stored."""

    def between(self, first: str, last: str) -> dict[str, TokenState]:
        """Return the readable states of the integrations from `first` to `last`, by code."""

    def put(self, integration: str, state: TokenState, *, etag: str | None) -> StoredTokenState:
        """Store the state over the row with `etag`, or as a new row for None; raise Conflict."""

    def delete(self, integration: str) -> None:
        """Remove the row, if there is one."""


class SignInStore(Protocol):
    """Sign-ins under way and sign-in links."""

    def insert(self, sign_in: SignIn) -> None:
        """Store it; its key is random, so that there is none like it."""

    def take(self, key: str) -> SignIn | None:
        """Return it and make sure that nobody gets it again, on any instance; None if gone."""

    def delete_for(self, integration: str) -> None:
        """Remove every one of the integration."""

    def delete_expired(self, now: datetime) -> None:
        """Remove those whose time is over."""


class IdempotencyStore(Protocol):
    """Calls with an idempotency key, each under its integration and the key's hash."""

    def get(self, integration: str, key_hash: str) -> StoredCall | None:
        """Return the call, or None."""

    def insert(self, call: StoredCall) -> StoredCall:
        """Store a new call and return it with its ETag; raise Conflict if the key is taken."""

    def replace(self, call: StoredCall) -> StoredCall:
        """Store it over the row that still has its ETag; raise Conflict otherwise."""

    def delete(self, call: StoredCall) -> None:
        """Remove the row that still has its ETag; raise Conflict if it changed."""

    def delete_for(self, integration: str) -> None:
        """Remove every call of the integration."""

    def delete_expired(self, now: datetime, *, limit: int) -> None:
        """Remove up to `limit` of those whose time is over."""


class ActivityStore(Protocol):
    """Calls and token events, and their numbers; a partition is an integration, or `_`."""

    def write(self, partition: str, batches: Sequence[Batch], roll_ups: Sequence[RollUp]) -> None:
        """Store them, each over what is there under its id: to write twice changes nothing."""

    def batches(
        self, partition: str, *, since: datetime, until: datetime | None = None
    ) -> Iterator[Batch]:
        """Give the batches whose newest entries lie in between, those with the newest first."""

    def roll_ups(self, partition: str, *, since: datetime) -> Iterator[RollUp]:
        """Give those of the slots that began then or later."""

    def partitions(self, *, after: str, limit: int) -> list[str]:
        """Return up to `limit` partitions that hold something and come after `after`, in order."""

    def delete_before(self, partition: str, moment: datetime, *, limit: int) -> int:
        """Remove up to about `limit` rows of before then; return how many there were."""


class AuditStore(Protocol):
    """Who changed what, of all integrations."""

    def write(self, entry: AuditEntry) -> None:
        """Store it, over what is there under its id: to write twice changes nothing."""

    def list(
        self, *, after: str, limit: int, integration: str | None, endpoint: str | None
    ) -> list[AuditEntry]:
        """Return up to `limit` readable entries whose ids come after `after`, in order.

        Those of one integration or endpoint, where one is named.
        """

    def delete_for(self, integration: str) -> None:
        """Remove every one of the integration."""


class SecretStore(Protocol):
    """Secrets by name, each written whole; every write makes a new version."""

    def get(self, name: str, version: str | None = None) -> Secret | None:
        """Return the secret (its newest version, if none is named), or None."""

    def set(self, name: str, secret: Secret) -> str:
        """Store the secret, whatever was under the name before, and return its version."""

    def forget(self, name: str) -> None:
        """Overwrite the secret and delete it; nothing happens if there is none."""


class HttpClient(Protocol):
    """Sends requests to identity providers and upstream services."""

    def send(
        self, request: OutboundRequest, *, timeout_seconds: float, max_bytes: int
    ) -> OutboundAnswer:
        """Return the answer, whatever its status; redirects are not followed.

        The timeout bounds the whole exchange, a dripping answer too. Raises a SendError.
        """


class AssertionSource(Protocol):
    """Gives the managed identity's token that stands for the app at Entra."""

    def assertion(self) -> Secret:
        """Return a token for api://AzureADTokenExchange; raise IdentityUnavailable."""


class Clock(Protocol):
    """The time, and waiting."""

    def now(self) -> datetime:
        """Return the moment in UTC."""

    def sleep(self, seconds: float) -> None:
        """Wait."""


class Background(Protocol):
    """Runs work off the caller's path."""

    def submit(self, work: Callable[[], None]) -> None:
        """Run `work` soon; its errors are logged, never raised."""


class Probe(Protocol):
    """Asks a dependency whether it answers."""

    def ping(self) -> None:
        """Return if it does; raise an Unavailable error otherwise."""
