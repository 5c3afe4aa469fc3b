"""Processing of a payment, capture, void or refund by a worker: claim, call, record.

After a crash at any point, the state can be resolved.
"""

from dataclasses import dataclass

from payflowx.application.payments.charge_session import ChargeSession
from payflowx.application.payments.claim_item import ClaimedItem, ClaimItem
from payflowx.application.payments.hand_over_job import HandOverJob
from payflowx.application.payments.operation_session import OperationSession
from payflowx.application.payments.outcome_writer import Observation, OutcomeWriter
from payflowx.application.payments.record_provider_refunds import RecordProviderRefunds
from payflowx.application.payments.resolve_attempt import ResolveAttempt
from payflowx.application.payments.send_charge import SendCharge
from payflowx.domain.merchants.ports import Merchant, MerchantConfiguration
from payflowx.domain.payments.change import Context
from payflowx.domain.payments.outcome import NotFound, NotSent, Unknown
from payflowx.domain.payments.ports import Job
from payflowx.domain.payments.retry import RetryPolicy
from payflowx.domain.payments.work_item import WorkItem
from payflowx.domain.providers.health import AccountName, ProviderHealth
from payflowx.domain.providers.ports import Provider, Providers
from payflowx.domain.shared.ambient import Clock, Deadline, Randomness, Telemetry
from payflowx.domain.shared.errors import ConfigurationError, LeaseLostError


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessJob:
    """Safe to call any number of times, concurrently, late or twice.

    Raises `StorageUnavailableError` when the message must be processed again.
    """

    merchants: MerchantConfiguration
    providers: Providers
    hand_over: HandOverJob
    claim_item: ClaimItem
    send_charge: SendCharge
    resolve_attempt: ResolveAttempt
    outcome_writer: OutcomeWriter
    record_provider_refunds: RecordProviderRefunds
    health: ProviderHealth
    clock: Clock
    randomness: Randomness
    telemetry: Telemetry
    policy: RetryPolicy

    def __call__(self, job: Job, deadline: Deadline) -> None:
        """Take the next step of the job's item, if there is one."""
        merchant = self.merchants.get(job.merchant_id)
        if merchant is None:
            raise ConfigurationError("the payment's merchant does not exist")
        if job.read_refunds:
            if not self.hand_over.if_any_slow(job, merchant):
                self.record_provider_refunds(job.merchant_id, job.transaction_id)
            return
        claimed = self.claim_item(job, merchant, deadline)
        if claimed is None:
            return
        try:
            self._take(claimed, merchant, deadline)
        except LeaseLostError:
            self.telemetry.warn("a newer worker took over", transactionId=job.transaction_id)

    def _take(self, claimed: ClaimedItem, merchant: Merchant, deadline: Deadline) -> None:
        attempt = claimed.item.owner.attempt(claimed.number)
        self.telemetry.about(attempt=attempt.number, provider=attempt.provider)
        provider = self.providers.get(attempt.provider)
        started_ms = self.clock.now_ms()
        item, observation = self._observe(claimed, provider, merchant, deadline)
        name = AccountName(merchant_id=merchant.merchant_id, provider=attempt.provider, account_id=attempt.account_id)
        self.health.observe(name, observation.outcome, self.clock.now_ms() - started_ms)
        self.outcome_writer.record(item, claimed.number, observation, self._context(merchant, provider))

    def _observe(
        self, claimed: ClaimedItem, provider: Provider, merchant: Merchant, deadline: Deadline
    ) -> tuple[WorkItem, Observation]:
        """Call the provider; return the item as stored now, and the outcome."""
        attempt = claimed.item.owner.attempt(claimed.number)
        account = merchant.account(attempt.provider, attempt.account_id)
        if account is None:
            return claimed.item, _without_account(claimed)
        session_type = ChargeSession if claimed.item.operation is None else OperationSession
        session = session_type(
            item=claimed.item,
            number=claimed.number,
            provider=provider,
            account=account,
            deadline=deadline,
            clock=self.clock,
        )
        if claimed.is_closed:
            return claimed.item, Observation(outcome=session.inquire(), first_send=False)
        if isinstance(session, OperationSession):
            return claimed.item, session.send_first() if claimed.opened else session.resolve()
        if not claimed.opened:
            return self.resolve_attempt(session, merchant)
        item, outcome = self.send_charge(session)
        return item, Observation(outcome=outcome, first_send=True)

    def _context(self, merchant: Merchant, provider: Provider) -> Context:
        return Context(
            now_ms=self.clock.now_ms(),
            actor="worker",
            holds_lease=True,
            policy=self.policy,
            able=provider.capabilities,
            disabled=merchant.disabled,
            jitter=self.randomness.jitter(),
        )


def _without_account(claimed: ClaimedItem) -> Observation:
    """Return what is known about an attempt whose account the merchant has no more."""
    if claimed.opened:
        return Observation(outcome=NotSent(code="account_removed"), first_send=True)
    if claimed.is_closed:
        return Observation(outcome=Unknown(code="account_removed"), first_send=False)
    return Observation(outcome=NotFound(), first_send=False, exhausted=True)
