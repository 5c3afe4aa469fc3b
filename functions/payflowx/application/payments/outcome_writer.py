"""Storage of an attempt's outcome while the payment may change concurrently."""

from dataclasses import dataclass

from payflowx.application.payments.event_publisher import publish
from payflowx.application.payments.status_metrics import count_postponed, count_status
from payflowx.domain.outbound_webhooks.ports import Deliveries
from payflowx.domain.payments.attempt import Attempt
from payflowx.domain.payments.outcome import Mismatch, Outcome, Rejected
from payflowx.domain.payments.payment import Payment
from payflowx.domain.payments.ports import AlreadySeen, Job, Jobs, Payments, ReferenceTaken, Stored, VersionConflict
from payflowx.domain.payments.review_reasons import ReviewReason
from payflowx.domain.payments.state_machine import Change, Context, apply_outcome, schedule_inquiry, send_to_review
from payflowx.domain.payments.verification import verify_outcome
from payflowx.domain.shared.ambient import Telemetry
from payflowx.domain.shared.errors import StorageUnavailableError
from payflowx.domain.shared.limits import MAX_COMMIT_TRIES
from payflowx.domain.shared.metrics import Metric
from payflowx.domain.shared.statuses import AttemptState, PaymentStatus

Written = Stored | VersionConflict | ReferenceTaken | AlreadySeen


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """A verified outcome. `exhausted`: no automatic step is left if it changes no state."""

    outcome: Outcome
    first_send: bool
    exhausted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeWriter:
    """Commits observations under the lease of the worker that made them."""

    payments: Payments
    jobs: Jobs
    deliveries: Deliveries
    telemetry: Telemetry

    def record(self, payment: Payment, number: int, observation: Observation, context: Context) -> None:
        """Retry until stored, at most five times; stop silently when a newer worker has taken over.

        Raises `StorageUnavailableError` when it could not be stored: the attempt stays open and is resolved later.
        """
        owner = payment.lease.owner
        for _ in range(MAX_COMMIT_TRIES):
            match self._write(payment, number, observation, context):
                case Stored():
                    return
                case ReferenceTaken():
                    observation = Observation(
                        outcome=Mismatch(code="reference_taken"), first_send=observation.first_send
                    )
                case VersionConflict(payment=moved):
                    if moved is None or moved.lease.owner != owner:
                        self.telemetry.warn("a newer worker took over", transactionId=payment.transaction_id)
                        return
                    payment = moved
        raise StorageUnavailableError("the outcome could not be stored; the attempt will be resolved later")

    def commit(self, change: Change) -> Payment | None:
        """Write a change without a provider's outcome; None after a version conflict."""
        result = self.apply(change)
        return result.payment if isinstance(result, Stored) else None

    def apply(self, change: Change) -> Written:
        """Write a change; once it is stored, publish its event and send its wake-up."""
        result = self.payments.commit(change)
        if isinstance(result, Stored):
            self._tell(change)
            publish(change, self.deliveries, self.telemetry)
            self.wake(result.payment, change.wake_in_seconds)
        return result

    def wake(self, payment: Payment, in_seconds: int | None) -> None:
        """Send the wake-up message. A lost one only delays the payment, which is due anyway."""
        if in_seconds is None:
            return
        job = Job(merchant_id=payment.merchant_id, transaction_id=payment.transaction_id)
        try:
            self.jobs.send(job, delay_seconds=in_seconds)
        except StorageUnavailableError:
            self.telemetry.warn(
                "wake-up not sent; the sweeper will wake a worker", transactionId=payment.transaction_id
            )

    def _write(self, payment: Payment, number: int, observation: Observation, context: Context) -> Written:
        attempt = payment.attempt(number)
        verified = verify_outcome(observation.outcome, payment, attempt, first_send=observation.first_send)
        change = apply_outcome(payment, attempt, verified, context)
        if change is None and observation.exhausted and payment.status is not PaymentStatus.IN_REVIEW:
            change = send_to_review(
                payment,
                ReviewReason.OUTCOME_UNKNOWN,
                "No automatic step could determine the provider's outcome. Requires manual review.",
                context,
            )
        if change is None:
            return self._schedule_inquiry(payment, attempt, context)
        result = self.apply(change)
        if (
            isinstance(result, Stored)
            and isinstance(observation.outcome, Rejected)
            and observation.outcome.misconfigured
        ):
            self.telemetry.count(Metric.PROVIDER_MISCONFIGURED)
        return result

    def _schedule_inquiry(self, payment: Payment, attempt: Attempt, context: Context) -> Written:
        later, wake_in_seconds = schedule_inquiry(payment, attempt, context)
        result = self.payments.reschedule(payment, later)
        if isinstance(result, Stored):
            self._log("attempt inquired", result.payment, attempt.number)
            self.wake(result.payment, wake_in_seconds)
        return result

    def _tell(self, change: Change) -> None:
        """Log a stored change and count its metrics."""
        if change.attempt_number is not None:
            before = change.before.attempt(change.attempt_number)
            after = change.after.attempt(change.attempt_number)
            self._log("attempt recorded", change.after, after.number)
            self.telemetry.count(Metric.ATTEMPT_OUTCOMES, provider=after.provider, outcome=after.state)
            if after.state is AttemptState.MISMATCH:
                self.telemetry.count(Metric.MISMATCHES)
            if after.state is AttemptState.SUCCEEDED and not before.is_open:
                self.telemetry.count(Metric.LATE_SUCCESSES)
            if change.after.status is PaymentStatus.PENDING:
                count_postponed(self.telemetry, change.after.not_sent_since_ms, change.wake_in_seconds)
        count_status(self.telemetry, change.before, change.after)

    def _log(self, message: str, payment: Payment, number: int) -> None:
        attempt = payment.attempt(number)
        self.telemetry.info(
            message,
            transactionId=payment.transaction_id,
            merchantId=payment.merchant_id,
            attempt=attempt.number,
            provider=attempt.provider,
            state=attempt.state,
            status=payment.status,
            code=attempt.code,
        )
