"""From the domain to the wire. Tokens and customer data have no place here."""

from datetime import UTC, datetime

from payflowx.domain.orders.order_not_free import OrderNotFree
from payflowx.domain.payments.attempt import Attempt
from payflowx.domain.payments.checkout import Checkout, Presentation
from payflowx.domain.payments.dispute import Dispute
from payflowx.domain.payments.events import Event
from payflowx.domain.payments.hosted import ExtraCharge
from payflowx.domain.payments.operation import Operation
from payflowx.domain.payments.payment import Payment
from payflowx.domain.shared.limits import SECOND_MS
from payflowx.domain.shared.statuses import PaymentStatus
from payflowx.entrypoints.api.payments.types import (
    AttemptAnswer,
    DisputeAnswer,
    EventAnswer,
    ExtraChargeAnswer,
    LastErrorAnswer,
    NextActionAnswer,
    OperationAnswer,
    OrderHolderAnswer,
    PaymentAnswer,
    RoutingAnswer,
)


def timestamp(at_ms: int) -> str:
    """RFC 3339 in UTC, with milliseconds."""
    return datetime.fromtimestamp(at_ms / SECOND_MS, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def present_payment(payment: Payment) -> PaymentAnswer:
    """`provider` is the one that charged, else the one of the newest attempt, else the one that comes first."""
    shown = payment.attempt(payment.charged_attempt) if payment.charged_attempt else payment.last_attempt
    return PaymentAnswer(
        transaction_id=payment.transaction_id,
        status=payment.status.value,
        amount=payment.amount,
        currency=payment.currency,
        capture=payment.capture.value,
        capturable=payment.capturable,
        captured=payment.captured,
        refundable=payment.refundable,
        refunded=payment.refunded,
        provider=shown.provider if shown else payment.route.candidates[0].provider,
        provider_ref=shown.reference if shown else None,
        payment_method_type=payment.payment_method.type,
        attempts=[_attempt(attempt) for attempt in payment.attempts],
        retry_count=payment.retry_count,
        last_error=_last_error(payment),
        next_action=_next_action(payment),
        cancel_requested=payment.cancel_requested,
        description=payment.description,
        metadata=dict(payment.metadata),
        order_id=payment.order.order_id if payment.order else None,
        once_per_order=payment.order.once if payment.order else True,
        contends_with=payment.order.contends_with if payment.order else None,
        statement_descriptor_suffix=payment.statement_descriptor_suffix,
        initiator=payment.initiator.value,
        save_payment_method=payment.save_payment_method,
        disputes=[_dispute(dispute) for dispute in payment.disputes],
        extra_charges=[_extra_charge(payment, charge) for charge in payment.extra_charges],
        payer_paid=payment.payer_paid,
        routing=RoutingAnswer(
            document=payment.route.document,
            rule=payment.route.rule,
            reasons=list(payment.route.reasons),
            providers=[candidate.provider for candidate in payment.route.candidates],
        ),
        created_at=timestamp(payment.created_at_ms),
        updated_at=timestamp(payment.updated_at_ms),
    )


def present_order_holder(refusal: OrderNotFree) -> OrderHolderAnswer:
    """The reason of a refusal, with what the client needs to go on."""
    holder = refusal.holder
    return OrderHolderAnswer(
        transaction_id=holder.transaction_id if holder else None,
        status=holder.status.value if holder else None,
        next_action=_next_action(holder) if holder else None,
        free_at=timestamp(refusal.free_at_ms) if refusal.free_at_ms is not None else None,
        beside=refusal.beside,
    )


def present_operation(operation: Operation) -> OperationAnswer:
    """A capture, void or refund. `provider` is known from its first attempt on."""
    last = operation.last_attempt
    return OperationAnswer(
        operation_id=operation.operation_id,
        transaction_id=operation.transaction_id,
        kind=operation.kind.value,
        origin=operation.origin.value,
        status=operation.status.value,
        amount=operation.amount,
        currency=operation.currency,
        provider=last.provider if last else None,
        provider_ref=last.reference if last else None,
        attempts=[_attempt(attempt) for attempt in operation.attempts],
        last_error=_last_error(operation),
        created_at=timestamp(operation.created_at_ms),
        updated_at=timestamp(operation.updated_at_ms),
    )


def present_event(event: Event) -> EventAnswer:
    """An entry of the audit log."""
    return EventAnswer(
        seq=event.seq,
        type=event.type,
        from_=event.status_from.value if event.status_from else None,
        to=event.status_to.value,
        actor=event.actor,
        at=timestamp(event.at_ms),
        facts=dict(event.facts),
        previous_hash=event.previous_hash,
        hash=event.hash,
    )


def _attempt(attempt: Attempt) -> AttemptAnswer:
    return AttemptAnswer(
        number=attempt.number,
        provider=attempt.provider,
        account_id=attempt.account_id,
        state=attempt.state.value,
        provider_key=attempt.provider_key,
        provider_ref=attempt.reference,
        provider_code=attempt.code,
        started_at=timestamp(attempt.started_at_ms),
        settled_at=timestamp(attempt.settled_at_ms) if attempt.settled_at_ms is not None else None,
    )


def _dispute(dispute: Dispute) -> DisputeAnswer:
    due_at_ms = dispute.evidence_due_at_ms
    return DisputeAnswer(
        provider=dispute.provider,
        provider_ref=dispute.reference,
        state=dispute.state.value,
        amount=dispute.amount,
        currency=dispute.currency,
        reason=dispute.reason,
        evidence_due_at=timestamp(due_at_ms) if due_at_ms is not None else None,
        opened_at=timestamp(dispute.opened_at_ms),
        updated_at=timestamp(dispute.reported_at_ms),
        is_signed=dispute.is_signed,
    )


def _extra_charge(payment: Payment, charge: ExtraCharge) -> ExtraChargeAnswer:
    return ExtraChargeAnswer(
        provider=payment.attempt(charge.attempt).provider,
        provider_ref=charge.reference,
        amount=charge.amount,
        currency=charge.currency,
        found_at=timestamp(charge.found_at_ms),
        refund_ref=charge.refund_reference,
        refunded_at=None if charge.refunded_at_ms is None else timestamp(charge.refunded_at_ms),
    )


def _last_error(owner: Payment | Operation) -> LastErrorAnswer | None:
    error = owner.last_error
    if error is None:
        return None
    attempt = owner.attempt(error.attempt) if error.attempt else None
    return LastErrorAnswer(
        code=error.code,
        message=error.message,
        provider=error.provider,
        provider_code=error.provider_code,
        provider_message=(attempt.message or None) if attempt and attempt.code == error.provider_code else None,
        attempt=error.attempt,
    )


def _next_action(payment: Payment) -> NextActionAnswer | None:
    if payment.status is not PaymentStatus.REQUIRES_ACTION:
        return None
    checkout = payment.checkout
    if checkout is not None and (checkout.presentation is Presentation.PAGE or _waits_for_choice(payment, checkout)):
        return _page_of(checkout)
    attempt = payment.last_attempt
    if attempt is None or attempt.next_action is None:
        return None
    action = attempt.next_action
    expires_at = timestamp(attempt.deadline_ms) if attempt.hosted and attempt.deadline_ms else None
    return NextActionAnswer(type=action.kind, url=action.url, fields=dict(action.fields) or None, expires_at=expires_at)


def _waits_for_choice(payment: Payment, checkout: Checkout) -> bool:
    """Return whether nothing is open at a provider, and nothing will be before the payer chooses on our page."""
    is_open = any(attempt.is_open for attempt in payment.attempts)
    return not is_open and checkout.choice_for(len(payment.attempts) + 1) is None


def _page_of(checkout: Checkout) -> NextActionAnswer | None:
    """Our page, whatever is open behind it. None after erasure."""
    if checkout.address is None:
        return None
    return NextActionAnswer(type="redirect", url=checkout.address, expires_at=timestamp(checkout.expires_at_ms))
