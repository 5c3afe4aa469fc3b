"""What a provider was told, it may repeat in any message: none of it is kept in outcomes, events, notices or logs.

Its errors are the simulator's own, with every text replaced by one that holds all the private things that were sent.
"""

import json
from dataclasses import asdict, dataclass, field
from typing import Any
from urllib.parse import unquote_plus

import pytest

from payflowx.domain.shared.operation_request import OperationKind
from payflowx.domain.shared.transport import HttpRequest, HttpResponse, HttpResult
from sandbox.simulator import Credentials
from tests.support.conformance import PAYER, ProviderHarness

SECRET = "canary-of-a-secret-7f3a"
CARD = "4111 1111 1111 1111"
PRIVATE = (PAYER.id, PAYER.name, PAYER.email, PAYER.phone, (PAYER.phone or "")[3:], SECRET)
TEXTS = {
    *("message", "msg", "description", "error_description", "error_Message", "field9", "status_description"),
    *("payment_message", "Error", "detail", "reason_text"),
}
ENDS = ["tok_hard_decline", "tok_soft_decline", "tok_insufficient_funds", "tok_rate_limited", "tok_success"]


@dataclass
class EchoingLine:
    """Passes on, keeps what was sent, and puts all of its private parts into each text of the answer."""

    till: ProviderHarness
    token: str
    sent: list[str] = field(default_factory=list)
    echoed: int = 0

    def install(self) -> None:
        line = self.till.world.line
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
    def told(self) -> list[str]:
        """What the provider knows, and we would rather not read again."""
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
        return f"Refused: {' of '.join(self.told)}, card {CARD}."


@pytest.fixture
def till(provider: str) -> ProviderHarness:
    till = ProviderHarness(provider)
    till.world.secrets.key_secret = SECRET
    till.simulator.credentials = Credentials(key_id="id", key_secret=SECRET)
    till.world.secrets.by_arn.setdefault(till.account.secret_arn, ("secret",))
    return till


def kept(till: ProviderHarness) -> str:
    """All that is stored beside what the merchant sent, queued, logged or counted."""
    world = till.world
    stored = world.payments.payments.values()
    attempts = [asdict(attempt) for payment in stored for attempt in payment.attempts]
    errors = [asdict(payment.last_error) for payment in stored if payment.last_error]
    operations = [asdict(o) for p in stored for o in world.operations.of_payment(p.merchant_id, p.transaction_id)]
    events = [repr(event) for events in world.payments.audit_logs.values() for event in events]
    return repr(
        [attempts, errors, operations, events, world.jobs.sent, world.provider_events.sent, world.telemetry.lines]
    )


def check(line: EchoingLine) -> None:
    said = kept(line.till)
    assert [canary for canary in line.told if canary in said] == []
    assert CARD not in said


@pytest.mark.parametrize("token", ENDS)
def test_a_charge(till: ProviderHarness, token: str) -> None:
    line = EchoingLine(till, token)
    line.install()
    till.pay(token)
    till.world.work_until_idle(most=200)
    assert SECRET in line.told
    check(line)


@pytest.mark.parametrize("token", ENDS)
def test_a_refund(till: ProviderHarness, token: str) -> None:
    line = EchoingLine(till, "tok_success")
    line.install()
    payment = till.paid_for(OperationKind.REFUND)
    till.simulator.next_operation(token)
    till.settle(till.request(OperationKind.REFUND, payment, 20_000))
    check(line)


def test_errors_are_echoed_so_that_the_tests_above_can_fail(till: ProviderHarness) -> None:
    line = EchoingLine(till, "tok_hard_decline")
    line.install()
    till.pay("tok_hard_decline")
    till.world.work_until_idle(most=200)
    assert line.echoed
    assert "tok_hard_decline" in line.told


def test_a_webhook(till: ProviderHarness) -> None:
    """The notice, what is queued of it, and what is written when it is applied."""
    payment = till.paid_for(OperationKind.REFUND)
    till.settle(till.request(OperationKind.REFUND, payment, 20_000))
    line = EchoingLine(till, "tok_success")
    world = till.world
    signs_with = getattr(till.simulator, "webhook_secret", SECRET)
    world.secrets.by_arn[till.account.secret_arn] = (signs_with,)
    for webhook in till.told():
        if (till.provider, webhook.type) == ("payu", "refund"):
            continue
        line.sent.append(webhook.body.decode() + unquote_plus(webhook.body.decode()))
        world.receive(till.provider, webhook.body, webhook.headers)
        queued = repr(world.provider_events.sent)
        assert [canary for canary in line.told if canary in queued] == []
    world.deliver_provider_events()
    check(line)
