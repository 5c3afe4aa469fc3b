"""The changes of the payment that holds an order, which another payment of the order causes. Pure."""

from dataclasses import replace
from typing import Final

from payflowx.domain.payments.change import Change, Context, change_of
from payflowx.domain.payments.order_link import OrderStanding
from payflowx.domain.payments.payment import Payment
from payflowx.domain.shared.limits import DUE_AFTER_ACCEPT_MS
from payflowx.domain.shared.statuses import AttemptState, PaymentStatus

_OPEN: Final = frozenset({PaymentStatus.PENDING, PaymentStatus.REQUIRES_ACTION, PaymentStatus.AUTHORIZED})


def stop_holder(holder: Payment, late: str, context: Context) -> Change | None:
    """Return the change that stops the holder; None if it is stopped already.

    It is a cancellation: no further attempt and no capture begins, and the open one is resolved or cancelled by proof,
    also by release 0.2.0. A payment that has ended, or is in review, is only marked; one whose review ends with the
    amount held is cancelled then.
    """
    if holder.order is None or holder.order.stop_requested:
        return None
    link = replace(holder.order, stop_requested=True, contends_with=late)
    stopped = replace(holder, order=link)
    facts = {"contendsWith": late}
    if holder.status not in _OPEN:
        return change_of(holder, stopped, "payment.order_contended", facts, context)
    # The first void is tried at once, however often the authorization was inquired about before.
    attempts = tuple(replace(a, inquiries=0) if a.state is AttemptState.AUTHORIZED else a for a in holder.attempts)
    stopped = replace(stopped, cancel_requested=True, attempts=attempts)
    if holder.open_capture_or_void is None:
        stopped = replace(stopped, ready_at_ms=context.now_ms, due_at_ms=context.now_ms + DUE_AFTER_ACCEPT_MS)
    change = change_of(holder, stopped, "payment.stop_requested", facts, context)
    return replace(change, wake_in_seconds=0)


def release_holder(holder: Payment, context: Context) -> Change | None:
    """Return the change that marks a holder as released, which an older release ended without that mark."""
    if holder.order is None:
        return None
    released = replace(holder, order=replace(holder.order, standing=OrderStanding.RELEASED))
    return change_of(holder, released, "payment.order_released", {}, context)
