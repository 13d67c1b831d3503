from datetime import UTC, datetime, timedelta, timezone

import pytest

from dev.host.ncrontab import ScheduleError, parse

# A Sunday.
NOON = datetime(2026, 11, 22, 12, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("expression", "occurrences"),
    [
        pytest.param("* * * * * *", ["11-22 12:00:01", "11-22 12:00:02"], id="every-second"),
        pytest.param("0 */5 * * * *", ["11-22 12:05:00", "11-22 12:10:00"], id="every-5-minutes"),
        pytest.param("*/5 * * * *", ["11-22 12:05:00", "11-22 12:10:00"], id="five-fields"),
        pytest.param("0 5/25 * * * *", ["11-22 12:05:00", "11-22 12:30:00"], id="step-from"),
        pytest.param("0 10-40/15 * * * *", ["11-22 12:10:00", "11-22 12:25:00"], id="step-range"),
        pytest.param("0 40-39 * * * *", ["11-22 12:39:00", "11-22 12:40:00"], id="range-backwards"),
        pytest.param("0 0,30 * * * *", ["11-22 12:30:00", "11-22 13:00:00"], id="list"),
        pytest.param("30 15 9-10 * * *", ["11-23 09:15:30", "11-23 10:15:30"], id="hours"),
        pytest.param("0 0 0 31 * *", ["12-31 00:00:00", "2027-01-31 00:00:00"], id="last-day"),
        pytest.param("0 0 12 * * Mon-Fri", ["11-23 12:00:00", "11-24 12:00:00"], id="weekdays"),
        pytest.param("0 0 12 * * sunday", ["11-29 12:00:00", "12-06 12:00:00"], id="full-name"),
        pytest.param("0 0 12 * * 0", ["11-29 12:00:00", "12-06 12:00:00"], id="sunday-is-0"),
        pytest.param(
            "0 0 0 1 feb,Mar *", ["2027-02-01 00:00:00", "2027-03-01 00:00:00"], id="month"
        ),
        pytest.param(
            "0 0 0 13 * Fri", ["2027-08-13 00:00:00", "2028-10-13 00:00:00"], id="both-days"
        ),
        pytest.param("0 0 0 29 2 *", ["2028-02-29 00:00:00", "2032-02-29 00:00:00"], id="leap-day"),
    ],
)
def test_schedule_occurs_when_ncrontab_says(expression, occurrences):
    """The occurrences after a moment are those of the host's library."""
    schedule = parse(expression)

    first = schedule.next_after(NOON)
    second = schedule.next_after(first)

    assert [first, second] == [
        datetime.fromisoformat(f"{text if text[:2] == '20' else '2026-' + text}+00:00")
        for text in occurrences
    ]


def test_occurrence_is_never_the_moment_itself():
    """An occurrence comes after the moment, be it by less than a second."""
    schedule = parse("0 0 12 * * *")

    assert schedule.next_after(NOON - timedelta(milliseconds=1)) == NOON
    assert schedule.next_after(NOON) == NOON + timedelta(days=1)


def test_schedule_is_in_utc_wherever_the_moment_is_from():
    """The platform's clock is UTC."""
    moment = NOON.astimezone(timezone(timedelta(hours=13)))

    assert parse("0 0 * * * *").next_after(moment) == NOON + timedelta(hours=1)


@pytest.mark.parametrize(
    "expression",
    [
        pytest.param("", id="empty"),
        pytest.param("* * * *", id="too-few-fields"),
        pytest.param("* * * * * * *", id="too-many-fields"),
        pytest.param("00:05:00", id="time-span"),
        pytest.param("60 * * * * *", id="second-60"),
        pytest.param("0 0 24 * * *", id="hour-24"),
        pytest.param("0 0 0 0 * *", id="day-0"),
        pytest.param("0 0 0 * * 7", id="sunday-as-7"),
        pytest.param("0 0 0 ? * *", id="question-mark"),
        pytest.param("0 0 0 L * *", id="last"),
        pytest.param("0 0 0 * * xyz", id="unknown-name"),
        pytest.param("0 mon * * * *", id="name-in-the-wrong-field"),
        pytest.param("0 1, * * * *", id="empty-item"),
        pytest.param("0 */x * * * *", id="bad-step"),
        pytest.param("0 -1 * * * *", id="negative"),
        pytest.param("0 0 0 31 2 *", id="never"),
    ],
)
def test_what_is_no_schedule_is_refused(expression):
    """The host puts a function with such a schedule in error."""
    with pytest.raises(ScheduleError):
        parse(expression)
