"""The production wiring over the models of AWS's services, and scripted providers behind it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from payflowx.adapters.dynamodb.core import keys
from payflowx.adapters.dynamodb.core.partitions import FIRST, Partitions
from payflowx.adapters.dynamodb.core.values import Item, from_attributes, to_attributes
from payflowx.adapters.dynamodb.merchants.accounts import directory_item
from payflowx.adapters.dynamodb.merchants.configuration import MERCHANT as HEAD
from payflowx.adapters.dynamodb.merchants.configuration import SWITCH, account_item, token_item
from payflowx.adapters.dynamodb.merchants.directory import DynamoDBMerchantDirectory
from payflowx.adapters.dynamodb.payments.due_items import DynamoDBDueItems
from payflowx.adapters.dynamodb.payments.event_items import event_to_item, first_event_fields
from payflowx.adapters.dynamodb.payments.operation_items import operation_to_item
from payflowx.adapters.dynamodb.payments.operations import DynamoDBOperations
from payflowx.adapters.dynamodb.payments.payment_items import to_item
from payflowx.adapters.dynamodb.payments.payments import DynamoDBPayments
from payflowx.adapters.dynamodb.payments.references import DynamoDBReferences
from payflowx.adapters.sqs.messages import DELIVERIES, JOBS, PROVIDER_EVENTS, RUNS
from payflowx.application.inbound_webhooks.process_provider_event import ProcessProviderEvent
from payflowx.application.operators.verify_audit_log import VerifyAuditLog
from payflowx.application.payments.cancel_payment import Cancellation, NewCancellation
from payflowx.application.payments.create_payment import CreatePayment, NewPayment
from payflowx.application.payments.outcome_writer import OutcomeWriter
from payflowx.application.payments.process_job import ProcessJob
from payflowx.application.payments.record_provider_refunds import RecordProviderRefunds
from payflowx.application.payments.request_operation import NewOperation, OperationAcceptance, RequestOperation
from payflowx.application.payments.work_items import WorkItems
from payflowx.application.recovery.sweep import SweepDueItems
from payflowx.domain.outbound_webhooks.merchant_events import MerchantEvent
from payflowx.domain.payments.capabilities import Capabilities
from payflowx.domain.payments.events import Event
from payflowx.domain.payments.operation import Operation
from payflowx.domain.payments.payment import Payment, PaymentMethod
from payflowx.domain.payments.ports import Job
from payflowx.domain.payments.retry import RetryPolicy
from payflowx.domain.providers.events import Webhook
from payflowx.domain.providers.ports import Account
from payflowx.domain.routing.routing import Conditions, RoutingDocument, Rule, Share
from payflowx.domain.shared.errors import StorageUnavailableError
from payflowx.domain.shared.limits import HOUR_MS, MINUTE_MS, SECOND_MS
from payflowx.domain.shared.operation_request import OperationKind
from payflowx.domain.shared.statuses import CaptureMode
from payflowx.wiring.api import ApiWiring
from payflowx.wiring.inbound_webhooks import WebhookReceiverWiring
from payflowx.wiring.payments import WorkerWiring
from payflowx.wiring.platform import Wiring
from payflowx.wiring.provider_events import ProviderEventsWiring
from payflowx.wiring.recovery import SweeperWiring
from testing.app_config import AppConfigData
from testing.kms import Kms
from testing.secrets_manager import SecretsManager
from testing.sqs import Sqs
from tests.support.memory import (
    CountingRandomness,
    FixedRules,
    ManualClock,
    ManualDeadline,
    RecordingTelemetry,
)
from tests.support.model_tables import model_database
from tests.support.platform import (
    ENVIRONMENT,
    Interceptor,
    ModelPlatform,
    TestQueue,
    clients_of,
    encode_routing_document,
)
from tests.support.scripted import ScriptedProvider, ScriptedProviders
from tests.support.tables import CONFIGURATION, TRANSACTIONS

W = TypeVar("W", bound=Wiring)

MERCHANT = "acme"

RESENDABLE = Capabilities(
    provider="alpha",
    simulated=True,
    capture_modes=frozenset(CaptureMode),
    operation_window_ms=dict.fromkeys(OperationKind, 24 * HOUR_MS),
    idempotency_window_ms=24 * HOUR_MS,
    can_cancel_and_confirm=False,
    inquiry_horizon_ms=HOUR_MS,
)
CANCELLABLE = Capabilities(
    provider="beta",
    simulated=True,
    can_cancel_and_confirm=True,
    visibility_lag_ms=10 * SECOND_MS,
    inquiry_horizon_ms=HOUR_MS,
    action_lifetime_ms=15 * MINUTE_MS,
)
READABLE = Capabilities(provider="gamma", simulated=True, inquiry_horizon_ms=10 * MINUTE_MS)


def scripted_providers() -> ScriptedProviders:
    return ScriptedProviders(
        {able.provider: ScriptedProvider(able.provider, able) for able in (RESENDABLE, CANCELLABLE, READABLE)}
    )


def fallback(*providers: str) -> RoutingDocument:
    """A document with one rule."""
    rule = Rule(name="all", when=Conditions(), shares=(Share(percent=100, providers=providers),))
    return RoutingDocument(version="test", rules=(rule,))


@dataclass
class World:
    """All functions over one database and one set of queues. `database` is a DynamoDB client; the model by default."""

    providers: Any = field(default_factory=scripted_providers)
    database: Any = None
    sqs: Sqs = field(default_factory=Sqs)
    clock: ManualClock = field(default_factory=ManualClock)
    deadline: ManualDeadline = field(default_factory=ManualDeadline)
    telemetry: RecordingTelemetry = field(default_factory=RecordingTelemetry)
    randomness: CountingRandomness = field(default_factory=CountingRandomness)
    secrets: SecretsManager = field(default_factory=SecretsManager)
    policy: RetryPolicy = field(default_factory=lambda: RetryPolicy(max_retries=3, charge_deadline_ms=24 * HOUR_MS))
    rules: FixedRules = field(default_factory=lambda: FixedRules(fallback("alpha", "beta", "gamma")))
    compact: bool = True
    """The layout of new payments."""
    partitions: Partitions = FIRST
    """Those of the indexes. A test that changes them deploys all functions anew."""

    def __post_init__(self) -> None:
        self.dynamodb = Interceptor(self.database or model_database(self.clock.now_ms))
        self.jobs = TestQueue(self.sqs, ENVIRONMENT["JOBS_QUEUE_URL"], JOBS)
        self.provider_events = TestQueue(self.sqs, ENVIRONMENT["NOTICES_QUEUE_URL"], PROVIDER_EVENTS)
        self.deliveries = TestQueue(self.sqs, ENVIRONMENT["DELIVERIES_QUEUE_URL"], DELIVERIES)
        self.run_queue = TestQueue(self.sqs, ENVIRONMENT["RUNS_QUEUE_URL"], RUNS)
        self.platform = self._platform()
        self._wirings: dict[type[Wiring], Any] = {}
        self._deployed = (self.policy, self.rules.document)
        self.set_merchant()

    def _platform(self) -> ModelPlatform:
        return ModelPlatform(
            environment={**ENVIRONMENT, **self._settings()},
            clients=clients_of(
                dynamodb=self.dynamodb,
                sqs=self.sqs,
                secretsmanager=self.secrets,
                appconfigdata=AppConfigData(lambda: encode_routing_document(self.rules.document)),
                kms=Kms(),
                s3=None,  # a test gives the settlement files themselves
            ),
            clock=self.clock,
            randomness=self.randomness,
            pause=lambda _seconds: None,
            recorded=self.telemetry,
            scripted=lambda: self.providers,
            provider_http=lambda: None,
        )

    def _settings(self) -> dict[str, str]:
        return {
            "COMPACT_PAYMENTS": "true" if self.compact else "false",
            "LIST_PARTITIONS": str(self.partitions.lists),
            "DUE_SHARDS": str(self.partitions.due_shards),
            "WRITE_NEW_PARTITIONS": "true" if self.partitions.are_written else "false",
            "MAX_RETRIES": str(self.policy.max_retries),
            "CHARGE_DEADLINE_HOURS": str(self.policy.charge_deadline_ms // HOUR_MS),
            "NOT_SENT_PATIENCE_MINUTES": str(self.policy.not_sent_patience_ms // MINUTE_MS),
        }

    def wired(self, kind: type[W]) -> W:
        """The wiring of a function. A new policy or routing document starts all functions anew, without caches."""
        if self._deployed != (self.policy, self.rules.document):
            self._deployed = (self.policy, self.rules.document)
            self.deploy()
        if kind not in self._wirings:
            self._wirings[kind] = kind.over(self.platform)
        found: W = self._wirings[kind]
        return found

    def deploy(self) -> None:
        """Start all functions anew: what they remember is gone."""
        self.platform = self._platform()
        self._wirings.clear()

    # -- the merchant

    @property
    def accounts(self) -> tuple[Account, ...]:
        """One at each provider."""
        return tuple(
            Account(
                provider=name,
                account_id="main",
                endpoint=self.endpoint(name),
                secret_arn=f"arn:{name}",
                webhook_token=f"token-of-{name}",
            )
            for name in self.providers.capabilities()
        )

    def endpoint(self, _provider: str) -> str:
        return "https://gateway.test"

    def set_merchant(
        self,
        *,
        accounts: Sequence[Account] | None = None,
        disabled: frozenset[str] = frozenset(),
        automatic_refund: bool = False,
    ) -> None:
        """The merchant with these accounts, by default with one at each provider; known to all functions at once."""
        partition = f"M#{MERCHANT}"
        for item in self._partition(CONFIGURATION, partition):
            self.dynamodb.delete_item(TableName=CONFIGURATION, Key=to_attributes({"pk": partition, "sk": item["sk"]}))
        self._put(CONFIGURATION, {"pk": partition, "sk": HEAD, "name": "Acme", "automaticRefund": automatic_refund})
        for account in self.accounts if accounts is None else accounts:
            self._put(CONFIGURATION, account_item(partition, account))
            self._put(CONFIGURATION, token_item(MERCHANT, account))
            self._put(CONFIGURATION, directory_item(MERCHANT, account))
        for provider in disabled:
            self._put(CONFIGURATION, {"pk": partition, "sk": f"{SWITCH}{provider}", "disabled": True})
        self.deploy()

    # -- what is stored

    @property
    def payments(self) -> DynamoDBPayments:
        return self.wired(ApiWiring).payments

    @property
    def operations(self) -> DynamoDBOperations:
        return self.wired(ApiWiring).operations

    @property
    def merchants(self) -> Any:
        return self.wired(WorkerWiring).merchants

    @property
    def merchant_directory(self) -> DynamoDBMerchantDirectory:
        return DynamoDBMerchantDirectory(client=self.dynamodb, table=CONFIGURATION)  # type: ignore[arg-type]

    @property
    def references(self) -> DynamoDBReferences:
        return DynamoDBReferences(client=self.dynamodb, table=TRANSACTIONS)  # type: ignore[arg-type]

    @property
    def due_items(self) -> DynamoDBDueItems:
        return self.wired(SweeperWiring).due_items

    def store(self, stored: Payment | Operation | Event) -> None:
        """As it is, over what is there: no condition, no new version, no event."""
        match stored:
            case Payment():
                self._put(TRANSACTIONS, to_item(stored))
            case Operation():
                self._put(TRANSACTIONS, operation_to_item(stored))
            case Event():
                self._store_event(stored)

    def _store_event(self, event: Event) -> None:
        """The first event may lie in the item of the second one, and stays there."""
        key = keys.event_key(event.merchant_id, event.transaction_id, max(2, event.seq))
        found = self.dynamodb.get_item(TableName=TRANSACTIONS, Key=to_attributes(key)).get("Item", {})
        if event.seq == 1 and "first" in found:
            self._put(TRANSACTIONS, from_attributes(found) | first_event_fields(event))
            return
        kept = {"first": from_attributes(found)["first"]} if event.seq == 2 and "first" in found else {}
        self._put(TRANSACTIONS, event_to_item(event) | kept)

    def forget(self, key: Mapping[str, str]) -> None:
        """Delete an item of the table of transactions."""
        self.dynamodb.delete_item(TableName=TRANSACTIONS, Key=to_attributes(key))

    def items_of(self, payment: Payment) -> list[Item]:
        """The payment, its operations and its events, as stored."""
        return self._partition(TRANSACTIONS, keys.payment_partition(payment.merchant_id, payment.transaction_id))

    def events_of(self, payment: Payment) -> Sequence[Event]:
        return self.payments.events(payment.merchant_id, payment.transaction_id, after_seq=0, limit=1_000).items

    def merchant_events_of(self, payment: Payment) -> list[MerchantEvent]:
        """The events that the merchant is to get, in order."""
        get = self.wired(ApiWiring).merchant_events.get
        found = [get(event.merchant_id, event.transaction_id, event.seq) for event in self.events_of(payment)]
        return [event for event in found if event is not None]

    @contextmanager
    def refusing(self, method: str) -> Iterator[None]:
        """The database does not answer to requests of this kind."""

        def refuse(asked: str, _request: object) -> None:
            if asked == method:
                raise StorageUnavailableError("the database did not answer")

        before, self.dynamodb.before = self.dynamodb.before, refuse
        yield
        self.dynamodb.before = before

    def requests_of(self, method: str, text: str = "") -> list[Mapping[str, Any]]:
        """The requests of this kind from now on in which the text occurs."""
        before, found = self.dynamodb.before, []

        def record(asked: str, request: Mapping[str, Any]) -> None:
            before(asked, request)
            if asked == method and text in repr(request):
                found.append(request)

        self.dynamodb.before = record
        return found

    def before_next(self, method: str, act: Callable[[], object], text: str = "") -> None:
        """Act once, when the next request of this kind, with this text in it, has left and has not arrived yet."""
        before = self.dynamodb.before

        def interrupt(asked: str, request: Mapping[str, Any]) -> None:
            if asked == method and text in repr(request):
                self.dynamodb.before = before
                act()

        self.dynamodb.before = interrupt

    def _put(self, table: str, item: Item) -> None:
        self.dynamodb.put_item(TableName=table, Item=to_attributes(item))

    def _partition(self, table: str, partition: str) -> list[Item]:
        answer = self.dynamodb.query(
            TableName=table,
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues=to_attributes({":pk": partition}),
            ConsistentRead=True,
        )
        return [from_attributes(item) for item in answer["Items"]]

    # -- use cases

    @property
    def outcome_writer(self) -> OutcomeWriter:
        return self.wired(WorkerWiring).outcome_writer

    def accept(self, key: str = "order-1", **changes: object) -> Payment:
        """POST /payments."""
        return self.create(new_payment(key, **changes)).payment

    @property
    def create(self) -> CreatePayment:
        return self.wired(ApiWiring).create_payment

    @property
    def process(self) -> ProcessJob:
        return self.wired(WorkerWiring).process_job

    @property
    def items(self) -> WorkItems:
        return self.wired(WorkerWiring).work_items

    @property
    def record_provider_refunds(self) -> RecordProviderRefunds:
        return self.wired(WorkerWiring).record_provider_refunds

    def cancel(self, merchant_id: str, transaction_id: str) -> Cancellation:
        """POST /payments/{id}/cancel."""
        return self.wired(ApiWiring).cancel_payment(
            NewCancellation(
                merchant_id=merchant_id,
                transaction_id=transaction_id,
                path=f"/payments/{transaction_id}/cancel",
                fingerprint=f"print-cancel-{transaction_id}",
            )
        )

    @property
    def request_operation(self) -> RequestOperation:
        return self.wired(ApiWiring).request_operation

    @property
    def process_provider_event(self) -> ProcessProviderEvent:
        return self.wired(ProviderEventsWiring).process_provider_event

    def receive(self, provider: str, body: bytes, headers: Mapping[str, str], token: str | None = None) -> None:
        """POST /webhooks/{provider}/{accountToken}."""
        lower = {name.lower(): value for name, value in headers.items()}
        self.wired(WebhookReceiverWiring).receive_webhook(
            provider,
            token or f"token-of-{provider}",
            Webhook(headers=lower, body=body, received_at_ms=self.clock.now_ms()),
        )

    def deliver_provider_events(self, *, most: int = 50) -> None:
        """Apply what was taken in, in order, each after its delay."""
        for _ in range(most):
            if not self.provider_events.sent:
                return
            inbound, delay_seconds = self.provider_events.sent.pop(0)
            self.clock.advance(delay_seconds)
            self.process_provider_event(inbound)
        raise AssertionError("webhooks do not end")

    @property
    def sweep(self) -> SweepDueItems:
        return self.wired(SweeperWiring).sweep

    # -- driving

    def work(self, *, turns: int = 1) -> None:
        """Deliver the next messages, in order, after their delays, as the slow lane does: none is handed over."""
        for _ in range(turns):
            job, delay_seconds = self.jobs.sent.pop(0)
            self.clock.advance(delay_seconds)
            self.process(replace(job, slow=True), self.deadline)

    def work_until_idle(self, *, most: int = 50) -> int:
        """Deliver messages until none is left; how many there were."""
        for turn in range(most):
            if not self.jobs.sent:
                return turn
            self.work()
        raise AssertionError("messages do not end")

    def now(self, payment: Payment) -> Payment:
        """The payment as stored, its audit log checked."""
        stored = self.payments.get(payment.merchant_id, payment.transaction_id)
        assert stored is not None
        assert VerifyAuditLog(payments=self.payments)(stored.merchant_id, stored.transaction_id).is_intact
        return stored

    def request(
        self, kind: OperationKind, payment: Payment, amount: int | None = None, key: str = "op-1", **changes: object
    ) -> OperationAcceptance:
        """POST /payments/{id}/capture, /refunds, or a void."""
        values: dict[str, object] = {
            "merchant_id": payment.merchant_id,
            "transaction_id": payment.transaction_id,
            "kind": kind,
            "amount": amount,
            "idempotency_key": key,
            "path": f"/payments/{payment.transaction_id}/{kind}s",
            "fingerprint": f"print-{payment.transaction_id}-{kind}-{amount}",
            **changes,
        }
        return self.request_operation(NewOperation(**values))  # type: ignore[arg-type]

    def operation_now(self, operation: Operation) -> Operation:
        """The operation as stored."""
        found = self.operations.get(operation.merchant_id, operation.transaction_id, operation.operation_id)
        assert found is not None
        return found

    def wake(self, payment: Payment) -> None:
        """A message without hints, as the sweeper sends it."""
        job = Job(merchant_id=payment.merchant_id, transaction_id=payment.transaction_id, slow=True)
        self.process(job, self.deadline)


def new_payment(key: str = "order-1", **changes: object) -> NewPayment:
    """A valid request; the fingerprint follows the amount."""
    values: dict[str, object] = {
        "merchant_id": MERCHANT,
        "idempotency_key": key,
        "amount": 1999,
        "currency": "USD",
        "capture": CaptureMode.AUTOMATIC,
        "payment_method": PaymentMethod(type="card", token="tok_success"),
        **changes,
    }
    values.setdefault("fingerprint", f"print-{values['amount']}")
    return NewPayment(**values)  # type: ignore[arg-type]
