"""A provider may repeat our request in any text: outcomes, events, messages and logs must keep none of it.

The errors are the simulator's own, with every text replaced by one that contains all private values that were sent.
"""

import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote_plus

import pytest

from payflowx.adapters.dynamodb.core.values import from_attributes
from payflowx.domain.shared.operation_request import OperationKind
from payflowx.domain.shared.transport import HttpRequest, HttpResponse, HttpResult
from sandbox.simulator import Credentials
from tests.support.conformance import PAYER, ProviderHarness
from tests.support.tables import TRANSACTIONS

SECRET = "canary-of-a-secret-7f3a"
CARD = "4111 1111 1111 1111"
OF_THE_MERCHANT = {"paymentMethod", "customer"}
"""The parts of a payment that hold private values because the merchant sent them."""
PRIVATE = (PAYER.id, PAYER.name, PAYER.email, PAYER.phone, (PAYER.phone or "")[3:], SECRET)
TEXTS = {
    *("message", "msg", "description", "error_description", "error_Message", "field9", "status_description"),
    *("payment_message", "Error", "detail", "reason_text"),
}
ENDS = ["tok_hard_decline", "tok_soft_decline", "tok_insufficient_funds", "tok_rate_limited", "tok_success"]


@dataclass
class EchoingLine:
    """A transport that records every request and inserts all private values sent into each text of the answers."""

    harness: ProviderHarness
    token: str
    sent: list[str] = field(default_factory=list)
    echoed: int = 0

    def install(self) -> None:
        line = self.harness.world.line
        self.pass_on = line.send
        line.send = self.send  # type: ignore[method-assign]

    def send(self, request: HttpRequest, endpoint: str) -> HttpResult:
        headers = " ".join(f"{name}: {value}" for name, value in request.headers.items())
        self.sent.append(f"{request.path} {headers} {unquote_plus(request.body.decode())} {request.body.decode()}")
        answer = self.pass_on(request, endpoint)
        if not isinstance(answer, HttpResponse):
            return answer
        try:
            body = json.loads(answer.body)
        except ValueError:
            return answer
        spoiled = json.dumps(self._spoil(body)).encode()
        return HttpResponse(status=answer.status, headers=answer.headers, body=spoiled)

    @property
    def sent_values(self) -> list[str]:
        """The private values that the provider has received."""
        known = [value for value in (self.token, *PRIVATE) if value and any(value in text for text in self.sent)]
        return [*known, SECRET]

    def _spoil(self, value: Any) -> Any:
        if isinstance(value, list):
            return [self._spoil(item) for item in value]
        if not isinstance(value, dict):
            return value
        return {name: self._text() if self._is_text(name, item) else self._spoil(item) for name, item in value.items()}

    def _is_text(self, name: str, value: Any) -> bool:
        return name in TEXTS and (value is None or isinstance(value, str))

    def _text(self) -> str:
        self.echoed += 1
        return f"Refused: {' of '.join(self.sent_values)}, card {CARD}."


@pytest.fixture
def harness(provider: str) -> ProviderHarness:
    harness = ProviderHarness(provider)
    harness.world.secrets.key_secret = SECRET
    harness.simulator.credentials = Credentials(key_id="id", key_secret=SECRET)
    harness.world.secrets.by_arn.setdefault(harness.account.secret_arn, ("secret",))
    return harness


def kept(harness: ProviderHarness) -> str:
    """Everything stored beside the merchant's own request: items, queues, logs, metrics."""
    world = harness.world
    items = [from_attributes(item) for _, item in world.dynamodb.client.tables[TRANSACTIONS].items()]
    items = [{name: value for name, value in item.items() if name not in OF_THE_MERCHANT} for item in items]
    return repr([items, world.jobs.sent, world.provider_events.sent, world.telemetry.lines])


def check(line: EchoingLine) -> None:
    said = kept(line.harness)
    assert [canary for canary in line.sent_values if canary in said] == []
    assert CARD not in said


@pytest.mark.parametrize("token", ENDS)
def test_a_charge(harness: ProviderHarness, token: str) -> None:
    line = EchoingLine(harness, token)
    line.install()
    harness.pay(token)
    harness.world.work_until_idle(most=200)
    assert SECRET in line.sent_values
    check(line)


@pytest.mark.parametrize("token", ENDS)
def test_a_refund(harness: ProviderHarness, token: str) -> None:
    line = EchoingLine(harness, "tok_success")
    line.install()
    payment = harness.paid_for(OperationKind.REFUND)
    harness.simulator.next_operation(token)
    harness.settle(harness.request(OperationKind.REFUND, payment, 20_000))
    check(line)


def test_errors_are_echoed_so_that_the_tests_above_can_fail(harness: ProviderHarness) -> None:
    line = EchoingLine(harness, "tok_hard_decline")
    line.install()
    harness.pay("tok_hard_decline")
    harness.world.work_until_idle(most=200)
    assert line.echoed
    assert "tok_hard_decline" in line.sent_values


def test_a_webhook(harness: ProviderHarness) -> None:
    """Covers the provider event, its queued form, and the records after it is applied."""
    payment = harness.paid_for(OperationKind.REFUND)
    harness.settle(harness.request(OperationKind.REFUND, payment, 20_000))
    line = EchoingLine(harness, "tok_success")
    world = harness.world
    signs_with = getattr(harness.simulator, "webhook_secret", SECRET)
    world.secrets.by_arn[harness.account.secret_arn] = (signs_with,)
    for webhook in harness.webhooks_due():
        if (harness.provider, webhook.type) == ("payu", "refund"):
            continue
        line.sent.append(webhook.body.decode() + unquote_plus(webhook.body.decode()))
        world.receive(harness.provider, webhook.body, webhook.headers)
        queued = repr(world.provider_events.sent)
        assert [canary for canary in line.sent_values if canary in queued] == []
    world.deliver_provider_events()
    check(line)
