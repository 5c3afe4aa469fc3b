"""Outbound webhooks: the deliverer posts merchant events to merchants' endpoints; a queue wakes it."""

from aws_cdk import Duration
from constructs import Construct

from infra.constructs.monitoring.metrics import own
from infra.constructs.monitoring.symptom import Symptom
from infra.constructs.shared.function import PayFlowXFunction
from infra.constructs.shared.platform import PARTITIONS, Platform
from infra.constructs.shared.room import Room

_TIMEOUT = Duration.seconds(45)
"""A post takes at most 15 s, whatever the merchant's server does; the rest is for reads and writes."""
_ENDPOINTS_PARTITION = "E#*"
_SECRETS_PURPOSE = "webhook-endpoint"
"""The encryption context that `functions/payflowx/adapters/webhooks/cipher.py` binds endpoints' secrets to."""


class OutboundWebhooks(Room):
    """A lost message delays an event by a minute or two: the event's item is due nevertheless."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self.queue = platform.queue(
            Construct(platform.scope, "Deliveries"),
            "Queue",
            content="Deliveries",
            consumer_timeout=_TIMEOUT,
            # Merchants' servers may be slow; no payment waits for them.
            impairs_payments=False,
        )
        self.slow_queue = platform.queue(
            Construct(platform.scope, "SlowDeliveries"),
            "Queue",
            content="SlowDeliveries",
            consumer_timeout=_TIMEOUT,
            impairs_payments=False,
        )
        self.deliverer = self._deliverer()
        self.deliverer.consume(self.queue, max_concurrency=platform.settings.delivery_concurrency)
        self.deliverer.consume(self.slow_queue, max_concurrency=platform.settings.slow_delivery_concurrency)
        self.deliverer.may_fill(self.slow_queue)
        self.functions = (self.deliverer,)
        self.queues = (self.queue, self.slow_queue)

    def _deliverer(self) -> PayFlowXFunction:
        transactions = self._platform.tables.transactions
        deliverer = self._platform.function(
            "Deliverer",
            handler="deliverer",
            service="deliverer",
            reads=("LOOPBACK_ALLOWED", *PARTITIONS),
            description="Posts merchant events to webhook endpoints",
            timeout=_TIMEOUT,
            sends_to_itself=True,
            calls_out=True,
        )
        deliverer.may_read(transactions, "GetItem", "BatchGetItem")
        deliverer.may_write(transactions, "UpdateItem")
        deliverer.may_send(self.queue)
        self.let_store_endpoints(deliverer, "kms:Decrypt", "dynamodb:BatchGetItem")
        return deliverer

    def let_store_endpoints(self, function: PayFlowXFunction, use_of_secrets: str, *more: str) -> None:
        """Allow the items of webhook endpoints only: the same table holds merchants and their API keys.

        `use_of_secrets` is the action of KMS on endpoints' secrets, which the function encrypts or opens itself; `more`
        are further actions on the items.
        """
        configuration = self._platform.tables.configuration
        function.allow(
            ["dynamodb:GetItem", "dynamodb:UpdateItem", *more],
            [configuration.resource.table_arn],
            conditions={"ForAllValues:StringLike": {"dynamodb:LeadingKeys": [_ENDPOINTS_PARTITION]}},
        )
        function.may_use_key("dynamodb")
        function.allow(
            [use_of_secrets],
            [self._platform.key.key_arn],
            conditions={"StringEquals": {"kms:EncryptionContext:purpose": _SECRETS_PURPOSE}},
        )
        function.set_environment(
            ENCRYPTION_KEY_ARN=self._platform.key.key_arn,
            **{configuration.variable: configuration.resource.table_name},
        )

    def symptoms(self) -> dict[str, Symptom]:
        """Endpoints and events that the deliverer stopped trying."""
        environment = self._platform.settings.name
        return {
            "EndpointsDisabled": Symptom(
                metric=own("EndpointsDisabled", environment),
                threshold=1,
                runbook="endpoint-disabled",
                says="A merchant's webhook endpoint was disabled: it no longer exists, or failed for three days.",
            ),
            "DeliveriesGivenUp": Symptom(
                metric=own("DeliveriesGivenUp", environment),
                threshold=1,
                runbook="delivery-given-up",
                says="An endpoint accepted an event in no attempt of three days, while it accepted others.",
            ),
        }
