"""Headers between caller and upstream."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from shared.domain.headers import for_caller, retry_after_seconds

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
DAY = 24 * 3600


def test_headers_worth_having_come_back():
    """Under their usual names, and no others."""
    headers = {"etag": 'W/"1"', "set-cookie": "a=b", "connection": "close", "request-id": "7"}

    assert for_caller(headers) == {"ETag": 'W/"1"', "request-id": "7"}


@pytest.mark.parametrize("value", ["a\r\nSet-Cookie: b=c", "a\0", "a\x7f", "caf\u00e9", "\u2028"])
def test_value_that_http_does_not_allow_is_left_out(value):
    """A server that sends such a thing does not get it into the gateway's own answer."""
    headers = {"content-disposition": value, "etag": "1"}

    assert for_caller(headers) == {"ETag": "1"}


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (None, None),
        ("", None),
        ("7", 7),
        (" 7 ", 7),
        ("0", 0),
        ("99999999", DAY),
        ("9" * 5000, DAY),
        ("-1", None),
        ("1.5", None),
        ("\u0667", None),
        ("soon", None),
        ("Mon, 02 Mar 2026 08:01:00 GMT", 60),
        ("Mon, 02 Mar 2026 08:01:00 -0000", 60),
        ("Mon, 02 Mar 2026 07:00:00 GMT", 0),
        ("Fri, 31 Dec 9999 23:59:59 GMT", DAY),
        (f"Mon, 02 Mar 2026 {'9' * 30}:00:00 GMT", None),
        (f"Mon, 02 Mar {'9' * 30} 08:00:00 GMT", None),
    ],
)
def test_retry_after_is_read_in_both_forms(value, seconds):
    """And means nothing where it has neither."""
    assert retry_after_seconds(value, NOW) == seconds
