"""An order: the payment that may be charged for it, and how many others are counted beside it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

MAX_PAYMENTS_LISTED: Final = 50
"""Payments that the order's item names, for lists. No decision reads them."""


class OrderState(StrEnum):
    """Whether a payment holds the order."""

    HELD = "HELD"
    FREE = "FREE"


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One item an order. It is written only in the transactions of its payments, on the version that was read."""

    merchant_id: str
    order_hash: str
    state: OrderState = OrderState.FREE
    holder: str | None = None
    contender: str | None = None
    """The payment that was charged beside the holder: it takes the order once the holder is proven uncharged."""
    beside: int = 0
    """Number of payments that said `oncePerOrder` false, and are neither proven uncharged nor given back."""
    version: int = 1
    payments: Sequence[str] = ()
    """Ids of the newest payments, newest first."""

    def held_by(self, transaction_id: str) -> "Order":
        """Return the order with this holder, who contends no more."""
        return replace(
            self, state=OrderState.HELD, holder=transaction_id, contender=self._contender_without(transaction_id)
        )

    def released_by(self, transaction_id: str) -> "Order":
        """Return the order without this holder or contender. A contender takes the holder's place."""
        kept = replace(self, contender=self._contender_without(transaction_id))
        if self.holder != transaction_id:
            return kept
        if kept.contender is not None:
            return kept.held_by(kept.contender)
        return replace(kept, state=OrderState.FREE, holder=None)

    def _contender_without(self, transaction_id: str) -> str | None:
        return None if self.contender == transaction_id else self.contender
