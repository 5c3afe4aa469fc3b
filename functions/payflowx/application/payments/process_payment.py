"""Processing of a payment by a worker: claim, call, record.

After a crash at any point, the state can be resolved.
"""

from dataclasses import dataclass

from payflowx.application.payments.attempt_session import AttemptSession
from payflowx.application.payments.charge_request import charge_request_of, new_charge_request_of
from payflowx.application.payments.outcome_writer import Observation, OutcomeWriter
from payflowx.application.payments.resolve_attempt import ResolveAttempt
from payflowx.application.payments.send_charge import SendCharge
from payflowx.domain.merchants.ports import Merchant, MerchantConfiguration
from payflowx.domain.payments.attempt import Attempt
from payflowx.domain.payments.claim import (
    ClaimDecision,
    FailPayment,
    NoWork,
    ReopenAttempt,
    ResolveOpenAttempt,
    StartAttempt,
    decide_claim,
    start_instead,
)
from payflowx.domain.payments.not_sent import reopened
from payflowx.domain.payments.outcome import NotFound, NotSent, Outcome
from payflowx.domain.payments.payment import Candidate, Lease, Payment
from payflowx.domain.payments.ports import Job, Payments, Stored, VersionConflict
from payflowx.domain.payments.retry import RetryPolicy
from payflowx.domain.payments.state_machine import Context, fail_payment
from payflowx.domain.providers.ports import Provider, Providers
from payflowx.domain.shared.ambient import Clock, Deadline, Randomness, Telemetry
from payflowx.domain.shared.errors import ConfigurationError, LeaseLostError
from payflowx.domain.shared.identifiers import derive_provider_key
from payflowx.domain.shared.limits import LEASE_MS, MAX_CLAIM_TRIES


@dataclass(frozen=True, slots=True, kw_only=True)
class _OperationClaim:
    """The payment under this worker's lease.

    `opened`: this claim started the attempt or opened it again, so its next request is the first that leaves.
    """

    payment: Payment
    number: int
    opened: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessPayment:
    """Safe to call any number of times, concurrently, late or twice.

    Raises `StorageUnavailableError` when the message must be processed again.
    """

    payments: Payments
    merchants: MerchantConfiguration
    providers: Providers
    outcome_writer: OutcomeWriter
    send_charge: SendCharge
    resolve_attempt: ResolveAttempt
    clock: Clock
    randomness: Randomness
    telemetry: Telemetry
    policy: RetryPolicy

    def __call__(self, job: Job, deadline: Deadline) -> None:
        """Take the payment's next step, if there is one."""
        merchant = self.merchants.get(job.merchant_id)
        if merchant is None:
            raise ConfigurationError("the payment's merchant does not exist")
        turn = self._claim(job, merchant)
        if turn is None:
            return
        try:
            self._take(turn, merchant, deadline)
        except LeaseLostError:
            self.telemetry.warn("a newer worker took over", transactionId=job.transaction_id)

    # -- claim

    def _claim(self, job: Job, merchant: Merchant) -> _OperationClaim | None:
        payment: Payment | None = None
        hinted = self._hinted_attempt(job)
        if hinted is not None and job.version is not None:
            match self._take_lease(job, job.version, epoch=1, append=hinted):
                case Stored(payment=claimed):
                    return _OperationClaim(payment=claimed, number=hinted.number, opened=True)
                case VersionConflict(payment=moved):
                    payment = moved
        for _ in range(MAX_CLAIM_TRIES):
            payment = payment or self.payments.get(job.merchant_id, job.transaction_id)
            if payment is None:
                raise ConfigurationError("the message names a payment that does not exist")
            result = self._claim_as_decided(job, payment, merchant)
            if not isinstance(result, VersionConflict):
                return result
            payment = result.payment
        return None

    def _claim_as_decided(
        self, job: Job, payment: Payment, merchant: Merchant
    ) -> _OperationClaim | VersionConflict | None:
        epoch, append, reopen = payment.lease.epoch + 1, None, None
        match self._decide(payment, merchant):
            case NoWork(reason=reason):
                self.telemetry.info("no work to do", transactionId=payment.transaction_id, reason=reason)
                return None
            case FailPayment(stop=stop):
                change = fail_payment(payment, stop, self._context(merchant))
                return None if self.outcome_writer.commit(change) else VersionConflict(payment=None)
            case ResolveOpenAttempt(attempt=attempt):
                number = attempt.number
            case ReopenAttempt(attempt=attempt):
                number, reopen = attempt.number, reopened(attempt, epoch=epoch, now_ms=self.clock.now_ms())
            case StartAttempt(number=number, candidate=candidate):
                append = self._new_attempt(payment, number, candidate, epoch)
        result = self._take_lease(job, payment.version, epoch=epoch, append=append, reopen=reopen)
        if isinstance(result, VersionConflict):
            return result
        opened = append is not None or reopen is not None
        return _OperationClaim(payment=result.payment, number=number, opened=opened)

    def _decide(self, payment: Payment, merchant: Merchant) -> ClaimDecision:
        """Return the decision from the stored item; an attempt is opened again only for exactly its stored request."""
        decision = decide_claim(payment, self.policy, merchant.disabled, self.clock.now_ms())
        if not isinstance(decision, ReopenAttempt):
            return decision
        attempt = decision.attempt
        built = self.providers.get(attempt.provider).request_hash(charge_request_of(payment, attempt))
        same = built == attempt.request_hash and attempt.account_id == decision.candidate.account_id
        return decision if same else start_instead(payment, decision)

    def _hinted_attempt(self, job: Job) -> Attempt | None:
        """Build the first attempt from the job, which saves the read before the first claim."""
        if not (job.provider and job.account_id and job.request_hash):
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

    def _new_attempt(self, payment: Payment, number: int, candidate: Candidate, epoch: int) -> Attempt:
        charge = new_charge_request_of(payment, candidate.provider, number)
        return Attempt(
            number=number,
            provider=candidate.provider,
            account_id=candidate.account_id,
            provider_key=charge.provider_key,
            request_hash=self.providers.get(candidate.provider).request_hash(charge),
            epoch=epoch,
            started_at_ms=self.clock.now_ms(),
        )

    def _take_lease(
        self, job: Job, version: int, *, epoch: int, append: Attempt | None, reopen: Attempt | None = None
    ) -> Stored | VersionConflict:
        now_ms = self.clock.now_ms()
        lease = Lease(owner=self.randomness.owner(), epoch=epoch, expires_at_ms=now_ms + LEASE_MS)
        return self.payments.claim(
            merchant_id=job.merchant_id,
            transaction_id=job.transaction_id,
            version=version,
            lease=lease,
            now_ms=now_ms,
            append=append,
            reopen=reopen,
        )

    # -- call and record

    def _take(self, turn: _OperationClaim, merchant: Merchant, deadline: Deadline) -> None:
        attempt = turn.payment.attempt(turn.number)
        self.telemetry.about(attempt=attempt.number, provider=attempt.provider)
        provider = self.providers.get(attempt.provider)
        payment, observation = self._find(turn, provider, merchant, deadline)
        self.outcome_writer.record(payment, turn.number, observation, self._context(merchant, provider))

    def _find(
        self, turn: _OperationClaim, provider: Provider, merchant: Merchant, deadline: Deadline
    ) -> tuple[Payment, Observation]:
        attempt = turn.payment.attempt(turn.number)
        account = merchant.account(attempt.provider, attempt.account_id)
        if account is None:
            gone: Outcome = NotSent(code="account_removed") if turn.opened else NotFound()
            return turn.payment, Observation(outcome=gone, first_send=turn.opened, exhausted=not turn.opened)
        session = AttemptSession(
            payment=turn.payment,
            number=turn.number,
            provider=provider,
            account=account,
            deadline=deadline,
            clock=self.clock,
        )
        if not turn.opened:
            return self.resolve_attempt(session)
        payment, outcome = self.send_charge(session)
        return payment, Observation(outcome=outcome, first_send=True)

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
