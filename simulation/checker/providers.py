"""The promises of providers: a second copy of the tables in docs/providers, on purpose."""

from collections.abc import Mapping
from typing import Any, Final

_SECOND_MS: Final = 1_000
_MINUTE_MS: Final = 60 * _SECOND_MS
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

PENDING_HORIZONS_MS: Final[Mapping[str, int]] = {
    "stripe": 46 * _DAY_MS,
    "payu": 21 * _DAY_MS,
}
"""How long an answer of "pending" is believed; 30 days where a provider has none of its own."""
_PENDING_HORIZON_MS: Final = 30 * _DAY_MS


def inquiries_end_ms(attempt: Mapping[str, Any]) -> int:
    """When the inquiries about an open attempt have gone on for long enough."""
    if attempt["state"] == "ACCEPTED":
        since_ms = attempt.get("settled_at_ms") or attempt["started_at_ms"]
        return int(since_ms + PENDING_HORIZONS_MS.get(attempt["provider"], _PENDING_HORIZON_MS))
    if "answer_stored" in attempt.get("progress", {}):
        return int(attempt["started_at_ms"] + max(LAGS_MS[attempt["provider"]], _HOUR_MS))
    if attempt.get("deadline_ms") is not None:
        return int(attempt["deadline_ms"] + HORIZONS_MS[attempt["provider"]])
    return int(attempt["started_at_ms"] + HORIZONS_MS[attempt["provider"]])


LAGS_MS: Final[Mapping[str, int]] = {
    "mock": 5 * _SECOND_MS,
    "razorpay_mock": 30 * _SECOND_MS,
    "cashfree_mock": 10 * _SECOND_MS,
    "stripe": _HOUR_MS,
    "razorpay": _MINUTE_MS,
    "cashfree": 2 * _MINUTE_MS,
    "payu": 15 * _MINUTE_MS,
}
"""How long a new charge or operation may stay invisible to a read: docs/providers."""


REFUNDS_RETURN_MS: Final[Mapping[str, int]] = dict.fromkeys(("mock", "razorpay_mock", "cashfree_mock"), 30 * _MINUTE_MS)
"""How long after its success a payer's bank may return a refund: docs/write-path.md."""
_REFUNDS_RETURN_MS: Final = 30 * _DAY_MS


def refund_stands_ms(success: Mapping[str, Any]) -> int:
    """When a refund can no longer come back, by the attempt that succeeded."""
    settled_ms = success.get("settled_at_ms") or success.get("started_at_ms", 0)
    return int(settled_ms + REFUNDS_RETURN_MS.get(success["provider"], _REFUNDS_RETURN_MS))


REOPENS_MS: Final[Mapping[str, int]] = {
    "razorpay_mock": 5 * _DAY_MS,
    "razorpay": 6 * _DAY_MS,
    "payu": 5 * _DAY_MS,
}
"""How long a provider may still turn a decline into a charge, where it may at all: docs/providers."""

HELD_AT_MOST_MS: Final = 31 * _DAY_MS
"""No provider holds an amount for longer than a month before it is captured: docs/providers."""


TRIES_LAST_MS: Final[Mapping[str, int]] = {"cashfree": 2 * _DAY_MS}
"""How long after the expiry of a hosted object a try that began before it may still succeed: docs/providers."""


def refusal_proven_ms(attempt: Mapping[str, Any]) -> int | None:
    """When a second read may prove the refusal of an operation; None for an attempt that was not refused."""
    refused = attempt.get("progress", {}).get("refused_send")
    return int(refused.split(" ")[0]) + LAGS_MS[attempt["provider"]] if refused else None
