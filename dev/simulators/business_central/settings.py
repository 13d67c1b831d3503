"""The limits of the service (bc-api.md section 5), which tests may lower at run time."""

from __future__ import annotations

import msgspec

from dev import sample


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What `POST /_control/settings` can change; the defaults are those of the online service.

    `retry_after_seconds` is sent with a 429 if it is set: the documentation promises none.
    `registered_clients` are the applications listed in "Microsoft Entra applications".
    """

    max_page_size: int = 20_000
    requests_per_window: int = 6_000
    window_seconds: float = 300
    running: int = 5
    queued: int = 95
    queue_seconds: float = 480
    operation_seconds: float = 480
    retry_after_seconds: int | None = None
    registered_clients: tuple[str, ...] = (sample.CLIENT_ID,)

    def changed_by(self, document: object) -> Settings:
        """Return these settings with the members of a JSON object laid over them."""
        changes = msgspec.convert(document, dict[str, object])
        return msgspec.convert(msgspec.structs.asdict(self) | changes, Settings)
