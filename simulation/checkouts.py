"""Payments whose payer is present: what the merchant's software asks for, and for how long."""

from random import Random
from typing import Any, Final

from sandbox.simulators import REAL_PROVIDERS

EVERYWHERE: Final = "everywhere"
"""The route of checkouts that any provider may take: the first that proves its closings, then the others."""
ALL_PROVIDERS: Final = ("stripe", "razorpay", "cashfree", "payu", "mock", "cashfree_mock", "razorpay_mock")
METHODS: Final = ("card", "upi", "netbanking", "wallet")

LAST_CHOICE: Final = "razorpay_mock"
"""A provider that is offered last, because its closings prove nothing: payers see it where it is alone."""
_EVERYWHERE: Final = 0.3
_ALONE: Final = 0.4
"""Of the payments in rupees at the mocks, the part that may be paid at the last one only."""
_LIFETIMES_SECONDS: Final = (1_080, 1_500, 2_700, 4_200, 5_400)
"""Short, so that the runs see the end of each. Stripe's page takes none below 32 minutes."""
_NEVER_SHORT: Final = (2_700, 4_200, 5_400)
_MANUAL_ALONE: Final = frozenset({"stripe", "mock", "cashfree_mock"})
"""Providers whose pages can hold an amount."""
_DIRECT: Final = 0.2
_SOME_METHODS: Final = 0.25
_NAMED: Final = 0.4
"""This part of the merchants' requests names the payer. Otherwise the payer types what the page asks for."""


def is_checkout(body: dict[str, Any]) -> bool:
    """Whether the payment waits for its payer."""
    return bool(body["paymentMethod"]["type"] == "checkout")


def as_checkout(random: Random, body: dict[str, Any], payer: dict[str, str]) -> dict[str, Any]:
    """The same payment, with a payer who chooses on our page, or who is sent to the provider's at once."""
    method: dict[str, Any] = {"type": "checkout"}
    metadata = dict(body.get("metadata", {}))
    if random.random() < _EVERYWHERE:
        metadata = {"route": EVERYWHERE, **({"note": metadata["note"]} if "note" in metadata else {})}
    elif "gateway" not in metadata and body["currency"] == "INR" and Random(f"alone {payer['id']}").random() < _ALONE:
        metadata["gateway"] = LAST_CHOICE
    provider = metadata.get("gateway")
    is_direct = random.random() < _DIRECT
    if is_direct:
        method["presentation"] = "direct"
    if random.random() < _SOME_METHODS and provider != "stripe":
        method["methods"] = sorted(random.sample(METHODS, 2))
    lifetimes = _NEVER_SHORT if provider == "stripe" else _LIFETIMES_SECONDS
    asked = {
        **{name: value for name, value in body.items() if name not in {"metadata", "customer", "capture"}},
        "paymentMethod": method,
        "expiresInSeconds": random.choice(lifetimes),
        "metadata": metadata,
    }
    if "capture" in body and provider not in {LAST_CHOICE, *REAL_PROVIDERS} - _MANUAL_ALONE:
        asked["capture"] = body["capture"]
    if metadata.get("route") == EVERYWHERE:
        asked["currency"] = "INR"
    if is_direct or random.random() < _NAMED:
        asked["customer"] = payer
    if random.random() < 0.5:
        asked.setdefault("returnUrl", "https://shop.example.com/return")
    else:
        asked.pop("returnUrl", None)
    return asked
