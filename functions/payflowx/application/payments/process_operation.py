"""Processing of a capture, void or refund by a worker: claim, call, record.

After a crash at any point, the state can be resolved.
"""

from dataclasses import dataclass

from payflowx.application.payments.operation_outcome_writer import OperationObservation, OperationOutcomeWriter
from payflowx.application.payments.operation_request import new_operation_request_of, operation_request_of
from payflowx.application.payments.operation_session import OperationSession
from payflowx.domain.merchants.ports import Merchant, MerchantConfiguration
from payflowx.domain.payments.attempt import Attempt
from payflowx.domain.payments.claim import NoWork
from payflowx.domain.payments.not_sent import reopened
from payflowx.domain.payments.operation import Operation
from payflowx.domain.payments.operation_claim import (
    FailOperation,
    OperationDecision,
    ReopenOperationAttempt,
    ResolveOpenOperation,
    StartOperationAttempt,
    decide_operation_claim,
    start_operation_instead,
)
from payflowx.domain.payments.operation_ports import Operations, OperationVersionConflict, StoredOperation
from payflowx.domain.payments.operation_state_machine import fail_operation
from payflowx.domain.payments.outcome import NotFound, NotSent
from payflowx.domain.payments.payment import Lease, Payment
from payflowx.domain.payments.ports import Job, Payments
from payflowx.domain.payments.retry import RetryPolicy
from payflowx.domain.payments.state_machine import Context
from payflowx.domain.providers.ports import Provider, Providers
from payflowx.domain.shared.ambient import Clock, Deadline, Randomness, Telemetry
from payflowx.domain.shared.errors import ConfigurationError
from payflowx.domain.shared.limits import LEASE_MS, MAX_CLAIM_TRIES


@dataclass(frozen=True, slots=True, kw_only=True)
class _OperationClaim:
    """The operation under this worker's lease.

    `opened`: this claim started the attempt or opened it again, so its next request is the first that leaves.
    """

    payment: Payment
    operation: Operation
    number: int
    opened: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessOperation:
    """Safe to call any number of times, concurrently, late or twice.

    Raises `StorageUnavailableError` when the message must be processed again.
    """

    payments: Payments
    operations: Operations
    merchants: MerchantConfiguration
    providers: Providers
    outcome_writer: OperationOutcomeWriter
    clock: Clock
    randomness: Randomness
    telemetry: Telemetry
    policy: RetryPolicy

    def __call__(self, job: Job, deadline: Deadline) -> None:
        """Take the operation's next step, if there is one."""
        merchant = self.merchants.get(job.merchant_id)
        if merchant is None:
            raise ConfigurationError("the operation's merchant does not exist")
        turn = self._claim(job)
        if turn is None:
            return
        attempt = turn.operation.attempt(turn.number)
        self.telemetry.about(attempt=attempt.number, provider=attempt.provider)
        provider = self.providers.get(attempt.provider)
        observation = self._find(turn, provider, merchant, deadline)
        self.outcome_writer.record(turn.payment, turn.operation, turn.number, observation, self._context(provider))

    # -- claim

    def _claim(self, job: Job) -> _OperationClaim | None:
        for _ in range(MAX_CLAIM_TRIES):
            operation = self.operations.get(job.merchant_id, job.transaction_id, job.operation_id or "")
            payment = self.payments.get(job.merchant_id, job.transaction_id)
            if operation is None or payment is None:
                raise ConfigurationError("the message names an operation that does not exist")
            result = self._claim_as_decided(payment, operation)
            if not isinstance(result, OperationVersionConflict):
                return result
        return None

    def _claim_as_decided(
        self, payment: Payment, operation: Operation
    ) -> _OperationClaim | OperationVersionConflict | None:
        append, reopen = None, None
        match self._decide(payment, operation):
            case NoWork(reason=reason):
                self.telemetry.info("no work to do", operationId=operation.operation_id, reason=reason)
                return None
            case FailOperation(code=code):
                change = fail_operation(payment, operation, code, self._context(None))
                stored = self.outcome_writer.commit(change)
                return None if stored else OperationVersionConflict(operation=None)
            case ResolveOpenOperation(attempt=attempt):
                number = attempt.number
            case ReopenOperationAttempt(attempt=attempt):
                epoch, now_ms = operation.lease.epoch + 1, self.clock.now_ms()
                number, reopen = attempt.number, reopened(attempt, epoch=epoch, now_ms=now_ms)
            case StartOperationAttempt(number=number):
                append = self._new_attempt(payment, operation, number)
        result = self._take_lease(operation, append, reopen)
        if isinstance(result, OperationVersionConflict):
            return result
        opened = append is not None or reopen is not None
        return _OperationClaim(payment=payment, operation=result.operation, number=number, opened=opened)

    def _decide(self, payment: Payment, operation: Operation) -> OperationDecision:
        """Return the decision from the stored item; an attempt is opened again only for exactly its stored request."""
        decision = decide_operation_claim(operation, self.clock.now_ms())
        if not isinstance(decision, ReopenOperationAttempt):
            return decision
        attempt, charge = decision.attempt, payment.attempt(operation.charge_attempt)
        request = operation_request_of(payment, operation, attempt)
        built = self.providers.get(attempt.provider).operation_hash(request)
        same = built == attempt.request_hash and attempt.account_id == charge.account_id
        return decision if same else start_operation_instead(operation)

    def _new_attempt(self, payment: Payment, operation: Operation, number: int) -> Attempt:
        """Build an attempt at the provider and account that hold the charge; no other can execute it."""
        charge = payment.attempt(operation.charge_attempt)
        operation_request = new_operation_request_of(payment, operation)
        return Attempt(
            number=number,
            provider=charge.provider,
            account_id=charge.account_id,
            provider_key=operation_request.provider_key,
            request_hash=self.providers.get(charge.provider).operation_hash(operation_request),
            epoch=operation.lease.epoch + 1,
            started_at_ms=self.clock.now_ms(),
        )

    def _take_lease(
        self, operation: Operation, append: Attempt | None, reopen: Attempt | None
    ) -> StoredOperation | OperationVersionConflict:
        now_ms = self.clock.now_ms()
        lease = Lease(owner=self.randomness.owner(), epoch=operation.lease.epoch + 1, expires_at_ms=now_ms + LEASE_MS)
        return self.operations.claim(operation, lease=lease, now_ms=now_ms, append=append, reopen=reopen)

    # -- call

    def _find(
        self, turn: _OperationClaim, provider: Provider, merchant: Merchant, deadline: Deadline
    ) -> OperationObservation:
        attempt = turn.operation.attempt(turn.number)
        account = merchant.account(attempt.provider, attempt.account_id)
        if account is None:
            gone = NotSent(code="account_removed") if turn.opened else NotFound()
            return OperationObservation(outcome=gone, first_send=turn.opened, exhausted=not turn.opened)
        session = OperationSession(
            payment=turn.payment,
            operation=turn.operation,
            number=turn.number,
            provider=provider,
            account=account,
            deadline=deadline,
            clock=self.clock,
        )
        return session.send_first() if turn.opened else session.resolve()

    def _context(self, provider: Provider | None) -> Context:
        return Context(
            now_ms=self.clock.now_ms(),
            actor="worker",
            holds_lease=True,
            policy=self.policy,
            able=provider.capabilities if provider else None,
            jitter=self.randomness.jitter(),
        )
