"""A charge has the same bytes whenever it is built: a stored map has no order of its own."""

from dataclasses import replace

import pytest

from payflowx.domain.payments.hosted import HostedRequest
from payflowx.domain.payments.payment import Customer
from payflowx.domain.providers.ports import ChargeRequest
from payflowx.domain.shared.limits import MAX_METADATA_KEYS
from payflowx.domain.shared.statuses import CaptureMode
from payflowx.providers.http_provider import HttpProvider
from payflowx.providers.registry import _MODULES, connector

CARD = ChargeRequest(
    provider_key="pfx-aaaaaaaaaaaaaaaa-1",
    amount=49_900,
    currency="INR",
    token="tok_success",
    payment_method_type="card",
    capture=CaptureMode.AUTOMATIC,
    customer=Customer(id="cust_1", name="Payer", email="payer@example.com", phone="+919876543210"),
    return_url="https://shop.example.com/return",
    metadata={f"name{number:02}": f"text {number}" for number in range(MAX_METADATA_KEYS)},
)
WAY = HostedRequest(method="card", expires_at_ms=1_800_000_000_000, return_url="https://pay.example/checkout/x/return")


@pytest.mark.parametrize(
    "request_",
    [CARD, replace(CARD, token="", payment_method_type="checkout", hosted=WAY, sent_at_ms=1_700_000_000_000)],
    ids=["card", "hosted"],
)
@pytest.mark.parametrize("name", sorted(_MODULES))
def test_the_order_of_the_metadata_changes_no_byte(name: str, request_: ChargeRequest) -> None:
    provider = HttpProvider(
        connector=connector(name),
        http=NotImplemented,
        secrets=NotImplemented,
        clock_ms=lambda: 0,
        observe=lambda _provider, _step, _ms: None,
    )
    turned = replace(request_, metadata=dict(sorted(request_.metadata.items(), reverse=True)))
    assert list(turned.metadata) != list(request_.metadata)
    assert provider.request_hash(turned) == provider.request_hash(request_)
