"""The methods that a payer can choose now, and the providers that take each. Pure."""

from collections.abc import Mapping, Set
from dataclasses import dataclass

from payflowx.domain.payments.capabilities import Capabilities
from payflowx.domain.payments.checkout import is_offered
from payflowx.domain.payments.hosted import CHECKOUT_METHODS
from payflowx.domain.payments.payment import Payment, customer_facts


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A method, and the providers that can take it, in the order in which they are tried."""

    method: str
    ways: tuple[str, ...]
    missing: tuple[str, ...] = ()
    """The facts about the payer that the page asks for: those of the first way, named as in `customer_facts`.

    A way that needs more is left out: a payer who answers the fewest questions is the likeliest to pay.
    """
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
    found = [_offer(payment, method, hosted) for method in CHECKOUT_METHODS if method in allowed]
    return tuple(sorted((offer for offer in found if offer is not None), key=lambda offer: not offer.is_closable))


def _offer(payment: Payment, method: str, hosted: Mapping[str, Capabilities]) -> Offer | None:
    able = {
        provider: capabilities.hosted
        for provider, capabilities in hosted.items()
        if capabilities.hosted is not None
        and capabilities.why_no_page(method=method, currency=payment.currency, capture=payment.capture) is None
    }
    if not able:
        return None
    ways = sorted(able, key=lambda provider: not able[provider].is_closing_proof)
    known = customer_facts(payment.customer)
    asked = able[ways[0]].needs - known
    return Offer(
        method=method,
        ways=tuple(provider for provider in ways if able[provider].needs <= known | asked),
        missing=tuple(sorted(asked)),
        is_closable=able[ways[0]].is_closing_proof,
    )
