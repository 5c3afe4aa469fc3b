"""Operators' commands."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final, Self

from payflowx.adapters.account_secrets import SecretsManagerAccountSecrets
from payflowx.adapters.appconfig.document import decode_routing_document
from payflowx.adapters.appconfig.publisher import AppConfigPublisher
from payflowx.adapters.dynamodb.merchants.accounts import DynamoDBAccountDirectory
from payflowx.adapters.dynamodb.merchants.directory import DynamoDBMerchantDirectory
from payflowx.adapters.dynamodb.merchants.proposals import DynamoDBProposals
from payflowx.adapters.dynamodb.merchants.seen_proofs import DynamoDBSeenProofs
from payflowx.adapters.dynamodb.orders.payment_lookup import DynamoDBPaymentLookup
from payflowx.adapters.dynamodb.payments.due_items import DynamoDBDueItems
from payflowx.adapters.dynamodb.payments.open_disputes import DynamoDBOpenDisputes
from payflowx.adapters.dynamodb.payments.payment_size import payment_bytes
from payflowx.adapters.dynamodb.payments.references import DynamoDBReferences
from payflowx.adapters.dynamodb.payments.review_index import DynamoDBReviewIndex
from payflowx.adapters.dynamodb.reconciliation.runs import DynamoDBRuns
from payflowx.adapters.dynamodb.webhooks.endpoints import DynamoDBWebhookEndpoints
from payflowx.adapters.dynamodb.webhooks.merchant_events import DynamoDBMerchantEvents
from payflowx.adapters.failure_log import CloudWatchFailures
from payflowx.adapters.platform.caller_identities import StsCallerIdentities, sts_endpoint
from payflowx.adapters.platform.signing_secret import SecretsManagerSigningSecret
from payflowx.adapters.sqs.dead_letters import QueuePair, SqsDeadLetters, decode_message
from payflowx.adapters.sqs.messages import PROVIDER_EVENTS, RUNS
from payflowx.adapters.sqs.queue import Queue
from payflowx.application.checkout.rotate_secret import RotateCheckoutSecret
from payflowx.application.inbound_webhooks.match_event import MatchEvent
from payflowx.application.merchants.claim_account import ClaimAccount
from payflowx.application.merchants.create_key import CreateKey
from payflowx.application.merchants.create_merchant import CheckAccount, CreateMerchant
from payflowx.application.merchants.erase_personal_data import ErasePersonalData
from payflowx.application.merchants.list_keys import ListKeys
from payflowx.application.merchants.list_merchants import ListMerchants
from payflowx.application.merchants.revoke_key import RevokeKey
from payflowx.application.merchants.rotate_credentials import RotateCredentials
from payflowx.application.merchants.rotate_key import RotateKey
from payflowx.application.merchants.set_approval_limits import SetApprovalLimits
from payflowx.application.merchants.set_checkout import SetCheckout
from payflowx.application.merchants.set_credentials import SetCredentials
from payflowx.application.merchants.set_orders import SetOrders
from payflowx.application.merchants.show_merchant import ShowMerchant
from payflowx.application.operators.diagnose import Diagnose
from payflowx.application.operators.identify import IdentifyCaller
from payflowx.application.operators.list_audit_log import ListAuditLog
from payflowx.application.operators.payment_cost import CountPaymentCost
from payflowx.application.operators.proposals import DecideProposal, ListProposals, Propose
from payflowx.application.operators.set_provider_status import ListProviders, ListUnwellAccounts, SetProviderStatus
from payflowx.application.operators.show_personal_data import ShowPersonalData
from payflowx.application.operators.verify_audit_log import VerifyAuditLog
from payflowx.application.orders.find_payments import FindPayments
from payflowx.application.outbound_webhooks.merchant_events import ReadMerchantEvents
from payflowx.application.outbound_webhooks.read_deliveries import ReadDeliveries
from payflowx.application.payments.read_operations import ReadOperations
from payflowx.application.payments.read_payments import ReadPayments
from payflowx.application.payments.record_refund_by_hand import RecordRefundByHand
from payflowx.application.recovery.inspect_dead_letters import InspectDeadLetters
from payflowx.application.recovery.notify_restore import NotifyRestore
from payflowx.application.recovery.plan_replay import PlanReplay
from payflowx.application.recovery.replay_dead_letters import PurgeDeadLetters, ReplayDeadLetters
from payflowx.application.recovery.restore import RaiseEventNumbers, RecordRestore
from payflowx.application.reviews.close_operation_review import CloseOperationReview
from payflowx.application.reviews.close_review import CloseReview
from payflowx.application.reviews.list_reviews import ListReviews
from payflowx.application.reviews.reindex_reviews import ReindexReviews
from payflowx.application.reviews.resolve_payment import ResolvePayment
from payflowx.application.reviews.show_review import ShowReview
from payflowx.application.routing.back_test import BackTestRouting
from payflowx.application.routing.explain_route import ExplainRoute
from payflowx.application.routing.publish_routing import CheckRouting, PublishRouting, RollBackRouting
from payflowx.domain.inbound_webhooks.ports import ReceivedEvent
from payflowx.domain.recovery.ports import WorkQueueName
from payflowx.wiring.platform import Platform
from payflowx.wiring.provider_health import ProviderHealthAccess
from payflowx.wiring.refunds import RefundReader, RefundReaderSettings


@dataclass(frozen=True, kw_only=True)
class OperatorsSettings(RefundReaderSettings):
    """A work queue has an address, one for its dead letters, and the log group of the function that consumes it."""

    account_secrets_key_arn: str
    api_key_mode: str
    checkout_token_secret_arn: str
    loopback_allowed: bool
    routing_application: str
    routing_environment: str
    routing_profile: str
    routing_strategy: str
    notices_queue_url: str
    runs_queue_url: str
    slowjobs_queue_url: str
    slowdeliveries_queue_url: str
    jobs_dead_letters_url: str
    notices_dead_letters_url: str
    deliveries_dead_letters_url: str
    runs_dead_letters_url: str
    slowjobs_dead_letters_url: str
    slowdeliveries_dead_letters_url: str
    jobs_log_group: str
    notices_log_group: str
    deliveries_log_group: str
    runs_log_group: str
    slowjobs_log_group: str
    slowdeliveries_log_group: str

    @property
    def queues(self) -> Mapping[WorkQueueName, QueuePair]:
        return {
            name: QueuePair(
                queue_url=getattr(self, f"{content}_queue_url"),
                dead_letters_url=getattr(self, f"{content}_dead_letters_url"),
            )
            for name, content in _CONTENTS.items()
        }

    @property
    def log_groups(self) -> Mapping[WorkQueueName, str]:
        return {name: getattr(self, f"{content}_log_group") for name, content in _CONTENTS.items()}


_CONTENTS: Final[Mapping[WorkQueueName, str]] = {
    WorkQueueName.JOBS: "jobs",
    WorkQueueName.SLOW_JOBS: "slowjobs",
    WorkQueueName.PROVIDER_EVENTS: "notices",
    WorkQueueName.DELIVERIES: "deliveries",
    WorkQueueName.SLOW_DELIVERIES: "slowdeliveries",
    WorkQueueName.RUNS: "runs",
}
"""Every work queue, and the beginning of its settings' names."""


@dataclass(kw_only=True)
class OperatorsWiring(RefundReader, ProviderHealthAccess):
    settings: OperatorsSettings

    @classmethod
    def over(cls, platform: Platform) -> Self:
        return cls(platform=platform, settings=OperatorsSettings.from_environment(platform.environment))

    # -- adapters

    @cached_property
    def merchant_directory(self) -> DynamoDBMerchantDirectory:
        """Reads what is stored, never a cache."""
        return DynamoDBMerchantDirectory(client=self.platform.clients.dynamodb, table=self.settings.configuration_table)

    @cached_property
    def account_secrets(self) -> SecretsManagerAccountSecrets:
        return SecretsManagerAccountSecrets(
            client=self.platform.clients.secretsmanager, key_arn=self.settings.account_secrets_key_arn
        )

    @cached_property
    def routing_publisher(self) -> AppConfigPublisher:
        return AppConfigPublisher(
            client=self.platform.clients.appconfig,
            application=self.settings.routing_application,
            environment=self.settings.routing_environment,
            profile=self.settings.routing_profile,
            strategy=self.settings.routing_strategy,
        )

    @cached_property
    def dead_letters(self) -> SqsDeadLetters:
        return SqsDeadLetters(client=self.platform.clients.sqs, queues=self.settings.queues)

    @cached_property
    def provider_events(self) -> Queue[ReceivedEvent]:
        return Queue(client=self.platform.clients.sqs, url=self.settings.notices_queue_url, codec=PROVIDER_EVENTS)

    @cached_property
    def run_queue(self) -> Queue[str]:
        return Queue(client=self.platform.clients.sqs, url=self.settings.runs_queue_url, codec=RUNS)

    @cached_property
    def runs(self) -> DynamoDBRuns:
        return DynamoDBRuns(client=self.platform.clients.dynamodb, table=self.settings.transactions_table)

    @cached_property
    def merchant_events(self) -> DynamoDBMerchantEvents:
        return DynamoDBMerchantEvents(client=self.platform.clients.dynamodb, table=self.settings.transactions_table)

    # -- merchants

    @cached_property
    def create_merchant(self) -> CreateMerchant:
        return CreateMerchant(
            merchant_directory=self.merchant_directory,
            check_account=self._check_account,
            claim_account=self._claim_account,
            clock=self.platform.clock,
            randomness=self.platform.randomness,
            api_key_mode=self.settings.api_key_mode,
        )

    @cached_property
    def _claim_account(self) -> ClaimAccount:
        return ClaimAccount(
            merchant_directory=self.merchant_directory, secrets=self.account_secrets, providers=self.providers
        )

    @cached_property
    def _check_account(self) -> CheckAccount:
        return CheckAccount(providers=self.providers, loopback_allowed=self.settings.loopback_allowed)

    @cached_property
    def list_merchants(self) -> ListMerchants:
        return ListMerchants(merchant_directory=self.merchant_directory)

    @cached_property
    def show_merchant(self) -> ShowMerchant:
        return ShowMerchant(merchant_directory=self.merchant_directory)

    @cached_property
    def set_checkout(self) -> SetCheckout:
        return SetCheckout(merchant_directory=self.merchant_directory, clock=self.platform.clock)

    @cached_property
    def rotate_checkout_secret(self) -> RotateCheckoutSecret:
        secret = SecretsManagerSigningSecret(
            client=self.platform.clients.secretsmanager, arn=self.settings.checkout_token_secret_arn
        )
        return RotateCheckoutSecret(
            secret=secret,
            audit_log=self.merchant_directory,
            clock=self.platform.clock,
            randomness=self.platform.randomness,
        )

    @cached_property
    def set_orders(self) -> SetOrders:
        return SetOrders(merchant_directory=self.merchant_directory, clock=self.platform.clock)

    @cached_property
    def set_approval_limits(self) -> SetApprovalLimits:
        return SetApprovalLimits(merchant_directory=self.merchant_directory, clock=self.platform.clock)

    # -- identity and second people

    @cached_property
    def identify_caller(self) -> IdentifyCaller:
        variables = self.platform.environment
        region = variables.get("AWS_REGION", "")
        identities = StsCallerIdentities(
            http=self.platform.http,
            endpoint=sts_endpoint(region, variables.get("AWS_ENDPOINT_URL")),
            region=region,
            audience=variables.get("AWS_LAMBDA_FUNCTION_NAME", ""),
            clock=self.platform.clock,
        )
        return IdentifyCaller(
            identities=identities,
            seen=DynamoDBSeenProofs(client=self.platform.clients.dynamodb, table=self.settings.transactions_table),
            clock=self.platform.clock,
            telemetry=self.telemetry,
        )

    @cached_property
    def _proposals(self) -> DynamoDBProposals:
        return DynamoDBProposals(client=self.platform.clients.dynamodb, table=self.settings.configuration_table)

    @cached_property
    def propose(self) -> Propose:
        return Propose(proposals=self._proposals, clock=self.platform.clock)

    @cached_property
    def decide_proposal(self) -> DecideProposal:
        return DecideProposal(proposals=self._proposals, clock=self.platform.clock)

    @cached_property
    def list_proposals(self) -> ListProposals:
        return ListProposals(proposals=self._proposals)

    # -- credentials

    @cached_property
    def set_credentials(self) -> SetCredentials:
        return SetCredentials(
            merchant_directory=self.merchant_directory,
            secrets=self.account_secrets,
            check_account=self._check_account,
            claim_account=self._claim_account,
            clock=self.platform.clock,
            randomness=self.platform.randomness,
            environment=self.settings.environment,
        )

    @cached_property
    def rotate_credentials(self) -> RotateCredentials:
        return RotateCredentials(
            merchant_directory=self.merchant_directory,
            secrets=self.account_secrets,
            claim_account=self._claim_account,
            clock=self.platform.clock,
        )

    # -- API keys

    @cached_property
    def list_keys(self) -> ListKeys:
        return ListKeys(merchant_directory=self.merchant_directory)

    @cached_property
    def create_key(self) -> CreateKey:
        return CreateKey(
            merchant_directory=self.merchant_directory,
            list_keys=self.list_keys,
            clock=self.platform.clock,
            randomness=self.platform.randomness,
            api_key_mode=self.settings.api_key_mode,
        )

    @cached_property
    def rotate_key(self) -> RotateKey:
        return RotateKey(
            merchant_directory=self.merchant_directory,
            list_keys=self.list_keys,
            clock=self.platform.clock,
            randomness=self.platform.randomness,
            api_key_mode=self.settings.api_key_mode,
        )

    @cached_property
    def revoke_key(self) -> RevokeKey:
        return RevokeKey(
            merchant_directory=self.merchant_directory, list_keys=self.list_keys, clock=self.platform.clock
        )

    # -- providers and routing

    @cached_property
    def set_provider_status(self) -> SetProviderStatus:
        return SetProviderStatus(
            merchant_directory=self.merchant_directory, providers=self.providers, clock=self.platform.clock
        )

    @cached_property
    def record_restore(self) -> RecordRestore:
        return RecordRestore(merchant_directory=self.merchant_directory, clock=self.platform.clock)

    @cached_property
    def notify_restore(self) -> NotifyRestore:
        return NotifyRestore(
            merchant_directory=self.merchant_directory,
            endpoint_store=self.endpoints,
            merchant_events=self.merchant_events,
            clock=self.platform.clock,
        )

    @cached_property
    def raise_event_numbers(self) -> RaiseEventNumbers:
        return RaiseEventNumbers(
            merchant_directory=self.merchant_directory,
            payments=self.payments,
            outcome_writer=self.outcome_writer,
            clock=self.platform.clock,
            policy=self.policy,
        )

    @cached_property
    def list_unwell_accounts(self) -> ListUnwellAccounts:
        accounts = DynamoDBAccountDirectory(
            client=self.platform.clients.dynamodb, table=self.settings.configuration_table
        )
        return ListUnwellAccounts(
            merchants_with_accounts=lambda: (owner.merchant_id for owner in accounts.accounts()),
            health=self.account_health,
            clock=self.platform.clock,
        )

    @cached_property
    def list_providers(self) -> ListProviders:
        return ListProviders(merchant_directory=self.merchant_directory, providers=self.providers)

    @cached_property
    def check_routing(self) -> CheckRouting:
        return CheckRouting(decode=decode_routing_document, providers=self.providers)

    @cached_property
    def publish_routing(self) -> PublishRouting:
        return PublishRouting(
            publisher=self.routing_publisher,
            merchant_directory=self.merchant_directory,
            check=self.check_routing,
            clock=self.platform.clock,
        )

    @cached_property
    def roll_back_routing(self) -> RollBackRouting:
        return RollBackRouting(
            publisher=self.routing_publisher, merchant_directory=self.merchant_directory, clock=self.platform.clock
        )

    @cached_property
    def explain_route(self) -> ExplainRoute:
        return ExplainRoute(
            merchant_directory=self.merchant_directory,
            publisher=self.routing_publisher,
            check=self.check_routing,
            providers=self.providers,
        )

    @cached_property
    def back_test_routing(self) -> BackTestRouting:
        return BackTestRouting(
            payments=self.payments,
            merchant_directory=self.merchant_directory,
            check=self.check_routing,
            providers=self.providers,
        )

    # -- payments

    @cached_property
    def read_payments(self) -> ReadPayments:
        return ReadPayments(payments=self.payments)

    @cached_property
    def find_payments(self) -> FindPayments:
        return FindPayments(
            orders=self.orders,
            lookup=DynamoDBPaymentLookup(client=self.platform.clients.dynamodb, table=self.settings.transactions_table),
            operations=self.operations,
            merchants=self.merchants,
        )

    @cached_property
    def read_operations(self) -> ReadOperations:
        return ReadOperations(payments=self.payments, operations=self.operations)

    @cached_property
    def count_payment_cost(self) -> CountPaymentCost:
        return CountPaymentCost(
            payments=self.payments,
            operations=self.operations,
            merchant_events=self.merchant_events,
            payment_bytes=payment_bytes,
        )

    @cached_property
    def verify_audit_log(self) -> VerifyAuditLog:
        return VerifyAuditLog(payments=self.payments)

    @cached_property
    def endpoints(self) -> DynamoDBWebhookEndpoints:
        return DynamoDBWebhookEndpoints(
            client=self.platform.clients.dynamodb,
            table=self.settings.configuration_table,
            transactions_table=self.settings.transactions_table,
        )

    @cached_property
    def read_merchant_events(self) -> ReadMerchantEvents:
        return ReadMerchantEvents(
            merchant_events=self.merchant_events,
            endpoint_store=self.endpoints,
            deliveries=self.deliveries,
            clock=self.platform.clock,
            telemetry=self.telemetry,
        )

    @cached_property
    def read_deliveries(self) -> ReadDeliveries:
        return ReadDeliveries(payments=self.payments, merchant_events=self.merchant_events)

    @cached_property
    def show_personal_data(self) -> ShowPersonalData:
        return ShowPersonalData(payments=self.payments, audit_log=self.merchant_directory, clock=self.platform.clock)

    @cached_property
    def erase_personal_data(self) -> ErasePersonalData:
        return ErasePersonalData(
            payments=self.payments,
            operations=self.operations,
            outcome_writer=self.outcome_writer,
            clock=self.platform.clock,
            policy=self.policy,
        )

    @cached_property
    def record_refund_by_hand(self) -> RecordRefundByHand:
        return RecordRefundByHand(
            record_provider_refunds=self.record_provider_refunds, merchant_directory=self.merchant_directory
        )

    @cached_property
    def resolve_payment(self) -> ResolvePayment:
        return ResolvePayment(
            payments=self.payments, outcome_writer=self.outcome_writer, clock=self.platform.clock, policy=self.policy
        )

    # -- reviews

    @cached_property
    def list_reviews(self) -> ListReviews:
        return ListReviews(index=self._review_index, merchant_directory=self.merchant_directory)

    @cached_property
    def reindex_reviews(self) -> ReindexReviews:
        return ReindexReviews(
            payments=self.payments,
            operations=self.operations,
            index=self._review_index,
            merchant_directory=self.merchant_directory,
            clock=self.platform.clock,
        )

    @cached_property
    def _review_index(self) -> DynamoDBReviewIndex:
        return DynamoDBReviewIndex(client=self.platform.clients.dynamodb, table=self.settings.transactions_table)

    @cached_property
    def open_disputes(self) -> DynamoDBOpenDisputes:
        return DynamoDBOpenDisputes(client=self.platform.clients.dynamodb, table=self.settings.transactions_table)

    @cached_property
    def show_review(self) -> ShowReview:
        return ShowReview(
            payments=self.payments, operations=self.operations, clock=self.platform.clock, policy=self.policy
        )

    @cached_property
    def close_review(self) -> CloseReview:
        return CloseReview(
            payments=self.payments,
            operations=self.operations,
            outcome_writer=self.outcome_writer,
            merchant_directory=self.merchant_directory,
            clock=self.platform.clock,
            policy=self.policy,
        )

    @cached_property
    def close_operation_review(self) -> CloseOperationReview:
        return CloseOperationReview(
            payments=self.payments,
            operations=self.operations,
            outcome_writer=self.outcome_writer,
            merchant_directory=self.merchant_directory,
            clock=self.platform.clock,
            policy=self.policy,
        )

    # -- dead letters

    @cached_property
    def plan_replay(self) -> PlanReplay:
        references = DynamoDBReferences(client=self.platform.clients.dynamodb, table=self.settings.transactions_table)
        return PlanReplay(
            items=self.work_items,
            merchants=self.merchants,
            find=MatchEvent(payments=self.payments, operations=self.operations, references=references),
            merchant_events=self.merchant_events,
            runs=self.runs,
            decode=decode_message,
            clock=self.platform.clock,
            policy=self.policy,
        )

    @cached_property
    def inspect_dead_letters(self) -> InspectDeadLetters:
        failure_log = CloudWatchFailures(client=self.platform.clients.logs, log_groups=self.settings.log_groups)
        return InspectDeadLetters(dead_letters=self.dead_letters, plan=self.plan_replay, failure_log=failure_log)

    @cached_property
    def replay_dead_letters(self) -> ReplayDeadLetters:
        return ReplayDeadLetters(
            dead_letters=self.dead_letters,
            plan=self.plan_replay,
            resolve_payment=self.resolve_payment,
            jobs=self.jobs,
            provider_events=self.provider_events,
            deliveries=self.deliveries,
            run_queue=self.run_queue,
            merchant_directory=self.merchant_directory,
            clock=self.platform.clock,
        )

    @cached_property
    def purge_dead_letters(self) -> PurgeDeadLetters:
        return PurgeDeadLetters(
            dead_letters=self.dead_letters, merchant_directory=self.merchant_directory, clock=self.platform.clock
        )

    # -- the deployment

    @cached_property
    def list_audit_entries(self) -> ListAuditLog:
        return ListAuditLog(merchant_directory=self.merchant_directory)

    @cached_property
    def diagnose(self) -> Diagnose:
        return Diagnose(
            merchant_directory=self.merchant_directory,
            secrets=self.account_secrets,
            publisher=self.routing_publisher,
            check_routing=self.check_routing,
            dead_letters=self.dead_letters,
            due_items=DynamoDBDueItems(client=self.platform.clients.dynamodb, table=self.settings.transactions_table),
            providers=self.providers,
            clock=self.platform.clock,
        )
