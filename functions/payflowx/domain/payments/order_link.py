"""The order that a payment pays, as the payment stores it."""

from dataclasses import dataclass
from enum import StrEnum


class OrderStanding(StrEnum):
    """The payment's part in its order."""

    COUNTED = "counted"
    """It holds the order; or it said `oncePerOrder` false, and the order counts it."""
    RELEASED = "released"
    """The order is free of it: it is proven uncharged, was given back, or only waits for a decline to reopen."""
    CONTENDING = "contending"
    """It was charged although another payment holds the order, and that one is not decided yet."""
    CHARGED_TWICE = "charged_twice"
    """It was charged, and so was the payment that holds the order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderLink:
    """The payment's order. Release 0.2.0 neither writes nor reads it, and carries it along."""

    order_hash: str
    """The pseudonym of the order: it stays when personal data is erased."""
    order_id: str | None
    """The merchant's own reference, in NFC; None once it is erased."""
    once: bool = True
    """The order is not paid by this payment and by another one."""
    standing: OrderStanding = OrderStanding.COUNTED
    contends_with: str | None = None
    """The payment of the same order that was charged, or may be charged, as this one."""
    stop_requested: bool = False
    """Another payment of the order was charged: no further attempt begins, and the open one is cancelled by proof."""
