"""The only place that knows which adapter serves which port. Reads the environment once, at the cold start."""

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

from aws_lambda_powertools import Logger

from payflowx.adapters import aws
from payflowx.adapters.appconfig_rules import AppConfigRules
from payflowx.adapters.cursors import Cursors
from payflowx.adapters.dynamodb.announcements import DynamoDBAnnouncements
from payflowx.adapters.dynamodb.configuration import (
    MERCHANT_LIFETIME_MS,
    DynamoDBApiKeys,
    DynamoDBMerchantAdministration,
    DynamoDBMerchants,
    DynamoDBWebhookAccounts,
)
from payflowx.adapters.dynamodb.due_items import DynamoDBDueItems
from payflowx.adapters.dynamodb.endpoint_books import DynamoDBEndpointBooks
from payflowx.adapters.dynamodb.operations import DynamoDBOperations
from payflowx.adapters.dynamodb.payments import DynamoDBPayments
from payflowx.adapters.dynamodb.references import DynamoDBReferences
from payflowx.adapters.kms_seals import SEAL_LIFETIME_MS, KmsSeals
from payflowx.adapters.secrets_manager import SECRET_LIFETIME_MS, SecretsManagerSecrets
from payflowx.adapters.sqs_deliveries import SqsDeliveries
from payflowx.adapters.sqs_jobs import SqsJobs
from payflowx.adapters.sqs_notices import SqsNotices
from payflowx.adapters.system import SystemClock, SystemRandomness, Threads
from payflowx.adapters.telemetry import PowertoolsTelemetry, redacting_formatter
from payflowx.adapters.tracing import Tracing, daemon_of
from payflowx.adapters.ttl_cache import TtlCache
from payflowx.application.announced_events import AnnouncedEvents
from payflowx.application.apply_notice import ApplyNotice
from payflowx.application.authenticate import Authenticate
from payflowx.application.cancel_payment import CancelPayment
from payflowx.application.create_merchant import CreateMerchant
from payflowx.application.create_payment import CreatePayment
from payflowx.application.deliver_event import DeliverEvent
from payflowx.application.drive_event import DriveEvent
from payflowx.application.drive_operation import DriveOperation
from payflowx.application.drive_payment import DrivePayment
from payflowx.application.erase_personal_data import ErasePersonalData
from payflowx.application.find_noticed import FindNoticed
from payflowx.application.manage_endpoints import ManageEndpoints
from payflowx.application.process_operation import ProcessOperation
from payflowx.application.process_payment import ProcessPayment
from payflowx.application.read_operations import ReadOperations
from payflowx.application.read_payments import ReadPayments
from payflowx.application.receive_webhook import ReceiveWebhook
from payflowx.application.recording import Recorder
from payflowx.application.recording_operations import OperationRecorder
from payflowx.application.request_operation import RequestOperation
from payflowx.application.resolve_attempt import ResolveAttempt
from payflowx.application.send_charge import SendCharge
from payflowx.application.sweep import SweepDueItems
from payflowx.application.verify_trail import VerifyTrail
from payflowx.domain.delivery_ports import Sender
from payflowx.domain.errors import ConfigurationError
from payflowx.domain.limits import HOUR_MS
from payflowx.domain.metrics import Metric
from payflowx.domain.ports import Clock, Concurrency, DueKind, Randomness, Telemetry
from payflowx.domain.retry import RetryPolicy
from payflowx.domain.transport import HttpClient
from payflowx.providers.registry import Registry

_SWEEPER_THREADS: Final = 8
_WORKER_THREADS: Final = 10


def _client_of(service: str) -> Any:
    return aws.client(service)


@dataclass(kw_only=True)
class Container:
    """Everything wired, each part made when it is first used. Tests and simulations replace the leaves."""

    environment: Mapping[str, str] = field(default_factory=lambda: os.environ)
    client: Callable[[str], Any] = _client_of
    clock: Clock = field(default_factory=SystemClock)
    randomness: Randomness = field(default_factory=SystemRandomness)
    pause: Callable[[float], None] = time.sleep

    def _setting(self, name: str) -> str:
        try:
            return self.environment[name]
        except KeyError:
            raise ConfigurationError(f"the environment variable {name} is not set") from None

    # -- leaves

    @cached_property
    def logger(self) -> Logger:
        """Powertools' logger, redacting."""
        return Logger(logger_formatter=redacting_formatter(), log_uncaught_exceptions=False)

    @cached_property
    def telemetry(self) -> Telemetry:
        """Logs and metrics."""
        return PowertoolsTelemetry(
            self.logger, self._setting("POWERTOOLS_METRICS_NAMESPACE"), self._setting("ENVIRONMENT")
        )

    @cached_property
    def tracing(self) -> Tracing:
        """The providers' calls in X-Ray."""
        return Tracing(daemon_of(self.environment))

    @property
    def trace(self) -> str | None:
        """The header of this invocation's trace: Lambda sets it anew each time."""
        return self.environment.get("_X_AMZN_TRACE_ID")

    @cached_property
    def http(self) -> HttpClient:
        """The providers' line; imported by those who call providers only."""
        from payflowx.adapters.http import Urllib3Client  # noqa: PLC0415 - the API never calls a provider

        return Urllib3Client()

    @cached_property
    def concurrency(self) -> Concurrency:
        """Threads: the work waits for the network."""
        return Threads(max(_SWEEPER_THREADS, _WORKER_THREADS))

    @cached_property
    def _dynamodb(self) -> Any:
        return self.client("dynamodb")

    @cached_property
    def secrets(self) -> SecretsManagerSecrets:
        """Credentials and the cursor key."""
        cache: TtlCache[str] = TtlCache(SECRET_LIFETIME_MS, self.clock.now_ms)
        return SecretsManagerSecrets(client=self.client("secretsmanager"), cache=cache)

    # -- ports

    @cached_property
    def policy(self) -> RetryPolicy:
        """How often and how long a payment is tried."""
        return RetryPolicy(
            max_retries=int(self._setting("MAX_RETRIES")),
            charge_deadline_ms=int(self._setting("CHARGE_DEADLINE_HOURS")) * HOUR_MS,
        )

    @cached_property
    def payments(self) -> DynamoDBPayments:
        """The store."""
        return DynamoDBPayments(
            client=self._dynamodb,
            transactions_table=self._setting("TRANSACTIONS_TABLE"),
            # Only the API creates payments; the others have no such table and no right to it.
            idempotency_table=self.environment.get("IDEMPOTENCY_TABLE", ""),
            pause=self.pause,
            jitter=self.randomness.jitter,
        )

    @cached_property
    def operations(self) -> DynamoDBOperations:
        """The store of captures, voids and refunds."""
        return DynamoDBOperations(
            client=self._dynamodb,
            transactions_table=self._setting("TRANSACTIONS_TABLE"),
            idempotency_table=self.environment.get("IDEMPOTENCY_TABLE", ""),
        )

    @cached_property
    def jobs(self) -> SqsJobs:
        """The queue."""
        return SqsJobs(client=self.client("sqs"), queue_url=self._setting("JOBS_QUEUE_URL"))

    @cached_property
    def notices(self) -> SqsNotices:
        """The queue of providers' webhooks."""
        return SqsNotices(client=self.client("sqs"), queue_url=self._setting("NOTICES_QUEUE_URL"))

    @cached_property
    def merchants(self) -> DynamoDBMerchants:
        """Merchants, a minute old at most."""
        table = self._setting("CONFIGURATION_TABLE")
        return DynamoDBMerchants(
            client=self._dynamodb, table=table, cache=TtlCache(MERCHANT_LIFETIME_MS, self.clock.now_ms)
        )

    @cached_property
    def providers(self) -> Registry:
        """The providers that the environment allows."""
        return Registry(
            allowed=tuple(name for name in self._setting("ALLOWED_PROVIDERS").split(",") if name),
            http=lambda: self.http,
            secrets=lambda: self.secrets,
            clock_ms=self.clock.now_ms,
            observe=self._observe_call,
        )

    def _observe_call(self, provider: str, step: str, milliseconds: int) -> None:
        self.telemetry.milliseconds(Metric.PROVIDER_LATENCY, milliseconds, provider=provider)
        self.tracing.called(provider, step, ended_ms=self.clock.now_ms(), took_ms=milliseconds)

    @cached_property
    def rules(self) -> AppConfigRules:
        """The routing document."""
        return AppConfigRules(
            client=self.client("appconfigdata"),
            application=self._setting("ROUTING_APPLICATION"),
            environment=self._setting("ROUTING_ENVIRONMENT"),
            profile=self._setting("ROUTING_PROFILE"),
            clock=self.clock,
        )

    @cached_property
    def cursors(self) -> Cursors:
        """Signs list positions."""
        return Cursors(key=lambda: self.secrets.text(self._setting("CURSOR_SECRET_ARN")))

    # -- use cases

    @cached_property
    def recorder(self) -> Recorder:
        """Writes outcomes."""
        return Recorder(payments=self.payments, jobs=self.jobs, deliveries=self.deliveries, telemetry=self.telemetry)

    @cached_property
    def operation_recorder(self) -> OperationRecorder:
        """Writes outcomes of captures, voids and refunds."""
        return OperationRecorder(
            payments=self.payments,
            operations=self.operations,
            jobs=self.jobs,
            deliveries=self.deliveries,
            telemetry=self.telemetry,
        )

    @cached_property
    def create_payment(self) -> CreatePayment:
        """POST /payments."""
        return CreatePayment(
            payments=self.payments,
            jobs=self.jobs,
            merchants=self.merchants,
            rules=self.rules,
            providers=self.providers,
            clock=self.clock,
            telemetry=self.telemetry,
            policy=self.policy,
        )

    @cached_property
    def read_payments(self) -> ReadPayments:
        """GET /payments and below."""
        return ReadPayments(payments=self.payments)

    @cached_property
    def cancel_payment(self) -> CancelPayment:
        """POST /payments/{transactionId}/cancel."""
        return CancelPayment(
            payments=self.payments,
            providers=self.providers,
            recorder=self.recorder,
            operations=self.operations,
            request_operation=self.request_operation,
            clock=self.clock,
            policy=self.policy,
        )

    @cached_property
    def request_operation(self) -> RequestOperation:
        """POST /payments/{transactionId}/capture, /refunds, and /cancel of an authorized payment."""
        return RequestOperation(
            payments=self.payments,
            operations=self.operations,
            providers=self.providers,
            recorder=self.recorder,
            jobs=self.jobs,
            clock=self.clock,
            telemetry=self.telemetry,
            policy=self.policy,
            pause=self._pause_between_tries,
        )

    def _pause_between_tries(self, tries: int) -> None:
        """20 to 40 ms, doubled a try, at most 2.5 s for all eight: whoever asks for the same money at once waits."""
        self.pause(0.01 * 2**tries * (1 + self.randomness.jitter()))

    @cached_property
    def read_operations(self) -> ReadOperations:
        """GET /payments/{transactionId}/operations and below."""
        return ReadOperations(payments=self.payments, operations=self.operations)

    @cached_property
    def process_payment(self) -> ProcessPayment:
        """The worker."""
        send_charge = SendCharge(payments=self.payments)
        return ProcessPayment(
            payments=self.payments,
            merchants=self.merchants,
            providers=self.providers,
            recorder=self.recorder,
            send_charge=send_charge,
            resolve_attempt=ResolveAttempt(send_charge=send_charge),
            clock=self.clock,
            randomness=self.randomness,
            telemetry=self.telemetry,
            policy=self.policy,
        )

    @cached_property
    def process_operation(self) -> ProcessOperation:
        """The worker, for captures, voids and refunds."""
        return ProcessOperation(
            payments=self.payments,
            operations=self.operations,
            merchants=self.merchants,
            providers=self.providers,
            recorder=self.operation_recorder,
            clock=self.clock,
            randomness=self.randomness,
            telemetry=self.telemetry,
            policy=self.policy,
        )

    @cached_property
    def receive_webhook(self) -> ReceiveWebhook:
        """POST /webhooks/{provider}/{accountToken}."""
        accounts = DynamoDBWebhookAccounts(
            client=self._dynamodb,
            table=self._setting("CONFIGURATION_TABLE"),
            merchants=self.merchants,
            cache=TtlCache(MERCHANT_LIFETIME_MS, self.clock.now_ms),
        )
        return ReceiveWebhook(
            accounts=accounts,
            providers=self.providers,
            secrets=self.secrets,
            notices=self.notices,
            clock=self.clock,
            telemetry=self.telemetry,
        )

    @cached_property
    def apply_notice(self) -> ApplyNotice:
        """The notices queue."""
        references = DynamoDBReferences(client=self._dynamodb, table=self._setting("TRANSACTIONS_TABLE"))
        return ApplyNotice(
            find=FindNoticed(payments=self.payments, operations=self.operations, references=references),
            payments=self.payments,
            operations=self.operations,
            merchants=self.merchants,
            providers=self.providers,
            notices=self.notices,
            recorder=self.recorder,
            operation_recorder=self.operation_recorder,
            clock=self.clock,
            telemetry=self.telemetry,
            policy=self.policy,
        )

    @cached_property
    def sweep(self) -> SweepDueItems:
        """The sweeper."""
        due_items = DynamoDBDueItems(client=self._dynamodb, table=self._setting("TRANSACTIONS_TABLE"))
        payment = DrivePayment(
            due_items=due_items,
            payments=self.payments,
            jobs=self.jobs,
            recorder=self.recorder,
            telemetry=self.telemetry,
            policy=self.policy,
        )
        operation = DriveOperation(
            due_items=due_items,
            payments=self.payments,
            operations=self.operations,
            jobs=self.jobs,
            recorder=self.operation_recorder,
            telemetry=self.telemetry,
            policy=self.policy,
        )
        return SweepDueItems(
            due_items=due_items,
            drivers={
                DueKind.PAYMENT: payment,
                DueKind.OPERATION: operation,
                DueKind.EVENT: self._drive_event(due_items),
            },
            concurrency=self.concurrency,
            clock=self.clock,
            telemetry=self.telemetry,
        )

    # -- webhooks to merchants

    @cached_property
    def deliveries(self) -> SqsDeliveries:
        """The queue of events that merchants are to be told of."""
        return SqsDeliveries(client=self.client("sqs"), queue_url=self._setting("DELIVERIES_QUEUE_URL"))

    @cached_property
    def announcements(self) -> DynamoDBAnnouncements:
        """The delivery side of the trail."""
        return DynamoDBAnnouncements(client=self._dynamodb, table=self._setting("TRANSACTIONS_TABLE"))

    @cached_property
    def endpoint_books(self) -> DynamoDBEndpointBooks:
        """Merchants' endpoints."""
        return DynamoDBEndpointBooks(client=self._dynamodb, table=self._setting("CONFIGURATION_TABLE"))

    @cached_property
    def seals(self) -> KmsSeals:
        """Encrypts endpoints' secrets."""
        return KmsSeals(
            client=self.client("kms"),
            key_arn=self._setting("ENCRYPTION_KEY_ARN"),
            cache=TtlCache(SEAL_LIFETIME_MS, self.clock.now_ms),
        )

    @cached_property
    def sender(self) -> Sender:
        """The line to merchants; imported by the deliverer only."""
        from payflowx.adapters.webhook_sender import UrllibSender  # noqa: PLC0415 - nobody else posts

        return UrllibSender(loopback_allowed=self._is_on_a_developers_machine, now_ms=self.clock.now_ms)

    @property
    def _is_on_a_developers_machine(self) -> bool:
        """A deployed function has an API of its own on its loopback address, which no merchant may reach."""
        return self._setting("LOOPBACK_ALLOWED") == "true" and "AWS_LAMBDA_RUNTIME_API" not in self.environment

    @cached_property
    def manage_endpoints(self) -> ManageEndpoints:
        """/webhook-endpoints."""
        return ManageEndpoints(
            books=self.endpoint_books,
            seals=self.seals,
            clock=self.clock,
            randomness=self.randomness,
            loopback_allowed=self._is_on_a_developers_machine,
        )

    @cached_property
    def announced_events(self) -> AnnouncedEvents:
        """/events."""
        return AnnouncedEvents(
            announcements=self.announcements,
            books=self.endpoint_books,
            deliveries=self.deliveries,
            clock=self.clock,
            telemetry=self.telemetry,
        )

    @cached_property
    def deliver_event(self) -> DeliverEvent:
        """The deliverer."""
        return DeliverEvent(
            announcements=self.announcements,
            books=self.endpoint_books,
            payments=self.payments,
            operations=self.operations,
            seals=self.seals,
            sender=self.sender,
            deliveries=self.deliveries,
            concurrency=self.concurrency,
            clock=self.clock,
            randomness=self.randomness,
            telemetry=self.telemetry,
        )

    def _drive_event(self, due_items: DynamoDBDueItems) -> DriveEvent:
        return DriveEvent(due_items=due_items, announcements=self.announcements, deliveries=self.deliveries)

    # -- merchants and operators

    @cached_property
    def authenticate(self) -> Authenticate:
        """The authorizer."""
        keys = DynamoDBApiKeys(client=self._dynamodb, table=self._setting("CONFIGURATION_TABLE"))
        return Authenticate(keys=keys, clock=self.clock)

    @cached_property
    def verify_trail(self) -> VerifyTrail:
        """The operations function."""
        return VerifyTrail(payments=self.payments)

    @cached_property
    def erase_personal_data(self) -> ErasePersonalData:
        """The operations function."""
        return ErasePersonalData(payments=self.payments, recorder=self.recorder, clock=self.clock, policy=self.policy)

    @cached_property
    def create_merchant(self) -> CreateMerchant:
        """The operations function."""
        table = self._setting("CONFIGURATION_TABLE")
        return CreateMerchant(
            administration=DynamoDBMerchantAdministration(client=self._dynamodb, table=table),
            providers=self.providers,
            clock=self.clock,
            randomness=self.randomness,
            api_key_mode=self._setting("API_KEY_MODE"),
            loopback_allowed=self._setting("LOOPBACK_ALLOWED") == "true",
        )
