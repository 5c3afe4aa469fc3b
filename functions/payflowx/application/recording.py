"""Write an outcome down, whatever else happens to the payment meanwhile."""

from dataclasses import dataclass

from payflowx.application.counting import count_status
from payflowx.domain.attempt import Attempt
from payflowx.domain.conclusion import Change, Context, conclude, look_again, send_to_review
from payflowx.domain.errors import StorageUnavailableError
from payflowx.domain.limits import MAX_COMMIT_TRIES
from payflowx.domain.metrics import Metric
from payflowx.domain.outcome import Mismatch, Outcome, Rejected
from payflowx.domain.payment import Payment
from payflowx.domain.ports import AlreadySeen, Claimed, Job, Jobs, Moved, Payments, ReferenceTaken, Telemetry
from payflowx.domain.statuses import AttemptState, PaymentStatus
from payflowx.domain.weighing import weigh


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """An outcome with its weight. `exhausted`: nothing automatic is left if this is no news."""

    outcome: Outcome
    first_send: bool
    exhausted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorder:
    """Commits findings under the lease of the worker that made them."""

    payments: Payments
    jobs: Jobs
    telemetry: Telemetry

    def record(self, payment: Payment, number: int, finding: Finding, context: Context) -> None:
        """Try until written, at most five times; silently stop when a newer worker has taken over.

        Raises `StorageUnavailableError` when it could not be written: the attempt stays open and is resolved later.
        """
        owner = payment.lease.owner
        for _ in range(MAX_COMMIT_TRIES):
            result, wake_in_seconds, change = self._write(payment, number, finding, context)
            match result:
                case Claimed(payment=stored):
                    self._announce(stored, payment.attempt(number), finding, change)
                    self.wake(stored, wake_in_seconds)
                    return
                case ReferenceTaken():
                    finding = Finding(outcome=Mismatch(code="reference_taken"), first_send=finding.first_send)
                case Moved(payment=moved):
                    if moved is None or moved.lease.owner != owner:
                        self.telemetry.warn("a newer worker took over", transactionId=payment.transaction_id)
                        return
                    payment = moved
        raise StorageUnavailableError("the outcome could not be written; the attempt will be resolved")

    def commit(self, change: Change) -> Payment | None:
        """Write a change that no provider had a part in; None when the payment moved meanwhile."""
        result = self.payments.commit(change)
        if not isinstance(result, Claimed):
            return None
        count_status(self.telemetry, change.before, change.after)
        self.wake(result.payment, change.wake_in_seconds)
        return result.payment

    def wake(self, payment: Payment, in_seconds: int | None) -> None:
        """Send the message that goes on with the payment. Losing it costs time only: the payment is due."""
        if in_seconds is None:
            return
        job = Job(merchant_id=payment.merchant_id, transaction_id=payment.transaction_id)
        try:
            self.jobs.send(job, delay_seconds=in_seconds)
        except StorageUnavailableError:
            self.telemetry.warn("wake-up not sent; the sweeper will do it", transactionId=payment.transaction_id)

    def _write(
        self, payment: Payment, number: int, finding: Finding, context: Context
    ) -> tuple[Claimed | Moved | ReferenceTaken | AlreadySeen, int | None, Change | None]:
        attempt = payment.attempt(number)
        weighed = weigh(finding.outcome, payment, attempt, first_send=finding.first_send)
        change = conclude(payment, attempt, weighed, context)
        if change is None and finding.exhausted and payment.status is not PaymentStatus.IN_REVIEW:
            change = send_to_review(
                payment,
                "outcome_unknown",
                "The provider's outcome could not be learned by any safe means; a person has to look.",
                context,
            )
        if change is not None:
            return self.payments.commit(change), change.wake_in_seconds, change
        later, wake_in_seconds = look_again(payment, attempt, context)
        return self.payments.reschedule(payment, later), wake_in_seconds, None

    def _announce(self, stored: Payment, before: Attempt, finding: Finding, change: Change | None) -> None:
        after = stored.attempt(before.number)
        self.telemetry.info(
            "attempt looked at" if change is None else "attempt recorded",
            transactionId=stored.transaction_id,
            merchantId=stored.merchant_id,
            attempt=after.number,
            provider=after.provider,
            state=after.state,
            status=stored.status,
            code=after.code,
        )
        if change is None:
            return
        self.telemetry.count(Metric.ATTEMPT_OUTCOMES, provider=after.provider, outcome=after.state)
        if after.state is AttemptState.MISMATCH:
            self.telemetry.count(Metric.MISMATCHES)
        if after.state is AttemptState.SUCCEEDED and not before.is_open:
            self.telemetry.count(Metric.LATE_SUCCESSES)
        if isinstance(finding.outcome, Rejected) and finding.outcome.misconfigured:
            self.telemetry.count(Metric.PROVIDER_MISCONFIGURED)
        count_status(self.telemetry, change.before, change.after)
