"""What is done about a difference: a worker is woken, the provider is asked, or a person has to look.

Nothing here believes a list: a payment changes only by the provider's answer about that very attempt, or by being put
before a person. Each remedy may be repeated.
"""

from dataclasses import dataclass

from payflowx.application.payments.charge_request import charge_of
from payflowx.application.payments.operation_outcome_writer import OperationRecorder
from payflowx.application.payments.outcome_writer import Recorder
from payflowx.domain.merchants.ports import Merchants
from payflowx.domain.payments.attempt import Attempt
from payflowx.domain.payments.events import Fact
from payflowx.domain.payments.operation import Operation
from payflowx.domain.payments.operation_ports import ClaimedOperation, Operations
from payflowx.domain.payments.operation_state_machine import hasten_operation, send_operation_to_review
from payflowx.domain.payments.outcome import Charged, Mismatch, Outcome, Unknown
from payflowx.domain.payments.payment import Payment
from payflowx.domain.payments.ports import Claimed, Payments
from payflowx.domain.payments.retry import RetryPolicy
from payflowx.domain.payments.state_machine import Change, Context, conclude, hasten
from payflowx.domain.payments.verification import weigh
from payflowx.domain.reconciliation.matching import (
    ACTOR,
    REVIEW_CODE,
    Held,
    Remedy,
    is_reviewed,
    review_difference,
)
from payflowx.domain.reconciliation.ports import ListingProviders
from payflowx.domain.reconciliation.run import Finding
from payflowx.domain.shared.ambient import Clock
from payflowx.domain.shared.errors import StorageUnavailableError
from payflowx.domain.shared.statuses import AttemptState, OperationStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class RemedyDifference:
    """Raises `StorageUnavailableError` when somebody else changed the payment: it is to be looked at anew."""

    payments: Payments
    operations: Operations
    merchants: Merchants
    providers: ListingProviders
    recorder: Recorder
    operation_recorder: OperationRecorder
    clock: Clock
    policy: RetryPolicy

    def __call__(self, run_id: str, finding: Finding, held: Held) -> None:
        """By what the finding asks for."""
        match finding.remedy:
            case Remedy.NONE:
                return
            case Remedy.WAKE:
                self._wake(held)
            case Remedy.ASK:
                self._ask_and_conclude(run_id, finding, held)
            case Remedy.REVIEW:
                self._review(run_id, finding, held)

    def ask(self, payment: Payment, attempt: Attempt) -> Outcome:
        """What the provider says of this attempt now; silence is `Unknown`."""
        merchant = self.merchants.get(payment.merchant_id)
        account = merchant.account(attempt.provider, attempt.account_id) if merchant else None
        if account is None:
            return Unknown(code="account_removed")
        outcome = self.providers.get(attempt.provider).inquire(charge_of(payment, attempt), account)
        return weigh(outcome, payment, attempt, first_send=False)

    # -- open: a worker asks, under a lease

    def _wake(self, held: Held) -> None:
        payment, attempt = held.payment, held.attempt
        settling = payment.open_settlement
        if held.operation is not None:
            self._wake_operation(held.operation)
        elif settling is not None and attempt is not None and attempt.state is AttemptState.AUTHORIZED:
            # The capture or void that is on its way decides what becomes of the charge.
            operation = self.operations.get(payment.merchant_id, payment.transaction_id, settling)
            if operation is not None:
                self._wake_operation(operation)
        else:
            self._wake_payment(payment)

    def _wake_payment(self, payment: Payment) -> None:
        now_ms = self.clock.now_ms()
        if payment.lease.is_live(now_ms):
            return  # somebody asks right now
        result = self.payments.reschedule(payment, hasten(payment, now_ms))
        if not isinstance(result, Claimed):
            raise StorageUnavailableError("the payment changed while it was reconciled")
        self.recorder.wake(result.payment, 0)

    def _wake_operation(self, operation: Operation) -> None:
        now_ms = self.clock.now_ms()
        if operation.lease.is_live(now_ms) or operation.last_attempt is None:
            return
        result = self.operations.reschedule(operation, hasten_operation(operation, now_ms))
        if not isinstance(result, ClaimedOperation):
            raise StorageUnavailableError("the operation changed while it was reconciled")
        self.operation_recorder.wake(result.operation, 0)

    # -- nothing is open: nobody would ask any more

    def _ask_and_conclude(self, run_id: str, finding: Finding, held: Held) -> None:
        """A verified success after all is a late success like any other; without one, a person has to look."""
        payment, attempt = held.payment, held.attempt
        if attempt is None or attempt.state is AttemptState.SUCCEEDED or is_reviewed(payment):
            return  # answered meanwhile
        outcome = self.ask(payment, attempt)
        change = None
        if isinstance(outcome, Charged | Mismatch):
            change = conclude(payment, attempt, outcome, self._context(run_id, finding))
        if change is None:
            self._review(run_id, finding, held)
        else:
            self._apply(change)

    # -- a person

    def _review(self, run_id: str, finding: Finding, held: Held) -> None:
        context = self._context(run_id, finding)
        operation = held.operation
        if operation is not None:
            if operation.status is not OperationStatus.IN_REVIEW:
                self._apply_operation(send_operation_to_review(held.payment, operation, REVIEW_CODE, context))
            return
        change = review_difference(held.payment, finding.verdict, context)
        if change is not None:
            self._apply(change)

    def _context(self, run_id: str, finding: Finding) -> Context:
        """The trail says which run found what; amounts and the provider's id, and no text of the provider."""
        facts: dict[str, Fact] = {
            "run": run_id,
            "verdict": finding.verdict.value,
            "listedKind": finding.kind.value,
            "listedReference": finding.reference,
            "listedAtMs": finding.at_ms,
            "listedCurrency": finding.currency,
        }
        if finding.their_amount is not None:
            facts["listedAmount"] = finding.their_amount
        return Context(now_ms=self.clock.now_ms(), actor=ACTOR, policy=self.policy, evidence=facts)

    def _apply(self, change: Change) -> None:
        if not isinstance(self.recorder.apply(change), Claimed):
            raise StorageUnavailableError("the payment changed while it was reconciled")

    def _apply_operation(self, change: Change) -> None:
        if not isinstance(self.operation_recorder.apply(change), Claimed):
            raise StorageUnavailableError("the operation changed while it was reconciled")
