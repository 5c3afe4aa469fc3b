"""The plan of a dead letter's replay, decided from the stored items. Read-only."""

from dataclasses import dataclass
from enum import StrEnum

from payflowx.application.inbound_webhooks.match_event import Matched, MatchEvent, Unmatched
from payflowx.application.payments.work_items import WorkItems
from payflowx.domain.inbound_webhooks.ports import ReceivedEvent
from payflowx.domain.merchants.ports import MerchantConfiguration
from payflowx.domain.outbound_webhooks.ports import DeliveryJob, MerchantEvents
from payflowx.domain.payments import attempt_engine
from payflowx.domain.payments.claim import (
    ClaimDecision,
    FailPayment,
    InquireClosedAttempt,
    NoWork,
    PassOver,
    ReopenAttempt,
    ResolveOpenAttempt,
    StartAttempt,
)
from payflowx.domain.payments.ports import Job
from payflowx.domain.payments.retry import RetryPolicy
from payflowx.domain.reconciliation.ports import Runs
from payflowx.domain.recovery.ports import (
    DeadLetter,
    Message,
    MessageDecoder,
    RunWakeUp,
    WorkQueueName,
)
from payflowx.domain.shared.ambient import Clock
from payflowx.domain.shared.errors import UnreadableItemError, UnreadableMessageError


class ReplayStep(StrEnum):
    """The step that a worker would take after the wake-up."""

    RESOLVE = "resolve"
    """Inquire about an open attempt."""
    CHARGE = "charge"
    """Start an attempt of a payment or operation: all earlier ones are proven without effect."""
    NEXT_WAY = "next_way"
    """Leave a way of the payer's choice out that is switched off: its next one follows, or a new choice."""
    END = "end"
    """End as FAILED or CANCELLED: nothing was charged and no attempt is allowed any more."""
    TELL = "tell"
    """Deliver an event with pending deliveries."""
    GO_ON = "go_on"
    """Continue a reconciliation at its position."""
    APPLY = "apply"
    """Apply a provider's webhook."""
    SKIP = "skip"
    """No work: a replay removes the message."""
    KEEP = "keep"
    """No work, but an operator should know: a replay keeps the message."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayPlan:
    """A plan. `what` names the message, `why` gives the reason of the step.

    `status` is the payment's or operation's, as stored.
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
    """The stored item decides, as it will for the worker; the message only wakes it."""

    items: WorkItems
    merchants: MerchantConfiguration
    find: MatchEvent
    merchant_events: MerchantEvents
    runs: Runs
    decode: MessageDecoder
    clock: Clock
    policy: RetryPolicy

    def __call__(self, queue: WorkQueueName, letter: DeadLetter) -> ReplayPlan:
        """Return the plan. Reads only."""
        try:
            message = self.decode(queue, letter.body)
        except UnreadableMessageError as error:
            why = f"{error}: it came from outside, or from another version; purge it after checking its origin"
            return _plan(letter, "unreadable", ReplayStep.KEEP, why, None)
        try:
            return self._plan(letter, message)
        except UnreadableItemError as error:
            why = f"{error}: a newer release wrote it; replay the message with a release that reads it"
            return _plan(letter, "message about an item that is not readable", ReplayStep.KEEP, why, message)

    def _plan(self, letter: DeadLetter, message: Message) -> ReplayPlan:
        match message:
            case ReceivedEvent():
                return self._provider_event(letter, message)
            case DeliveryJob():
                return self._delivery(letter, message)
            case RunWakeUp():
                return self._run(letter, message)
            case Job():
                return self._job(letter, message)

    def _job(self, letter: DeadLetter, job: Job) -> ReplayPlan:
        kind = "operation" if job.operation_id else "payment"
        what = f"wake-up of {kind} {job.operation_id or job.transaction_id} of {job.merchant_id}"
        item = self.items.get(job.owner_id)
        merchant = self.merchants.get(job.merchant_id)
        if item is None or merchant is None:
            missing = kind if item is None else "merchant"
            why = f"no such {missing} exists: the message is from another deployment, or the item was lost"
            return _plan(letter, what, ReplayStep.KEEP, why, job)
        if job.read_refunds:
            why = "the refunds of its charge are read at the provider; no money moves"
            return _plan(letter, what, ReplayStep.RESOLVE, why, job, transaction_id=job.transaction_id)
        decision = attempt_engine.decide(item, self.policy, merchant.disabled, self.clock.now_ms())
        step, why = _worker_step(decision)
        return _plan(letter, what, step, why, job, transaction_id=job.transaction_id, status=item.owner.status)

    def _delivery(self, letter: DeadLetter, job: DeliveryJob) -> ReplayPlan:
        what = f"delivery of event {job.seq} of {job.transaction_id} to {job.merchant_id}"
        merchant_event = self.merchant_events.get(job.merchant_id, job.transaction_id, job.seq)
        if merchant_event is None:
            return _plan(letter, what, ReplayStep.SKIP, "no such merchant event exists", job)
        if merchant_event.due_at_ms is None:
            return _plan(letter, what, ReplayStep.SKIP, "already delivered or expired", job)
        return _plan(letter, what, ReplayStep.TELL, "deliveries are pending", job, transaction_id=job.transaction_id)

    def _run(self, letter: DeadLetter, message: RunWakeUp) -> ReplayPlan:
        what = f"wake-up of reconciliation {message.run_id}"
        run = self.runs.get(message.run_id)
        if run is None:
            return _plan(letter, what, ReplayStep.KEEP, "no such reconciliation exists", message)
        if run.is_over:
            return _plan(
                letter, what, ReplayStep.SKIP, f"the reconciliation is over: {run.phase}", message, status=run.phase
            )
        return _plan(
            letter, what, ReplayStep.GO_ON, f"the reconciliation is in phase {run.phase}", message, status=run.phase
        )

    def _provider_event(self, letter: DeadLetter, inbound: ReceivedEvent) -> ReplayPlan:
        what = f"webhook {inbound.provider_event.type} of {inbound.provider} for {inbound.merchant_id}"
        match self.find(inbound):
            case Unmatched.OURS_UNKNOWN:
                why = (
                    "its key was made by PayFlowX but matches nothing: check whether two deployments share the account"
                )
                return _plan(letter, what, ReplayStep.KEEP, why, inbound)
            case Unmatched.UNKNOWN if (charge := self.find.payment_of_refund(inbound)) is not None:
                why = "no refund here has its id: a worker reads the refunds of the charge that it names"
                return _plan(letter, what, ReplayStep.APPLY, why, inbound, transaction_id=charge.transaction_id)
            case Unmatched():
                why = "it matches no payment; open attempts are inquired about without it"
                return _plan(letter, what, ReplayStep.SKIP, why, inbound)
            case Matched(payment=payment, attempt=attempt, operation=operation):
                status = operation.status if operation else payment.status
                why = f"attempt {attempt.number} is {attempt.state}; a proof is applied once, else a worker inquires"
                return _plan(
                    letter,
                    what,
                    ReplayStep.APPLY,
                    why,
                    inbound,
                    transaction_id=payment.transaction_id,
                    status=status,
                )


def _worker_step(decision: ClaimDecision) -> tuple[ReplayStep, str]:
    match decision:
        case NoWork(reason=reason):
            return ReplayStep.SKIP, reason
        case ResolveOpenAttempt(attempt=attempt):
            return ReplayStep.RESOLVE, f"attempt {attempt.number} at {attempt.provider} is {attempt.state}"
        case InquireClosedAttempt(attempt=attempt):
            return (
                ReplayStep.RESOLVE,
                f"attempt {attempt.number} at {attempt.provider} is {attempt.state}; an event came",
            )
        case StartAttempt(number=number, candidate=candidate):
            return ReplayStep.CHARGE, f"attempt {number} at {candidate.provider}: no money moved so far"
        case ReopenAttempt(attempt=attempt):
            return ReplayStep.CHARGE, f"attempt {attempt.number} at {attempt.provider} again: it was not sent"
        case FailPayment(stop=stop):
            return ReplayStep.END, stop.message
        case PassOver(checkout=checkout):
            follows = f"{checkout.choice.ways[0]} follows" if checkout.choice else "the payer chooses again"
            return ReplayStep.NEXT_WAY, f"the way that the payer chose is switched off; {follows}"


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
