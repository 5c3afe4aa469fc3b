"""The claim of a payment, capture, void or refund for the next step of a worker."""

from dataclasses import dataclass, replace

from payflowx.application.payments.hand_over_job import HandOverJob
from payflowx.application.payments.new_attempts import NewAttempts
from payflowx.application.payments.outcome_writer import OutcomeWriter, Written
from payflowx.application.payments.resume_restored import Contradicted, ResumeRestored, SearchStored
from payflowx.application.payments.settle_order import SettleOrder
from payflowx.application.payments.void_on_request import VoidOnRequest
from payflowx.application.payments.work_items import Conflict, WorkItems
from payflowx.domain.merchants.ports import Merchant
from payflowx.domain.orders.ordered_change import wait_for_holder
from payflowx.domain.payments import attempt_engine
from payflowx.domain.payments.attempt import Attempt
from payflowx.domain.payments.change import Change, Context
from payflowx.domain.payments.claim import (
    ClaimDecision,
    FailPayment,
    InquireClosedAttempt,
    NoWork,
    PassOver,
    ReopenAttempt,
    ResolveOpenAttempt,
    StartAttempt,
    start_instead,
    target_of,
)
from payflowx.domain.payments.not_sent import reopened
from payflowx.domain.payments.outcome import Mismatch
from payflowx.domain.payments.payment import Lease, due_times_after
from payflowx.domain.payments.ports import Job, Stored, VersionConflict
from payflowx.domain.payments.restored import LATER_ATTEMPT_FOUND, is_to_search
from payflowx.domain.payments.retry import RetryPolicy
from payflowx.domain.payments.state_machine import pass_over
from payflowx.domain.payments.work_item import WorkItem
from payflowx.domain.shared.ambient import Clock, Deadline, Randomness, Telemetry
from payflowx.domain.shared.errors import ConfigurationError
from payflowx.domain.shared.limits import LEASE_MS, MAX_CLAIM_TRIES


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimedItem:
    """The item under this worker's lease.

    `opened`: this claim started the attempt or opened it again, so its next request is the first that leaves.
    `is_closed`: the attempt is closed, and a provider event was about it: only an inquiry leaves.
    """

    item: WorkItem
    number: int
    opened: bool
    is_closed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimItem:
    """Takes the lease and stores the attempt, before any request leaves.

    A step that needs no request of an attempt (an end, a void, an order's decision) is stored instead of a claim.
    """

    items: WorkItems
    new_attempts: NewAttempts
    hand_over: HandOverJob
    outcome_writer: OutcomeWriter
    void_on_request: VoidOnRequest
    settle_order: SettleOrder
    restored: ResumeRestored
    clock: Clock
    randomness: Randomness
    telemetry: Telemetry
    policy: RetryPolicy

    def __call__(self, job: Job, merchant: Merchant, deadline: Deadline) -> ClaimedItem | None:
        """Return the item under a lease.

        Returns None when no request follows: there is no work, the step is stored already, another worker was faster,
        or the slow lane has the job.
        """
        item: WorkItem | None = None
        hinted = self.new_attempts.of_job(job, merchant)
        if hinted is not None and job.version is not None:
            if self.hand_over.if_slow(job, hinted):
                return None
            lease = self._lease(epoch=1)
            match self.items.payments.claim(
                job.owner_id,
                version=job.version,
                lease=lease,
                now_ms=self.clock.now_ms(),
                layout=job.layout,
                leaves_due=_is_due_after(lease, job),
                append=hinted,
            ):
                case Stored(item=claimed):
                    return ClaimedItem(item=WorkItem(payment=claimed), number=hinted.number, opened=True)
                case VersionConflict(item=found):
                    item = WorkItem(payment=found) if found else None
        for _ in range(MAX_CLAIM_TRIES):
            item = item or self.items.get(job.owner_id)
            if item is None:
                raise ConfigurationError("the message names a payment or operation that does not exist")
            result = self._claim_as_decided(job, item, merchant, deadline)
            if not isinstance(result, VersionConflict):
                return result
            item = item.with_owner(result.item) if result.item and item.operation is None else None
        return None

    def _claim_as_decided(
        self, job: Job, item: WorkItem, merchant: Merchant, deadline: Deadline
    ) -> ClaimedItem | Conflict | None:
        if is_to_search(item, merchant.restored, self.clock.now_ms()):
            return self._claim_forgotten(job, item, merchant, deadline)
        settled = self._settle(item, merchant)
        if settled is not None:
            return None if isinstance(settled, Stored) else VersionConflict(item=None)
        epoch, append, reopen, is_closed = item.owner.lease.epoch + 1, None, None, False
        decision = self._decide(item, merchant)
        if self.hand_over.if_slow(job, target_of(decision), item):
            return None
        change = self._change_without_request(item, decision, merchant)
        if change is not None:
            return None if self.outcome_writer.commit(change) else VersionConflict(item=None)
        match decision:
            case NoWork(reason=reason):
                self.telemetry.info("no work to do", transactionId=item.payment.transaction_id, reason=reason)
                return None
            case ResolveOpenAttempt(attempt=attempt):
                number = attempt.number
            case InquireClosedAttempt(attempt=attempt):
                number, is_closed = attempt.number, True
            case ReopenAttempt(attempt=attempt):
                number, reopen = attempt.number, reopened(attempt, epoch=epoch, now_ms=self.clock.now_ms())
            case StartAttempt(number=number, candidate=candidate):
                append = self.new_attempts.of_item(item, number, candidate)
        result = self.items.claim(
            item,
            lease=self._lease(epoch=epoch),
            now_ms=self.clock.now_ms(),
            append=append,
            reopen=reopen,
        )
        if isinstance(result, VersionConflict):
            return result
        opened = append is not None or reopen is not None
        return ClaimedItem(item=item.with_owner(result.item), number=number, opened=opened, is_closed=is_closed)

    def _change_without_request(self, item: WorkItem, decision: ClaimDecision, merchant: Merchant) -> Change | None:
        """Return the change that is the whole next step; None where a claim and a request follow, or nothing."""
        match decision:
            case FailPayment(stop=stop):
                return attempt_engine.fail(item, stop, replace(self._context(merchant), holds_lease=True))
            case PassOver(checkout=checkout):
                return pass_over(item.payment, checkout, self._context(merchant))
            case ResolveOpenAttempt(attempt=attempt):
                return self._void(item, attempt, merchant)
            case _:
                return None

    def _claim_forgotten(
        self, job: Job, item: WorkItem, merchant: Merchant, deadline: Deadline
    ) -> ClaimedItem | Conflict | None:
        """Search for what a restore may have forgotten, before any other step of the item.

        What is found, or cannot be excluded, becomes an attempt that may have been sent: it is resolved and never sent.
        """
        if self.hand_over.if_any_slow(job, merchant, item):
            return None  # a search asks every provider to which the item may have been sent
        forgotten = self.restored.search(item, merchant, deadline)
        if isinstance(forgotten, SearchStored):
            return VersionConflict(item=None) if forgotten.go_on else None
        if isinstance(forgotten, Contradicted):
            mismatch = Mismatch(code=LATER_ATTEMPT_FOUND)
            change = attempt_engine.apply(item, forgotten.attempt, mismatch, self._context(merchant))
            return None if change is None or self.outcome_writer.commit(change) else VersionConflict(item=None)
        attempt, is_new = forgotten.attempt, forgotten.attempt.number > len(item.owner.attempts)
        result = self.items.claim(
            item,
            lease=self._lease(epoch=attempt.epoch),
            now_ms=self.clock.now_ms(),
            append=attempt if is_new else None,
            reopen=None if is_new else attempt,
        )
        if isinstance(result, VersionConflict):
            return result
        return ClaimedItem(item=item.with_owner(result.item), number=attempt.number, opened=False)

    def _decide(self, item: WorkItem, merchant: Merchant) -> ClaimDecision:
        """Return the decision from the stored item; an attempt is opened again only for exactly its stored request."""
        decision = attempt_engine.decide(item, self.policy, merchant.disabled, self.clock.now_ms())
        if not isinstance(decision, ReopenAttempt) or self.new_attempts.is_same_request(item, decision):
            return decision
        return start_instead(item.owner.attempts, decision)

    def _settle(self, item: WorkItem, merchant: Merchant) -> Written | None:
        """Decide a payment that contends for its order; None where there is nothing to decide yet."""
        if (
            item.operation is not None
            or not item.payment.is_beside_holder
            or item.payment.lease.is_live(self.clock.now_ms())
        ):
            return None
        context = self._context(merchant)
        kept = self.settle_order(item.payment, context, refunds=merchant.automatic_refund)
        if kept is not None:
            return self.outcome_writer.followed(kept)
        later = wait_for_holder(item.payment, context.now_ms)
        return self.items.payments.reschedule(item.payment, later) if later else None

    def _void(self, item: WorkItem, attempt: Attempt, merchant: Merchant) -> Change | None:
        if item.operation is not None:
            return None
        return self.void_on_request(item.payment, attempt, self._context(merchant))

    def _lease(self, *, epoch: int) -> Lease:
        return Lease(owner=self.randomness.owner(), epoch=epoch, expires_at_ms=self.clock.now_ms() + LEASE_MS)

    def _context(self, merchant: Merchant) -> Context:
        return Context(
            now_ms=self.clock.now_ms(),
            actor="worker",
            policy=self.policy,
            disabled=merchant.disabled,
            jitter=self.randomness.jitter(),
        )


def _is_due_after(lease: Lease, job: Job) -> bool:
    """Return whether the claim may leave the due time that the job names. The write tests the stored one."""
    earliest, latest = due_times_after(lease)
    return job.due_at_ms is not None and earliest <= job.due_at_ms <= latest
