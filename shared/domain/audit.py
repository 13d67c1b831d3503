"""Who changed what, and when: an entry tells old and new values, but of a secret only the change.

A definition holds no secret; that of an integration lies in Key Vault and is told by its pointer.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import msgspec

from shared.domain.documents import pointer, to_document

# The app never learns which function key a caller has used.
KEY_HOLDER = "a key"
LINK_HOLDER = "a sign-in link"
UNNAMED_ACCOUNT = "an account without a name"

Action = Literal[
    "created",
    "changed",
    "deleted",
    "sign_in_started",
    "sign_in_link_created",
    "signed_in",
    "connected",
    "deauthorized",
    "key_settled",
]

_ID = re.compile(r"[0-9]{16}-[0-9a-f]{16}")
_LONGEST_VALUE = 2_000
# A property of Table Storage holds 32 K characters, and an entry is more than its changes.
_MOST_BYTES = 30_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_END = 10**16  # in microseconds since then, far beyond all times


class FieldChange(msgspec.Struct, frozen=True, kw_only=True):
    """One field; null where it had or has no value, and always for a secret.

    A long value is shortened: what is left is the beginning of its JSON, and how long it was.
    """

    field: str
    old: Any = None
    new: Any = None
    is_secret: bool = False
    is_shortened: bool = False


class AuditEntry(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody did; in the order of their ids, the latest entries come first."""

    id: str
    moment: datetime
    by: str
    action: Action
    integration: str
    endpoint: str | None = None
    changes: tuple[FieldChange, ...] = ()


SECRET_CHANGE = FieldChange(field="/client_secret", is_secret=True)


def entry_id(moment: datetime, unique: str) -> str:
    """Return the id of an entry of that moment; the later it is, the earlier the id comes."""
    return f"{_END - (moment - _EPOCH) // timedelta(microseconds=1):016}-{unique}"


def is_entry_id(text: str) -> bool:
    """Tell whether this could be the id of an entry."""
    return _ID.fullmatch(text) is not None


def created(definition: msgspec.Struct) -> tuple[FieldChange, ...]:
    """Return the fields that are not as they would be by themselves."""
    defaults = {
        field.name: _json(field.default_factory())
        if field.default_factory is not msgspec.NODEFAULT
        else _json(field.default)
        for field in msgspec.structs.fields(definition)
        if not field.required
    }
    return tuple(
        FieldChange(field=pointer(name), new=value)
        for name, value in to_document(definition).items()
        if defaults.get(name) != _json(value)
    )


def changed(before: msgspec.Struct, after: msgspec.Struct) -> tuple[FieldChange, ...]:
    """Return the fields that differ."""
    old, new = to_document(before), to_document(after)
    return tuple(
        FieldChange(field=pointer(name), old=old[name], new=new[name])
        for name in new
        if _json(old[name]) != _json(new[name])
    )


def deleted(definition: msgspec.Struct) -> tuple[FieldChange, ...]:
    """Return the whole definition, as far as it had values."""
    return tuple(
        FieldChange(field=pointer(name), old=value)
        for name, value in to_document(definition).items()
        if value is not None
    )


def fitted(changes: tuple[FieldChange, ...]) -> tuple[FieldChange, ...]:
    """Shorten long values, and further where all of them together would not fit into a row."""
    longest = _LONGEST_VALUE
    while True:
        kept = tuple(_shortened(each, longest) for each in changes)
        if len(msgspec.json.encode(kept)) <= _MOST_BYTES:
            return kept
        longest //= 2


def _shortened(change: FieldChange, longest: int) -> FieldChange:
    old, new = _short(change.old, longest), _short(change.new, longest)
    if (old, new) == (None, None):
        return change
    return msgspec.structs.replace(
        change,
        old=change.old if old is None else old,
        new=change.new if new is None else new,
        is_shortened=True,
    )


def _short(value: Any, longest: int) -> str | None:
    """Return the beginning of a value that is too long, and None for another."""
    text = value if isinstance(value, str) else _json(value).decode()
    if len(text) <= longest:
        return None
    return f"{text[:longest]}... ({len(text)} characters)"


def _json(value: Any) -> bytes:
    """Encode a value so that equal ones are the same text, and `1` and `true` are not."""
    return msgspec.json.encode(value, order="deterministic")
