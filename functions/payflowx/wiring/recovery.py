"""The sweeper: wakes what is due."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

from payflowx.adapters.dynamodb.payments.due_items import DynamoDBDueItems
from payflowx.adapters.dynamodb.webhooks.catch_ups import DynamoDBCatchUps
from payflowx.adapters.dynamodb.webhooks.merchant_events import DynamoDBMerchantEvents
from payflowx.adapters.sqs.queue import Queue
from payflowx.adapters.sqs.queue_room import QueueRoom
from payflowx.application.recovery.catch_up_events import CatchUpEvents
from payflowx.application.recovery.sweep import SweepDueItems
from payflowx.application.recovery.wake_attempts import WakeAttempts
from payflowx.application.recovery.wake_event import WakeEvent
from payflowx.domain.payments.ports import DueKind
from payflowx.wiring.ledger import LedgerWriter, LedgerWriterSettings
from payflowx.wiring.platform import Platform


@dataclass(frozen=True, kw_only=True)
class SweeperSettings(LedgerWriterSettings):
    jobs_late_at: int
    """The number of waiting messages from which on the sweeper adds none; the queue of deliveries has its own."""
    deliveries_late_at: int


@dataclass(kw_only=True)
class SweeperWiring(LedgerWriter):
    settings: SweeperSettings

    @classmethod
    def over(cls, platform: Platform) -> Self:
        return cls(platform=platform, settings=SweeperSettings.from_environment(platform.environment))

    def prepare(self) -> None:
        _ = self.sweep

    @property
    def merchants_of_changes(self) -> None:
        """The sweeper ends no payment, and has no right to read merchants."""
        return

    @cached_property
    def sweep(self) -> SweepDueItems:
        return SweepDueItems(
            due_items=self.due_items,
            due_shards=self.partitions.due_shards,
            written_shards=self.partitions.written_shards,
            wakers={
                DueKind.PAYMENT: self._wake_attempts,
                DueKind.OPERATION: self._wake_attempts,
                DueKind.EVENT: self._wake_event,
                DueKind.CATCH_UP: self._catch_up_events,
            },
            concurrency=self.platform.concurrency,
            clock=self.platform.clock,
            telemetry=self.telemetry,
            pause=self.platform.pause,
        )

    @cached_property
    def due_items(self) -> DynamoDBDueItems:
        return DynamoDBDueItems(
            client=self.platform.clients.dynamodb,
            table=self.settings.transactions_table,
            partitions=self.partitions,
        )

    @cached_property
    def _wake_attempts(self) -> WakeAttempts:
        return WakeAttempts(
            due_items=self.due_items,
            items=self.work_items,
            jobs=self.jobs,
            room=self._room(self.jobs, self.settings.jobs_late_at),
            outcome_writer=self.outcome_writer,
            telemetry=self.telemetry,
            policy=self.policy,
        )

    @cached_property
    def _wake_event(self) -> WakeEvent:
        return WakeEvent(
            due_items=self.due_items,
            deliveries=self.deliveries,
            room=self._room(self.deliveries, self.settings.deliveries_late_at),
        )

    @cached_property
    def _catch_up_events(self) -> CatchUpEvents:
        client, table = self.platform.clients.dynamodb, self.settings.transactions_table
        return CatchUpEvents(
            due_items=self.due_items,
            catch_ups=DynamoDBCatchUps(client=client, table=table, partitions=self.partitions),
            merchant_events=DynamoDBMerchantEvents(client=client, table=table, partitions=self.partitions),
            clock=self.platform.clock,
        )

    def _room(self, queue: Queue[Any], late_at: int) -> QueueRoom:
        return QueueRoom(
            waiting=queue.waiting, late_at=late_at, now_ms=self.platform.clock.now_ms, telemetry=self.telemetry
        )
