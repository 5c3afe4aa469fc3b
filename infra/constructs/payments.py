"""Payments: the API with its authorizer, the worker, and the queue of jobs between them."""

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch

from infra.constructs.monitoring.metrics import own
from infra.constructs.monitoring.symptom import Symptom
from infra.constructs.outbound_webhooks import OutboundWebhooks
from infra.constructs.routing import Routing
from infra.constructs.shared.function import Audience, PayFlowXFunction
from infra.constructs.shared.platform import PARTITIONS, RETRIES, Platform
from infra.constructs.shared.room import Room

_WORKER_TIMEOUT = Duration.seconds(30)
"""The lease of a payment (45 s) must be longer; a test compares the two."""
_HEALTH_PARTITIONS = "H#*"


class Payments(Room):
    """The API stores a payment and sends a job; the worker charges it."""

    def __init__(self, platform: Platform, *, routing: Routing, outbound_webhooks: OutboundWebhooks) -> None:
        self._platform = platform
        self.jobs = platform.queue(
            platform.scope, "JobsQueue", content="Jobs", consumer_timeout=_WORKER_TIMEOUT, impairs_payments=True
        )
        self.slow_jobs = platform.queue(
            platform.scope,
            "SlowJobsQueue",
            content="SlowJobs",
            consumer_timeout=_WORKER_TIMEOUT,
            # It is long whenever a provider fails, and nobody else waits for it.
            impairs_payments=False,
        )
        self.authorizer = self._authorizer()
        self.api = self._api(routing, outbound_webhooks)
        self.worker = self._worker(outbound_webhooks)
        self.worker.consume(self.jobs, max_concurrency=platform.settings.worker_concurrency)
        self.worker.consume(self.slow_jobs, max_concurrency=platform.settings.slow_worker_concurrency)
        self.worker.may_fill(self.slow_jobs)
        self.functions = (self.authorizer, self.api, self.worker)
        self.queues = (self.jobs, self.slow_jobs)

    def _authorizer(self) -> PayFlowXFunction:
        authorizer = self._platform.function(
            "Authorizer",
            handler="api.authorizer",
            service="authorizer",
            description="From an API key to a merchant",
            timeout=Duration.seconds(5),
            audience=Audience.MERCHANTS,
        )
        authorizer.may_read(self._platform.tables.configuration, "GetItem")
        settings = self._platform.settings
        if settings.usage_plans is not None:
            authorizer.set_environment(USAGE_IDENTIFIERS=settings.usage_plans.variable(settings.name))
        return authorizer

    def _api(self, routing: Routing, outbound_webhooks: OutboundWebhooks) -> PayFlowXFunction:
        tables = self._platform.tables
        api = self._platform.function(
            "Api",
            handler="api.handler",
            service="api",
            reads=(
                "ALLOWED_PROVIDERS",
                "CHECKOUT_ENABLED",
                "COMPACT_PAYMENTS",
                "LOOPBACK_ALLOWED",
                *PARTITIONS,
                *RETRIES,
            ),
            description="Accepts and shows payments",
            timeout=Duration.seconds(15),
            memory_mb=1024,
            audience=Audience.MERCHANTS,
        )
        api.may_read(tables.transactions, "GetItem", "BatchGetItem", "Query")
        api.may_query(tables.transactions, index="byMerchant")
        api.may_write(tables.transactions, "PutItem", "UpdateItem")
        api.may_read(tables.idempotency, "GetItem")
        api.may_write(tables.idempotency, "PutItem")
        api.may_read(tables.configuration, "Query")
        api.may_send(self.jobs)
        api.may_send(outbound_webhooks.queue)
        api.may_use_secret(self._platform.cursor_secret, variable="CURSOR_SECRET_ARN")
        api.may_use_secret(self._platform.checkout_secret, variable="CHECKOUT_TOKEN_SECRET_ARN")
        outbound_webhooks.let_store_endpoints(api, "kms:Encrypt")
        routing.let_read(api)
        return api

    def _worker(self, outbound_webhooks: OutboundWebhooks) -> PayFlowXFunction:
        tables = self._platform.tables
        worker = self._platform.function(
            "Worker",
            handler="worker",
            service="worker",
            reads=("ALLOWED_PROVIDERS", *PARTITIONS, *RETRIES),
            description="Charges payments and resolves attempts",
            timeout=_WORKER_TIMEOUT,
            sends_to_itself=True,
            calls_out=True,
        )
        # Only all operations of a payment tell whether its whole charge was refunded, and what an older release left of
        # its balance.
        worker.may_read(tables.transactions, "GetItem", "Query")
        worker.may_write(tables.transactions, "PutItem", "UpdateItem")
        worker.may_read(tables.configuration, "Query")
        # The health of provider accounts, and nothing else of the table that holds merchants and their API keys.
        worker.allow(
            ["dynamodb:GetItem", "dynamodb:UpdateItem"],
            [tables.configuration.resource.table_arn],
            conditions={"ForAllValues:StringLike": {"dynamodb:LeadingKeys": [_HEALTH_PARTITIONS]}},
        )
        worker.may_send(self.jobs)
        worker.may_send(outbound_webhooks.queue)
        worker.may_use_account_secrets()
        return worker

    def let_open_checkouts(self, pages_url: str) -> None:
        """Tell the API where payers' pages lie."""
        self.api.set_environment(CHECKOUT_PAGES_URL=pages_url)

    def symptoms(self) -> dict[str, Symptom]:
        """Payments that need a person, and providers or clients that misbehave."""
        return {
            "PaymentsInReview": self._at_once(
                "PaymentsInReview",
                "payments-in-review",
                "The outcome of a payment cannot be determined by safe means; it requires manual review.",
            ),
            "OperationsInReview": self._at_once(
                "OperationsInReview",
                "operations-in-review",
                "The outcome of a capture, void or refund cannot be determined; it requires manual review.",
            ),
            "Mismatches": self._at_once(
                "Mismatches", "mismatch", "A provider reports another amount, currency or reference than was requested."
            ),
            "LateSuccesses": self._at_once(
                "LateSuccesses", "late-success", "A provider charged a payer after it had declined the payment."
            ),
            "ObjectsChargedTwice": self._at_once(
                "ObjectsChargedTwice",
                "object-charged-twice",
                "A payer paid twice on one provider's page; one charge is owed back.",
            ),
            "OrdersChargedTwice": self._at_once(
                "OrdersChargedTwice", "order-charged-twice", "Two payments of one order were charged."
            ),
            "OrderPartsLeftOut": self._at_once(
                "OrderPartsLeftOut",
                "order-part-left-out",
                "A payment's change was stored without its part in the order.",
            ),
            "ProviderMisconfigured": self._at_once(
                "ProviderMisconfigured",
                "provider-misconfigured",
                "A provider refuses our credentials, or a request for the account's settings.",
            ),
            "DisputesReported": self._at_once(
                "DisputesReported", "dispute", "A payer disputes a charge. Evidence has a deadline."
            ),
            "DisputesNearDeadline": Symptom(
                metric=self._metric("DisputesNearDeadline", Duration.hours(1)),
                threshold=1,
                runbook="dispute",
                says="The evidence of a dispute is due within three days.",
            ),
            "BreakersOpened": self._at_once(
                "BreakersOpened", "breaker-open", "A provider account fails, and new payments pass it over."
            ),
            "SendsPostponed": Symptom(
                metric=self._metric("SendsPostponed"),
                threshold=3,
                periods=3,
                runbook="sends-postponed",
                says="Payments or refunds cannot be sent to any provider of their route, and wait.",
                impairs_payments=True,
            ),
            "CardDataRefused": Symptom(
                metric=self._metric("CardDataRefused", Duration.hours(1)),
                threshold=20,
                runbook="card-data-refused",
                says="A client keeps sending what looks like card numbers.",
            ),
        }

    def _at_once(self, metric: str, runbook: str, says: str) -> Symptom:
        """One occurrence is enough."""
        return Symptom(metric=self._metric(metric), threshold=1, runbook=runbook, says=says)

    def _metric(self, name: str, period: Duration | None = None) -> cloudwatch.Metric:
        return own(name, self._platform.settings.name, period=period)

    def outputs(self) -> dict[str, str]:
        """The queue and the worker."""
        return super().outputs() | {"WorkerFunctionName": self.worker.function.function_name}
