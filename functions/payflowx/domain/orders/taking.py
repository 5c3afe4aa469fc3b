"""Whether a new payment may be made for an order. Pure."""

from dataclasses import dataclass, replace

from payflowx.domain.orders.order import MAX_PAYMENTS_LISTED, Order, OrderState
from payflowx.domain.payments.order_link import OrderLink
from payflowx.domain.payments.payment import Payment


@dataclass(frozen=True, slots=True, kw_only=True)
class NotFree:
    """Another payment holds the order, or is counted beside."""

    order: Order


def take(order: Order | None, payment: Payment, link: OrderLink) -> Order | NotFree:
    """Return the order as the new payment leaves it. `order` None: it has no item yet.

    An order that names this very payment is its own: the answer to an earlier write was lost.
    """
    now = order or Order(merchant_id=payment.merchant_id, order_hash=link.order_hash, version=0)
    listed = _listed(now, payment.transaction_id)
    if not link.once:
        return replace(listed, beside=now.beside + 1)
    is_free = now.state is OrderState.FREE and now.beside == 0
    if is_free or now.holder == payment.transaction_id:
        return listed.held_by(payment.transaction_id)
    return NotFree(order=now)


def take_over(order: Order, payment: Payment) -> Order:
    """Return the order held by the new payment, after its holder proved to occupy it no more."""
    return _listed(order, payment.transaction_id).held_by(payment.transaction_id)


def _listed(order: Order, transaction_id: str) -> Order:
    others = [known for known in order.payments if known != transaction_id]
    return replace(order, payments=(transaction_id, *others)[:MAX_PAYMENTS_LISTED])
