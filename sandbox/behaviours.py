"""The behaviour of a simulator for each payment method token: the only table; docs/sandbox.md explains it."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Effect(StrEnum):
    """The effect on the money."""

    CHARGE = "charge"
    WRONG_AMOUNT = "wrong amount"
    SOFT_DECLINE = "soft decline"
    HARD_DECLINE = "hard decline"
    FUNDS_DECLINE = "insufficient funds"
    REOPENED_DECLINE = "declined, charged later"
    ACTION = "the payer has to approve"
    LATER_CHARGE = "charged later"
    LATER_DECLINE = "declined later"
    RATE_LIMITED = "refused: too many requests"
    REFUSED = "refused before execution, with a documented code"
    REFUSED_UNLISTED = "refused with a code that is not documented for this call"


class Answer(StrEnum):
    """The answer that the caller receives."""

    PLAIN = "plain"
    SLOW = "after three seconds"
    HANG_AFTER = "hangs after the effect"
    HANG_FIRST = "the first send hangs without effect"
    ERROR_AFTER = "500 after the effect"
    ERROR_FIRST = "the first send is a 500 without effect"
    GARBAGE = "HTML after the effect"


@dataclass(frozen=True, slots=True)
class Behaviour:
    """An effect and the answer to the request that causes it."""

    effect: Effect
    answer: Answer = Answer.PLAIN


BEHAVIOURS: Final[Mapping[str, Behaviour]] = {
    "tok_success": Behaviour(Effect.CHARGE),
    "tok_soft_decline": Behaviour(Effect.SOFT_DECLINE),
    "tok_hard_decline": Behaviour(Effect.HARD_DECLINE),
    "tok_insufficient_funds": Behaviour(Effect.FUNDS_DECLINE),
    "tok_requires_action": Behaviour(Effect.ACTION),
    "tok_slow_success": Behaviour(Effect.CHARGE, Answer.SLOW),
    "tok_timeout_after_charge": Behaviour(Effect.CHARGE, Answer.HANG_AFTER),
    "tok_timeout_before_charge": Behaviour(Effect.CHARGE, Answer.HANG_FIRST),
    "tok_500_after_charge": Behaviour(Effect.CHARGE, Answer.ERROR_AFTER),
    "tok_500_before_charge": Behaviour(Effect.CHARGE, Answer.ERROR_FIRST),
    "tok_garbage": Behaviour(Effect.CHARGE, Answer.GARBAGE),
    "tok_wrong_amount": Behaviour(Effect.WRONG_AMOUNT),
    "tok_async_success": Behaviour(Effect.LATER_CHARGE),
    "tok_async_failure": Behaviour(Effect.LATER_DECLINE),
    "tok_rate_limited": Behaviour(Effect.RATE_LIMITED),
    "tok_reopened_decline": Behaviour(Effect.REOPENED_DECLINE),
}

REFUSALS: Final[Mapping[str, Behaviour]] = {
    "tok_refused": Behaviour(Effect.REFUSED),
    "tok_refused_unlisted": Behaviour(Effect.REFUSED_UNLISTED),
    "refund_refused": Behaviour(Effect.REFUSED),
}
"""Only the simulators of Stripe, Razorpay, Cashfree and PayU know these: a mock has no documents.

A charge refuses with the first two; `next_operation("refund_refused")` lets the next refund be refused.
"""

_MOCKS: Final = frozenset({"mock", "razorpay_mock", "cashfree_mock"})

SLOW_SECONDS: Final = 3.0
HANG_SECONDS: Final = 20.0
ASYNC_SECONDS: Final = 3.0
REOPEN_SECONDS: Final = 10.0


def behaviour_of(token: object, provider: str) -> Behaviour | None:
    """`tok_x@provider` acts at that provider only and succeeds elsewhere; None for a token that the provider lacks."""
    if not isinstance(token, str):
        return None
    name, _, only = token.partition("@")
    known = BEHAVIOURS.get(name) or REFUSALS.get(name)
    if known is not None and only and only != provider:
        return BEHAVIOURS["tok_success"]
    return None if name in REFUSALS and provider in _MOCKS else known
