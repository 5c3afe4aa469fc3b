"""The refusal of a payment for an order that another payment holds."""

from payflowx.domain.orders.freeing import free_at_ms
from payflowx.domain.orders.order import Order
from payflowx.domain.payments.payment import Payment
from payflowx.domain.shared.errors import Refusal
from payflowx.domain.shared.statuses import PaymentStatus

_HELD: dict[PaymentStatus, str] = {
    PaymentStatus.PENDING: "It is being processed: wait for its result, or cancel it.",
    PaymentStatus.REQUIRES_ACTION: "Send the payer to its nextAction, or cancel it.",
    PaymentStatus.AUTHORIZED: "It holds the amount: capture it, or cancel it.",
    PaymentStatus.SUCCESS: "The order is paid. Refund that payment in full before the order is paid again.",
    PaymentStatus.IN_REVIEW: "It is in manual review: wait until the review is closed.",
    PaymentStatus.FAILED: "Its provider may still turn a decline into a charge, until freeAt where that is known.",
    PaymentStatus.CANCELLED: "Its provider may still turn a decline into a charge, until freeAt where that is known.",
}
_OTHERWISE = "To pay the order in several payments, send oncePerOrder false."


class OrderNotFree(Refusal):
    """`order_not_free`. Nothing was written.

    `holder` None: the order is held by no payment, but payments that said `oncePerOrder` false are counted beside; or
    its holder cannot be read.
    """

    def __init__(self, order: Order, holder: Payment | None) -> None:
        super().__init__("order_not_free", _detail(order, holder), field="orderId")
        self.holder = holder
        self.free_at_ms = free_at_ms(holder) if holder else None
        self.beside = order.beside


def _detail(order: Order, holder: Payment | None) -> str:
    if holder is not None:
        return f"Another payment holds this order. {_HELD[holder.status]} {_OTHERWISE}"
    if order.holder is not None:
        return f"Another payment holds this order. Wait for its result. {_OTHERWISE}"
    return (
        "Payments that said oncePerOrder false were made for this order, and are neither proven uncharged nor given "
        f"back. {_OTHERWISE}"
    )
