"""A charge that the provider would refuse for what it lacks sends nothing: an ordinary one, and a hosted object."""

from dataclasses import replace

import pytest

from payflowx.domain.payments.hosted import HOSTED_EXPIRES_AT, HOSTED_METHOD, HOSTED_RETURN_URL, HostedRequest
from payflowx.domain.payments.outcome import Rejected
from payflowx.domain.payments.payment import Customer
from payflowx.domain.providers.ports import Account, ChargeRequest
from payflowx.domain.shared.statuses import CaptureMode
from payflowx.domain.shared.transport import Credentials, HttpRequest, HttpResult, NoAnswer
from payflowx.providers.http_provider import HttpProvider
from payflowx.providers.registry import connector

ACCOUNT = Account(provider="cashfree", account_id="main", endpoint="https://api.test", secret_arn="arn")
ORDINARY = ChargeRequest(
    provider_key="pfx-aaaaaaaaaaaaaaaa-1",
    amount=49_900,
    currency="INR",
    token="tok",
    payment_method_type="card",
    capture=CaptureMode.AUTOMATIC,
    customer=Customer(email="payer@example.com"),
)
WAY = HostedRequest(method="card", expires_at_ms=1_800_000_000_000, return_url="https://pay.example/checkout/x/return")
HOSTED = replace(
    ORDINARY,
    token="",
    payment_method_type="checkout",
    hosted=WAY,
    # As an attempt of a checkout begins: these facts are no step of its charge.
    progress={
        HOSTED_METHOD: WAY.method,
        HOSTED_EXPIRES_AT: str(WAY.expires_at_ms),
        HOSTED_RETURN_URL: WAY.return_url,
    },
)


class Sent:
    """A line that remembers what left, and secrets for it."""

    def __init__(self) -> None:
        self.requests: list[HttpRequest] = []

    def send(self, request: HttpRequest, _endpoint: str) -> HttpResult:
        self.requests.append(request)
        return NoAnswer(code="timeout")

    def credentials(self, _arn: str) -> Credentials:
        return Credentials(key_id="id", key_secret="a-secret-of-the-account")

    def webhook_secrets(self, _arn: str) -> tuple[str, ...]:
        return ()


@pytest.mark.parametrize("request_", [ORDINARY, HOSTED], ids=["ordinary", "hosted"])
@pytest.mark.parametrize(("phone", "sends"), [(None, False), ("+919876543210", True)])
def test_nothing_is_sent_without_a_phone_where_the_provider_needs_one(
    request_: ChargeRequest, phone: str | None, *, sends: bool
) -> None:
    line = Sent()
    provider = HttpProvider(
        connector=connector("cashfree"),
        http=line,
        secrets=line,
        clock_ms=lambda: 0,
        observe=lambda _provider, _step, _ms: None,
    )
    outcome = provider.charge(replace(request_, customer=Customer(email="a@b.example", phone=phone)), ACCOUNT)
    assert bool(line.requests) is sends
    assert isinstance(outcome, Rejected) is not sends
