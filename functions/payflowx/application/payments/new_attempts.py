"""The next attempt of an item, with the key and the hash of the request that it will send."""

from dataclasses import dataclass, replace

from payflowx.application.payments.charge_request import charge_request_of, new_charge_request_of
from payflowx.application.payments.operation_request import new_operation_request_of, operation_request_of
from payflowx.domain.merchants.ports import Merchant
from payflowx.domain.payments.attempt import Attempt
from payflowx.domain.payments.checkout import Checkout, hosted_facts
from payflowx.domain.payments.claim import ReopenAttempt
from payflowx.domain.payments.payment import Candidate, Payment
from payflowx.domain.payments.ports import Job
from payflowx.domain.payments.retry import RetryPolicy
from payflowx.domain.payments.work_item import WorkItem
from payflowx.domain.providers.ports import Provider, Providers
from payflowx.domain.shared.ambient import Clock
from payflowx.domain.shared.errors import ConfigurationError
from payflowx.domain.shared.identifiers import derive_provider_key


@dataclass(frozen=True, slots=True, kw_only=True)
class NewAttempts:
    """Builds attempts and stores none: a claim stores them before their first request leaves."""

    providers: Providers
    clock: Clock
    policy: RetryPolicy

    def of_job(self, job: Job, merchant: Merchant) -> Attempt | None:
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

    def of_item(self, item: WorkItem, number: int, candidate: Candidate) -> Attempt:
        """Build the attempt that the item's claim starts at this candidate."""
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

    def is_same_request(self, item: WorkItem, reopening: ReopenAttempt) -> bool:
        """Return whether an attempt that is opened again would send exactly its stored request."""
        attempt, provider = reopening.attempt, self.providers.get(reopening.attempt.provider)
        built = request_hash_of(item, attempt, provider)
        return built == attempt.request_hash and attempt.account_id == reopening.candidate.account_id

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


def request_hash_of(item: WorkItem, attempt: Attempt, provider: Provider) -> str:
    """Return the hash of the request that the attempt sends at its provider, as the item is now."""
    if item.operation is None:
        return provider.request_hash(charge_request_of(item.payment, attempt))
    return provider.operation_hash(operation_request_of(item.payment, item.operation, attempt))
