"""The merchants: what they want paid, and how their software behaves. Two merchants use the same keys."""

import json
from dataclasses import dataclass, field
from random import Random
from typing import Any, Final

from sandbox.behaviours import BEHAVIOURS
from sandbox.simulators import REAL_PROVIDERS, SIMULATORS

MERCHANTS: Final = ("acme", "globex")
PAYMENTS: Final = 40
ARRIVAL_MS: Final = 600_000
_PLAIN: Final = 0.45
"""This part of the payments uses a card that just works; the faults around it are enough."""

_TOKENS: Final = tuple(sorted(BEHAVIOURS))
_REAL_PROVIDERS: Final = tuple(REAL_PROVIDERS)
_REAL_PROVIDER_EVERY: Final = 16
"""Every so many payments, one goes to a real provider's adapter and simulator, and nowhere else."""
_PAYER: Final = {
    "id": "cust_A1b2C3d4E5f6G7",
    "name": "Payer Example",
    "email": "payer@example.com",
    "phone": "+919876543210",
}

DOCUMENT: Final = json.dumps(
    {
        "version": "simulation",
        "rules": [
            *(
                {"name": f"{name}-on-request", "when": {"metadata": {"gateway": [name]}}, "use": {"providers": [name]}}
                for name in _REAL_PROVIDERS
            ),
            {
                "name": "inr",
                "when": {"currencies": ["INR"]},
                "use": {"providers": ["razorpay_mock", "cashfree_mock", "mock"]},
            },
            {
                "name": "high-value",
                "when": {"amountAtLeast": 1_000_000},
                "use": {"providers": ["cashfree_mock", "mock", "razorpay_mock"]},
            },
            {
                "name": "split",
                "when": {"metadata": {"route": ["split"]}},
                "use": {
                    "split": [
                        {"percent": 50, "providers": ["cashfree_mock", "mock"]},
                        {"percent": 50, "providers": ["mock", "cashfree_mock"]},
                    ]
                },
            },
            {"name": "default", "when": {}, "use": {"providers": ["mock", "cashfree_mock"]}},
        ],
    }
).encode()


@dataclass(frozen=True, slots=True)
class Order:
    """One thing that a merchant wants paid once, and when its software asks for it."""

    merchant: str
    key: str
    at_ms: int
    body: dict[str, Any]
    approves: bool
    """Whether the payer does what the provider asks for."""
    extras: dict[str, float] = field(default_factory=dict)
    """Draws for what the client does besides; kept with the order, so that a smaller workload behaves alike."""


def orders(random: Random, start_ms: int, *, payments: int = PAYMENTS) -> list[Order]:
    """Both merchants use each key, for different things."""
    made = []
    for number in range(payments):
        merchant = MERCHANTS[number % len(MERCHANTS)]
        key = f"order-{number // len(MERCHANTS)}"
        made.append(
            Order(
                merchant=merchant,
                key=key,
                at_ms=start_ms + random.randrange(ARRIVAL_MS),
                body=_at_real_provider(_body(random), number),
                approves=random.random() < 0.6,
                extras={name: random.random() for name in ("concurrent", "later", "other", "cancel", "pause")},
            )
        )
    return made


def _body(random: Random) -> dict[str, Any]:
    body: dict[str, Any] = {
        "amount": random.choice((100, 1999, 50_000, 999_999, 1_000_000, 2_500_000)),
        "currency": random.choice(("USD", "USD", "EUR", "INR", "INR")),
        "paymentMethod": {"type": "card", "token": _token(random)},
    }
    if random.random() < 0.3:
        body["metadata"] = {"route": "split"}
    if random.random() < 0.2:
        body["customer"] = {"email": "payer@example.com", "name": "Payer Example"}
    return body


def _at_real_provider(body: dict[str, Any], number: int) -> dict[str, Any]:
    """The same payment as the real provider of its turn takes it. Nothing is drawn: other payments stay as they are."""
    turn, rest = divmod(number, _REAL_PROVIDER_EVERY)
    if rest != _REAL_PROVIDER_EVERY - 1:
        return body
    token = body["paymentMethod"]["token"].split("@")[0]
    return {
        **body,
        "currency": "INR",
        "paymentMethod": {"type": "card", "token": token},
        "customer": _PAYER,
        "returnUrl": "https://shop.example.com/return",
        "metadata": {"gateway": _REAL_PROVIDERS[(turn + len(token)) % len(_REAL_PROVIDERS)]},
    }


def _token(random: Random) -> str:
    if random.random() < _PLAIN:
        return "tok_success"
    token = random.choice(_TOKENS)
    if random.random() < 0.5:
        return f"{token}@{random.choice(tuple(SIMULATORS))}"
    return token
