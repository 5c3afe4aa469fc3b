"""Decisions about a refund that a provider lists: one that was made there becomes an operation. Pure."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Final

from payflowx.domain.payments.attempt import Attempt
from payflowx.domain.payments.operation import Operation, Origin
from payflowx.domain.payments.outcome import Accepted, Declined, Outcome, Succeeded
from payflowx.domain.payments.payment import Payment
from payflowx.domain.payments.refund_list import ProviderRefund, RefundState
from payflowx.domain.shared.identifiers import OPERATION_PREFIXES, derive_id, parse_provider_key
from payflowx.domain.shared.limits import MINUTE_MS
from payflowx.domain.shared.operation_request import OperationKind
from payflowx.domain.shared.statuses import AttemptState, OperationStatus

_FINGERPRINT: Final = "made_at_provider"
"""No request of a merchant has this fingerprint."""


_CLOCKS_MS: Final = 5 * MINUTE_MS
"""The provider's clock may be behind ours by this much."""

_STATES: Final[Mapping[RefundState, AttemptState]] = {
    RefundState.PENDING: AttemptState.ACCEPTED,
    RefundState.SUCCEEDED: AttemptState.SUCCEEDED,
    RefundState.FAILED: AttemptState.DECLINED,
}


_WITHOUT_EFFECT: Final = frozenset({AttemptState.NOT_SENT, AttemptState.REJECTED, AttemptState.DECLINED})


class RefundDecision(StrEnum):
    """The meaning of a listed refund for the ledger."""

    NONE = "none"
    """It is ours, it is known already, or it moved no money."""
    BOOK = "book"
    """It was made at the provider."""
    WAIT = "wait"
    """Ours comes first: it may be one of ours whose answer was lost, or takes the amount of one that was not sent."""
    COUNTED = "counted"
    """It was made before a person named what was kept of the charge: it is part of that amount."""
    CONTRADICTION = "contradiction"
    """It cannot be a refund of this charge: manual review."""


def decide_refund(payment: Payment, operations: Sequence[Operation], refund: ProviderRefund) -> RefundDecision:
    """Decide about a refund that no operation owns. A refund with a key of our making is never external."""
    if parse_provider_key(refund.provider_key or "") is not None or refund.state is RefundState.FAILED:
        return RefundDecision.NONE
    if _is_counted(payment, refund):
        return RefundDecision.COUNTED
    if payment.charged_attempt is None or not payment.captured or refund.currency != payment.currency:
        return RefundDecision.CONTRADICTION
    if not 1 <= refund.amount <= payment.amount:
        return RefundDecision.CONTRADICTION
    if refund.provider_key is None and any(is_unresolved(operation) for operation in operations):
        return RefundDecision.WAIT
    return RefundDecision.WAIT if _takes_what_ours_reserves(payment, operations, refund) else RefundDecision.BOOK


def _takes_what_ours_reserves(payment: Payment, operations: Sequence[Operation], refund: ProviderRefund) -> bool:
    """Return whether it fits into the charge only without a refund of ours that was not sent yet.

    The provider will refuse ours, and its amount is given back. Booked before that, both together would be an excess
    that a person must look at.
    """
    unsent = sum(operation.amount for operation in operations if _is_unsent(operation))
    return payment.refundable < refund.amount <= payment.refundable + unsent


def _is_unsent(operation: Operation) -> bool:
    """Return whether a refund of ours waits to be sent: none of its requests can have taken effect."""
    ours = operation.kind is OperationKind.REFUND and operation.origin is Origin.MERCHANT
    closed = all(attempt.state in _WITHOUT_EFFECT for attempt in operation.attempts)
    return ours and operation.status is OperationStatus.PENDING and closed


def _is_counted(payment: Payment, refund: ProviderRefund) -> bool:
    """Return whether the refund was made after the charge and before a person named what was kept of it.

    A time before the charge is an error, and says as little as none: a refund that is booked needlessly lowers what is
    refundable here, but one that is not booked would be given back a second time.
    """
    charge = payment.attempt(payment.charged_attempt) if payment.charged_attempt is not None else None
    named_at_ms = charge.amount_named_at_ms if charge else None
    if charge is None or named_at_ms is None or refund.made_at_ms is None:
        return False
    return charge.started_at_ms - _CLOCKS_MS <= refund.made_at_ms <= named_at_ms


def is_unresolved(operation: Operation) -> bool:
    """Return whether a refund of ours may have been executed under an id that is not known."""
    ours = operation.kind is OperationKind.REFUND and operation.origin is Origin.MERCHANT
    nameless = [attempt for attempt in operation.attempts if attempt.reference is None]
    return ours and any(attempt.is_open or attempt.state is AttemptState.MISMATCH for attempt in nameless)


def owner_of(operations: Sequence[Operation], refund: ProviderRefund) -> Operation | None:
    """Return the operation that owns this refund; None if there is none."""
    refunds = (o for o in operations if o.kind is OperationKind.REFUND)
    return next((o for o in refunds if any(a.reference == refund.reference for a in o.attempts)), None)


def is_recorded(operations: Sequence[Operation], refund: ProviderRefund) -> bool:
    """Return whether the list says nothing new about this refund: it is ours, or its state is known."""
    if parse_provider_key(refund.provider_key or "") is not None:
        return True
    owner = owner_of(operations, refund)
    if owner is None:
        return False
    return owner.origin is Origin.MERCHANT or (
        owner.attempts[0].state is _STATES[refund.state] and owner.amount == refund.amount
    )


def external_refund(payment: Payment, charge: Attempt, refund: ProviderRefund, now_ms: int) -> Operation:
    """Return the operation for a refund that was made at the provider. Nothing is ever sent for it.

    Its id is derived from the merchant, the provider, the charge's and the refund's id there. The charge's id is unique
    in the provider's account, whatever we call the account.
    """
    succeeded = refund.state is RefundState.SUCCEEDED
    prefix = OPERATION_PREFIXES[OperationKind.REFUND]
    attempt = Attempt(
        number=1,
        provider=charge.provider,
        account_id=charge.account_id,
        provider_key=refund.provider_key or "",
        request_hash="",
        epoch=0,
        started_at_ms=now_ms,
        state=AttemptState.SUCCEEDED if succeeded else AttemptState.ACCEPTED,
        settled_at_ms=now_ms,
        reference=refund.reference,
    )
    return Operation(
        merchant_id=payment.merchant_id,
        transaction_id=payment.transaction_id,
        operation_id=derive_id(
            prefix, "refund", payment.merchant_id, charge.provider, charge.reference or "", refund.reference
        ),
        kind=OperationKind.REFUND,
        fingerprint=_FINGERPRINT,
        amount=refund.amount,
        currency=refund.currency,
        charge_attempt=charge.number,
        created_at_ms=now_ms,
        updated_at_ms=now_ms,
        send_deadline_ms=now_ms,
        status=OperationStatus.SUCCEEDED if succeeded else OperationStatus.PENDING,
        origin=Origin.PROVIDER,
        attempts=(attempt,),
    )


def refund_outcome(refund: ProviderRefund, attempt: Attempt) -> Outcome:
    """Return the outcome of a listed refund for the attempt that owns it."""
    match refund.state:
        case RefundState.PENDING:
            return Accepted(reference=refund.reference)
        case RefundState.SUCCEEDED:
            return Succeeded(
                reference=refund.reference,
                amount=refund.amount,
                currency=refund.currency,
                merchant_reference=attempt.provider_key,
            )
        case RefundState.FAILED:
            return Declined(code=refund.code or "refund_failed", reference=refund.reference)
