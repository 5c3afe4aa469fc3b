"""Routing: the first rule that matches a payment names its providers in order."""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from payflowx.domain.payments.capabilities import Capabilities
from payflowx.domain.payments.checkout import DEFAULT_LIFETIME_SECONDS, is_offered, least_lifetime_ms
from payflowx.domain.payments.hosted import CHECKOUT_METHODS
from payflowx.domain.payments.payment import Candidate, PaymentMethod, Route
from payflowx.domain.shared.errors import Refusal
from payflowx.domain.shared.limits import SECOND_MS
from payflowx.domain.shared.statuses import CaptureMode

_PROBES_OF_THOUSAND: Final = 15
"""Below the two percent that a sick provider may get."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """Conditions that must all hold; an absent one always holds. Amounts are minor units."""

    currencies: frozenset[str] | None = None
    amount_at_least: int | None = None
    amount_below: int | None = None
    countries: frozenset[str] | None = None
    payment_method_types: frozenset[str] | None = None
    merchants: frozenset[str] | None = None
    metadata: Mapping[str, frozenset[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """A percentage of a rule's payments, and the ordered providers that take them."""

    percent: int
    providers: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A named rule: conditions, and shares that add up to 100 percent."""

    name: str
    when: Conditions
    shares: tuple[Share, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RoutingDocument:
    """The document that an operator publishes; `version` is stored with every decision."""

    version: str
    rules: tuple[Rule, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RoutingFacts:
    """The facts that a routing decision may use."""

    transaction_id: str
    merchant_id: str
    amount: int
    currency: str
    country: str | None
    capture: CaptureMode
    payment_method: PaymentMethod
    metadata: Mapping[str, str]
    given: frozenset[str] = frozenset()
    """The names of what is known of the payer; see `customer_facts`."""
    save_payment_method: bool = False
    checkout: "CheckoutFacts | None" = None
    """None for a payment with a token."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckoutFacts:
    """The payer chooses one of these methods on a page that lives so long."""

    methods: tuple[str, ...] = CHECKOUT_METHODS
    lifetime_ms: int = DEFAULT_LIFETIME_SECONDS * SECOND_MS


@dataclass(frozen=True, slots=True, kw_only=True)
class Availability:
    """The deployment's providers, the merchant's accounts, and the disabled providers."""

    capabilities: Mapping[str, Capabilities]
    accounts: Mapping[str, str]
    """The id of the merchant's account at each provider."""
    disabled: frozenset[str] = frozenset()
    failing: Mapping[str, str] = field(default_factory=dict)
    """Providers whose accounts fail, with the reason: the circuit breaker is open."""


def decide_route(document: RoutingDocument, facts: RoutingFacts, available: Availability) -> Route:
    """Return the route of a payment.

    Raises `Refusal` when no rule matches or no provider of the rule can take the payment.
    """
    for rule in document.rules:
        matched = _why_it_matches(rule.when, facts)
        if matched is not None:
            break
    else:
        raise Refusal("no_route", "No routing rule matches this payment. Add a fallback rule without conditions.")
    share = _share_of(rule, facts.transaction_id)
    reasons = [f"rule {rule.name}: {matched}"]
    if len(rule.shares) > 1:
        reasons.append(f"{share.percent} percent of the rule's payments, this one by its id")
    obstacles = {provider: _obstacle(provider, facts, available) for provider in share.providers}
    reasons += [f"passed over: {obstacle.reason}" for obstacle in obstacles.values() if obstacle is not None]
    able = [provider for provider, obstacle in obstacles.items() if obstacle is None]
    if not able:
        raise _nobody(obstacles.values(), reasons[1:])
    chosen, why = _without_failing(able, facts, available.failing)
    reasons += why
    candidates = tuple(Candidate(provider=provider, account_id=available.accounts[provider]) for provider in chosen)
    return Route(document=document.version, rule=rule.name, reasons=tuple(reasons), candidates=candidates)


def _without_failing(
    able: Sequence[str], facts: RoutingFacts, failing: Mapping[str, str]
) -> tuple[Sequence[str], Sequence[str]]:
    """Return the providers without those that fail, and the reasons.

    A route is never emptied, and a small share of the payments, by their ids, probes: both keep every provider. So does
    a checkout, because its attempts begin whenever the payer comes.
    """
    sick = [provider for provider in able if provider in failing]
    if not sick or facts.checkout is not None:
        return able, ()
    well = [provider for provider in able if provider not in failing]
    if not well:
        return able, [f"kept, as no other provider can take it: {failing[provider]}" for provider in sick]
    if is_probe(facts.transaction_id):
        return able, [f"a probe: {failing[provider]}" for provider in sick]
    return well, [f"passed over: {failing[provider]}" for provider in sick]


def is_probe(transaction_id: str) -> bool:
    """Return whether this payment may try a provider that fails: about 15 of 1,000."""
    digest = hashlib.sha256(f"probe:{transaction_id}".encode()).digest()
    return int.from_bytes(digest[:4], "big") % 1_000 < _PROBES_OF_THOUSAND


@dataclass(frozen=True, slots=True)
class _Obstacle:
    """Why a provider cannot take a payment; `missing` names what the request would have to add for it to be able."""

    reason: str
    missing: Sequence[str] = ()


def _obstacle(provider: str, facts: RoutingFacts, available: Availability) -> _Obstacle | None:
    reason = _why_not(provider, facts, available)
    if reason is not None:
        return _Obstacle(reason)
    if facts.checkout is not None:
        return None  # the page asks the payer for what is missing
    missing = sorted(available.capabilities[provider].needs - facts.given)
    return _Obstacle(f"{provider} needs {' and '.join(missing)}", missing) if missing else None


def _nobody(obstacles: Iterable[_Obstacle | None], reasons: Sequence[str]) -> Refusal:
    for obstacle in obstacles:
        if obstacle is not None and obstacle.missing:
            detail = f"{obstacle.reason}, and no other provider of the route can take this payment."
            return Refusal("field_missing", detail, field=obstacle.missing[0])
    return Refusal("no_provider_available", "No provider can take this payment. " + "; ".join(reasons) + ".")


def _why_not(provider: str, facts: RoutingFacts, available: Availability) -> str | None:
    capabilities = available.capabilities.get(provider)
    if capabilities is None:
        return f"{provider} is not part of this deployment"
    if provider in available.disabled:
        return f"{provider} is switched off"
    if provider not in available.accounts:
        return f"this merchant has no account at {provider}"
    if facts.checkout is not None:
        return _why_no_page(capabilities, facts, facts.checkout)
    if facts.payment_method.token_for(provider) is None:
        return f"the payment method has no token for {provider}"
    return capabilities.why_not(
        currency=facts.currency,
        capture=facts.capture,
        payment_method_type=facts.payment_method.type,
        save_payment_method=facts.save_payment_method,
    )


def _why_no_page(capabilities: Capabilities, facts: RoutingFacts, checkout: CheckoutFacts) -> str | None:
    """Return why a payer cannot be sent to this provider, by none of the methods; None if one is possible."""
    reasons = [
        capabilities.why_no_page(method=method, currency=facts.currency, capture=facts.capture)
        for method in checkout.methods
    ]
    if None not in reasons:
        return reasons[0]
    if capabilities.hosted is None or is_offered(capabilities.hosted, checkout.lifetime_ms, 0):
        return None
    least_seconds = least_lifetime_ms(capabilities.hosted) // SECOND_MS
    return f"{capabilities.provider} needs an expiresInSeconds of at least {least_seconds}"


def _share_of(rule: Rule, transaction_id: str) -> Share:
    """Select the share by the payment's id, so that a repeated request is routed alike."""
    point = int.from_bytes(hashlib.sha256(f"{rule.name}:{transaction_id}".encode()).digest()[:4], "big") % 100
    for share in rule.shares:
        point -= share.percent
        if point < 0:
            return share
    return rule.shares[-1]


_Test = Callable[[Conditions, RoutingFacts], str | bool | None]
"""None: the condition is absent. False: it does not hold. Text: it holds, with the reason."""


def _among(allowed: frozenset[str] | None, value: str | None, why: str) -> str | bool | None:
    if allowed is None:
        return None
    return why if value in allowed else False


def _currency(when: Conditions, facts: RoutingFacts) -> str | bool | None:
    return _among(when.currencies, facts.currency, f"currency is {facts.currency}")


def _at_least(when: Conditions, facts: RoutingFacts) -> str | bool | None:
    if when.amount_at_least is None:
        return None
    return f"amount is at least {when.amount_at_least}" if facts.amount >= when.amount_at_least else False


def _below(when: Conditions, facts: RoutingFacts) -> str | bool | None:
    if when.amount_below is None:
        return None
    return f"amount is below {when.amount_below}" if facts.amount < when.amount_below else False


def _country(when: Conditions, facts: RoutingFacts) -> str | bool | None:
    return _among(when.countries, facts.country, "the customer's country is listed")


def _method(when: Conditions, facts: RoutingFacts) -> str | bool | None:
    kind = facts.payment_method.type
    return _among(when.payment_method_types, kind, f"payment method is {kind}")


def _merchant(when: Conditions, facts: RoutingFacts) -> str | bool | None:
    return _among(when.merchants, facts.merchant_id, "the merchant is listed")


def _metadata(when: Conditions, facts: RoutingFacts) -> str | bool | None:
    if not when.metadata:
        return None
    holds = all(facts.metadata.get(key) in values for key, values in when.metadata.items())
    return f"metadata matches on {', '.join(sorted(when.metadata))}" if holds else False


_TESTS: tuple[_Test, ...] = (_currency, _at_least, _below, _country, _method, _merchant, _metadata)


def _why_it_matches(when: Conditions, facts: RoutingFacts) -> str | None:
    """Return the reasons in words; None when the rule does not match."""
    answers = [test(when, facts) for test in _TESTS]
    if any(answer is False for answer in answers):
        return None
    return ", ".join(answer for answer in answers if isinstance(answer, str)) or "it has no conditions"
