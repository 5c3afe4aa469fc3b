"""Validation of routing documents before they are published."""

from collections.abc import Iterator, Mapping

from payflowx.domain.payments.capabilities import Capabilities
from payflowx.domain.routing.routing import Conditions, RoutingDocument, Rule
from payflowx.domain.shared.money import CURRENCY_EXPONENTS, is_currency
from payflowx.domain.shared.statuses import CaptureMode

MAX_RULES = 100
MAX_PROVIDERS_A_RULE = 8


def document_faults(document: RoutingDocument, capabilities: Mapping[str, Capabilities]) -> list[str]:
    """Return every fault in words; an empty list means that the document may be published."""
    faults = [fault for rule in document.rules for fault in _rule_faults(rule, capabilities)]
    faults += _unreachable(document)
    if len(document.rules) > MAX_RULES:
        faults.append(f"there are {len(document.rules)} rules; at most {MAX_RULES} are allowed")
    names = [rule.name for rule in document.rules]
    faults += [f"two rules are named {name}" for name in sorted({n for n in names if names.count(n) > 1})]
    if not document.rules or document.rules[-1].when != Conditions():
        faults.append("the last rule must be a fallback: a rule without conditions")
    return faults


def _rule_faults(rule: Rule, capabilities: Mapping[str, Capabilities]) -> Iterator[str]:
    if sum(share.percent for share in rule.shares) != 100 or any(share.percent < 1 for share in rule.shares):
        yield f"rule {rule.name}: the percentages must be at least 1 and add up to 100"
    for code in sorted(c for c in rule.when.currencies or () if not is_currency(c)):
        yield f"rule {rule.name}: {code} is not a currency of ISO 4217"
    yield from _amount_faults(rule.name, rule.when)
    for share in rule.shares:
        if not 1 <= len(share.providers) <= MAX_PROVIDERS_A_RULE:
            yield f"rule {rule.name}: name 1 to {MAX_PROVIDERS_A_RULE} providers"
        if len(set(share.providers)) != len(share.providers):
            yield f"rule {rule.name}: a provider is named twice"
        for provider in share.providers:
            yield from _provider_faults(rule, provider, capabilities)


def _amount_faults(rule: str, when: Conditions) -> Iterator[str]:
    """An amount is in minor units: the same number is 10,000 USD, 7,000 EUR, but 40 USD in VND."""
    low, high = when.amount_at_least, when.amount_below
    if low is None and high is None:
        return
    if not when.currencies:
        yield f"rule {rule}: an amount needs currencies: it is a number of minor units, whose value differs by currency"
    decimals = {CURRENCY_EXPONENTS[code] for code in when.currencies or () if code in CURRENCY_EXPONENTS}
    if len(decimals) > 1:
        yield f"rule {rule}: its currencies have minor units of different size; write a rule for each size"
    if low is not None and high is not None and low >= high:
        yield f"rule {rule}: no amount is at least {low} and below {high}"


def _provider_faults(rule: Rule, provider: str, capabilities: Mapping[str, Capabilities]) -> Iterator[str]:
    declared = capabilities.get(provider)
    if declared is None:
        yield f"rule {rule.name}: {provider} is not a provider of this deployment"
        return
    for currency in sorted(rule.when.currencies or ()):
        if declared.currencies is not None and currency not in declared.currencies:
            yield f"rule {rule.name}: {provider} does not support the currency {currency}"
    for kind in sorted(rule.when.payment_method_types or ()):
        if kind not in declared.payment_method_types:
            yield f"rule {rule.name}: {provider} does not support the payment method {kind}"
    if CaptureMode.AUTOMATIC not in declared.capture_modes:
        yield f"rule {rule.name}: {provider} does not support automatic capture"


def _unreachable(document: RoutingDocument) -> Iterator[str]:
    for place, rule in enumerate(document.rules):
        for earlier in document.rules[:place]:
            if _covers(earlier.when, rule.when):
                yield f"rule {rule.name} is unreachable: rule {earlier.name} takes all payments that it would match"
                break


def _covers(wide: Conditions, narrow: Conditions) -> bool:
    """Return whether `wide` matches every payment that `narrow` matches."""
    sets = (
        (wide.currencies, narrow.currencies),
        (wide.countries, narrow.countries),
        (wide.payment_method_types, narrow.payment_method_types),
        (wide.merchants, narrow.merchants),
        *((values, narrow.metadata.get(key)) for key, values in wide.metadata.items()),
    )
    within = all(outer is None or (inner is not None and inner <= outer) for outer, inner in sets)
    return (
        within
        and (wide.amount_at_least or 0) <= (narrow.amount_at_least or 0)
        and (wide.amount_below is None or (narrow.amount_below or wide.amount_below + 1) <= wide.amount_below)
    )
