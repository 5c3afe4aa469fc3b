"""Amounts and times as a page shows them: the same in every language."""

from datetime import UTC, datetime
from typing import Final

from payflowx.domain.shared.limits import SECOND_MS
from payflowx.domain.shared.money import to_major

_NARROW_SPACE: Final = "\u202f"
_NO_BREAK_SPACE: Final = "\u00a0"


def shown_amount(amount: int, currency: str) -> str:
    """123456 INR -> `1 234.56 INR`, with spaces that do not break; the code names the currency, not a symbol."""
    whole, point, fraction = f"{to_major(amount, currency):f}".partition(".")
    first = len(whole) % 3 or 3
    groups = [whole[:first], *(whole[place : place + 3] for place in range(first, len(whole), 3))]
    return f"{_NARROW_SPACE.join(groups)}{point}{fraction}{_NO_BREAK_SPACE}{currency}"


def machine_time(at_ms: int) -> str:
    """Return the time for the attribute `datetime`: RFC 3339."""
    return _at(at_ms).strftime("%Y-%m-%dT%H:%M:%SZ")


def shown_time(at_ms: int) -> str:
    """Return the time for a person, to the minute: `2026-11-28 14:05 UTC`. The page's script shows the local time."""
    return _at(at_ms).strftime("%Y-%m-%d %H:%M UTC").replace(" ", _NO_BREAK_SPACE)


def _at(at_ms: int) -> datetime:
    return datetime.fromtimestamp(at_ms // SECOND_MS, tz=UTC)
