"""Inbound webhooks: the receiver authenticates a provider's webhook; a second function applies the provider events."""

from aws_cdk import Duration

from infra.constructs.outbound_webhooks import OutboundWebhooks
from infra.constructs.payments import Payments
from infra.constructs.shared.function import Audience, PayFlowXFunction
from infra.constructs.shared.platform import PARTITIONS, RETRIES, Platform
from infra.constructs.shared.room import Room

_TIMEOUT = Duration.seconds(20)


class InboundWebhooks(Room):
    """The queue and the functions keep their older names `Notices` and `Webhooks`: log groups and queues bear them."""

    def __init__(self, platform: Platform, *, payments: Payments, outbound_webhooks: OutboundWebhooks) -> None:
        self._platform = platform
        self.queue = platform.queue(
            platform.scope, "NoticesQueue", content="Notices", consumer_timeout=_TIMEOUT, impairs_payments=True
        )
        self.receiver = self._receiver()
        self.provider_events = self._provider_events(payments, outbound_webhooks)
        self.provider_events.consume(self.queue, max_concurrency=platform.settings.provider_event_concurrency)
        self.functions = (self.receiver, self.provider_events)
        self.queues = (self.queue,)

    def _receiver(self) -> PayFlowXFunction:
        receiver = self._platform.function(
            "Webhooks",
            handler="webhook_receiver",
            service="webhooks",
            reads=("ALLOWED_PROVIDERS",),
            description="Receives webhooks of providers",
            timeout=Duration.seconds(10),
            audience=Audience.PAYERS_AND_PROVIDERS,
        )
        receiver.may_read(self._platform.tables.configuration, "GetItem", "Query")
        receiver.may_send(self.queue)
        receiver.may_use_account_secrets()
        return receiver

    def _provider_events(self, payments: Payments, outbound_webhooks: OutboundWebhooks) -> PayFlowXFunction:
        tables = self._platform.tables
        provider_events = self._platform.function(
            "Notices",
            handler="provider_events",
            service="notices",
            reads=("ALLOWED_PROVIDERS", *PARTITIONS, *RETRIES),
            description="Applies provider events",
            timeout=_TIMEOUT,
            sends_to_itself=True,
        )
        provider_events.may_read(tables.transactions, "GetItem", "Query")
        provider_events.may_write(tables.transactions, "PutItem", "UpdateItem")
        provider_events.may_read(tables.configuration, "Query")
        provider_events.may_send(payments.jobs)
        provider_events.may_send(self.queue)
        provider_events.may_send(outbound_webhooks.queue)
        return provider_events
