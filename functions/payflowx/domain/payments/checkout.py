"""A checkout: the payer is present, chooses a method on our page, and pays on a provider's page. Data and pure rules.

One hosted object can be paid at a time. A further one is created only after the payer's next choice, or when the
address of the one before was never given out.
"""

from collections.abc import Mapping, Set
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Final

from payflowx.domain.payments.attempt import Attempt
from payflowx.domain.payments.hosted import (
    CHECKOUT_METHODS,
    HOSTED_EXPIRES_AT,
    HOSTED_METHOD,
    HOSTED_RETURN_URL,
    HostedCapability,
)
from payflowx.domain.shared.limits import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS
from payflowx.domain.shared.statuses import AttemptState

MIN_LIFETIME_SECONDS: Final = 900
MAX_LIFETIME_SECONDS: Final = 30 * 86_400
DEFAULT_LIFETIME_SECONDS: Final = 86_400
MAX_STARTS_A_MINUTE: Final = 3
"""More choices within a minute are typical of a program, not of a payer."""
SHOWN_AFTER_MS: Final = DAY_MS
"""How long after its expiry the page still shows how the checkout ended."""
MIN_EXPEDITE_INTERVAL_MS: Final = 15 * SECOND_MS
"""The page and the return address bring the next inquiry forward at most this often."""

_READS_AFTER_MS: Final = (MINUTE_MS, 3 * MINUTE_MS, 10 * MINUTE_MS, 30 * MINUTE_MS)
"""An open object is read at these times after its address was given out, then hourly, then every six hours."""
_OFFER_MARGIN_MS: Final = 2 * MINUTE_MS
"""The time that a worker may need until the provider gets the request."""


class Presentation(StrEnum):
    """The address that the merchant gets for the payer."""

    PAGE = "page"
    """Our page, where the payer chooses."""
    DIRECT = "direct"
    """The provider's own page: the first attempt begins at once, with the first method."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """The payer's choice of a method. It starts exactly one attempt, the one with this number."""

    number: int
    method: str
    ways: tuple[str, ...]
    """The providers that can take it, in the order in which they are tried."""
    return_url: str = field(repr=False)
    """Our address to which the provider sends the payer back. Its token shows the page and expedites."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkout:
    """The part of a payment that only a checkout has."""

    expires_at_ms: int
    address: str | None = field(repr=False)
    """The address of our page, which bears a token. None after erasure."""
    methods: tuple[str, ...] = ()
    """The methods that the merchant allows; all, if empty."""
    presentation: Presentation = Presentation.PAGE
    choice: Choice | None = None
    starts_at_ms: tuple[int, ...] = ()
    """The times of the newest choices, at most `MAX_STARTS_A_MINUTE`."""
    closing: int | None = None
    """The number of the attempt whose object the payer asked to close, to choose again."""
    expedited_at_ms: int = 0

    def choice_for(self, number: int) -> Choice | None:
        """Return the choice that starts the attempt with this number; a choice for an earlier one is used up."""
        return self.choice if self.choice is not None and self.choice.number == number else None

    def may_start(self, now_ms: int) -> bool:
        """Return whether a further choice is within the limit of choices a minute."""
        return sum(at_ms > now_ms - MINUTE_MS for at_ms in self.starts_at_ms) < MAX_STARTS_A_MINUTE

    def chosen(self, choice: Choice, now_ms: int) -> "Checkout":
        """Return the checkout with the payer's choice."""
        starts_at_ms = (*self.starts_at_ms, now_ms)[-MAX_STARTS_A_MINUTE:]
        return replace(self, choice=choice, starts_at_ms=starts_at_ms, closing=None)

    def without_choice(self) -> "Checkout":
        """Return the checkout as it waits for the payer."""
        return replace(self, choice=None, closing=None)

    def passing_over(self, disabled: Set[str]) -> "Checkout":
        """Return the checkout whose choice leads past providers that were switched off since it was stored.

        Without a choice if none is left; itself if the choice's first way is not among them.
        """
        choice = self.choice
        if choice is None or choice.ways[0] not in disabled:
            return self
        left = tuple(way for way in choice.ways if way not in disabled)
        return replace(self, choice=replace(choice, ways=left)) if left else self.without_choice()

    def after_unused(self, attempt: Attempt, disabled: Set[str]) -> "Checkout":
        """Return the checkout after an object whose address was never given out: the choice's next way, if any.

        A provider that was switched off since the choice is passed over.
        """
        choice = self.choice_for(attempt.number)
        if choice is None or attempt.state not in {AttemptState.NOT_SENT, AttemptState.REJECTED}:
            return self.without_choice()
        behind = choice.ways[choice.ways.index(attempt.provider) + 1 :] if attempt.provider in choice.ways else ()
        left = tuple(way for way in behind if way not in disabled)
        if not left:
            return self.without_choice()
        return replace(self, choice=replace(choice, number=choice.number + 1, ways=left), closing=None)

    def closed_by_payer(self, number: int) -> "Checkout":
        """Return the checkout after the payer asked to close the open object."""
        return replace(self, closing=number)


def erased_checkout(checkout: Checkout) -> Checkout:
    """Return the checkout without what leads to the payer's page."""
    return replace(checkout.without_choice(), address=None)


def is_offered(capability: HostedCapability, expires_at_ms: int, now_ms: int) -> bool:
    """Return whether an object can still be created that ends with the checkout."""
    return now_ms + least_lifetime_ms(capability) <= expires_at_ms


def least_lifetime_ms(capability: HostedCapability) -> int:
    """Return the shortest time of a checkout in which such an object can be created."""
    return capability.min_lifetime_ms + _OFFER_MARGIN_MS


def hosted_facts(checkout: Checkout, choice: Choice, capability: HostedCapability, now_ms: int) -> Mapping[str, str]:
    """Return the facts with which a checkout's attempt begins: they are part of its requests' bytes.

    The object's expiry is computed here, once, in whole seconds.
    """
    expires_at_ms = min(checkout.expires_at_ms, now_ms + capability.max_lifetime_ms)
    return {
        HOSTED_METHOD: choice.method,
        HOSTED_EXPIRES_AT: str(expires_at_ms // SECOND_MS * SECOND_MS),
        HOSTED_RETURN_URL: choice.return_url,
    }


def next_read_at_ms(opened_at_ms: int, now_ms: int) -> int:
    """Return the time of the next read of an open object, whatever its provider's events say."""
    for after_ms in _READS_AFTER_MS:
        if now_ms < opened_at_ms + after_ms:
            return opened_at_ms + after_ms
    interval_ms = HOUR_MS if now_ms < opened_at_ms + DAY_MS else 6 * HOUR_MS
    return now_ms + interval_ms


def facts_of_forgotten(
    checkout: Checkout, provider: str, capability: HostedCapability, *, number: int, now_ms: int
) -> Mapping[str, str]:
    """Return the facts of an object at this provider whose request is not stored: a restore forgot it.

    It was created before now, so it does not end later than one that is created now.
    """
    method = checkout.choice.method if checkout.choice else CHECKOUT_METHODS[0]
    choice = Choice(number=number, method=method, ways=(provider,), return_url="")
    return hosted_facts(checkout, checkout.choice or choice, capability, now_ms)
