"""The part that an order has in a change of one of its payments. Pure.

Every function returns what is written in the payment's own transaction.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from payflowx.domain.orders.freeing import is_given_back, is_uncharged_for_good, only_waits_for_reopening
from payflowx.domain.orders.order import Order, OrderState
from payflowx.domain.orders.stopping import release_holder, stop_holder
from payflowx.domain.payments.change import Change, Context, amended
from payflowx.domain.payments.closed_attempts import due_inquiry, is_waiting
from payflowx.domain.payments.last_errors import last_error
from payflowx.domain.payments.operation import Operation
from payflowx.domain.payments.order_link import OrderLink, OrderStanding
from payflowx.domain.payments.payment import Payment
from payflowx.domain.payments.review_reasons import ReviewReason
from payflowx.domain.shared.limits import HOUR_MS
from payflowx.domain.shared.statuses import AttemptState, PaymentStatus

CONTENTION_INTERVAL_MS: Final = HOUR_MS
"""A contending payment looks at the holder this often, should the message about the holder's end be lost."""
_REPLACED_REVIEWS: Final = frozenset(
    {ReviewReason.LATE_SUCCESS, ReviewReason.ORDER_CONTENDED, ReviewReason.ORDER_CHARGED_TWICE}
)
"""Reviews that say less than the order's. Any other reason stays, and a person decides."""


class OrderStep(StrEnum):
    """The order's part in a change."""

    NONE = "none"
    RELEASE = "release"
    """The payment occupies its order no more."""
    ENTER = "enter"
    """The order was free of the payment, and money says otherwise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderedChange:
    """A change with its part in the order; all of it is written in one transaction.

    `order_after` None: the order's item is not written. `left_out`: it does not fit, and the order never blocks an
    outcome. `wakes`: the payment whose worker decides next.
    """

    change: Change
    order_before: Order | None = None
    order_after: Order | None = None
    holder_change: Change | None = None
    left_out: bool = False
    wakes: str | None = None
    may_be_refunded: bool = False
    """The holder keeps its charge, and the payment's own may be given back."""


def step_of(change: Change, operations: Sequence[Operation], *, frees_while_reopening: bool) -> OrderStep:
    """Return the order's part in a change.

    `operations`: the payment's refunds, needed only where its amounts say that all was given back.
    `frees_while_reopening`: the merchant has charges beside a holder refunded automatically.
    """
    after, link = change.after, _link(change.after)
    is_free = is_uncharged_for_good(after) or is_given_back(after, operations)
    match link.standing:
        case OrderStanding.COUNTED:
            is_watched = link.once and frees_while_reopening and only_waits_for_reopening(after)
            return OrderStep.RELEASE if is_free or is_watched else OrderStep.NONE
        case OrderStanding.RELEASED:
            has_news = after.charged_attempt is not None or after.status not in _ENDED_UNCHARGED
            return OrderStep.ENTER if has_news and not is_free else OrderStep.NONE
        case OrderStanding.CONTENDING:
            if is_free:
                return OrderStep.RELEASE
            return OrderStep.NONE if after.status is PaymentStatus.IN_REVIEW else OrderStep.ENTER
        case OrderStanding.CHARGED_TWICE:
            return OrderStep.RELEASE if is_free else OrderStep.NONE


_ENDED_UNCHARGED: Final = frozenset({PaymentStatus.FAILED, PaymentStatus.CANCELLED})


def release(change: Change, order: Order | None) -> OrderedChange:
    """Free the order of the payment. A payment that contends takes its place."""
    after, link = change.after, _link(change.after)
    standing = replace(link, standing=OrderStanding.RELEASED, contends_with=None)
    freed = replace(after, order=standing)
    if after.is_charged_beside_holder:
        freed = replace(_closed(freed), status=PaymentStatus.SUCCESS, last_error=None)
    released = amended(change, freed, {"order": "released"})
    order_after = _without(order, after.transaction_id, link) if order else None
    if order is None or order_after is None:
        needed = link.standing is OrderStanding.COUNTED
        return OrderedChange(change=released, left_out=needed)
    wakes = order_after.holder if order_after.holder != order.holder else None
    return OrderedChange(change=released, order_before=order, order_after=order_after, wakes=wakes)


def enter(change: Change, order: Order | None, holder: Payment | None, context: Context) -> OrderedChange:
    """Count the payment at its order again; contend where another payment holds it.

    `holder`: that other payment, as read; None where there is none or it cannot be read.
    """
    after, link = change.after, _link(change.after)
    if order is None:
        return OrderedChange(change=_counted(change), left_out=True)
    if not link.once:
        counted = replace(order, beside=order.beside + 1)
        return OrderedChange(change=_counted(change), order_before=order, order_after=counted)
    if order.state is OrderState.FREE or order.holder == after.transaction_id:
        taken = order.held_by(after.transaction_id)
        return OrderedChange(change=_counted(change), order_before=order, order_after=taken)
    if after.charged_attempt is None:
        return _line_up(change, order)
    if holder is not None and is_uncharged_for_good(holder):  # an older release ended it
        return OrderedChange(
            change=_counted(change),
            order_before=order,
            order_after=order.held_by(after.transaction_id),
            holder_change=release_holder(holder, context),
        )
    return _contend(change, order, holder, context)


def settle(change: Change, order: Order | None, holder: Payment | None, context: Context) -> OrderedChange | None:
    """Decide a contending payment by the order's holder; None as long as that one is not decided, and is stopped.

    The payment is never given back before, and the holder never is.
    """
    ordered = enter(change, order, holder, context)
    is_settled = _link(ordered.change.after).standing is OrderStanding.COUNTED
    if is_settled or change.after.charged_attempt is None or change.after.is_order_charged_twice:
        return ordered if is_settled else None
    if order is not None and holder is not None and _keeps_a_charge(holder):
        return OrderedChange(
            change=_charged_twice(change, order),
            order_before=order,
            order_after=order.contended_by(change.after.transaction_id),
            may_be_refunded=holder.captured > holder.refunded + holder.reserved,
        )
    is_stopped = order == ordered.order_after and ordered.holder_change is None
    return None if is_stopped else ordered


def wait_for_holder(payment: Payment, now_ms: int) -> Payment | None:
    """Return a contending payment with its next step later; None if an inquiry about an attempt sets that time.

    One that is decided waits for no holder: it is due for the last read of its object only. And an inquiry about a
    closed attempt that is due now waits for no holder: it may find another charge, and the holder may take days.
    """
    if payment.unresolved_attempt is not None or payment.charged_attempt is None or payment.due_at_ms is None:
        return None
    if (payment.is_order_charged_twice and is_waiting(payment)) or due_inquiry(payment, now_ms) is not None:
        return None
    at_ms = now_ms + CONTENTION_INTERVAL_MS
    lease = payment.lease.after_change_by_another(now_ms)
    later = replace(payment, version=payment.version + 1, lease=lease, ready_at_ms=at_ms, due_at_ms=at_ms, drives=0)
    return replace(later, updated_at_ms=now_ms)


def contend_unwritten(change: Change, context: Context) -> OrderedChange:
    """Record a charge beside a holder whose items keep changing. The payment's next step stops the holder."""
    contending = _contending(change, None, context)
    return OrderedChange(change=contending, left_out=True, wakes=change.after.transaction_id)


def _contend(change: Change, order: Order, holder: Payment | None, context: Context) -> OrderedChange:
    late = change.after.transaction_id
    stop = stop_holder(holder, late, context) if holder is not None else None
    return OrderedChange(
        change=_contending(change, order.holder, context),
        order_before=order,
        order_after=order.contended_by(late),
        holder_change=stop,
        wakes=late,
    )


def _line_up(change: Change, order: Order) -> OrderedChange:
    """Wait behind the holder with money that is not proven yet. A person decides the review that it is in."""
    link = replace(_link(change.after), standing=OrderStanding.CONTENDING)
    waiting = amended(change, replace(change.after, order=link), {"order": "waits"})
    later = order.contended_by(change.after.transaction_id)
    return OrderedChange(change=waiting, order_before=order, order_after=later)


def _contending(change: Change, holder_id: str | None, context: Context) -> Change:
    after, link = change.after, _link(change.after)
    standing = replace(link, standing=OrderStanding.CONTENDING, contends_with=holder_id or link.contends_with)
    at_ms = context.now_ms + CONTENTION_INTERVAL_MS
    contending = replace(
        _in_review(replace(after, order=standing), ReviewReason.ORDER_CONTENDED),
        ready_at_ms=min(after.ready_at_ms, context.now_ms),
        due_at_ms=min(after.due_at_ms or at_ms, at_ms),
    )
    facts = {"order": "contended", "orderHolder": standing.contends_with or ""}
    return amended(change, contending, facts)


def _charged_twice(change: Change, order: Order) -> Change:
    after, link = change.after, _link(change.after)
    standing = replace(link, standing=OrderStanding.CHARGED_TWICE, contends_with=order.holder)
    twice = _in_review(replace(_closed(after), order=standing), ReviewReason.ORDER_CHARGED_TWICE)
    return amended(change, twice, {"order": "charged_twice", "orderHolder": order.holder or ""})


def _keeps_a_charge(holder: Payment) -> bool:
    """Return whether the holder is decided: it was charged, and no review asks whether it was."""
    is_decided = holder.status is not PaymentStatus.IN_REVIEW or holder.is_charged_beside_holder
    return holder.charged_attempt is not None and is_decided


def _counted(change: Change) -> Change:
    """The payment is counted at its order. One that contended leaves its review, unless it has another reason."""
    after, link = change.after, _link(change.after)
    counted = replace(after, order=replace(link, standing=OrderStanding.COUNTED, contends_with=None))
    if after.is_charged_beside_holder:
        counted = _closed(counted)
        if after.cancel_requested or _successes(after) > 1:
            counted = _in_review(counted, ReviewReason.LATE_SUCCESS)
        else:
            counted = replace(counted, status=PaymentStatus.SUCCESS, last_error=None)
    return amended(change, counted, {"order": "taken"})


def _in_review(payment: Payment, reason: ReviewReason) -> Payment:
    error = payment.last_error
    if payment.status is PaymentStatus.IN_REVIEW and (error is None or error.code not in _REPLACED_REVIEWS):
        return payment
    charge = payment.attempt(payment.charged_attempt) if payment.charged_attempt else None
    return replace(payment, status=PaymentStatus.IN_REVIEW, last_error=last_error(payment, reason.value, charge))


def _closed(payment: Payment) -> Payment:
    """The payment has nothing to wait for, unless one of its attempts is still inquired about."""
    return payment if payment.unresolved_attempt is not None else replace(payment, due_at_ms=None)


def _without(order: Order, transaction_id: str, link: OrderLink) -> Order | None:
    """Return the order without the payment; None if it does not count it."""
    if not link.once:
        return replace(order, beside=order.beside - 1) if order.beside > 0 else None
    known = {order.holder, *order.contenders}
    return order.released_by(transaction_id) if transaction_id in known else None


def _successes(payment: Payment) -> int:
    return sum(attempt.state is AttemptState.SUCCEEDED for attempt in payment.attempts)


def _link(payment: Payment) -> OrderLink:
    if payment.order is None:
        raise ValueError("the payment has no order")
    return payment.order
