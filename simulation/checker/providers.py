"""What providers promise: a second copy of the tables in docs/providers, on purpose."""

from collections.abc import Mapping
from typing import Final

_MINUTE_MS: Final = 60_000
_HOUR_MS: Final = 60 * _MINUTE_MS
_DAY_MS: Final = 24 * _HOUR_MS

HORIZONS_MS: Final[Mapping[str, int]] = {
    "mock": _DAY_MS,
    "razorpay_mock": 10 * _MINUTE_MS,
    "cashfree_mock": _HOUR_MS,
    "stripe": 2 * _DAY_MS,
    "razorpay": 6 * _DAY_MS,
    "cashfree": 3 * _DAY_MS,
    "payu": 5 * _DAY_MS,
}
"""How long inquiries go on before an unknown outcome is a person's: docs/providers."""
