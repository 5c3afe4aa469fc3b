"""The methods that a payer can choose now, and the providers that take each. Pure."""

from collections.abc import Mapping, Set
from dataclasses import dataclass, field
from re import Pattern

from payflowx.domain.payments.capabilities import Capabilities
from payflowx.domain.payments.checkout import is_offered, least_lifetime_ms
from payflowx.domain.payments.hosted import CHECKOUT_METHODS, HostedCapability
from payflowx.domain.payments.payment import FACT_PREFIX, Customer, Payment, customer_facts


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A method, and the providers that can take it, in the order in which they are tried."""

    method: str
    ways: tuple[str, ...]
    until_ms: int
    """The last time at which it can be chosen: before the checkout's end, by the shortest life of a provider's page."""
    missing: tuple[str, ...] = ()
    """The facts about the payer that the page asks for: those of the first way, named as in `customer_facts`.

    A way that needs more is left out: a payer who answers the fewest questions is the likeliest to pay.
    """
    forms: Mapping[str, Pattern[str]] = field(default_factory=dict)
    """The forms of facts that the first way takes, where they are narrower than our API's."""
    is_closable: bool = True
    """The payer can choose another method later. Where False, an object can be waited for only."""


def offers(
    payment: Payment, capabilities: Mapping[str, Capabilities], disabled: Set[str], now_ms: int
) -> tuple[Offer, ...]:
    """Return the methods of a checkout that a provider of the stored route can take, in the order of the page.

    Within a method, providers whose closing can be proven come first, then the order of the route. Methods without
    such a provider come last.
    """
    if payment.checkout is None:
        return ()
    allowed = payment.checkout.methods or CHECKOUT_METHODS
    hosted = {
        candidate.provider: able
        for candidate in payment.route.candidates
        if candidate.provider not in disabled
        and (able := capabilities.get(candidate.provider)) is not None
        and able.hosted is not None
        and is_offered(able.hosted, payment.checkout.expires_at_ms, now_ms)
    }
    until = payment.checkout.expires_at_ms
    found = [_offer(payment, method, hosted, until) for method in CHECKOUT_METHODS if method in allowed]
    return tuple(sorted((offer for offer in found if offer is not None), key=lambda offer: not offer.is_closable))


def _offer(payment: Payment, method: str, hosted: Mapping[str, Capabilities], expires_at_ms: int) -> Offer | None:
    able = {
        provider: capabilities.hosted
        for provider, capabilities in hosted.items()
        if capabilities.hosted is not None
        and capabilities.why_no_page(method=method, currency=payment.currency, capture=payment.capture) is None
    }
    if not able:
        return None
    ways = sorted(able, key=lambda provider: not able[provider].is_closing_proof)
    first = able[ways[0]]
    asked = _missing(first, payment.customer)
    return Offer(
        method=method,
        ways=tuple(provider for provider in ways if _missing(able[provider], payment.customer) <= asked),
        until_ms=expires_at_ms - min(least_lifetime_ms(capability) for capability in able.values()),
        missing=tuple(sorted(asked)),
        forms=first.forms,
        is_closable=first.is_closing_proof,
    )


def _missing(able: HostedCapability, customer: Customer | None) -> frozenset[str]:
    """Return the needed facts that are unknown, or known in a form that the provider does not take."""
    return able.needs - {
        fact for fact in customer_facts(customer) if is_taken(fact, _value(customer, fact), able.forms)
    }


def is_taken(fact: str, value: str, forms: Mapping[str, Pattern[str]]) -> bool:
    """Return whether a provider with these forms takes this value."""
    return fact not in forms or forms[fact].fullmatch(value) is not None


def _value(customer: Customer | None, fact: str) -> str:
    return str(getattr(customer, fact.removeprefix(FACT_PREFIX)))
