"""The hand-over of jobs to the slow lane, so that calls of a slow account hold up no other account's jobs."""

from dataclasses import dataclass, replace

from payflowx.application.payments.work_items import WorkItems
from payflowx.domain.merchants.ports import Merchant
from payflowx.domain.payments import attempt_engine
from payflowx.domain.payments.attempt import Attempt
from payflowx.domain.payments.payment import Candidate
from payflowx.domain.payments.ports import Job
from payflowx.domain.payments.work_item import WorkItem
from payflowx.domain.providers.health import AccountName, ProviderHealth
from payflowx.domain.shared.ambient import Clock
from payflowx.domain.shared.backoff import WAKES_TO_LONGEST_WAIT
from payflowx.domain.shared.slow_lane import SlowLane


@dataclass(frozen=True, slots=True, kw_only=True)
class HandOverJob:
    """Comes before the claim, so that the item is due as before. A job of the slow lane is never handed over again."""

    items: WorkItems
    health: ProviderHealth
    slow_lane: SlowLane[Job]
    clock: Clock

    def if_slow(self, job: Job, target: Attempt | Candidate | None, item: WorkItem | None = None) -> bool:
        """Return whether the next call goes to a slow account, and the job was handed to the slow lane."""
        if target is None or job.slow:
            return False
        name = AccountName(merchant_id=job.merchant_id, provider=target.provider, account_id=target.account_id)
        return self._is_handed_over(job, item, is_slow=self.health.is_slow(name))

    def if_any_slow(self, job: Job, merchant: Merchant, item: WorkItem | None = None) -> bool:
        """The same for a job whose next step may call every account of the merchant."""
        providers = {account.provider for account in merchant.accounts}
        is_slow = self.health.has_slow_account(merchant.merchant_id, providers)
        return self._is_handed_over(job, item, is_slow=is_slow)

    def _is_handed_over(self, job: Job, item: WorkItem | None, *, is_slow: bool) -> bool:
        if not is_slow or job.slow:
            return False
        taken = self.slow_lane.take(replace(job, slow=True), is_due=not job.read_refunds)
        if not taken and item is not None:
            self._give_wake_up_back(item)
        return True

    def _give_wake_up_back(self, item: WorkItem) -> None:
        """A wake-up that a late lane suppressed does not lead to a review. The first ones count for the wait alone."""
        if item.owner.drives > WAKES_TO_LONGEST_WAIT:
            self.items.reschedule(item.owner, attempt_engine.woken_less(item.owner, self.clock.now_ms()))
