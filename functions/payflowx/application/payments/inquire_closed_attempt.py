"""The inquiry about a closed attempt that an unverified provider event asks for."""

from dataclasses import dataclass, replace

from payflowx.application.payments.charge_session import ChargeSession
from payflowx.application.payments.operation_session import OperationSession
from payflowx.application.payments.outcome_writer import OutcomeWriter
from payflowx.application.payments.work_items import WorkItems
from payflowx.domain.merchants.ports import Merchant
from payflowx.domain.payments.change import Context
from payflowx.domain.payments.outcome import Mismatch, Outcome, Succeeded, Unknown
from payflowx.domain.payments.ports import Job, Jobs, Stored
from payflowx.domain.payments.retry import RetryPolicy
from payflowx.domain.payments.verification import verify_outcome
from payflowx.domain.payments.work_item import WorkItem
from payflowx.domain.providers.ports import Providers
from payflowx.domain.shared.ambient import Clock, Deadline, Telemetry
from payflowx.domain.shared.errors import ConfigurationError, StorageUnavailableError
from payflowx.domain.shared.limits import EVENT_INQUIRY_RETRY_DELAYS_SECONDS


@dataclass(frozen=True, slots=True, kw_only=True)
class InquireClosedAttempt:
    """Takes no lease: it sends nothing that moves money, and writes only a proof, under the version that it read.

    Raises `StorageUnavailableError` when the message must be processed again.
    """

    items: WorkItems
    providers: Providers
    outcome_writer: OutcomeWriter
    jobs: Jobs
    clock: Clock
    telemetry: Telemetry
    policy: RetryPolicy

    def __call__(self, job: Job, number: int, merchant: Merchant, deadline: Deadline) -> None:
        """Inquire once; book a success, or send a contradiction to review. Any other answer changes nothing."""
        item = self.items.get(job.owner_id)
        if item is None or not 1 <= number <= len(item.owner.attempts):
            raise ConfigurationError("the message names an attempt that does not exist")
        if not item.owner.attempt(number).may_prove_late:
            return  # opened again, or proven meanwhile
        outcome = self._inquire(item, number, merchant, deadline)
        if isinstance(outcome, Unknown):
            self._retry_later(job)
        if not isinstance(outcome, Succeeded | Mismatch):
            return
        result = self.outcome_writer.prove(item, number, outcome, self._context(item, number, merchant))
        if not isinstance(result, Stored | None):
            raise StorageUnavailableError("the item changed during the inquiry")

    def _inquire(self, item: WorkItem, number: int, merchant: Merchant, deadline: Deadline) -> Outcome:
        attempt = item.owner.attempt(number)
        account = merchant.account(attempt.provider, attempt.account_id)
        if account is None:
            return Unknown(code="account_removed")
        session_type = ChargeSession if item.operation is None else OperationSession
        session = session_type(
            item=item,
            number=number,
            provider=self.providers.get(attempt.provider),
            account=account,
            deadline=deadline,
            clock=self.clock,
        )
        return verify_outcome(session.inquire(), item.owner, attempt, first_send=False)

    def _retry_later(self, job: Job) -> None:
        if job.tries >= len(EVENT_INQUIRY_RETRY_DELAYS_SECONDS):
            self.telemetry.warn("a closed attempt could not be inquired about", transactionId=job.transaction_id)
            return
        delay_seconds = EVENT_INQUIRY_RETRY_DELAYS_SECONDS[job.tries]
        self.jobs.send(replace(job, tries=job.tries + 1), delay_seconds=delay_seconds)

    def _context(self, item: WorkItem, number: int, merchant: Merchant) -> Context:
        return Context(
            now_ms=self.clock.now_ms(),
            actor="worker",
            policy=self.policy,
            able=self.providers.get(item.owner.attempt(number).provider).capabilities,
            disabled=merchant.disabled,
        )
