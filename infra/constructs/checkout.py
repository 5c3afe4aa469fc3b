"""Checkout: the function that serves payers' pages, behind an API of its own."""

from aws_cdk import Duration
from constructs import IDependable

from infra.constructs.api.checkout_api import CheckoutApi
from infra.constructs.monitoring.metrics import own
from infra.constructs.monitoring.symptom import Symptom
from infra.constructs.outbound_webhooks import OutboundWebhooks
from infra.constructs.payments import Payments
from infra.constructs.shared.function import Audience, PayFlowXFunction
from infra.constructs.shared.platform import PARTITIONS, RETRIES, Platform
from infra.constructs.shared.room import Room


class Checkout(Room):
    """Anybody may call the function, so it may do little: it reads no account's credentials and calls no provider."""

    def __init__(self, platform: Platform, *, payments: Payments, outbound_webhooks: OutboundWebhooks) -> None:
        self._platform = platform
        self.function = self._function(payments, outbound_webhooks)
        self.functions = (self.function,)
        self.api = CheckoutApi(
            platform.scope,
            "CheckoutApi",
            handler=self.function.alias,
            key=platform.key,
            settings=platform.settings,
        )
        payments.let_open_checkouts(self.api.pages_url)

    def _function(self, payments: Payments, outbound_webhooks: OutboundWebhooks) -> PayFlowXFunction:
        tables = self._platform.tables
        function = self._platform.function(
            "Checkout",
            handler="checkout.handler",
            service="checkout",
            reads=("ALLOWED_PROVIDERS", "CHECKOUT_WAIT_SECONDS", *PARTITIONS, *RETRIES),
            description="Serves payers' pages",
            timeout=Duration.seconds(20),
            memory_mb=1024,
            audience=Audience.PAYERS_AND_PROVIDERS,
            max_executions=self._platform.settings.checkout_concurrency,
        )
        function.may_read(tables.transactions, "GetItem")
        function.may_write(tables.transactions, "PutItem", "UpdateItem")
        function.may_read(tables.configuration, "Query")
        function.may_send(payments.jobs)
        function.may_send(outbound_webhooks.queue)
        function.may_use_secret(self._platform.checkout_secret, variable="CHECKOUT_TOKEN_SECRET_ARN")
        return function

    def log_after(self, log_account: IDependable) -> None:
        """Have the pages' stage wait until this account's API Gateway may write logs."""
        self.api.log_after(log_account)

    def symptoms(self) -> dict[str, Symptom]:
        """Pages that fail, and what looks like tests of stolen cards."""
        return self.api.symptoms() | {
            "CardTesting": Symptom(
                metric=own("CheckoutStartsRefused", self._platform.settings.name),
                threshold=20,
                runbook="card-testing",
                says="Payers' pages refuse many starts: this looks like a test of stolen cards.",
            )
        }

    def outputs(self) -> dict[str, str]:
        """The pages' API, and the function, whose reserved concurrency `payflowx doctor` reads."""
        return super().outputs() | self.api.outputs() | {"CheckoutFunctionName": self.function.function.function_name}
