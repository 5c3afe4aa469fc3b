"""Metrics of a stored change."""

from payflowx.domain.payments.attempt import Attempt
from payflowx.domain.payments.change import Change
from payflowx.domain.payments.operation import Operation
from payflowx.domain.payments.payment import Payment
from payflowx.domain.payments.slo import missed_objective
from payflowx.domain.shared.ambient import Telemetry
from payflowx.domain.shared.metrics import Metric
from payflowx.domain.shared.statuses import (
    FINAL_OPERATION_STATUSES,
    FINAL_STATUSES,
    AttemptState,
    OperationStatus,
    PaymentStatus,
)


def count_change(telemetry: Telemetry, change: Change) -> None:
    """Count the attempt's outcome, and the new statuses of payment and operation."""
    if change.attempt_number is not None:
        _count_postponed(telemetry, change.operation_after or change.after, change.wake_in_seconds)
    found = len(change.after.extra_charges) - len(change.before.extra_charges)
    if found > 0:
        telemetry.count(Metric.OBJECTS_CHARGED_TWICE, found)
    if change.dispute is not None and change.event.type.endswith(".opened"):
        telemetry.count(Metric.DISPUTES_REPORTED)
    if change.operation_after is not None:
        _count_operation(telemetry, change.operation_before, change.operation_after)
    elif change.attempt_number is not None:
        # A person's evidence may record an attempt that was not stored.
        before = next((a for a in change.before.attempts if a.number == change.attempt_number), None)
        _count_attempt(telemetry, before, change.after.attempt(change.attempt_number))
    _count_payment(telemetry, change.before, change.after)


def _count_attempt(telemetry: Telemetry, before: Attempt | None, after: Attempt) -> None:
    telemetry.count(Metric.ATTEMPT_OUTCOMES, provider=after.provider, outcome=after.state)
    if after.state is AttemptState.MISMATCH:
        telemetry.count(Metric.MISMATCHES)
    if after.state is AttemptState.SUCCEEDED and before is not None and before.may_prove_late:
        telemetry.count(Metric.LATE_SUCCESSES)


def _count_operation(telemetry: Telemetry, before: Operation | None, after: Operation) -> None:
    last = after.last_attempt
    if last is not None and last.state is AttemptState.MISMATCH:
        telemetry.count(Metric.MISMATCHES)
    if before is not None and before.status is after.status:
        return
    if after.status is OperationStatus.IN_REVIEW:
        telemetry.count(Metric.OPERATIONS_IN_REVIEW)
    if after.status in FINAL_OPERATION_STATUSES:
        telemetry.count(Metric.OPERATIONS_FINAL, kind=after.kind.value, status=after.status.value)


def _count_payment(telemetry: Telemetry, before: Payment, after: Payment) -> None:
    if before.status is after.status:
        return
    missed = missed_objective(before, after)
    if missed is not None:
        telemetry.count(Metric.OBJECTIVE_MISSED, int(missed))
    if after.status is PaymentStatus.IN_REVIEW:
        telemetry.count(Metric.PAYMENTS_IN_REVIEW)
    if after.status not in FINAL_STATUSES:
        return
    provider = after.last_attempt.provider if after.last_attempt else "none"
    telemetry.count(Metric.PAYMENTS_FINAL, status=after.status, provider=provider)
    telemetry.count(Metric.ATTEMPTS_TO_FINAL, len(after.attempts))
    if before.status is PaymentStatus.PENDING:
        telemetry.milliseconds(Metric.TIME_TO_FINAL, after.updated_at_ms - after.created_at_ms)


def _count_postponed(telemetry: Telemetry, owner: Payment | Operation, wake_in_seconds: int | None) -> None:
    """Count a request that could not be sent and is tried again later; one that another provider gets at once is not.

    Such a payment fails within the hour at the earliest, so the objective's alarms see the trouble too late.
    """
    pending = owner.status in {PaymentStatus.PENDING, OperationStatus.PENDING}
    if pending and owner.not_sent_since_ms is not None and wake_in_seconds != 0:
        telemetry.count(Metric.SENDS_POSTPONED)
