"""A worker's session with one attempt, under the lease of its payment or operation."""

from dataclasses import dataclass

from payflowx.domain.payments.attempt import Attempt
from payflowx.domain.payments.work_item import WorkItem
from payflowx.domain.providers.ports import Account, Provider
from payflowx.domain.shared.ambient import Clock, Deadline
from payflowx.domain.shared.limits import MIN_TIME_TO_SEND_MS


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptSession:
    """The item under this worker's lease, and the attempt, provider and account."""

    item: WorkItem
    number: int
    provider: Provider
    account: Account
    deadline: Deadline
    clock: Clock

    @property
    def attempt(self) -> Attempt:
        return self.item.owner.attempt(self.number)

    def has_time_to_send(self) -> bool:
        """Lease and function time suffice for one call and for storing its result."""
        lease_left_ms = self.item.owner.lease.expires_at_ms - self.clock.now_ms()
        return min(lease_left_ms, self.deadline.remaining_ms()) >= MIN_TIME_TO_SEND_MS
