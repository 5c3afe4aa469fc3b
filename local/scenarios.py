"""The walk through a provider: which requests it makes, and how they must end, for each provider."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

_SHOP: Final = "https://shop.example.com/back"
_PAYER: Final = {"email": "payer@example.com", "phone": "+919876543210"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """Of one provider. Amounts are in the currency's minor unit."""

    provider: str
    currency: str
    amount: int = 12_000
    capture: int | None
    """How much of an authorization is captured; None when the provider cannot authorize without capturing."""
    refund: int = 3_000
    request: Mapping[str, Any]
    """The rest of the first payment's request: a stored card or mandate, charged without its payer."""
    payer_request: Mapping[str, Any]
    """The rest of the second payment's request, which its payer has to approve."""
    paid_event: str
    refunded_event: str
    proof: frozenset[str] = frozenset()
    """The events that prove an outcome. Any other one causes an inquiry."""
    capture_proof: frozenset[str] = frozenset()
    """The events about a capture of our own, after an event of the payer. They may precede our record of it."""
    remark: str = ""


def _method(kind: str, token: str) -> dict[str, str]:
    return {"type": kind, "token": token}


SCENARIOS: Final[Mapping[str, Scenario]] = {
    scenario.provider: scenario
    for scenario in (
        Scenario(
            provider="stripe",
            currency="EUR",
            capture=8_000,
            request={"paymentMethod": _method("card", "pm_card_visa")},
            payer_request={"paymentMethod": _method("card", "pm_card_authenticationRequired"), "returnUrl": _SHOP},
            paid_event="payment_intent.succeeded",
            refunded_event="refund.updated",
            proof=frozenset({"payment_intent.succeeded"}),
            remark="a refund can fail after it succeeded, so its event only causes an inquiry",
        ),
        Scenario(
            provider="razorpay",
            currency="INR",
            capture=12_000,
            request={"paymentMethod": _method("card", "cust_Demo000000001:tok_success"), "customer": _PAYER},
            payer_request={"paymentMethod": _method("upi", "unused"), "customer": _PAYER},
            paid_event="payment.authorized",
            refunded_event="refund.processed",
            proof=frozenset({"refund.processed"}),
            capture_proof=frozenset({"order.paid"}),
            remark="the event says that the money is held; our worker captures it",
        ),
        Scenario(
            provider="cashfree",
            currency="INR",
            capture=None,
            request={"paymentMethod": _method("card", "tok_success"), "customer": _PAYER},
            payer_request={"paymentMethod": _method("upi", "unused"), "customer": _PAYER},
            paid_event="PAYMENT_SUCCESS_WEBHOOK",
            refunded_event="REFUND_STATUS_WEBHOOK",
            proof=frozenset({"PAYMENT_SUCCESS_WEBHOOK", "REFUND_STATUS_WEBHOOK"}),
            remark="a card's webhook does not tell a capture from an authorization, so it only causes an inquiry",
        ),
        Scenario(
            provider="payu",
            currency="INR",
            capture=None,
            request={"paymentMethod": _method("card", "tok_success")},
            payer_request={"paymentMethod": _method("upi", "tok_requires_action")},
            paid_event="payment.success",
            refunded_event="refund",
            remark="its signature covers no time, so that a webhook may be an old one: it only causes an inquiry",
        ),
    )
}
