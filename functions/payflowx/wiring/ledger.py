"""The store of payments and operations, and what every function needs that changes them."""

from abc import abstractmethod
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from payflowx.adapters.dynamodb.core.partitions import Partitions
from payflowx.adapters.dynamodb.orders.orders import DynamoDBOrders
from payflowx.adapters.dynamodb.payments.operations import DynamoDBOperations
from payflowx.adapters.dynamodb.payments.payments import DynamoDBPayments
from payflowx.adapters.dynamodb.webhooks.endpoint_presence import DynamoDBEndpointPresence, EndpointsUnknown
from payflowx.adapters.sqs.messages import DELIVERIES, JOBS
from payflowx.adapters.sqs.queue import Queue
from payflowx.application.orders.keep_order import KeepOrder
from payflowx.application.payments.outcome_writer import OutcomeWriter
from payflowx.application.payments.work_items import WorkItems
from payflowx.domain.outbound_webhooks.ports import DeliveryJob, EndpointPresence
from payflowx.domain.payments.ports import Job
from payflowx.domain.payments.retry import RetryPolicy
from payflowx.domain.shared.limits import ENDPOINTS_REMEMBERED_MS, HOUR_MS, MINUTE_MS
from payflowx.wiring.platform import Wiring
from payflowx.wiring.settings import Settings

if TYPE_CHECKING:
    from payflowx.adapters.dynamodb.merchants.configuration import DynamoDBMerchantConfiguration


@dataclass(frozen=True, kw_only=True)
class LedgerSettings(Settings):
    transactions_table: str
    deliveries_queue_url: str
    idempotency_table: str = ""
    """Only the API accepts payments and operations; no other function has this table or a right to it."""
    list_partitions: int
    due_shards: int
    write_new_partitions: bool
    """Whether writers use more than the first partition of a list and the first sixteen shards. Readers ask for all."""


@dataclass(kw_only=True)
class Ledger(Wiring):
    settings: LedgerSettings

    @cached_property
    def partitions(self) -> Partitions:
        return Partitions(
            lists=self.settings.list_partitions,
            due_shards=self.settings.due_shards,
            are_written=self.settings.write_new_partitions,
        )

    @cached_property
    def payments(self) -> DynamoDBPayments:
        return DynamoDBPayments(
            client=self.platform.clients.dynamodb,
            transactions_table=self.settings.transactions_table,
            idempotency_table=self.settings.idempotency_table,
            partitions=self.partitions,
            pause=self.platform.pause,
            jitter=self.platform.randomness.jitter,
        )

    @cached_property
    def operations(self) -> DynamoDBOperations:
        return DynamoDBOperations(
            client=self.platform.clients.dynamodb,
            transactions_table=self.settings.transactions_table,
            idempotency_table=self.settings.idempotency_table,
            partitions=self.partitions,
        )

    @cached_property
    def orders(self) -> DynamoDBOrders:
        return DynamoDBOrders(payments=self.payments)

    @cached_property
    def work_items(self) -> WorkItems:
        return WorkItems(payments=self.payments, operations=self.operations)

    @cached_property
    def deliveries(self) -> Queue[DeliveryJob]:
        return Queue(client=self.platform.clients.sqs, url=self.settings.deliveries_queue_url, codec=DELIVERIES)


@dataclass(frozen=True, kw_only=True)
class LedgerWriterSettings(LedgerSettings):
    jobs_queue_url: str
    max_retries: int
    charge_deadline_hours: int
    not_sent_patience_minutes: int


@dataclass(kw_only=True)
class LedgerWriter(Ledger):
    settings: LedgerWriterSettings

    @cached_property
    def jobs(self) -> Queue[Job]:
        return Queue(client=self.platform.clients.sqs, url=self.settings.jobs_queue_url, codec=JOBS)

    @cached_property
    def policy(self) -> RetryPolicy:
        return RetryPolicy(
            max_retries=self.settings.max_retries,
            charge_deadline_ms=self.settings.charge_deadline_hours * HOUR_MS,
            not_sent_patience_ms=self.settings.not_sent_patience_minutes * MINUTE_MS,
        )

    @cached_property
    def outcome_writer(self) -> OutcomeWriter:
        return OutcomeWriter(
            items=self.work_items,
            keep_order=self.keep_order,
            jobs=self.jobs,
            deliveries=self.deliveries,
            presence=self.endpoint_presence,
            telemetry=self.telemetry,
        )

    @cached_property
    def keep_order(self) -> KeepOrder:
        return KeepOrder(
            orders=self.orders,
            payments=self.payments,
            operations=self.operations,
            is_automatic_refund_on=self.is_automatic_refund_on,
            policy=self.policy,
            telemetry=self.telemetry,
        )

    @property
    @abstractmethod
    def merchants_of_changes(self) -> "DynamoDBMerchantConfiguration | None":
        """The merchants whose settings a change follows; None in a function that has no right to read them."""

    @cached_property
    def endpoint_presence(self) -> EndpointPresence:
        """Unknown where no merchant is read."""
        merchants = self.merchants_of_changes
        if merchants is None:
            return EndpointsUnknown()
        cache = self.platform.cache(ENDPOINTS_REMEMBERED_MS)
        return DynamoDBEndpointPresence(client=self.platform.clients.dynamodb, table=merchants.table, cache=cache)

    def is_automatic_refund_on(self, merchant_id: str) -> bool:
        """The merchant's switch; off where no merchant is read."""
        merchants = self.merchants_of_changes
        merchant = merchants.get(merchant_id) if merchants is not None else None
        return merchant is not None and merchant.automatic_refund
