"""Whether a capture, void or refund may be accepted, and for how much."""

from payflowx.domain.payments.attempt import Attempt
from payflowx.domain.payments.payment import Payment
from payflowx.domain.shared.errors import Refusal
from payflowx.domain.shared.operation_request import OperationKind
from payflowx.domain.shared.statuses import AttemptState, PaymentStatus

_UNRESOLVED = frozenset({PaymentStatus.PENDING, PaymentStatus.REQUIRES_ACTION})


def charge_to_move(payment: Payment, kind: OperationKind, now_ms: int) -> Attempt:
    """The attempt that holds the charge; raises `Refusal` (`outcome_unknown`, `invalid_state`)."""
    if payment.status in _UNRESOLVED or payment.lease.is_live(now_ms):
        raise Refusal(
            "outcome_unknown",
            "The payment's outcome is not known yet; it is being resolved. Read it again, then repeat the request.",
        )
    if payment.status is PaymentStatus.IN_REVIEW:
        raise Refusal("invalid_state", "A person has to look at this payment first.")
    return _charged(payment) if kind is OperationKind.REFUND else _authorized(payment, kind, now_ms)


def check_amount(payment: Payment, kind: OperationKind, amount: int | None) -> int:
    """The amount to reserve; raises `Refusal` (`amount_exceeded`). A void releases all of it."""
    left = payment.refundable if kind is OperationKind.REFUND else payment.capturable
    wanted = left if amount is None else amount
    if not 1 <= wanted <= left:
        what = "refunded" if kind is OperationKind.REFUND else "captured"
        raise Refusal(
            "amount_exceeded",
            f"At most {left} can be {what} now, in {payment.currency}'s minor unit. "
            "What open operations have reserved does not count.",
            field="amount",
        )
    return wanted


def _charged(payment: Payment) -> Attempt:
    if payment.status is not PaymentStatus.SUCCESS or payment.charged_attempt is None:
        raise Refusal("invalid_state", f"A payment that is {payment.status} has nothing to refund.")
    return payment.attempt(payment.charged_attempt)


def _authorized(payment: Payment, kind: OperationKind, now_ms: int) -> Attempt:
    if payment.open_capture_or_void is not None:
        raise Refusal(
            "invalid_state",
            "A capture or void of this payment is on its way. Wait for its result; there can be one at a time.",
        )
    charge = payment.last_attempt
    if payment.status is not PaymentStatus.AUTHORIZED or charge is None or charge.state is not AttemptState.AUTHORIZED:
        verb = "captured" if kind is OperationKind.CAPTURE else "voided"
        raise Refusal("invalid_state", f"Only an AUTHORIZED payment can be {verb}; this one is {payment.status}.")
    if payment.cancel_requested and kind is OperationKind.CAPTURE:
        raise Refusal(
            "invalid_state", "The cancellation of this payment was asked for; it cannot be captured any more."
        )
    if charge.deadline_ms is not None and now_ms >= charge.deadline_ms and kind is OperationKind.CAPTURE:
        raise Refusal("invalid_state", "The authorization has lapsed at the provider; nothing can be captured.")
    return charge
