"""Times of RFC 3339, in every spelling that it allows."""

import re
from datetime import UTC, datetime, timedelta, timezone
from typing import Final

_TIME: Final = re.compile(
    r"""(?P<year>[0-9]{4})-(?P<month>[0-9]{2})-(?P<day>[0-9]{2})
        [Tt\ ](?P<hour>[0-9]{2}):(?P<minute>[0-9]{2}):(?P<second>[0-9]{2})(?:\.(?P<fraction>[0-9]{1,40}))?
        (?:[Zz]|(?P<sign>[+-])(?P<hours>[0-9]{2}):(?P<minutes>[0-9]{2}))""",
    re.VERBOSE,
)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LEAP_SECOND: Final = 60


def parse_time_ms(text: str) -> int:
    """Return milliseconds since 1970; further digits are cut off. Raises ValueError for anything else.

    The second 60 is a leap second; it counts as the first of the next minute, as clocks without leap seconds have it.
    """
    found = _TIME.fullmatch(text)
    if found is None:
        raise ValueError("not a time of RFC 3339")
    year, month, day, hour, minute, second = (int(found[place]) for place in range(1, 7))
    is_leap = second == _LEAP_SECOND
    try:
        local = datetime(year, month, day, hour, minute, second - is_leap, tzinfo=_zone(found))
        at = local - _EPOCH + timedelta(seconds=int(is_leap))
    except (ValueError, OverflowError):
        raise ValueError("not a time of RFC 3339") from None
    return at // timedelta(milliseconds=1) + int((found["fraction"] or "0")[:3].ljust(3, "0"))


def _zone(found: re.Match[str]) -> timezone:
    """Raises ValueError for an offset outside of a day."""
    hours, minutes = int(found["hours"] or 0), int(found["minutes"] or 0)
    if hours > 23 or minutes > 59:
        raise ValueError("not an offset")
    offset = timedelta(hours=hours, minutes=minutes)
    return timezone(-offset if found["sign"] == "-" else offset)
