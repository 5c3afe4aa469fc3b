"""An order: the payment that may be charged for it, and how many others are counted beside it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

MAX_PAYMENTS_LISTED: Final = 50
"""Payments that the order's item names, for lists. No decision reads them."""

MAX_CONTENDERS: Final = 20
"""An order that was charged so often needs a person; each of the payments is in review anyway."""


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
    contenders: Sequence[str] = ()
    """Payments that were charged, or may be, beside the holder, the first one first.

    Each keeps its place until it is proven uncharged or given back: the first one takes the order when the holder
    leaves it. So the order is never free beside a charge.
    """
    beside: int = 0
    """Number of payments that said `oncePerOrder` false, and are neither proven uncharged nor given back."""
    version: int = 1
    payments: Sequence[str] = ()
    """Ids of the newest payments, newest first."""

    def held_by(self, transaction_id: str) -> "Order":
        """Return the order with this holder, who contends no more."""
        others = self._contenders_without(transaction_id)
        return replace(self, state=OrderState.HELD, holder=transaction_id, contenders=others)

    def contended_by(self, transaction_id: str) -> "Order":
        """Return the order with this contender behind the others; the same if it is one, or if there are too many."""
        if transaction_id in self.contenders or len(self.contenders) >= MAX_CONTENDERS:
            return self
        return replace(self, contenders=(*self.contenders, transaction_id))

    def released_by(self, transaction_id: str) -> "Order":
        """Return the order without this holder or contender. The first contender takes the holder's place."""
        kept = replace(self, contenders=self._contenders_without(transaction_id))
        if self.holder != transaction_id:
            return kept
        if kept.contenders:
            return kept.held_by(kept.contenders[0])
        return replace(kept, state=OrderState.FREE, holder=None)

    def _contenders_without(self, transaction_id: str) -> Sequence[str]:
        return tuple(known for known in self.contenders if known != transaction_id)
