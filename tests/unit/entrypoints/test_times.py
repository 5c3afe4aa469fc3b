"""Times in every spelling of RFC 3339, and none besides."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payflowx.entrypoints.api.times import parse_time_ms

SAME = 1_795_737_600_123
"""2026-11-27T00:00:00.123Z."""


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-27T00:00:00.123Z",
        "2026-11-27T00:00:00.123456789Z",
        "2026-11-27T00:00:00.123999999999999999999999999999Z",
        "2026-11-27t00:00:00.123z",
        "2026-11-27 00:00:00.123Z",
        "2026-11-27T00:00:00.123+00:00",
        "2026-11-27T00:00:00.123-00:00",
        "2026-11-27T05:30:00.123+05:30",
        "2026-11-26T12:00:00.123-12:00",
        "2026-11-27T23:59:00.1239+23:59",
    ],
)
def test_one_time_in_many_spellings(text: str) -> None:
    assert parse_time_ms(text) == SAME


@pytest.mark.parametrize(
    ("text", "milliseconds"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("2026-11-27T00:00:00.1Z", SAME - 23),
        ("2016-12-31T23:59:60Z", 1_483_228_800_000),
        ("2016-12-31T23:59:60.5Z", 1_483_228_800_500),
        ("2017-01-01T05:29:60+05:30", 1_483_228_800_000),
        ("9999-12-31T23:59:60Z", 253_402_300_800_000),
    ],
)
def test_fractions_and_leap_seconds(text: str, milliseconds: int) -> None:
    assert parse_time_ms(text) == milliseconds


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            "now",
            "2026-11-27",
            "2026-11-27T00:00Z",
            "2026-11-27T00:00:00",
            "20261127T000000Z",
            "2026-W48-5T00:00:00Z",
        ),
        *("2026-11-27T24:00:00Z", "2026-02-30T00:00:00Z", "2026-11-27T00:00:61Z", "2026-11-27T00:60:00Z"),
        *("2026-11-27T00:00:00,1Z", "2026-11-27T00:00:00.Z", "2026-11-27T00:00:00+0530", "2026-11-27T00:00:00+24:00"),
        *("2026-11-27T00:00:00+05:60", "2026-11-27T00:00:00 05:30", "2026-11-27T00:00:00Z\n", "0000-01-01T00:00:00Z"),
        *("\u0662026-11-27T00:00:00Z", "2026-11-27T00:00:0\u0661Z", "+2026-11-27T00:00:00Z", "2026-11-27__00:00:00Z"),
    ],
)
def test_others_are_none(text: str) -> None:
    with pytest.raises(ValueError, match="not a time"):
        parse_time_ms(text)


@given(st.timedeltas(timedelta(days=2), timedelta(days=2_932_000)), st.integers(-1439, 1439))
def test_it_agrees_with_python_where_python_reads_it(since: timedelta, offset: int) -> None:
    local = (datetime(1970, 1, 1, tzinfo=UTC) + since).astimezone(timezone(timedelta(minutes=offset)))
    assert parse_time_ms(local.isoformat()) == since // timedelta(milliseconds=1)
