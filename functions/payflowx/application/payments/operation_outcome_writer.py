"""Storage of an operation's outcome while its payment may change concurrently."""

from dataclasses import dataclass

from payflowx.application.payments.event_publisher import publish
from payflowx.application.payments.outcome_writer import Written
from payflowx.application.payments.status_metrics import count_postponed, count_status
from payflowx.domain.outbound_webhooks.ports import Deliveries
from payflowx.domain.payments.attempt import Attempt
from payflowx.domain.payments.operation import Operation
from payflowx.domain.payments.operation_ports import Operations, StoredOperation
from payflowx.domain.payments.operation_state_machine import (
    already_final,
    apply_operation_outcome,
    schedule_operation_inquiry,
    send_operation_to_review,
)
from payflowx.domain.payments.operation_verification import verify_operation_outcome
from payflowx.domain.payments.outcome import Mismatch, OperationOutcome, Rejected, Succeeded
from payflowx.domain.payments.payment import Payment
from payflowx.domain.payments.ports import Job, Jobs, Payments, ReferenceTaken, Stored
from payflowx.domain.payments.review_reasons import ReviewReason
from payflowx.domain.payments.state_machine import Change, Context
from payflowx.domain.shared.ambient import Telemetry
from payflowx.domain.shared.errors import StorageUnavailableError
from payflowx.domain.shared.limits import MAX_ACCEPT_TRIES
from payflowx.domain.shared.metrics import Metric
from payflowx.domain.shared.statuses import FINAL_OPERATION_STATUSES, AttemptState, OperationStatus, PaymentStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationObservation:
    """A verified outcome. `exhausted`: no automatic step is left if it changes no state."""

    outcome: OperationOutcome
    first_send: bool
    exhausted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationOutcomeWriter:
    """Commits observations under the lease of the worker that made them."""

    payments: Payments
    operations: Operations
    jobs: Jobs
    deliveries: Deliveries
    telemetry: Telemetry

    def record(
        self, payment: Payment, operation: Operation, number: int, observation: OperationObservation, context: Context
    ) -> None:
        """Retry until stored; stop silently when a newer worker has taken over.

        Raises `StorageUnavailableError` when it could not be stored: the attempt stays open and is resolved later.
        """
        owner = operation.lease.owner
        for _ in range(MAX_ACCEPT_TRIES):
            outcome = self._try(payment, operation, number, observation, context)
            if outcome is None:
                return
            if isinstance(outcome, ReferenceTaken):
                observation = OperationObservation(
                    outcome=Mismatch(code="reference_taken"), first_send=observation.first_send
                )
            found = self.operations.get(operation.merchant_id, operation.transaction_id, operation.operation_id)
            paid = self.payments.get(operation.merchant_id, operation.transaction_id)
            if found is None or paid is None or found.lease.owner != owner:
                self.telemetry.warn("a newer worker took over", operationId=operation.operation_id)
                return
            payment, operation = paid, found
        raise StorageUnavailableError("the outcome could not be stored; the operation will be resolved later")

    def commit(self, change: Change) -> Operation | None:
        """Write a change without a provider's outcome; None after a version conflict."""
        return change.operation_after if isinstance(self.apply(change), Stored) else None

    def apply(self, change: Change) -> Written:
        """Write a change; once it is stored, publish its event and send its wake-up."""
        result = self.payments.commit(change)
        if isinstance(result, Stored):
            self._publish(change)
        return result

    def wake(self, operation: Operation, in_seconds: int | None) -> None:
        """Send the wake-up message. A lost one only delays the operation, which is due anyway."""
        if in_seconds is None:
            return
        job = Job(
            merchant_id=operation.merchant_id,
            transaction_id=operation.transaction_id,
            operation_id=operation.operation_id,
        )
        try:
            self.jobs.send(job, delay_seconds=in_seconds)
        except StorageUnavailableError:
            self.telemetry.warn("wake-up not sent; the sweeper will wake a worker", operationId=operation.operation_id)

    def _try(
        self, payment: Payment, operation: Operation, number: int, observation: OperationObservation, context: Context
    ) -> object | None:
        """Return None when written."""
        attempt = operation.attempt(number)
        verified = verify_operation_outcome(observation.outcome, operation, attempt, first_send=observation.first_send)
        change = apply_operation_outcome(payment, operation, attempt, verified, context)
        if change is None and observation.exhausted and operation.status is OperationStatus.PENDING:
            change = send_operation_to_review(payment, operation, ReviewReason.OUTCOME_UNKNOWN, context)
        if change is None:
            return self._schedule_inquiry(operation, attempt, verified, context)
        result = self.apply(change)
        if not isinstance(result, Stored):
            return result
        if isinstance(observation.outcome, Rejected) and observation.outcome.misconfigured:
            self.telemetry.count(Metric.PROVIDER_MISCONFIGURED)
        return None

    def _schedule_inquiry(
        self, operation: Operation, attempt: Attempt, verified: OperationOutcome, context: Context
    ) -> object | None:
        confirmed = operation.status is OperationStatus.SUCCEEDED and isinstance(verified, Succeeded)
        later, wake_in_seconds = (
            (already_final(operation, context), None)
            if confirmed
            else schedule_operation_inquiry(operation, attempt, context)
        )
        result = self.operations.reschedule(operation, later)
        if not isinstance(result, StoredOperation):
            return result
        self.wake(result.operation, wake_in_seconds)
        return None

    def _publish(self, change: Change) -> None:
        """Log a stored change, count its metrics and send its wake-ups."""
        before, after = change.operation_before, change.operation_after
        publish(change, self.deliveries, self.telemetry)
        if after is None:
            return
        last = after.last_attempt
        self.telemetry.info(
            "operation recorded",
            operationId=after.operation_id,
            transactionId=after.transaction_id,
            merchantId=after.merchant_id,
            kind=after.kind.value,
            status=after.status.value,
            provider=last.provider if last else None,
            state=last.state.value if last else None,
            code=last.code if last else None,
        )
        self._count(before, after, change)
        self.wake(after, change.wake_in_seconds)

    def _count(self, before: Operation | None, after: Operation, change: Change) -> None:
        last = after.last_attempt
        if last is not None and last.state is AttemptState.MISMATCH:
            self.telemetry.count(Metric.MISMATCHES)
        if after.status is OperationStatus.PENDING:
            count_postponed(self.telemetry, after.not_sent_since_ms, change.wake_in_seconds)
        if before is None or before.status is after.status:
            return
        if after.status is OperationStatus.IN_REVIEW:
            self.telemetry.count(Metric.OPERATIONS_IN_REVIEW)
        if after.status in FINAL_OPERATION_STATUSES:
            self.telemetry.count(Metric.OPERATIONS_FINAL, kind=after.kind.value, status=after.status.value)
        if change.after.status is not PaymentStatus.IN_REVIEW:
            count_status(self.telemetry, change.before, change.after)
