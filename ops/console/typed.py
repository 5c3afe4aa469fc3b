"""Checks of a person's input in a field. Each function raises `OperatorError`, which says what is expected."""

from contextlib import suppress
from datetime import UTC, datetime
from typing import Final

from ops.errors import Exit, OperatorError
from ops.options import YEARS

_MAX_DIGITS: Final = 12


def typed_amount(text: str, *, least: int = 0) -> int:
    """A whole number in a currency's minor unit."""
    if not (text.isascii() and text.isdigit() and len(text) <= _MAX_DIGITS and int(text) >= least):
        raise OperatorError("An amount is a whole number in the currency's minor unit, such as 1999.", Exit.USAGE)
    return int(text)


def typed_day(text: str) -> datetime:
    """The begin of a day in UTC."""
    day: datetime | None = None
    with suppress(ValueError):
        day = datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
    if day is None or day.year not in YEARS:
        raise OperatorError("A day is written 2026-11-28.", Exit.USAGE)
    return day
