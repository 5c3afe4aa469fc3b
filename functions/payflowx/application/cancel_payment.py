"""Cancel a payment: at once where nothing can have been charged, by proof where something is open."""

from dataclasses import dataclass

from payflowx.application.recording import Recorder
from payflowx.domain.conclusion import Context, give_up, request_cancel
from payflowx.domain.errors import Refusal, StorageUnavailableError
from payflowx.domain.limits import MAX_COMMIT_TRIES
from payflowx.domain.payment import Payment
from payflowx.domain.ports import Clock, Payments, Providers
from payflowx.domain.retry import RetryPolicy, Stop
from payflowx.domain.statuses import FINAL_STATUSES, PaymentStatus

_CANCELLED = Stop(code="cancelled", message="The merchant cancelled the payment.")


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelPayment:
    """Idempotent. Raises `Refusal` (`not_found`, `invalid_state`, `outcome_unknown`)."""

    payments: Payments
    providers: Providers
    recorder: Recorder
    clock: Clock
    policy: RetryPolicy

    def __call__(self, merchant_id: str, transaction_id: str) -> Payment:
        """The payment, CANCELLED; or still open with the cancellation recorded, to be proven by a worker."""
        for _ in range(MAX_COMMIT_TRIES):
            payment = self.payments.get(merchant_id, transaction_id)
            if payment is None:
                raise Refusal("not_found", "There is no payment with this id.")
            if payment.status is PaymentStatus.CANCELLED or payment.cancel_requested:
                return payment
            stored = self._cancel(payment)
            if stored is not None:
                return stored
        raise StorageUnavailableError("the payment kept changing")

    def _cancel(self, payment: Payment) -> Payment | None:
        if payment.status in FINAL_STATUSES or payment.status is PaymentStatus.IN_REVIEW:
            raise Refusal("invalid_state", "Only a payment that is still open can be cancelled.")
        now_ms = self.clock.now_ms()
        if payment.lease.is_live(now_ms):
            raise Refusal(
                "outcome_unknown",
                "A provider is being asked to charge this payment right now. Try again in a minute.",
            )
        context = Context(now_ms=now_ms, actor="api", policy=self.policy)
        unresolved = next((a for a in payment.attempts if a.is_open), None)
        if unresolved is None:
            return self.recorder.commit(give_up(payment, _CANCELLED, context))
        if self.providers.get(unresolved.provider).capabilities.can_fence:
            return self.recorder.commit(request_cancel(payment, context))
        self.recorder.wake(payment, 0)
        raise Refusal(
            "outcome_unknown",
            "The provider may have charged this payment and offers no way to cancel it first. "
            "Its outcome is being resolved; read the payment again later.",
        )
