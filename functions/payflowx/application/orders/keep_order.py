"""The order's part in every write of a payment that names one. The order never blocks an outcome."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from payflowx.domain.orders.freeing import is_uncharged_for_good, may_be_given_back
from payflowx.domain.orders.order import Order
from payflowx.domain.orders.ordered_change import (
    OrderedChange,
    OrderStep,
    contend_unwritten,
    enter,
    release,
    settle,
    step_of,
)
from payflowx.domain.orders.ports import OrderMoved, Orders
from payflowx.domain.payments.change import Change, Context, change_of
from payflowx.domain.payments.operation import Operation
from payflowx.domain.payments.operation_ports import Operations
from payflowx.domain.payments.order_link import OrderLink, OrderStanding
from payflowx.domain.payments.payment import Payment
from payflowx.domain.payments.ports import AlreadySeen, Payments, ReferenceTaken, Stored, VersionConflict
from payflowx.domain.payments.retry import RetryPolicy
from payflowx.domain.shared.ambient import Telemetry
from payflowx.domain.shared.errors import UnreadableItemError
from payflowx.domain.shared.metrics import Metric

_MAX_TRIES: Final = 3
"""An order changes with its payments only; a writer that meets two others leaves its part out."""

_ACTOR: Final = "orders"
"""The actor of a change of the holder that another payment of its order causes."""

Written = Stored[Payment] | VersionConflict[Payment] | ReferenceTaken | AlreadySeen


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A change of a payment with an order, as it was written; and the change of the holder in the same transaction.

    `wakes`: the payment of the order whose worker decides next.
    """

    written: Written
    change: Change
    holder_change: Change | None = None
    wakes: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class KeepOrder:
    """Writes a payment's change together with its part in the order.

    Ordinary payments never come here. A change that leaves the order as it is costs no read and no further write.
    """

    orders: Orders
    payments: Payments
    operations: Operations
    is_automatic_refund_on: Callable[[str], bool]
    policy: RetryPolicy
    telemetry: Telemetry

    def commit(self, change: Change) -> Kept:
        """Write the change, with its part in the order where it has one."""
        step = self._step(change)
        if step is OrderStep.NONE:
            return self._kept(OrderedChange(change=change), self.payments.commit(change))
        context = self._context(change)
        for _ in range(_MAX_TRIES):
            ordered = self._with_order(change, step, context)
            result = self.orders.commit(ordered)
            if not isinstance(result, OrderMoved):
                return self._kept(ordered, result)
        left_out = release(change, None) if step is OrderStep.RELEASE else contend_unwritten(change, context)
        return self._kept(left_out, self.payments.commit(left_out.change))

    def settle(self, payment: Payment, context: Context) -> OrderedChange | None:
        """Return the decision about a contending payment; None as long as the holder of its order is not decided."""
        link = _link(payment)
        order = self._order(payment, link)
        change = change_of(payment, payment, "payment.order_settled", {}, context)
        return settle(change, order, self._holder(order, payment), context)

    def write(self, ordered: OrderedChange) -> Kept:
        """Write a decision about a contending payment. One that was made meanwhile in another way is no conflict."""
        result = self.orders.commit(ordered)
        if isinstance(result, OrderMoved):
            return self._kept(ordered, VersionConflict(item=ordered.change.before))
        return self._kept(ordered, result)

    def _step(self, change: Change) -> OrderStep:
        after, link = change.after, _link(change.after)
        asks = link.once and link.standing is OrderStanding.COUNTED and after.charged_attempt is None
        return step_of(
            change,
            self._refunds(change) if may_be_given_back(after) else [],
            frees_while_reopening=asks and self.is_automatic_refund_on(after.merchant_id),
        )

    def _with_order(self, change: Change, step: OrderStep, context: Context) -> OrderedChange:
        order = self._order(change.after, _link(change.after))
        if step is OrderStep.RELEASE:
            return release(change, order)
        return enter(change, order, self._holder(order, change.after), context)

    def _order(self, payment: Payment, link: OrderLink) -> Order | None:
        """Return the order; None if it is lost, or a newer release wrote it."""
        try:
            return self.orders.get(payment.merchant_id, link.order_hash)
        except UnreadableItemError:
            return None

    def _holder(self, order: Order | None, payment: Payment) -> Payment | None:
        """Return the other payment that holds the order; None if there is none, or it cannot be read."""
        if order is None or order.holder is None or order.holder == payment.transaction_id:
            return None
        try:
            return self.payments.get(payment.merchant_id, order.holder)
        except UnreadableItemError:
            return None

    def _refunds(self, change: Change) -> Sequence[Operation]:
        after, changed = change.after, change.operation_after
        stored = self.operations.of_payment(after.merchant_id, after.transaction_id)
        if changed is None:
            return stored
        return [changed, *(o for o in stored if o.operation_id != changed.operation_id)]

    def _context(self, change: Change) -> Context:
        """Return the inputs of the holder's change: nothing about the holder itself is proven."""
        return Context(now_ms=change.event.at_ms, actor=_ACTOR, policy=self.policy)

    def _kept(self, ordered: OrderedChange, written: Written) -> Kept:
        if isinstance(written, Stored):
            self._count(ordered)
        change = ordered.change
        wakes = ordered.wakes or _contender_of_decided(change)
        return Kept(written=written, change=change, holder_change=ordered.holder_change, wakes=wakes)

    def _count(self, ordered: OrderedChange) -> None:
        after = ordered.change.after
        if ordered.left_out:
            self.telemetry.count(Metric.ORDER_PARTS_LEFT_OUT)
            self.telemetry.warn("the order's part was left out", transactionId=after.transaction_id)
        was, is_now = _standing(ordered.change.before), _standing(after)
        if is_now is OrderStanding.CHARGED_TWICE and was is not is_now:
            self.telemetry.count(Metric.ORDERS_CHARGED_TWICE)


def _contender_of_decided(change: Change) -> str | None:
    """Return the payment that waits for this holder, which is decided by this change."""
    link = change.after.order
    if link is None or link.standing is not OrderStanding.COUNTED or link.contends_with is None:
        return None
    return link.contends_with if _is_decided(change.after) and not _is_decided(change.before) else None


def _is_decided(payment: Payment) -> bool:
    return payment.charged_attempt is not None or is_uncharged_for_good(payment)


def _standing(payment: Payment) -> OrderStanding | None:
    return payment.order.standing if payment.order else None


def _link(payment: Payment) -> OrderLink:
    if payment.order is None:
        raise ValueError("the payment has no order")
    return payment.order
