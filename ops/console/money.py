"""Amounts as a person reads them, and the bar that shows where a payment's money is."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class Currency:
    """`digits` after the point. The function sends them within `money`, such as `19.99 USD`."""

    code: str
    digits: int

    @classmethod
    def of(cls, money: str, code: str) -> Self:
        """From an amount that the function wrote."""
        number = money.partition(" ")[0]
        return cls(code, len(number.partition(".")[2]))

    def text(self, minor: int) -> str:
        """`1999` becomes `19.99 USD`."""
        whole, rest = divmod(abs(minor), 10**self.digits)
        point = f".{rest:0{self.digits}}" if self.digits else ""
        return f"{'-' if minor < 0 else ''}{whole:,}{point} {self.code}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """A part of the bar. `start` and `width` are shares of a thousand."""

    name: str
    label: str
    amount: int
    start: float
    width: float


_PARTS = (
    ("refundable", "Kept by the merchant"),
    ("reserved", "Reserved for refunds"),
    ("refunded", "Refunded"),
    ("capturable", "Authorized, not captured"),
)
_SCALE = 1_000


def bar(payment: Mapping[str, Any]) -> list[Segment]:
    """The parts of the payment's amount, in order. They add up to the amount, or to more where there is an excess."""
    amounts = [(name, label, int(payment[name])) for name, label in _PARTS]
    rest = int(payment["amount"]) - sum(amount for _, _, amount in amounts)
    amounts.append(("rest", _rest_label(payment), max(0, rest)))
    total = sum(amount for _, _, amount in amounts) or 1
    segments, start = [], 0.0
    for name, label, amount in amounts:
        width = amount * _SCALE / total
        if amount:
            segments.append(Segment(name=name, label=label, amount=amount, start=start, width=width))
        start += width
    return segments


def _rest_label(payment: Mapping[str, Any]) -> str:
    if payment["status"] in {"PENDING", "REQUIRES_ACTION"}:
        return "Not charged yet"
    return "Not known" if payment["status"] == "IN_REVIEW" and not payment["captured"] else "Not charged"
