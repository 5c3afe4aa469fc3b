"""The only place that knows which adapter serves which port. Reads the environment once, at the cold start."""

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

from aws_lambda_powertools import Logger

from payflowx.adapters.account_secrets import SecretsManagerAccountSecrets
from payflowx.adapters.appconfig.document import decode_routing_document
from payflowx.adapters.appconfig.publisher import AppConfigPublisher
from payflowx.adapters.appconfig.reader import AppConfigRules
from payflowx.adapters.dynamodb.merchants.accounts import DynamoDBAccountDirectory
from payflowx.adapters.dynamodb.merchants.configuration import (
    MERCHANT_LIFETIME_MS,
    DynamoDBApiKeys,
    DynamoDBMerchantConfiguration,
    DynamoDBWebhookAccounts,
)
from payflowx.adapters.dynamodb.merchants.directory import DynamoDBMerchantDirectory
from payflowx.adapters.dynamodb.payments.due_items import DynamoDBDueItems
from payflowx.adapters.dynamodb.payments.operations import DynamoDBOperations
from payflowx.adapters.dynamodb.payments.payments import DynamoDBPayments
from payflowx.adapters.dynamodb.payments.references import DynamoDBReferences
from payflowx.adapters.dynamodb.reconciliation.lookups import DynamoDBLookups
from payflowx.adapters.dynamodb.reconciliation.runs import DynamoDBRuns
from payflowx.adapters.dynamodb.webhooks.endpoints import DynamoDBWebhookEndpoints
from payflowx.adapters.dynamodb.webhooks.merchant_events import DynamoDBMerchantEvents
from payflowx.adapters.failure_log import CloudWatchFailures
from payflowx.adapters.platform import aws
from payflowx.adapters.platform.clock import SystemClock, SystemRandomness, Threads
from payflowx.adapters.platform.cursors import Cursors
from payflowx.adapters.platform.secrets_manager import SECRET_LIFETIME_MS, SecretsManagerSecrets
from payflowx.adapters.platform.telemetry import PowertoolsTelemetry, redacting_formatter
from payflowx.adapters.platform.tracing import Tracing, daemon_of
from payflowx.adapters.platform.ttl_cache import TtlCache
from payflowx.adapters.settlement_files import S3SettlementFiles
from payflowx.adapters.sqs.dead_letters import QueuePair, SqsDeadLetters, decode_message
from payflowx.adapters.sqs.deliveries import SqsDeliveries
from payflowx.adapters.sqs.jobs import SqsJobs
from payflowx.adapters.sqs.provider_events import SqsProviderEvents
from payflowx.adapters.sqs.runs import SqsRuns
from payflowx.adapters.webhooks.cipher import DECRYPTED_LIFETIME_MS, KmsSecretCipher
from payflowx.application.inbound_webhooks.match_event import MatchEvent
from payflowx.application.inbound_webhooks.process_provider_event import ProcessProviderEvent
from payflowx.application.inbound_webhooks.receive_webhook import ReceiveWebhook
from payflowx.application.merchants.authenticate import Authenticate
from payflowx.application.merchants.create_key import CreateKey
from payflowx.application.merchants.create_merchant import CheckAccount, CreateMerchant
from payflowx.application.merchants.erase_personal_data import ErasePersonalData
from payflowx.application.merchants.list_keys import ListKeys
from payflowx.application.merchants.list_merchants import ListMerchants
from payflowx.application.merchants.revoke_key import RevokeKey
from payflowx.application.merchants.rotate_credentials import RotateCredentials
from payflowx.application.merchants.rotate_key import RotateKey
from payflowx.application.merchants.set_credentials import SetCredentials
from payflowx.application.merchants.show_merchant import ShowMerchant
from payflowx.application.operators.diagnose import Diagnose
from payflowx.application.operators.list_audit_log import ListAuditLog
from payflowx.application.operators.set_provider_status import ListProviders, SetProviderStatus
from payflowx.application.operators.verify_audit_log import VerifyAuditLog
from payflowx.application.outbound_webhooks.deliver_event import DeliverEvent
from payflowx.application.outbound_webhooks.manage_endpoints import ManageEndpoints
from payflowx.application.outbound_webhooks.merchant_events import ReadMerchantEvents
from payflowx.application.payments.cancel_payment import CancelPayment
from payflowx.application.payments.create_payment import CreatePayment
from payflowx.application.payments.operation_outcome_writer import OperationOutcomeWriter
from payflowx.application.payments.outcome_writer import OutcomeWriter
from payflowx.application.payments.process_operation import ProcessOperation
from payflowx.application.payments.process_payment import ProcessPayment
from payflowx.application.payments.read_operations import ReadOperations
from payflowx.application.payments.read_payments import ReadPayments
from payflowx.application.payments.request_operation import RequestOperation
from payflowx.application.payments.resolve_attempt import ResolveAttempt
from payflowx.application.payments.send_charge import SendCharge
from payflowx.application.reconciliation.match_entries import MatchEntries
from payflowx.application.reconciliation.reconcile import Reconcile
from payflowx.application.reconciliation.resolve_discrepancy import ResolveDiscrepancy
from payflowx.application.reconciliation.start_reconciliations import StartReconciliations
from payflowx.application.recovery.inspect_dead_letters import InspectDeadLetters
from payflowx.application.recovery.plan_replay import PlanReplay
from payflowx.application.recovery.replay_dead_letters import PurgeDeadLetters, ReplayDeadLetters
from payflowx.application.recovery.sweep import SweepDueItems
from payflowx.application.recovery.wake_event import WakeEvent
from payflowx.application.recovery.wake_operation import WakeOperation
from payflowx.application.recovery.wake_payment import WakePayment
from payflowx.application.reviews.close_operation_review import CloseOperationReview
from payflowx.application.reviews.close_review import CloseReview
from payflowx.application.reviews.list_reviews import ListReviews
from payflowx.application.reviews.resolve_payment import ResolvePayment
from payflowx.application.routing.explain_route import ExplainRoute
from payflowx.application.routing.publish_routing import CheckRouting, PublishRouting, RollBackRouting
from payflowx.domain.outbound_webhooks.ports import WebhookClient
from payflowx.domain.payments.ports import Concurrency, DueKind
from payflowx.domain.payments.retry import RetryPolicy
from payflowx.domain.recovery.ports import WorkQueueName
from payflowx.domain.shared.ambient import Clock, Randomness, Telemetry
from payflowx.domain.shared.errors import ConfigurationError
from payflowx.domain.shared.limits import HOUR_MS
from payflowx.domain.shared.metrics import Metric
from payflowx.domain.shared.transport import HttpClient
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
        from payflowx.adapters.platform.http import Urllib3Client  # noqa: PLC0415 - the API never calls a provider

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
    def provider_events(self) -> SqsProviderEvents:
        """The queue of providers' webhooks."""
        return SqsProviderEvents(client=self.client("sqs"), queue_url=self._setting("NOTICES_QUEUE_URL"))

    @cached_property
    def merchants(self) -> DynamoDBMerchantConfiguration:
        """Merchants, a minute old at most."""
        table = self._setting("CONFIGURATION_TABLE")
        return DynamoDBMerchantConfiguration(
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
    def outcome_writer(self) -> OutcomeWriter:
        """Writes outcomes."""
        return OutcomeWriter(
            payments=self.payments, jobs=self.jobs, deliveries=self.deliveries, telemetry=self.telemetry
        )

    @cached_property
    def operation_outcome_writer(self) -> OperationOutcomeWriter:
        """Writes outcomes of captures, voids and refunds."""
        return OperationOutcomeWriter(
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
            outcome_writer=self.outcome_writer,
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
            outcome_writer=self.outcome_writer,
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
            outcome_writer=self.outcome_writer,
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
            outcome_writer=self.operation_outcome_writer,
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
            provider_events=self.provider_events,
            clock=self.clock,
            telemetry=self.telemetry,
        )

    @cached_property
    def process_provider_event(self) -> ProcessProviderEvent:
        """The notices queue."""
        references = DynamoDBReferences(client=self._dynamodb, table=self._setting("TRANSACTIONS_TABLE"))
        return ProcessProviderEvent(
            find=MatchEvent(payments=self.payments, operations=self.operations, references=references),
            payments=self.payments,
            operations=self.operations,
            merchants=self.merchants,
            providers=self.providers,
            provider_events=self.provider_events,
            outcome_writer=self.outcome_writer,
            operation_outcome_writer=self.operation_outcome_writer,
            clock=self.clock,
            telemetry=self.telemetry,
            policy=self.policy,
        )

    # -- reconciliation

    @cached_property
    def runs(self) -> DynamoDBRuns:
        """Reconciliations and what they found."""
        return DynamoDBRuns(client=self._dynamodb, table=self._setting("TRANSACTIONS_TABLE"))

    @cached_property
    def run_queue(self) -> SqsRuns:
        """The queue that carries reconciliations on."""
        return SqsRuns(client=self.client("sqs"), queue_url=self._setting("RUNS_QUEUE_URL"))

    @cached_property
    def start_reconciliations(self) -> StartReconciliations:
        """The schedule, and operators."""
        directory = DynamoDBAccountDirectory(client=self._dynamodb, table=self._setting("CONFIGURATION_TABLE"))
        return StartReconciliations(
            directory=directory,
            runs=self.runs,
            queue=self.run_queue,
            providers=self.providers,
            clock=self.clock,
            telemetry=self.telemetry,
        )

    @cached_property
    def reconcile(self) -> Reconcile:
        """The queue of reconciliations."""
        lookups = DynamoDBLookups(client=self._dynamodb, table=self._setting("TRANSACTIONS_TABLE"))
        files = S3SettlementFiles(
            client=self.client("s3"),
            bucket=self._setting("SETTLEMENTS_BUCKET"),
            read_row=lambda provider, row: self.providers.get(provider).connector.read_settlement(row),
        )
        action = ResolveDiscrepancy(
            payments=self.payments,
            operations=self.operations,
            merchants=self.merchants,
            providers=self.providers,
            outcome_writer=self.outcome_writer,
            operation_outcome_writer=self.operation_outcome_writer,
            clock=self.clock,
            policy=self.policy,
        )
        return Reconcile(
            runs=self.runs,
            queue=self.run_queue,
            lookups=lookups,
            compare=MatchEntries(lookups=lookups, clock=self.clock),
            action=action,
            providers=self.providers,
            files=files,
            merchants=self.merchants,
            payments=self.payments,
            clock=self.clock,
            telemetry=self.telemetry,
        )

    @cached_property
    def sweep(self) -> SweepDueItems:
        """The sweeper."""
        due_items = DynamoDBDueItems(client=self._dynamodb, table=self._setting("TRANSACTIONS_TABLE"))
        payment = WakePayment(
            due_items=due_items,
            payments=self.payments,
            jobs=self.jobs,
            outcome_writer=self.outcome_writer,
            telemetry=self.telemetry,
            policy=self.policy,
        )
        operation = WakeOperation(
            due_items=due_items,
            payments=self.payments,
            operations=self.operations,
            jobs=self.jobs,
            outcome_writer=self.operation_outcome_writer,
            telemetry=self.telemetry,
            policy=self.policy,
        )
        return SweepDueItems(
            due_items=due_items,
            wakers={
                DueKind.PAYMENT: payment,
                DueKind.OPERATION: operation,
                DueKind.EVENT: self._wake_event(due_items),
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
    def merchant_events(self) -> DynamoDBMerchantEvents:
        """The delivery side of the trail."""
        return DynamoDBMerchantEvents(client=self._dynamodb, table=self._setting("TRANSACTIONS_TABLE"))

    @cached_property
    def webhook_endpoints(self) -> DynamoDBWebhookEndpoints:
        """Merchants' endpoints."""
        return DynamoDBWebhookEndpoints(client=self._dynamodb, table=self._setting("CONFIGURATION_TABLE"))

    @cached_property
    def cipher(self) -> KmsSecretCipher:
        """Encrypts endpoints' secrets."""
        return KmsSecretCipher(
            client=self.client("kms"),
            key_arn=self._setting("ENCRYPTION_KEY_ARN"),
            cache=TtlCache(DECRYPTED_LIFETIME_MS, self.clock.now_ms),
        )

    @cached_property
    def webhook_client(self) -> WebhookClient:
        """The line to merchants; imported by the deliverer only."""
        from payflowx.adapters.webhooks.client import UrllibWebhookClient  # noqa: PLC0415 - nobody else posts

        return UrllibWebhookClient(loopback_allowed=self._is_on_a_developers_machine, now_ms=self.clock.now_ms)

    @property
    def _is_on_a_developers_machine(self) -> bool:
        """A deployed function has an API of its own on its loopback address, which no merchant may reach."""
        return self._setting("LOOPBACK_ALLOWED") == "true" and "AWS_LAMBDA_RUNTIME_API" not in self.environment

    @cached_property
    def manage_endpoints(self) -> ManageEndpoints:
        """/webhook-endpoints."""
        return ManageEndpoints(
            endpoint_store=self.webhook_endpoints,
            cipher=self.cipher,
            clock=self.clock,
            randomness=self.randomness,
            loopback_allowed=self._is_on_a_developers_machine,
        )

    @cached_property
    def read_merchant_events(self) -> ReadMerchantEvents:
        """/events."""
        return ReadMerchantEvents(
            merchant_events=self.merchant_events,
            endpoint_store=self.webhook_endpoints,
            deliveries=self.deliveries,
            clock=self.clock,
            telemetry=self.telemetry,
        )

    @cached_property
    def deliver_event(self) -> DeliverEvent:
        """The deliverer."""
        return DeliverEvent(
            merchant_events=self.merchant_events,
            endpoint_store=self.webhook_endpoints,
            payments=self.payments,
            operations=self.operations,
            cipher=self.cipher,
            webhook_client=self.webhook_client,
            deliveries=self.deliveries,
            concurrency=self.concurrency,
            clock=self.clock,
            randomness=self.randomness,
            telemetry=self.telemetry,
        )

    def _wake_event(self, due_items: DynamoDBDueItems) -> WakeEvent:
        return WakeEvent(due_items=due_items, merchant_events=self.merchant_events, deliveries=self.deliveries)

    # -- merchants and operators

    @cached_property
    def authenticate(self) -> Authenticate:
        """The authorizer."""
        keys = DynamoDBApiKeys(client=self._dynamodb, table=self._setting("CONFIGURATION_TABLE"))
        return Authenticate(keys=keys, clock=self.clock)

    @cached_property
    def verify_audit_log(self) -> VerifyAuditLog:
        """The operations function."""
        return VerifyAuditLog(payments=self.payments)

    @cached_property
    def erase_personal_data(self) -> ErasePersonalData:
        """The operations function."""
        return ErasePersonalData(
            payments=self.payments, outcome_writer=self.outcome_writer, clock=self.clock, policy=self.policy
        )

    # -- operators

    @cached_property
    def merchant_directory(self) -> DynamoDBMerchantDirectory:
        """Merchants, keys, switches and the operators' trail, never remembered."""
        return DynamoDBMerchantDirectory(client=self._dynamodb, table=self._setting("CONFIGURATION_TABLE"))

    @cached_property
    def account_secrets(self) -> SecretsManagerAccountSecrets:
        """Providers' credentials, to be written."""
        return SecretsManagerAccountSecrets(
            client=self.client("secretsmanager"), key_arn=self._setting("ACCOUNT_SECRETS_KEY_ARN")
        )

    @cached_property
    def routing_publisher(self) -> AppConfigPublisher:
        """Where routing documents are rolled out from."""
        return AppConfigPublisher(
            client=self.client("appconfig"),
            application=self._setting("ROUTING_APPLICATION"),
            environment=self._setting("ROUTING_ENVIRONMENT"),
            profile=self._setting("ROUTING_PROFILE"),
            strategy=self._setting("ROUTING_STRATEGY"),
        )

    @cached_property
    def dead_letters(self) -> SqsDeadLetters:
        """Of every work queue."""
        queues = {
            name: QueuePair(
                queue_url=self._setting(f"{name.upper()}_QUEUE_URL"),
                dead_letters_url=self._setting(f"{name.upper()}_DEAD_LETTERS_URL"),
            )
            for name in WorkQueueName
        }
        return SqsDeadLetters(client=self.client("sqs"), queues=queues)

    @cached_property
    def create_merchant(self) -> CreateMerchant:
        """The operations function."""
        return CreateMerchant(
            merchant_directory=self.merchant_directory,
            check_account=self._check_account,
            clock=self.clock,
            randomness=self.randomness,
            api_key_mode=self._setting("API_KEY_MODE"),
        )

    @cached_property
    def _check_account(self) -> CheckAccount:
        return CheckAccount(providers=self.providers, loopback_allowed=self._setting("LOOPBACK_ALLOWED") == "true")

    @cached_property
    def list_merchants(self) -> ListMerchants:
        """The operations function."""
        return ListMerchants(merchant_directory=self.merchant_directory)

    @cached_property
    def show_merchant(self) -> ShowMerchant:
        """The operations function."""
        return ShowMerchant(merchant_directory=self.merchant_directory)

    @cached_property
    def list_keys(self) -> ListKeys:
        """The operations function."""
        return ListKeys(merchant_directory=self.merchant_directory)

    @cached_property
    def create_key(self) -> CreateKey:
        """The operations function."""
        return CreateKey(
            merchant_directory=self.merchant_directory,
            list_keys=self.list_keys,
            clock=self.clock,
            randomness=self.randomness,
            api_key_mode=self._setting("API_KEY_MODE"),
        )

    @cached_property
    def rotate_key(self) -> RotateKey:
        """The operations function."""
        return RotateKey(
            merchant_directory=self.merchant_directory,
            list_keys=self.list_keys,
            clock=self.clock,
            randomness=self.randomness,
            api_key_mode=self._setting("API_KEY_MODE"),
        )

    @cached_property
    def revoke_key(self) -> RevokeKey:
        """The operations function."""
        return RevokeKey(merchant_directory=self.merchant_directory, list_keys=self.list_keys, clock=self.clock)

    @cached_property
    def set_credentials(self) -> SetCredentials:
        """The operations function."""
        return SetCredentials(
            merchant_directory=self.merchant_directory,
            secrets=self.account_secrets,
            check_account=self._check_account,
            clock=self.clock,
            randomness=self.randomness,
            environment=self._setting("ENVIRONMENT"),
        )

    @cached_property
    def rotate_credentials(self) -> RotateCredentials:
        """The operations function."""
        return RotateCredentials(
            merchant_directory=self.merchant_directory, secrets=self.account_secrets, clock=self.clock
        )

    @cached_property
    def set_provider_status(self) -> SetProviderStatus:
        """The operations function."""
        return SetProviderStatus(merchant_directory=self.merchant_directory, providers=self.providers, clock=self.clock)

    @cached_property
    def list_providers(self) -> ListProviders:
        """The operations function."""
        return ListProviders(merchant_directory=self.merchant_directory, providers=self.providers)

    @cached_property
    def check_routing(self) -> CheckRouting:
        """The operations function."""
        return CheckRouting(decode=decode_routing_document, providers=self.providers)

    @cached_property
    def publish_routing(self) -> PublishRouting:
        """The operations function."""
        return PublishRouting(
            publisher=self.routing_publisher,
            merchant_directory=self.merchant_directory,
            check=self.check_routing,
            clock=self.clock,
        )

    @cached_property
    def roll_back_routing(self) -> RollBackRouting:
        """The operations function."""
        return RollBackRouting(
            publisher=self.routing_publisher, merchant_directory=self.merchant_directory, clock=self.clock
        )

    @cached_property
    def explain_route(self) -> ExplainRoute:
        """The operations function."""
        return ExplainRoute(
            merchant_directory=self.merchant_directory,
            publisher=self.routing_publisher,
            check=self.check_routing,
            providers=self.providers,
        )

    @cached_property
    def resolve_payment(self) -> ResolvePayment:
        """The operations function."""
        return ResolvePayment(
            payments=self.payments, outcome_writer=self.outcome_writer, clock=self.clock, policy=self.policy
        )

    @cached_property
    def close_review(self) -> CloseReview:
        """The operations function."""
        return CloseReview(
            payments=self.payments, outcome_writer=self.outcome_writer, clock=self.clock, policy=self.policy
        )

    @cached_property
    def close_operation_review(self) -> CloseOperationReview:
        """The operations function."""
        return CloseOperationReview(
            payments=self.payments,
            operations=self.operations,
            outcome_writer=self.operation_outcome_writer,
            clock=self.clock,
            policy=self.policy,
        )

    @cached_property
    def list_reviews(self) -> ListReviews:
        """The operations function."""
        return ListReviews(payments=self.payments, operations=self.operations)

    @cached_property
    def plan_replay(self) -> PlanReplay:
        """The operations function."""
        references = DynamoDBReferences(client=self._dynamodb, table=self._setting("TRANSACTIONS_TABLE"))
        return PlanReplay(
            payments=self.payments,
            operations=self.operations,
            merchants=self.merchants,
            find=MatchEvent(payments=self.payments, operations=self.operations, references=references),
            merchant_events=self.merchant_events,
            runs=self.runs,
            decode=decode_message,
            clock=self.clock,
            policy=self.policy,
        )

    @cached_property
    def inspect_dead_letters(self) -> InspectDeadLetters:
        """The operations function."""
        log_groups = {name: self._setting(f"{name.upper()}_LOG_GROUP") for name in WorkQueueName}
        failure_log = CloudWatchFailures(client=self.client("logs"), log_groups=log_groups)
        return InspectDeadLetters(dead_letters=self.dead_letters, plan=self.plan_replay, failure_log=failure_log)

    @cached_property
    def replay_dead_letters(self) -> ReplayDeadLetters:
        """The operations function."""
        return ReplayDeadLetters(
            dead_letters=self.dead_letters,
            plan=self.plan_replay,
            resolve_payment=self.resolve_payment,
            jobs=self.jobs,
            provider_events=self.provider_events,
            deliveries=self.deliveries,
            run_queue=self.run_queue,
            merchant_directory=self.merchant_directory,
            clock=self.clock,
        )

    @cached_property
    def purge_dead_letters(self) -> PurgeDeadLetters:
        """The operations function."""
        return PurgeDeadLetters(
            dead_letters=self.dead_letters, merchant_directory=self.merchant_directory, clock=self.clock
        )

    @cached_property
    def list_audit_log(self) -> ListAuditLog:
        """The operations function."""
        return ListAuditLog(merchant_directory=self.merchant_directory)

    @cached_property
    def diagnose(self) -> Diagnose:
        """The operations function."""
        return Diagnose(
            merchant_directory=self.merchant_directory,
            secrets=self.account_secrets,
            publisher=self.routing_publisher,
            check_routing=self.check_routing,
            dead_letters=self.dead_letters,
            due_items=DynamoDBDueItems(client=self._dynamodb, table=self._setting("TRANSACTIONS_TABLE")),
            providers=self.providers,
            clock=self.clock,
        )
