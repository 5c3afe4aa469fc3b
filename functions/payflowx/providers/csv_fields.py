"""Reads cells of settlement files: text by column, amounts in major units, times in a given zone."""

import re
from datetime import UTC, datetime, timedelta, tzinfo
from decimal import Decimal
from typing import Final

from payflowx.domain.shared.identifiers import parse_provider_key
from payflowx.domain.shared.money import CURRENCY_EXPONENTS, to_minor

_AMOUNT: Final = re.compile(
    r"(?P<whole>[0-9]{1,15}|[1-9][0-9]{0,2}(?:,[0-9]{3}){1,4}|[1-9][0-9]?(?:,[0-9]{2}){1,6},[0-9]{3})(?P<rest>\.[0-9]{1,6})?"
)
"""Without groups, or in groups of three digits, or in India's: 1,234.00 and 1,23,456.00."""
_GROUP_DIGITS: Final = 3
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)


def currency(cell: str) -> str:
    """An ISO 4217 code in any letter case. Raises ValueError for anything else."""
    code = cell.strip().upper()
    if code not in CURRENCY_EXPONENTS:
        raise ValueError("a column holds no currency")
    return code


def minor_amount(cell: str, of: str) -> int:
    """The absolute amount in minor units: some providers write a refund as a negative amount. Raises ValueError.

    A comma is accepted between groups only, never as the decimal point: 499,00 is no amount. Nor is 1,234 in a currency
    with three decimals, where it may be either.
    """
    found = _AMOUNT.fullmatch(cell.strip().removeprefix("-"))
    is_doubtful = found and "," in found["whole"] and not found["rest"] and CURRENCY_EXPONENTS[of] == _GROUP_DIGITS
    amount = to_minor(Decimal(found[0].replace(",", "")), of) if found and not is_doubtful else None
    if amount is None:
        raise ValueError("a column holds no amount")
    return amount


def our_key(*cells: str | None) -> str | None:
    """The first cell that holds a provider key of ours, or None."""
    return next((cell.strip() for cell in cells if cell and parse_provider_key(cell.strip())), None)


def time_ms(cell: str, pattern: str, zone: tzinfo) -> int:
    """Milliseconds since 1970 of a local time in `zone`. Raises ValueError."""
    return (datetime.strptime(cell.strip(), pattern).replace(tzinfo=zone) - _EPOCH) // _MILLISECOND
