"""What of an authentic webhook gets into the queue: ids and amounts, and no text of another system."""

from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from payflowx.adapters.sqs.messages import PROVIDER_EVENTS
from payflowx.application.inbound_webhooks.receive_webhook import ReceiveWebhook
from payflowx.domain.inbound_webhooks.ports import ReceivedEvent, WebhookAccount
from payflowx.domain.payments.outcome import Succeeded
from payflowx.domain.providers.events import ProviderEvent, Webhook
from payflowx.domain.providers.ports import Account
from tests.support.memory import ManualClock, RecordingTelemetry

KEY = "pfx-abcdefghijklmnop-1"
ACCOUNT = Account(provider="alpha", account_id="main", endpoint="https://alpha.test", secret_arn="arn:x")
WEBHOOK = Webhook(headers={}, body=b"{}", received_at_ms=1)
CHARGED = Succeeded(reference="ch_1", amount=1999, currency="USD", merchant_reference=KEY)
OURS = ProviderEvent(
    event_id="evt_1",
    type="charge.succeeded",
    charge_reference="ch_1",
    charge_key=KEY,
    operation_reference="re_1",
    operation_key=KEY,
    outcome=CHARGED,
    operation_outcome=replace(CHARGED, reference="re_1"),
)
FOREIGN = (
    "ada@example.com",
    "+919876543210",
    "Ada Lovelace",
    "order-1",
    "\ud800",
    "x" * 5_000,
    "",
    KEY + "00",
    f" {KEY}",
)


@dataclass
class Receiver:
    """The use case over one account, whose provider reads `event` out of every webhook."""

    event: ProviderEvent
    sent: list[ReceivedEvent] = field(default_factory=list)

    def receive(self) -> ProviderEvent:
        ReceiveWebhook(
            accounts=self,  # type: ignore[arg-type]
            providers=self,  # type: ignore[arg-type]
            secrets=self,  # type: ignore[arg-type]
            provider_events=self,
            clock=ManualClock(),
            telemetry=RecordingTelemetry(),
        )("alpha", "token", WEBHOOK)
        (queued,) = self.sent
        return PROVIDER_EVENTS.decode(PROVIDER_EVENTS.encode(queued, None)).provider_event

    def find(self, _provider: str, _token: str) -> WebhookAccount:
        return WebhookAccount(merchant_id="acme", account=ACCOUNT)

    def webhook_secrets(self, _arn: str) -> tuple[str, ...]:
        return ("secret",)

    def get(self, _provider: str) -> Any:
        return self

    def read_webhook(self, _webhook: Webhook, _secrets: Any) -> ProviderEvent:
        return self.event

    def send(self, inbound: ReceivedEvent, *, delay_seconds: int = 0) -> None:
        assert delay_seconds == 0
        self.sent.append(inbound)


def test_what_is_ours_is_queued_whole() -> None:
    assert Receiver(OURS).receive() == OURS


@pytest.mark.parametrize("text", FOREIGN)
def test_a_key_of_another_system_is_not_queued(text: str) -> None:
    """A merchant's other system may use the account, and name a payer where we have our key."""
    foreign = replace(
        OURS,
        charge_key=text,
        operation_key=text,
        outcome=replace(CHARGED, merchant_reference=text),
        operation_outcome=replace(CHARGED, merchant_reference=text),
    )
    queued = Receiver(foreign).receive()
    ids = {"charge_reference": "ch_1", "operation_reference": "re_1"}
    assert queued == ProviderEvent(event_id="evt_1", type="charge.succeeded", **ids)


def test_an_event_that_only_another_system_s_key_is_about_is_still_queued() -> None:
    """It is counted as unmatched, and not as a type that nobody asked for."""
    queued = Receiver(ProviderEvent(event_id="evt_1", type="payment.success", charge_key="ada@example.com")).receive()
    assert queued == ProviderEvent(event_id="evt_1", type="payment.success")
