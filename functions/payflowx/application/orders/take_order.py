"""Acceptance of a payment for an order: in one transaction with the order's item, or not at all."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from payflowx.domain.orders.freeing import (
    is_given_back,
    is_uncharged_for_good,
    may_be_given_back,
    only_waits_for_reopening,
)
from payflowx.domain.orders.order import Order
from payflowx.domain.orders.order_not_free import OrderNotFree
from payflowx.domain.orders.ports import OrderMoved, Orders, Released, Taking
from payflowx.domain.orders.taking import NotFree, take, take_over
from payflowx.domain.payments.events import Event
from payflowx.domain.payments.operation_ports import Operations
from payflowx.domain.payments.order_link import OrderStanding
from payflowx.domain.payments.payment import Payment
from payflowx.domain.payments.ports import Created, Existing, Payments
from payflowx.domain.shared.ambient import Clock
from payflowx.domain.shared.errors import StorageUnavailableError
from payflowx.domain.shared.limits import MAX_ACCEPT_TRIES


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeOrder:
    """Raises `OrderNotFree` with nothing written; `StorageUnavailableError` when the request should be repeated.

    A conflict with another write of the order, or a throttle, is no refusal.
    """

    orders: Orders
    payments: Payments
    operations: Operations
    is_automatic_refund_on: Callable[[str], bool]
    clock: Clock

    def __call__(self, payment: Payment, event: Event, idempotency_key: str) -> Created[Payment] | Existing:
        """Store the payment. The first try assumes an order without an item, and needs no read."""
        link = payment.order
        if link is None:
            raise ValueError("the payment names no order")
        order: Order | None = None
        for _ in range(MAX_ACCEPT_TRIES):
            released: Released | None = None
            taken = take(order, payment, link)
            if isinstance(taken, NotFree):
                existing = self._existing(payment)
                if existing is not None:
                    return existing
                released = self._release(taken.order)
                taken = take_over(self._left_by(taken.order), payment)
            taking = Taking(before=order, after=taken, released=released)
            match self.orders.create(payment, event, idempotency_key, taking):
                case OrderMoved(order=found):
                    order = found
                case created:
                    return created
        raise StorageUnavailableError("the order kept changing; repeat the request with the same key")

    def _existing(self, payment: Payment) -> Existing | None:
        """Return the payment that an earlier request with this key made: it comes before a refusal."""
        stored = self.payments.get(payment.merchant_id, payment.transaction_id)
        if stored is None:
            return None
        return Existing(
            transaction_id=stored.transaction_id,
            fingerprint=stored.fingerprint,
            content_fingerprint=stored.content_fingerprint,
        )

    def _release(self, order: Order) -> Released:
        """Return the release of a holder that occupies the order no more, whose own release was not written.

        An older release ended it, its part was left out, or the merchant has automatic refunds now.
        """
        holder = self.payments.get(order.merchant_id, order.holder) if order.holder else None
        if holder is None or holder.order is None or not self._is_free_of(holder):
            raise OrderNotFree(order, holder)
        after = replace(
            holder,
            order=replace(holder.order, standing=OrderStanding.RELEASED),
            version=holder.version + 1,
            lease=holder.lease.after_change_by_another(self.clock.now_ms()),
        )
        return Released(before=holder, after=after)

    def _left_by(self, order: Order) -> Order:
        """Return the order as its holder leaves it. Raises `OrderNotFree` where others still pay it.

        The first payment that waits behind the holder takes its place, and no new one does.
        """
        left = order
        while left.holder is not None:
            left = left.released_by(left.holder)
            heir = self.payments.get(left.merchant_id, left.holder) if left.holder else None
            if left.holder is not None and (heir is None or not self._is_free_of(heir)):
                raise OrderNotFree(left, heir)
        if left.beside:
            raise OrderNotFree(left, None)
        return left

    def _is_free_of(self, holder: Payment) -> bool:
        if is_uncharged_for_good(holder):
            return True
        if only_waits_for_reopening(holder):
            return self.is_automatic_refund_on(holder.merchant_id)
        return may_be_given_back(holder) and is_given_back(
            holder, self.operations.of_payment(holder.merchant_id, holder.transaction_id)
        )
