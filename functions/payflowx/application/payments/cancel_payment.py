"""Cancellation of a payment.

It ends at once where nothing can have been charged; an open attempt is cancelled and confirmed first.
"""

from dataclasses import dataclass

from payflowx.application.payments.charge_request import charge_request_of
from payflowx.application.payments.outcome_writer import OutcomeWriter
from payflowx.application.payments.request_operation import NewOperation, RequestOperation
from payflowx.domain.merchants.ports import MerchantConfiguration
from payflowx.domain.payments.attempt import Attempt
from payflowx.domain.payments.change import Context
from payflowx.domain.payments.operation import Operation
from payflowx.domain.payments.operation_ports import Operations
from payflowx.domain.payments.payment import Payment
from payflowx.domain.payments.ports import Payments, Stored, VersionConflict
from payflowx.domain.payments.restored import needs_search
from payflowx.domain.payments.retry import FailureReason, RetryPolicy
from payflowx.domain.payments.state_machine import expedite, fail_payment, request_cancel
from payflowx.domain.providers.ports import Providers
from payflowx.domain.shared.ambient import Clock
from payflowx.domain.shared.errors import Refusal, StorageUnavailableError
from payflowx.domain.shared.limits import MAX_COMMIT_TRIES, MIN_CANCEL_INTERVAL_MS, SECOND_MS
from payflowx.domain.shared.operation_request import OperationKind
from payflowx.domain.shared.statuses import FINAL_STATUSES, AttemptState, PaymentStatus

_CANCELLED = FailureReason(code="cancelled", message="The merchant cancelled the payment.")


@dataclass(frozen=True, slots=True, kw_only=True)
class NewCancellation:
    """A validated request.

    `path` and `fingerprint` identify its content, as for every operation. It has no idempotency key: repeats find the
    same void until that void has failed.
    """

    merchant_id: str
    transaction_id: str
    path: str
    fingerprint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancellation:
    """The payment as it is now; `void` is the operation that releases the authorization, if any."""

    payment: Payment
    void: Operation | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelPayment:
    """Idempotent. Raises `Refusal`.

    Codes: `not_found`, `invalid_state`, `outcome_unknown`, `not_supported`.
    """

    payments: Payments
    providers: Providers
    outcome_writer: OutcomeWriter
    operations: Operations
    request_operation: RequestOperation
    merchants: MerchantConfiguration
    clock: Clock
    policy: RetryPolicy

    def __call__(self, request: NewCancellation) -> Cancellation:
        """Return the payment: CANCELLED, or open with the cancellation recorded for a worker."""
        for _ in range(MAX_COMMIT_TRIES):
            payment = self.payments.get(request.merchant_id, request.transaction_id)
            if payment is None:
                raise Refusal("not_found", "There is no payment with this id.")
            if payment.status is PaymentStatus.CANCELLED:
                return Cancellation(payment=payment)
            in_work = payment.cancel_requested and payment.lease.is_live(self.clock.now_ms())
            if payment.status is PaymentStatus.AUTHORIZED and not in_work:
                return self._open_void(payment) or self._release(request, payment)
            if payment.cancel_requested and payment.status not in FINAL_STATUSES:
                return Cancellation(payment=self._try_again(payment))
            stored = self._cancel(payment)
            if stored is not None:
                return Cancellation(payment=stored)
        raise StorageUnavailableError("the payment kept changing")

    def _try_again(self, payment: Payment) -> Payment:
        """Bring the next try of a requested cancellation forward, unless a worker makes it now or soon."""
        now_ms = self.clock.now_ms()
        at_ms = max(now_ms, payment.updated_at_ms + MIN_CANCEL_INTERVAL_MS)
        if payment.due_at_ms is None or payment.lease.is_live(now_ms) or payment.ready_at_ms <= at_ms:
            return payment
        match self.payments.reschedule(payment, expedite(payment, at_ms)):
            case Stored(item=stored):
                self.outcome_writer.wake(stored, -(-(at_ms - now_ms) // SECOND_MS))
                return stored
            case VersionConflict(item=changed):
                return changed or payment

    def _open_void(self, payment: Payment) -> Cancellation | None:
        """Return the void that is open already; None if there is none."""
        of = (payment.merchant_id, payment.transaction_id)
        open_operation = (
            self.operations.get(*of, payment.open_capture_or_void) if payment.open_capture_or_void else None
        )
        if open_operation is None or open_operation.kind is not OperationKind.VOID:
            return None
        return Cancellation(payment=payment, void=open_operation)

    def _release(self, request: NewCancellation, payment: Payment) -> Cancellation:
        """Release an authorization by a void, or make a capture impossible where voids are unsupported."""
        charge = next((a for a in payment.attempts if a.state is AttemptState.AUTHORIZED), None)
        try:
            acceptance = self.request_operation(
                NewOperation(
                    merchant_id=request.merchant_id,
                    transaction_id=request.transaction_id,
                    kind=OperationKind.VOID,
                    amount=None,
                    idempotency_key=_own_key(payment),
                    path=request.path,
                    fingerprint=request.fingerprint,
                )
            )
        except Refusal as refusal:
            if refusal.code != "not_supported" or charge is None:
                raise
            return self._cancel_and_confirm(payment, charge, refusal)
        now = self.payments.get(request.merchant_id, request.transaction_id)
        return Cancellation(payment=now or payment, void=acceptance.operation)

    def _cancel_and_confirm(self, payment: Payment, charge: Attempt, refusal: Refusal) -> Cancellation:
        if not self.providers.get(charge.provider).capabilities.can_cancel_and_confirm:
            raise refusal
        if payment.cancel_requested:
            return Cancellation(payment=self._try_again(payment))
        context = Context(now_ms=self.clock.now_ms(), actor="api", policy=self.policy)
        stored = self.outcome_writer.commit(request_cancel(payment, context))
        if stored is None:
            raise StorageUnavailableError("the payment changed meanwhile; repeat the request")
        return Cancellation(payment=stored)

    def _cancel(self, payment: Payment) -> Payment | None:
        if payment.status in FINAL_STATUSES or payment.status is PaymentStatus.IN_REVIEW:
            raise Refusal("invalid_state", "Only an open payment can be cancelled.")
        now_ms = self.clock.now_ms()
        if payment.lease.is_live(now_ms):
            raise Refusal(
                "outcome_unknown",
                "A worker is charging this payment right now. Try again in a minute.",
            )
        context = Context(now_ms=now_ms, actor="api", policy=self.policy)
        unresolved = next((a for a in payment.attempts if a.is_open), None)
        merchant = self.merchants.get(payment.merchant_id)
        if unresolved is None and needs_search(payment, merchant.restored if merchant else None):
            return self.outcome_writer.commit(request_cancel(payment, context))  # it may have been charged: see there
        if unresolved is None:
            return self.outcome_writer.commit(fail_payment(payment, _CANCELLED, context))
        if self.providers.get(unresolved.provider).can_cancel(charge_request_of(payment, unresolved)):
            return self.outcome_writer.commit(request_cancel(payment, context))
        self.outcome_writer.wake(payment, 0)
        raise Refusal(
            "outcome_unknown",
            "The provider may have charged this payment and offers no way to cancel it first. "
            "Its outcome is being resolved; read the payment again later.",
        )


def _own_key(payment: Payment) -> str:
    """Return the key of a void. A merchant's own would be refused for a second payment, and repeat a failed void."""
    return f"auto-{payment.transaction_id}-{payment.event_seq}"
