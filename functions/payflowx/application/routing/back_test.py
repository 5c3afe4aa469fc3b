"""A routing document tried on stored decisions: which payments it would have sent elsewhere."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from payflowx.application.routing.publish_routing import CheckRouting
from payflowx.domain.merchants.directory import MerchantDirectory
from payflowx.domain.payments.hosted import CHECKOUT_METHODS
from payflowx.domain.payments.payment import Payment, customer_facts
from payflowx.domain.payments.ports import PaymentQuery, Payments
from payflowx.domain.providers.ports import Providers
from payflowx.domain.routing.routing import Availability, CheckoutFacts, RoutingDocument, RoutingFacts, decide_route
from payflowx.domain.shared.errors import Refusal

MAX_EXAMPLES: Final = 3
_PAGES: Final = 5
_PAGE: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """Payments whose first provider would be another one. `after` None: none, for the reason `code`."""

    before: str
    after: str | None
    code: str | None
    count: int
    examples: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class BackTest:
    """The result for some payments. `matched`: how many each rule of the document takes, zeros included.

    `erased` were not compared: the facts that decided them are gone. `next_position` None: there are no older payments.
    """

    compared: int
    moves: tuple[Move, ...]
    matched: dict[str, int]
    erased: int
    next_position: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class BackTestRouting:
    """Writes nothing, and reads at most five hundred payments a call.

    Raises `Refusal` (`not_found`, `routing_invalid`).
    """

    payments: Payments
    merchant_directory: MerchantDirectory
    check: CheckRouting
    providers: Providers

    def __call__(self, data: bytes, query: PaymentQuery) -> BackTest:
        """Compare the document's decisions with the stored ones of the query's payments, the newest first.

        The merchant's accounts are those of today; switches are left out, for they are no part of a document.
        """
        document = self.check.checked(data)
        merchant = self.merchant_directory.merchant(query.merchant_id)
        if merchant is None:
            raise Refusal("not_found", "There is no merchant with this id.")
        available = Availability(capabilities=self.providers.capabilities(), accounts=merchant.preferred_accounts())
        found: list[Payment] = []
        position = query.position
        for _ in range(_PAGES):
            page = self.payments.page(_at(query, position))
            found += page.items
            position = page.next_position
            if position is None:
                break
        return _compared(document, available, found, position)


def _at(query: PaymentQuery, position: str | None) -> PaymentQuery:
    return PaymentQuery(
        merchant_id=query.merchant_id,
        from_ms=query.from_ms,
        until_ms=query.until_ms,
        status=None,
        limit=_PAGE,
        position=position,
    )


def _compared(
    document: RoutingDocument, available: Availability, payments: Iterable[Payment], next_position: str | None
) -> BackTest:
    matched = dict.fromkeys((rule.name for rule in document.rules), 0)
    moved: Counter[tuple[str, str | None, str | None]] = Counter()
    examples: dict[tuple[str, str | None, str | None], list[str]] = {}
    compared = erased = 0
    for payment in payments:
        if payment.erased:
            erased += 1
            continue
        compared += 1
        before, after, code = payment.route.candidates[0].provider, None, None
        try:
            route = decide_route(document, facts_of(payment), available)
        except Refusal as refusal:
            code = refusal.code
        else:
            matched[route.rule] += 1
            after = route.candidates[0].provider
        if before != after:
            move = (before, after, code)
            moved[move] += 1
            examples.setdefault(move, []).append(payment.transaction_id)
    moves = tuple(
        Move(before=move[0], after=move[1], code=move[2], count=count, examples=tuple(examples[move][:MAX_EXAMPLES]))
        for move, count in moved.most_common()
    )
    return BackTest(compared=compared, moves=moves, matched=matched, erased=erased, next_position=next_position)


def facts_of(payment: Payment) -> RoutingFacts:
    """Return the facts that decided the payment's route, as they are stored."""
    return RoutingFacts(
        transaction_id=payment.transaction_id,
        merchant_id=payment.merchant_id,
        amount=payment.amount,
        currency=payment.currency,
        country=payment.customer.country if payment.customer else None,
        capture=payment.capture,
        payment_method=payment.payment_method,
        metadata=payment.metadata,
        given=customer_facts(payment.customer),
        save_payment_method=payment.save_payment_method,
        checkout=_checkout_facts(payment),
    )


def _checkout_facts(payment: Payment) -> CheckoutFacts | None:
    checkout = payment.checkout
    if checkout is None:
        return None
    methods = checkout.methods or CHECKOUT_METHODS
    return CheckoutFacts(methods=methods, lifetime_ms=checkout.expires_at_ms - payment.created_at_ms)
