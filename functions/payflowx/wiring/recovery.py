"""The sweeper: wakes what is due."""

from dataclasses import dataclass
from functools import cached_property
from typing import Self

from payflowx.adapters.dynamodb.payments.due_items import DynamoDBDueItems
from payflowx.adapters.dynamodb.webhooks.catch_ups import DynamoDBCatchUps
from payflowx.adapters.dynamodb.webhooks.merchant_events import DynamoDBMerchantEvents
from payflowx.application.outbound_webhooks.catch_up_events import CatchUpEvents
from payflowx.application.recovery.sweep import SweepDueItems
from payflowx.application.recovery.wake_attempts import WakeAttempts
from payflowx.application.recovery.wake_event import WakeEvent
from payflowx.domain.payments.ports import DueKind
from payflowx.wiring.ledger import LedgerWriter, LedgerWriterSettings
from payflowx.wiring.platform import Platform


@dataclass(kw_only=True)
class SweeperWiring(LedgerWriter):
    @classmethod
    def over(cls, platform: Platform) -> Self:
        return cls(platform=platform, settings=LedgerWriterSettings.from_environment(platform.environment))

    @cached_property
    def sweep(self) -> SweepDueItems:
        return SweepDueItems(
            due_items=self.due_items,
            wakers={
                DueKind.PAYMENT: self._wake_attempts,
                DueKind.OPERATION: self._wake_attempts,
                DueKind.EVENT: self._wake_event,
                DueKind.CATCH_UP: self._catch_up_events,
            },
            concurrency=self.platform.concurrency,
            clock=self.platform.clock,
            telemetry=self.telemetry,
        )

    @cached_property
    def due_items(self) -> DynamoDBDueItems:
        return DynamoDBDueItems(client=self.platform.clients.dynamodb, table=self.settings.transactions_table)

    @property
    def _wake_attempts(self) -> WakeAttempts:
        return WakeAttempts(
            due_items=self.due_items,
            items=self.work_items,
            jobs=self.jobs,
            outcome_writer=self.outcome_writer,
            telemetry=self.telemetry,
            policy=self.policy,
        )

    @property
    def _wake_event(self) -> WakeEvent:
        return WakeEvent(due_items=self.due_items, merchant_events=self._merchant_events, deliveries=self.deliveries)

    @property
    def _catch_up_events(self) -> CatchUpEvents:
        catch_ups = DynamoDBCatchUps(client=self.platform.clients.dynamodb, table=self.settings.transactions_table)
        return CatchUpEvents(due_items=self.due_items, catch_ups=catch_ups, merchant_events=self._merchant_events)

    @property
    def _merchant_events(self) -> DynamoDBMerchantEvents:
        return DynamoDBMerchantEvents(client=self.platform.clients.dynamodb, table=self.settings.transactions_table)
