"""The warning before the deadlines of disputes: a metric, and a log line for each."""

from dataclasses import dataclass
from typing import Final

from payflowx.domain.payments.dispute_ports import OpenDisputes
from payflowx.domain.reconciliation.ports import AccountDirectory
from payflowx.domain.shared.ambient import Clock, Deadline, Telemetry
from payflowx.domain.shared.limits import DAY_MS, HOUR_MS, SECOND_MS
from payflowx.domain.shared.metrics import Metric

_WARNING_MS: Final = 3 * DAY_MS
"""How long before the deadline the warnings begin; evidence takes a day or two to collect."""
_PAGE: Final = 100
_MAX_WARNINGS: Final = 1_000
_TIME_TO_STOP_MS: Final = 5 * SECOND_MS


@dataclass(frozen=True, slots=True, kw_only=True)
class WarnOfDeadlines:
    """Runs with the hourly schedule. Counts the disputes whose evidence is due within three days, and not yet late."""

    directory: AccountDirectory
    open_disputes: OpenDisputes
    clock: Clock
    telemetry: Telemetry

    def __call__(self, deadline: Deadline) -> int:
        """Return the number of disputes whose deadline is near."""
        merchants = {owner.merchant_id for owner in self.directory.accounts()}
        near = 0
        for merchant_id in sorted(merchants):
            if deadline.remaining_ms() < _TIME_TO_STOP_MS or near >= _MAX_WARNINGS:
                self.telemetry.warn("not all disputes were checked in time")
                break
            near += self._near(merchant_id)
        self.telemetry.count(Metric.DISPUTES_NEAR_DEADLINE, near)
        return near

    def _near(self, merchant_id: str) -> int:
        now_ms = self.clock.now_ms()
        position: str | None = None
        near = 0
        while near < _MAX_WARNINGS:
            page = self.open_disputes.page(
                merchant_id, limit=_PAGE, position=position, from_ms=now_ms + 1, until_ms=now_ms + _WARNING_MS
            )
            for dispute in page.items:
                near += 1
                self.telemetry.warn(
                    "evidence of a dispute is due soon",
                    merchantId=merchant_id,
                    transactionId=dispute.transaction_id,
                    provider=dispute.provider,
                    disputeReference=dispute.reference,
                    hoursLeft=(dispute.evidence_due_at_ms - now_ms) // HOUR_MS,
                )
            position = page.next_position
            if position is None:
                break
        return near
