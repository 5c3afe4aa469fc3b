"""Write down what became of a capture, void or refund, whatever else happens to its payment meanwhile."""

from dataclasses import dataclass

from payflowx.application.payments.event_publisher import announce
from payflowx.application.payments.outcome_writer import Written
from payflowx.application.payments.status_metrics import count_status
from payflowx.domain.outbound_webhooks.ports import Deliveries
from payflowx.domain.payments.attempt import Attempt
from payflowx.domain.payments.operation import Operation
from payflowx.domain.payments.operation_ports import ClaimedOperation, Operations
from payflowx.domain.payments.operation_state_machine import (
    conclude_operation,
    look_at_operation_again,
    send_operation_to_review,
    settled_again,
)
from payflowx.domain.payments.operation_verification import weigh_movement
from payflowx.domain.payments.outcome import Mismatch, Moved, MovementOutcome, Rejected
from payflowx.domain.payments.payment import Payment
from payflowx.domain.payments.ports import Claimed, Job, Jobs, Payments, ReferenceTaken
from payflowx.domain.payments.state_machine import Change, Context
from payflowx.domain.shared.ambient import Telemetry
from payflowx.domain.shared.errors import StorageUnavailableError
from payflowx.domain.shared.limits import MAX_ACCEPT_TRIES
from payflowx.domain.shared.metrics import Metric
from payflowx.domain.shared.statuses import FINAL_OPERATION_STATUSES, AttemptState, OperationStatus, PaymentStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class MovementFinding:
    """An outcome with its weight. `exhausted`: nothing automatic is left if this is no news."""

    outcome: MovementOutcome
    first_send: bool
    exhausted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationRecorder:
    """Commits findings under the lease of the worker that made them."""

    payments: Payments
    operations: Operations
    jobs: Jobs
    deliveries: Deliveries
    telemetry: Telemetry

    def record(
        self, payment: Payment, operation: Operation, number: int, finding: MovementFinding, context: Context
    ) -> None:
        """Try until written; silently stop when a newer worker has taken over.

        Raises `StorageUnavailableError` when it could not be written: the attempt stays open and is resolved later.
        """
        owner = operation.lease.owner
        for _ in range(MAX_ACCEPT_TRIES):
            outcome = self._try(payment, operation, number, finding, context)
            if outcome is None:
                return
            if isinstance(outcome, ReferenceTaken):
                finding = MovementFinding(outcome=Mismatch(code="reference_taken"), first_send=finding.first_send)
            found = self.operations.get(operation.merchant_id, operation.transaction_id, operation.operation_id)
            paid = self.payments.get(operation.merchant_id, operation.transaction_id)
            if found is None or paid is None or found.lease.owner != owner:
                self.telemetry.warn("a newer worker took over", operationId=operation.operation_id)
                return
            payment, operation = paid, found
        raise StorageUnavailableError("the outcome could not be written; the operation will be resolved")

    def commit(self, change: Change) -> Operation | None:
        """Write a change that no provider had a part in; None when payment or operation moved meanwhile."""
        return change.operation_after if isinstance(self.apply(change), Claimed) else None

    def apply(self, change: Change) -> Written:
        """Write a change and, once it is stored, tell of it and send its wake-up."""
        result = self.payments.commit(change)
        if isinstance(result, Claimed):
            self._announce(change)
        return result

    def wake(self, operation: Operation, in_seconds: int | None) -> None:
        """Send the message that goes on with the operation. Losing it costs time only: the operation is due."""
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
            self.telemetry.warn("wake-up not sent; the sweeper will do it", operationId=operation.operation_id)

    def _try(
        self, payment: Payment, operation: Operation, number: int, finding: MovementFinding, context: Context
    ) -> object | None:
        """None when written."""
        attempt = operation.attempt(number)
        weighed = weigh_movement(finding.outcome, operation, attempt, first_send=finding.first_send)
        change = conclude_operation(payment, operation, attempt, weighed, context)
        if change is None and finding.exhausted:
            change = send_operation_to_review(payment, operation, "outcome_unknown", context)
        if change is None:
            return self._look_again(operation, attempt, weighed, context)
        result = self.apply(change)
        if not isinstance(result, Claimed):
            return result
        if isinstance(finding.outcome, Rejected) and finding.outcome.misconfigured:
            self.telemetry.count(Metric.PROVIDER_MISCONFIGURED)
        return None

    def _look_again(
        self, operation: Operation, attempt: Attempt, weighed: MovementOutcome, context: Context
    ) -> object | None:
        confirmed = operation.status is OperationStatus.SUCCEEDED and isinstance(weighed, Moved)
        later, wake_in_seconds = (
            (settled_again(operation, context), None)
            if confirmed
            else look_at_operation_again(operation, attempt, context)
        )
        result = self.operations.reschedule(operation, later)
        if not isinstance(result, ClaimedOperation):
            return result
        self.wake(result.operation, wake_in_seconds)
        return None

    def _announce(self, change: Change) -> None:
        """Log line, metrics and the next wake-ups of a change that is stored."""
        before, after = change.operation_before, change.operation_after
        announce(change, self.deliveries, self.telemetry)
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
        if before is None or before.status is after.status:
            return
        if after.status is OperationStatus.IN_REVIEW:
            self.telemetry.count(Metric.OPERATIONS_IN_REVIEW)
        if after.status in FINAL_OPERATION_STATUSES:
            self.telemetry.count(Metric.OPERATIONS_FINAL, kind=after.kind.value, status=after.status.value)
        if change.after.status is not PaymentStatus.IN_REVIEW:
            count_status(self.telemetry, change.before, change.after)
