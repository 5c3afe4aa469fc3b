"""Three payments through the public API: which provider each one goes to, why, and its events as they appear."""

import time
from dataclasses import dataclass
from typing import Any, Final

from local.api import Api
from local.console import say

_FINAL_SECONDS: Final = 90
_FINAL: Final = frozenset({"SUCCESS", "FAILED", "CANCELLED", "IN_REVIEW"})


@dataclass(frozen=True, slots=True)
class Example:
    """A payment and the provider that the default routing document gives it."""

    title: str
    amount: int
    currency: str
    provider: str


EXAMPLES: Final = (
    Example("499.00 INR", 49_900, "INR", "razorpay_mock"),
    Example("25,000.00 USD, a high value", 2_500_000, "USD", "cashfree_mock"),
    Example("19.99 USD", 1_999, "USD", "mock"),
)


def walk_through(api: Api, run: str) -> bool:
    """True when all three reached SUCCESS through the expected providers."""
    results = [_pay(api, example, f"walkthrough-{run}-{number}") for number, example in enumerate(EXAMPLES, 1)]
    return all(results)


def _pay(api: Api, example: Example, key: str) -> bool:
    body = {
        "amount": example.amount,
        "currency": example.currency,
        "paymentMethod": {"type": "card", "token": "tok_success"},
        "description": f"Walkthrough: {example.title}",
    }
    say(f"\n{example.title}")
    payment = api.post("/payments", body, key)
    path = f"/payments/{payment['transactionId']}"
    routing = payment["routing"]
    say(f"  {payment['transactionId']} {payment['status']}")
    say(f"  routed to {payment['provider']}: {'; '.join(routing['reasons'])}")
    payment = _watch(api, path)
    expected: bool = payment["status"] == "SUCCESS" and payment["provider"] == example.provider
    reference = payment["providerRef"] or "no reference"
    say(
        f"  {payment['status']} through {payment['provider']} ({reference}){'' if expected else '  <- not as expected'}"
    )
    return expected


def _watch(api: Api, path: str) -> dict[str, Any]:
    """Print events as they appear, until the payment is final."""
    shown = 0
    deadline = time.monotonic() + _FINAL_SECONDS
    while True:
        payment = api.get(path)
        for event in api.get(f"{path}/events")["items"][shown:]:
            change = f"{event['from'] or '-'} -> {event['to']}"
            say(f"    {event['at']}  #{event['seq']} {event['type']:<22} {change}{_about(event)}")
            shown += 1
        if payment["status"] in _FINAL or time.monotonic() > deadline:
            return payment
        time.sleep(0.1)


def _about(event: dict[str, Any]) -> str:
    facts = event["facts"]
    if "attempt" in facts:
        return f"  (attempt {facts['attempt']} at {facts['provider']})"
    return f"  (rule {facts['rule']})" if "rule" in facts else ""
