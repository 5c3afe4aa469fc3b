"""Metrics of a payment's status changes."""

from payflowx.domain.payments.payment import Payment
from payflowx.domain.payments.slo import missed_objective
from payflowx.domain.shared.ambient import Telemetry
from payflowx.domain.shared.metrics import Metric
from payflowx.domain.shared.statuses import FINAL_STATUSES, PaymentStatus


def count_status(telemetry: Telemetry, before: Payment, after: Payment) -> None:
    """Count the change; nothing if the status is the same."""
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


def count_postponed(telemetry: Telemetry, not_sent_since_ms: int | None, wake_in_seconds: int | None) -> None:
    """Count a request that could not be sent and is tried again later; one that another provider gets at once is not.

    Such a payment fails within the hour at the earliest, so the objective's alarms see the trouble too late.
    """
    if not_sent_since_ms is not None and wake_in_seconds != 0:
        telemetry.count(Metric.SENDS_POSTPONED)
