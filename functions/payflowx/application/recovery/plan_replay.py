"""What a dead letter would do if it were sent again, decided from the stored rows: nothing is written or sent."""

from dataclasses import dataclass
from enum import StrEnum

from payflowx.application.inbound_webhooks.match_event import Matched, MatchEvent, Unmatched
from payflowx.domain.inbound_webhooks.ports import ReceivedEvent
from payflowx.domain.merchants.ports import MerchantConfiguration
from payflowx.domain.outbound_webhooks.ports import DeliveryJob, MerchantEvents
from payflowx.domain.payments.claim import FailPayment, NoWork, ResolveOpenAttempt, StartAttempt, decide_claim
from payflowx.domain.payments.operation_claim import (
    FailOperation,
    ResolveOpenOperation,
    StartOperationAttempt,
    decide_operation_claim,
)
from payflowx.domain.payments.operation_ports import Operations
from payflowx.domain.payments.ports import Job, Payments
from payflowx.domain.payments.retry import RetryPolicy
from payflowx.domain.reconciliation.ports import Runs
from payflowx.domain.recovery.ports import (
    DeadLetter,
    Message,
    MessageDecoder,
    RunWakeUp,
    UnreadableMessageError,
    WorkQueueName,
)
from payflowx.domain.shared.ambient import Clock


class ReplayStep(StrEnum):
    """What the worker would do on being woken."""

    RESOLVE = "resolve"
    """Ask the provider what became of an attempt."""
    CHARGE = "charge"
    """Begin an attempt, or a capture's, void's or refund's: all earlier ones are proven without effect."""
    END = "end"
    """Nothing was charged and nothing may be tried any more: record it as failed or cancelled."""
    TELL = "tell"
    """Tell a merchant of an event that is still owed."""
    GO_ON = "go_on"
    """Go on with a reconciliation, from where it stands."""
    APPLY = "apply"
    """Apply a provider's webhook."""
    SKIP = "skip"
    """Nothing: a replay removes the message."""
    KEEP = "keep"
    """Nothing, and a person should know: a replay leaves the message where it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayPlan:
    """`what` the message was, and why the step.

    `status` is the payment's or the operation's as stored.
    """

    message_id: str
    sent_at_ms: int
    what: str
    step: ReplayStep
    why: str
    message: Message | None = None
    transaction_id: str | None = None
    status: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanReplay:
    """The row decides, as it will for the worker: the message is only what wakes it."""

    payments: Payments
    operations: Operations
    merchants: MerchantConfiguration
    find: MatchEvent
    merchant_events: MerchantEvents
    runs: Runs
    decode: MessageDecoder
    clock: Clock
    policy: RetryPolicy

    def __call__(self, queue: WorkQueueName, letter: DeadLetter) -> ReplayPlan:
        """Reads only."""
        try:
            message = self.decode(queue, letter.body)
        except UnreadableMessageError as error:
            why = f"{error}: it came from outside, or from another version; purge it once you know"
            return _plan(letter, "unreadable", ReplayStep.KEEP, why, None)
        match message:
            case ReceivedEvent():
                return self._provider_event(letter, message)
            case DeliveryJob():
                return self._delivery(letter, message)
            case RunWakeUp():
                return self._run(letter, message)
            case Job(operation_id=None):
                return self._payment(letter, message)
            case Job():
                return self._operation(letter, message)

    def _payment(self, letter: DeadLetter, job: Job) -> ReplayPlan:
        what = f"wake-up of payment {job.transaction_id} of {job.merchant_id}"
        payment = self.payments.get(job.merchant_id, job.transaction_id)
        merchant = self.merchants.get(job.merchant_id)
        if payment is None or merchant is None:
            missing = "payment" if payment is None else "merchant"
            why = f"there is no such {missing} here: the message is another deployment's, or the row was lost"
            return _plan(letter, what, ReplayStep.KEEP, why, job)
        step, why = _payment_step(decide_claim(payment, self.policy, merchant.disabled, self.clock.now_ms()))
        return _plan(letter, what, step, why, job, transaction_id=payment.transaction_id, status=payment.status)

    def _operation(self, letter: DeadLetter, job: Job) -> ReplayPlan:
        what = f"wake-up of operation {job.operation_id} of {job.merchant_id}"
        operation = self.operations.get(job.merchant_id, job.transaction_id, job.operation_id or "")
        if operation is None:
            why = "there is no such operation here: the message is another deployment's, or the row was lost"
            return _plan(letter, what, ReplayStep.KEEP, why, job)
        match decide_operation_claim(operation, self.clock.now_ms()):
            case NoWork(reason=reason):
                step, why = ReplayStep.SKIP, reason
            case ResolveOpenOperation(attempt=attempt):
                step, why = ReplayStep.RESOLVE, f"attempt {attempt.number} at {attempt.provider} is {attempt.state}"
            case StartOperationAttempt(number=number):
                step, why = ReplayStep.CHARGE, f"{operation.kind} attempt {number}: nothing was moved so far"
            case FailOperation(code=code):
                step, why = ReplayStep.END, f"nothing was moved and nothing may be tried any more: {code}"
        return _plan(letter, what, step, why, job, transaction_id=operation.transaction_id, status=operation.status)

    def _delivery(self, letter: DeadLetter, job: DeliveryJob) -> ReplayPlan:
        what = f"delivery of event {job.seq} of {job.transaction_id} to {job.merchant_id}"
        merchant_event = self.merchant_events.get(job.merchant_id, job.transaction_id, job.seq)
        if merchant_event is None:
            return _plan(letter, what, ReplayStep.SKIP, "there is no such event to be told of", job)
        if merchant_event.due_at_ms is None:
            return _plan(letter, what, ReplayStep.SKIP, "nobody is owed it any more", job)
        return _plan(letter, what, ReplayStep.TELL, "it is still owed", job, transaction_id=job.transaction_id)

    def _run(self, letter: DeadLetter, message: RunWakeUp) -> ReplayPlan:
        what = f"wake-up of reconciliation {message.run_id}"
        run = self.runs.get(message.run_id)
        if run is None:
            return _plan(letter, what, ReplayStep.KEEP, "there is no such reconciliation here", message)
        if run.is_over:
            return _plan(letter, what, ReplayStep.SKIP, f"it is over: {run.phase}", message, status=run.phase)
        return _plan(letter, what, ReplayStep.GO_ON, f"it stands in phase {run.phase}", message, status=run.phase)

    def _provider_event(self, letter: DeadLetter, inbound: ReceivedEvent) -> ReplayPlan:
        what = f"webhook {inbound.provider_event.type} of {inbound.provider} for {inbound.merchant_id}"
        match self.find(inbound):
            case Unmatched.OURS_UNKNOWN:
                why = "it bears a key of our making that belongs to nothing here: two deployments on one account?"
                return _plan(letter, what, ReplayStep.KEEP, why, inbound)
            case Unmatched():
                why = "it is about nothing of ours; what is ours is inquired without it"
                return _plan(letter, what, ReplayStep.SKIP, why, inbound)
            case Matched(payment=payment, attempt=attempt, operation=operation):
                status = operation.status if operation else payment.status
                why = f"attempt {attempt.number} is {attempt.state}; a proof is applied once, a hint makes a worker ask"
                return _plan(
                    letter,
                    what,
                    ReplayStep.APPLY,
                    why,
                    inbound,
                    transaction_id=payment.transaction_id,
                    status=status,
                )


def _payment_step(decision: NoWork | StartAttempt | ResolveOpenAttempt | FailPayment) -> tuple[ReplayStep, str]:
    match decision:
        case NoWork(reason=reason):
            return ReplayStep.SKIP, reason
        case ResolveOpenAttempt(attempt=attempt):
            return ReplayStep.RESOLVE, f"attempt {attempt.number} at {attempt.provider} is {attempt.state}"
        case StartAttempt(number=number, candidate=candidate):
            return ReplayStep.CHARGE, f"attempt {number} at {candidate.provider}: nothing was charged so far"
        case FailPayment(stop=stop):
            return ReplayStep.END, stop.message


def _plan(
    letter: DeadLetter,
    what: str,
    step: ReplayStep,
    why: str,
    message: Message | None,
    *,
    transaction_id: str | None = None,
    status: str | None = None,
) -> ReplayPlan:
    return ReplayPlan(
        message_id=letter.message_id,
        sent_at_ms=letter.sent_at_ms,
        what=what,
        step=step,
        why=why,
        message=message,
        transaction_id=transaction_id,
        status=str(status) if status is not None else None,
    )
