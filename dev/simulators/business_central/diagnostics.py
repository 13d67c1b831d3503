"""Procedures of the codeunit that touch no record: one for each thing a caller may meet."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from dev.simulators.business_central.errors import ODataError, al_error

if TYPE_CHECKING:
    from dev.simulators.business_central.actions import Session


def ping(_session: Session, value: int) -> int:
    """Return the number."""
    return value


def echo(_session: Session, text: str) -> str:
    """Return the text."""
    return text


def get_decimal(_session: Session) -> Decimal:
    """Return more digits than a binary float holds."""
    return Decimal("1234567890.123456789")


def delay(session: Session, milliseconds: int) -> None:
    """Wait; a call that outlasts the operation timeout is cancelled with 408."""
    limit = session.settings.operation_seconds
    session.sleep(min(milliseconds / 1000, limit))
    if milliseconds / 1000 > limit:
        # The code of this answer is not documented.
        raise ODataError(408, "Unknown", "The operation was cancelled because it took too long.")


def raise_error(_session: Session, message: str) -> None:
    """Fail as AL code does."""
    raise al_error(message)
