"""What a walk through a vendor shows and must end with: what each vendor offers, and what its webhooks prove."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

_SHOP: Final = "https://shop.example.com/back"
_PAYER: Final = {"email": "payer@example.com", "phone": "+919876543210"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """One vendor's. Amounts are in the currency's minor unit."""

    provider: str
    currency: str
    amount: int = 12_000
    capture: int | None
    """How much of an authorization is captured; None: nothing can be held there first."""
    refund: int = 3_000
    request: Mapping[str, Any]
    """The rest of the first payment: a stored card or mandate that is charged without its owner."""
    payer_request: Mapping[str, Any]
    """The same of the second, which its payer has to approve."""
    paid_event: str
    refunded_event: str | None
    """None: the vendor signs nothing about refunds, and what is not signed is refused."""
    proof: frozenset[str] = frozenset()
    """Which of these events close what they are about; after another one the provider is asked."""
    remark: str = ""


def _method(kind: str, token: str) -> dict[str, str]:
    return {"type": kind, "token": token}


STORIES: Final[Mapping[str, Story]] = {
    story.provider: story
    for story in (
        Story(
            provider="stripe",
            currency="EUR",
            capture=8_000,
            request={"paymentMethod": _method("card", "pm_card_visa")},
            payer_request={"paymentMethod": _method("card", "pm_card_authenticationRequired"), "returnUrl": _SHOP},
            paid_event="payment_intent.succeeded",
            refunded_event="refund.updated",
            proof=frozenset({"payment_intent.succeeded"}),
            remark="a refund can fail after it succeeded, so an event about one is only a reason to ask",
        ),
        Story(
            provider="razorpay",
            currency="INR",
            capture=12_000,
            request={"paymentMethod": _method("card", "cust_Demo000000001:tok_success"), "customer": _PAYER},
            payer_request={"paymentMethod": _method("upi", "unused"), "customer": _PAYER},
            paid_event="order.paid",
            refunded_event="refund.processed",
            proof=frozenset({"order.paid", "refund.processed"}),
            remark="it captures all of an authorization or nothing",
        ),
        Story(
            provider="cashfree",
            currency="INR",
            capture=None,
            request={"paymentMethod": _method("card", "tok_success")},
            payer_request={"paymentMethod": _method("upi", "unused")},
            paid_event="PAYMENT_SUCCESS_WEBHOOK",
            refunded_event="REFUND_STATUS_WEBHOOK",
            proof=frozenset({"REFUND_STATUS_WEBHOOK"}),
            remark="its webhook does not say whether money was taken or only held, so it is a reason to ask",
        ),
        Story(
            provider="payu",
            currency="INR",
            capture=None,
            request={"paymentMethod": _method("card", "tok_success")},
            payer_request={"paymentMethod": _method("upi", "tok_requires_action")},
            paid_event="payment.success",
            refunded_event=None,
            remark="it debits a mandate at once; its hash has no time in it, so a post is a reason to ask",
        ),
    )
}
