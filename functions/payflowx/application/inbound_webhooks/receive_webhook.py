"""Receipt of a provider's webhook: authenticate, reduce to its content, enqueue, respond."""

from dataclasses import dataclass, replace

from payflowx.domain.inbound_webhooks.ports import ProviderEventQueue, ReceivedEvent, WebhookAccounts
from payflowx.domain.payments.outcome import Outcome, Succeeded
from payflowx.domain.providers.events import InvalidSignatureError, ProviderEvent, Webhook
from payflowx.domain.providers.ports import Providers
from payflowx.domain.shared.ambient import Clock, Telemetry
from payflowx.domain.shared.identifiers import parse_provider_key
from payflowx.domain.shared.metrics import Metric
from payflowx.domain.shared.transport import Secrets


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiveWebhook:
    """Raises `InvalidSignatureError` with nothing stored.

    Raises `StorageUnavailableError`: then the provider must repeat the webhook.
    """

    accounts: WebhookAccounts
    providers: Providers
    secrets: Secrets
    provider_events: ProviderEventQueue
    clock: Clock
    telemetry: Telemetry

    def __call__(self, provider: str, token: str, webhook: Webhook) -> None:
        """Enqueue one message that holds ids and amounts and no other content of the webhook."""
        owner = self.accounts.find(provider, token)
        if owner is None:
            self.telemetry.count(Metric.WEBHOOKS_FORGED, provider="unknown")
            raise InvalidSignatureError
        valid = self.secrets.webhook_secrets(owner.account.secret_arn)
        try:
            provider_event = self.providers.get(provider).read_webhook(webhook, valid)
        except InvalidSignatureError:
            self.telemetry.count(Metric.WEBHOOKS_FORGED, provider=provider)
            raise
        if not _is_about_something(provider_event):
            self.telemetry.count(Metric.WEBHOOKS_IGNORED, provider=provider)
            self.telemetry.info("webhook event type ignored", provider=provider, type=provider_event.type)
            return
        inbound = ReceivedEvent(
            merchant_id=owner.merchant_id,
            provider=provider,
            account_id=owner.account.account_id,
            received_at_ms=webhook.received_at_ms,
            provider_event=_without_foreign_keys(provider_event),
        )
        self.provider_events.send(inbound)
        self.telemetry.count(Metric.WEBHOOKS_RECEIVED, provider=provider)


def _is_about_something(provider_event: ProviderEvent) -> bool:
    return any(
        (
            provider_event.charge_reference,
            provider_event.charge_key,
            provider_event.operation_reference,
            provider_event.operation_key,
        )
    )


def _without_foreign_keys(event: ProviderEvent) -> ProviderEvent:
    """Leave out keys that PayFlowX did not make, and proofs under such a key: they match nothing of ours.

    Another system may use the account and name a payer there, and a message holds no personal datum.
    """
    return replace(
        event,
        charge_key=_own_key(event.charge_key),
        operation_key=_own_key(event.operation_key),
        outcome=_own_proof(event.outcome),
        operation_outcome=_own_proof(event.operation_outcome),
    )


def _own_key(key: str | None) -> str | None:
    return key if key is not None and parse_provider_key(key) else None


def _own_proof(outcome: Outcome | None) -> Outcome | None:
    is_foreign = isinstance(outcome, Succeeded) and parse_provider_key(outcome.merchant_reference) is None
    return None if is_foreign else outcome
