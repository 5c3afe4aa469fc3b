"""Notification of merchants that the tables were restored: one event a merchant."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from payflowx.domain.merchants.directory import AuditEntry, MerchantDirectory
from payflowx.domain.merchants.operator_action import OperatorAction
from payflowx.domain.outbound_webhooks.merchant_events import ForgottenTime, restored_event
from payflowx.domain.outbound_webhooks.ports import MerchantEvents, WebhookEndpointStore
from payflowx.domain.shared.ambient import Clock
from payflowx.domain.shared.errors import Refusal

_MERCHANTS_A_CALL: Final = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class NotifiedMerchants:
    """The result for one page of merchants. `next_after` continues; None: these were the last.

    `unreached`: merchants without an endpoint that takes the event. A person tells them.
    """

    notified: int
    unreached: Sequence[str]
    next_after: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class NotifyRestore:
    """Idempotent: the event's id follows from merchant and window. Raises `Refusal` (`no_restore`).

    All merchants with endpoints are notified: of a payment that was forgotten as a whole, nothing tells whose it was.
    The events are delivered after the opening, when the sweeper finds them due.
    """

    merchant_directory: MerchantDirectory
    endpoint_store: WebhookEndpointStore
    merchant_events: MerchantEvents
    clock: Clock

    def __call__(self, after: str | None, operator_action: OperatorAction) -> NotifiedMerchants:
        """Notify the next merchants by id."""
        window = self.merchant_directory.restore_window()
        if window is None:
            raise Refusal("no_restore", "No restore is recorded.")
        forgotten = ForgottenTime(from_ms=window.restored_to_ms, until_ms=window.stopped_at_ms)
        page = self.merchant_directory.merchants(after=after, limit=_MERCHANTS_A_CALL)
        notified, unreached = 0, []
        for merchant in page.items:
            event = restored_event(merchant.merchant_id, forgotten, self.clock.now_ms())
            endpoints = self.endpoint_store.get(merchant.merchant_id).endpoints
            if endpoints:
                self.merchant_events.add(event)
            if any(endpoint.is_enabled and endpoint.wants(event.event_type) for endpoint in endpoints):
                notified += 1
            else:
                unreached.append(merchant.merchant_id)
        facts = {"notified": notified, "unreached": len(unreached)}
        self.merchant_directory.record(
            AuditEntry(
                action="restore.notified",
                at_ms=self.clock.now_ms(),
                operator_action=operator_action,
                facts=facts,
            )
        )
        return NotifiedMerchants(notified=notified, unreached=unreached, next_after=page.next_after)
