"""What a provider's refusal says."""

from __future__ import annotations

import pytest

from shared.domain.identity_errors import explain, numbers_of


@pytest.mark.parametrize(
    ("description", "numbers"),
    [
        ("AADSTS65004: User declined.", [65004]),
        ("AADSTS7000215", [7000215]),
        ("AADSTS: nothing", []),
        ("AADSTS12x", [12]),
        ("AADSTS\u0667: no digit of ours", []),
        ("AADSTS" + "9" * 5000 + ": too many", []),
        ("User declined. AADSTS65004", []),
        (None, []),
    ],
)
def test_number_is_read_from_the_description(description, numbers):
    """On the redirect it stands nowhere else; what is no such number does no harm."""
    assert numbers_of({"error_description": description}) == numbers
    assert explain({"error": "access_denied", "error_description": description})
