"""Eligibility rules of captures, voids and refunds, and the amounts they may have."""

from payflowx.domain.payments.attempt import Attempt
from payflowx.domain.payments.payment import Payment
from payflowx.domain.shared.errors import Refusal
from payflowx.domain.shared.limits import MAX_EVENTS_BEFORE_REFUND
from payflowx.domain.shared.operation_request import OperationKind
from payflowx.domain.shared.statuses import AttemptState, PaymentStatus

_UNRESOLVED = frozenset({PaymentStatus.PENDING, PaymentStatus.REQUIRES_ACTION})


def charge_to_operate_on(payment: Payment, kind: OperationKind, now_ms: int) -> Attempt:
    """Return the attempt that holds the charge.

    Raises `Refusal` (`outcome_unknown`, `invalid_state`).
    """
    if payment.status in _UNRESOLVED or payment.lease.is_live(now_ms):
        raise Refusal(
            "outcome_unknown",
            "The payment's outcome is being resolved. Read the payment again later, then repeat the request.",
        )
    gives_back = kind is OperationKind.REFUND and payment.is_order_charged_twice
    if payment.status is PaymentStatus.IN_REVIEW and not gives_back:
        raise Refusal(
            "invalid_state", "The payment is in manual review. Wait for the review to close, then repeat the request."
        )
    charge = _charged(payment) if kind is OperationKind.REFUND else _authorized(payment, kind, now_ms)
    if not charge.reference:
        # An operator closed a review without the id: a request with an empty one could hit anything.
        raise Refusal(
            "invalid_state",
            "The provider's id of this charge is not known. Make the change in the provider's dashboard.",
        )
    return charge


def check_amount(payment: Payment, kind: OperationKind, amount: int | None) -> int:
    """Return the amount to reserve; a void releases the whole authorization.

    Raises `Refusal` (`amount_exceeded`).
    """
    left = payment.refundable if kind is OperationKind.REFUND else payment.capturable
    requested = left if amount is None else amount
    if not 1 <= requested <= left:
        what = "refunded" if kind is OperationKind.REFUND else "captured"
        raise Refusal(
            "amount_exceeded",
            f"At most {left} can be {what} now, in {payment.currency}'s minor unit. "
            "Amounts reserved by open operations are not available.",
            field="amount",
        )
    return requested


def _charged(payment: Payment) -> Attempt:
    is_charged = payment.status is PaymentStatus.SUCCESS or payment.is_order_charged_twice
    if not is_charged or payment.charged_attempt is None:
        raise Refusal("invalid_state", f"A payment with status {payment.status} has nothing to refund.")
    if payment.event_seq >= MAX_EVENTS_BEFORE_REFUND:
        raise Refusal("invalid_state", "The payment has reached the limit of its audit log; it takes no more refunds.")
    return payment.attempt(payment.charged_attempt)


def _authorized(payment: Payment, kind: OperationKind, now_ms: int) -> Attempt:
    if payment.open_capture_or_void is not None:
        raise Refusal(
            "invalid_state",
            "A capture or void of this payment is still open. Wait for its result; only one can be open at a time.",
        )
    charge = payment.last_attempt
    if payment.status is not PaymentStatus.AUTHORIZED or charge is None or charge.state is not AttemptState.AUTHORIZED:
        verb = "captured" if kind is OperationKind.CAPTURE else "voided"
        raise Refusal("invalid_state", f"Only an AUTHORIZED payment can be {verb}; this one is {payment.status}.")
    if payment.cancel_requested and kind is OperationKind.CAPTURE:
        raise Refusal(
            "invalid_state", "The cancellation of this payment was requested; it cannot be captured any more."
        )
    if charge.deadline_ms is not None and now_ms >= charge.deadline_ms and kind is OperationKind.CAPTURE:
        raise Refusal("invalid_state", "The authorization has lapsed at the provider; nothing can be captured.")
    return charge
