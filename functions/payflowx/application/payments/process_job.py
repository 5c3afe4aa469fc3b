"""Processing of a payment, capture, void or refund by a worker: claim, call, record.

After a crash at any point, the state can be resolved.
"""

from dataclasses import dataclass, replace

from payflowx.application.payments.charge_request import charge_request_of, new_charge_request_of
from payflowx.application.payments.charge_session import ChargeSession
from payflowx.application.payments.operation_request import new_operation_request_of, operation_request_of
from payflowx.application.payments.operation_session import OperationSession
from payflowx.application.payments.outcome_writer import Observation, OutcomeWriter, Written
from payflowx.application.payments.record_provider_refunds import RecordProviderRefunds
from payflowx.application.payments.resolve_attempt import ResolveAttempt
from payflowx.application.payments.resume_restored import Contradicted, ResumeRestored, SearchStored
from payflowx.application.payments.send_charge import SendCharge
from payflowx.application.payments.settle_order import SettleOrder
from payflowx.application.payments.void_on_request import VoidOnRequest
from payflowx.application.payments.work_items import Conflict, WorkItems
from payflowx.domain.merchants.ports import Merchant, MerchantConfiguration
from payflowx.domain.orders.ordered_change import wait_for_holder
from payflowx.domain.payments import attempt_engine
from payflowx.domain.payments.attempt import Attempt
from payflowx.domain.payments.change import Change, Context
from payflowx.domain.payments.checkout import Checkout, hosted_facts
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
from payflowx.domain.payments.outcome import Mismatch, NotFound, NotSent, Unknown
from payflowx.domain.payments.payment import Candidate, Lease, Payment, due_times_after
from payflowx.domain.payments.ports import Job, Stored, VersionConflict
from payflowx.domain.payments.restored import LATER_ATTEMPT_FOUND, is_to_search
from payflowx.domain.payments.retry import RetryPolicy
from payflowx.domain.payments.state_machine import pass_over
from payflowx.domain.payments.work_item import WorkItem
from payflowx.domain.providers.health import AccountName, ProviderHealth
from payflowx.domain.providers.ports import Provider, Providers
from payflowx.domain.shared.ambient import Clock, Deadline, Randomness, Telemetry
from payflowx.domain.shared.backoff import WAKES_TO_LONGEST_WAIT
from payflowx.domain.shared.errors import ConfigurationError, LeaseLostError
from payflowx.domain.shared.identifiers import derive_provider_key
from payflowx.domain.shared.limits import LEASE_MS, MAX_CLAIM_TRIES
from payflowx.domain.shared.slow_lane import SlowLane


@dataclass(frozen=True, slots=True, kw_only=True)
class _Claim:
    """The item under this worker's lease.

    `opened`: this claim started the attempt or opened it again, so its next request is the first that leaves.
    `is_closed`: the attempt is closed, and a provider event was about it: only an inquiry leaves.
    """

    item: WorkItem
    number: int
    opened: bool
    is_closed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessJob:
    """Safe to call any number of times, concurrently, late or twice.

    Raises `StorageUnavailableError` when the message must be processed again.
    """

    items: WorkItems
    merchants: MerchantConfiguration
    providers: Providers
    outcome_writer: OutcomeWriter
    send_charge: SendCharge
    resolve_attempt: ResolveAttempt
    record_provider_refunds: RecordProviderRefunds
    void_on_request: VoidOnRequest
    settle_order: SettleOrder
    restored: ResumeRestored
    clock: Clock
    randomness: Randomness
    telemetry: Telemetry
    policy: RetryPolicy
    health: ProviderHealth
    slow_lane: SlowLane[Job]

    def __call__(self, job: Job, deadline: Deadline) -> None:
        """Take the next step of the job's item, if there is one."""
        merchant = self.merchants.get(job.merchant_id)
        if merchant is None:
            raise ConfigurationError("the payment's merchant does not exist")
        if job.read_refunds:
            if self._is_handed_over(job, is_slow=self.health.has_slow_account(job.merchant_id)):
                return
            self.record_provider_refunds(job.merchant_id, job.transaction_id)
            return
        claim = self._claim(job, merchant, deadline)
        if claim is None:
            return
        try:
            self._take(claim, merchant, deadline)
        except LeaseLostError:
            self.telemetry.warn("a newer worker took over", transactionId=job.transaction_id)

    # -- claim

    def _claim(self, job: Job, merchant: Merchant, deadline: Deadline) -> _Claim | None:
        item: WorkItem | None = None
        hinted = self._hinted_attempt(job, merchant)
        if hinted is not None and job.version is not None:
            if self._is_slow(job, hinted):
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
                    return _Claim(item=WorkItem(payment=claimed), number=hinted.number, opened=True)
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
    ) -> _Claim | Conflict | None:
        if is_to_search(item, merchant.restored, self.clock.now_ms()):
            return self._claim_forgotten(job, item, merchant, deadline)
        settled = self._settle(item, merchant)
        if settled is not None:
            return None if isinstance(settled, Stored) else VersionConflict(item=None)
        epoch, append, reopen, is_closed = item.owner.lease.epoch + 1, None, None, False
        decision = self._decide(item, merchant)
        if self._is_slow(job, target_of(decision), item):
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
                append = self._new_attempt(item, number, candidate)
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
        return _Claim(item=item.with_owner(result.item), number=number, opened=opened, is_closed=is_closed)

    def _change_without_request(self, item: WorkItem, decision: ClaimDecision, merchant: Merchant) -> Change | None:
        """Return the change that is the whole next step; None where a claim and a request follow, or nothing."""
        match decision:
            case FailPayment(stop=stop):
                return attempt_engine.fail(item, stop, self._context(merchant))
            case PassOver(checkout=checkout):
                return pass_over(item.payment, checkout, replace(self._context(merchant), holds_lease=False))
            case ResolveOpenAttempt(attempt=attempt):
                return self._void(item, attempt, merchant)
            case _:
                return None

    def _claim_forgotten(
        self, job: Job, item: WorkItem, merchant: Merchant, deadline: Deadline
    ) -> _Claim | Conflict | None:
        """Search for what a restore may have forgotten, before any other step of the item.

        What is found, or cannot be excluded, becomes an attempt that may have been sent: it is resolved and never sent.
        """
        if self._is_handed_over(job, item, is_slow=self.health.has_slow_account(job.merchant_id)):
            return None  # a search asks every provider to which the item may have been sent
        forgotten = self.restored.search(item, merchant, deadline)
        if isinstance(forgotten, SearchStored):
            return VersionConflict(item=None) if forgotten.go_on else None
        if isinstance(forgotten, Contradicted):
            context = replace(self._context(merchant), holds_lease=False)
            mismatch = Mismatch(code=LATER_ATTEMPT_FOUND)
            change = attempt_engine.apply(item, forgotten.attempt, mismatch, context)
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
        return _Claim(item=item.with_owner(result.item), number=attempt.number, opened=False)

    def _is_slow(self, job: Job, target: Attempt | Candidate | None, item: WorkItem | None = None) -> bool:
        """Return whether the next call goes to a slow account, and the job was handed to the slow lane."""
        if target is None or job.slow:
            return False
        name = AccountName(merchant_id=job.merchant_id, provider=target.provider, account_id=target.account_id)
        return self._is_handed_over(job, item, is_slow=self.health.is_slow(name))

    def _is_handed_over(self, job: Job, item: WorkItem | None = None, *, is_slow: bool) -> bool:
        """Hand a job of a slow account to the slow lane, before its item is claimed."""
        if not is_slow or job.slow:
            return False
        taken = self.slow_lane.take(replace(job, slow=True), is_due=not job.read_refunds)
        if not taken and item is not None:
            self._give_wake_up_back(item)
        return True

    def _give_wake_up_back(self, item: WorkItem) -> None:
        """A wake-up that a late lane suppressed does not lead to a review. The first ones count for the wait alone."""
        if item.owner.drives > WAKES_TO_LONGEST_WAIT:
            self.items.reschedule(item.owner, attempt_engine.woken_less(item.owner))

    def _decide(self, item: WorkItem, merchant: Merchant) -> ClaimDecision:
        """Return the decision from the stored item; an attempt is opened again only for exactly its stored request."""
        decision = attempt_engine.decide(item, self.policy, merchant.disabled, self.clock.now_ms())
        if not isinstance(decision, ReopenAttempt) or self._is_same_request(item, decision):
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
        context = replace(self._context(merchant), holds_lease=False)
        kept = self.settle_order(item.payment, context, refunds=merchant.automatic_refund)
        if kept is not None:
            return self.outcome_writer.followed(kept)
        later = wait_for_holder(item.payment, context.now_ms)
        return self.items.payments.reschedule(item.payment, later) if later else None

    def _void(self, item: WorkItem, attempt: Attempt, merchant: Merchant) -> Change | None:
        if item.operation is not None:
            return None
        context = replace(self._context(merchant), holds_lease=False)
        return self.void_on_request(item.payment, attempt, context)

    def _is_same_request(self, item: WorkItem, reopening: ReopenAttempt) -> bool:
        attempt, provider = reopening.attempt, self.providers.get(reopening.attempt.provider)
        if item.operation is None:
            built = provider.request_hash(charge_request_of(item.payment, attempt))
        else:
            built = provider.operation_hash(operation_request_of(item.payment, item.operation, attempt))
        return built == attempt.request_hash and attempt.account_id == reopening.candidate.account_id

    def _hinted_attempt(self, job: Job, merchant: Merchant) -> Attempt | None:
        """Build the first attempt from the job, which saves the read before the first claim.

        None if an operator has disabled its provider since: another one of the route, which only the item has, takes
        its place. None after a restore, for as long as a payment may be concerned by it: its item says when it was
        accepted.
        """
        if not (job.provider and job.account_id and job.request_hash) or job.provider in merchant.disabled:
            return None
        window = merchant.restored
        if window is not None and not window.is_over(self.clock.now_ms(), self.policy.charge_deadline_ms):
            return None
        return Attempt(
            number=1,
            provider=job.provider,
            account_id=job.account_id,
            provider_key=derive_provider_key(job.transaction_id, 1),
            request_hash=job.request_hash,
            epoch=1,
            started_at_ms=self.clock.now_ms(),
        )

    def _new_attempt(self, item: WorkItem, number: int, candidate: Candidate) -> Attempt:
        if item.operation is None and item.payment.checkout is not None:
            return self._chosen_attempt(item.payment, item.payment.checkout, number, candidate)
        provider_key, request_hash = self._new_request(item, number, candidate)
        return Attempt(
            number=number,
            provider=candidate.provider,
            account_id=candidate.account_id,
            provider_key=provider_key,
            request_hash=request_hash,
            epoch=item.owner.lease.epoch + 1,
            started_at_ms=self.clock.now_ms(),
        )

    def _chosen_attempt(self, payment: Payment, checkout: Checkout, number: int, candidate: Candidate) -> Attempt:
        """Return the attempt of the payer's choice, with what its hosted object must have."""
        provider = self.providers.get(candidate.provider)
        choice, capability = checkout.choice_for(number), provider.capabilities.hosted
        if choice is None or capability is None:
            raise ConfigurationError("a checkout's attempt needs a choice and a provider with hosted pages")
        now_ms = self.clock.now_ms()
        attempt = Attempt(
            number=number,
            provider=candidate.provider,
            account_id=candidate.account_id,
            provider_key=derive_provider_key(payment.transaction_id, number),
            request_hash="",
            epoch=payment.lease.epoch + 1,
            started_at_ms=now_ms,
            progress=hosted_facts(checkout, choice, capability, now_ms),
        )
        return replace(attempt, request_hash=provider.request_hash(charge_request_of(payment, attempt)))

    def _new_request(self, item: WorkItem, number: int, candidate: Candidate) -> tuple[str, str]:
        """Return provider key and hash of the request that the next attempt will send."""
        provider = self.providers.get(candidate.provider)
        if item.operation is None:
            charge = new_charge_request_of(item.payment, candidate.provider, number)
            return charge.provider_key, provider.request_hash(charge)
        operation = new_operation_request_of(item.payment, item.operation)
        return operation.provider_key, provider.operation_hash(operation)

    def _lease(self, *, epoch: int) -> Lease:
        return Lease(owner=self.randomness.owner(), epoch=epoch, expires_at_ms=self.clock.now_ms() + LEASE_MS)

    # -- call and record

    def _take(self, claim: _Claim, merchant: Merchant, deadline: Deadline) -> None:
        attempt = claim.item.owner.attempt(claim.number)
        self.telemetry.about(attempt=attempt.number, provider=attempt.provider)
        provider = self.providers.get(attempt.provider)
        started_ms = self.clock.now_ms()
        item, observation = self._observe(claim, provider, merchant, deadline)
        name = AccountName(merchant_id=merchant.merchant_id, provider=attempt.provider, account_id=attempt.account_id)
        self.health.observe(name, observation.outcome, self.clock.now_ms() - started_ms)
        self.outcome_writer.record(item, claim.number, observation, self._context(merchant, provider))

    def _observe(
        self, claim: _Claim, provider: Provider, merchant: Merchant, deadline: Deadline
    ) -> tuple[WorkItem, Observation]:
        """Call the provider; return the item as stored now, and the outcome."""
        attempt = claim.item.owner.attempt(claim.number)
        account = merchant.account(attempt.provider, attempt.account_id)
        if account is None:
            return claim.item, _without_account(claim)
        session_type = ChargeSession if claim.item.operation is None else OperationSession
        session = session_type(
            item=claim.item,
            number=claim.number,
            provider=provider,
            account=account,
            deadline=deadline,
            clock=self.clock,
        )
        if claim.is_closed:
            return claim.item, Observation(outcome=session.inquire(), first_send=False)
        if isinstance(session, OperationSession):
            return claim.item, session.send_first() if claim.opened else session.resolve()
        if not claim.opened:
            return self.resolve_attempt(session, merchant)
        item, outcome = self.send_charge(session)
        return item, Observation(outcome=outcome, first_send=True)

    def _context(self, merchant: Merchant, provider: Provider | None = None) -> Context:
        return Context(
            now_ms=self.clock.now_ms(),
            actor="worker",
            holds_lease=True,
            policy=self.policy,
            able=provider.capabilities if provider else None,
            disabled=merchant.disabled,
            jitter=self.randomness.jitter(),
        )


def _is_due_after(lease: Lease, job: Job) -> bool:
    """Return whether the claim may leave the due time that the job names. The write tests the stored one."""
    earliest, latest = due_times_after(lease)
    return job.due_at_ms is not None and earliest <= job.due_at_ms <= latest


def _without_account(claim: _Claim) -> Observation:
    """Return what is known about an attempt whose account the merchant has no more."""
    if claim.opened:
        return Observation(outcome=NotSent(code="account_removed"), first_send=True)
    if claim.is_closed:
        return Observation(outcome=Unknown(code="account_removed"), first_send=False)
    return Observation(outcome=NotFound(), first_send=False, exhausted=True)
