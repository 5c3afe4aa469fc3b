"""Explanation of a routing decision, by the current rules or by a given document."""

from dataclasses import dataclass
from typing import Final

from payflowx.application.routing.publish_routing import CheckRouting
from payflowx.domain.merchants.directory import MerchantDirectory, RoutingPublisher
from payflowx.domain.payments.hosted import CHECKOUT
from payflowx.domain.payments.payment import CUSTOMER_FACTS, PaymentMethod, Route
from payflowx.domain.providers.ports import Providers
from payflowx.domain.routing.routing import Availability, CheckoutFacts, RoutingDocument, RoutingFacts, decide_route
from payflowx.domain.shared.errors import Refusal
from payflowx.domain.shared.money import is_currency
from payflowx.domain.shared.statuses import CaptureMode

_TOKEN: Final = "any"  # noqa: S105 - opens nothing
"""A placeholder for a token that every provider accepts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteQuestion:
    """A hypothetical payment. `transaction_id` selects the share of a rule that splits."""

    merchant_id: str
    amount: int
    currency: str
    payment_method_type: str
    capture: CaptureMode
    country: str | None
    metadata: dict[str, str]
    transaction_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplainRoute:
    """Writes nothing.

    Raises `Refusal` (`not_found`, `routing_invalid`, `no_route`, `no_provider_available`).
    """

    merchant_directory: MerchantDirectory
    publisher: RoutingPublisher
    check: CheckRouting
    providers: Providers

    def __call__(self, question: RouteQuestion, data: bytes | None) -> Route:
        """Decide by the document `data`, else by the current one."""
        if not is_currency(question.currency):
            raise Refusal("currency_invalid", "currency must be an ISO 4217 code in capitals.")
        merchant = self.merchant_directory.merchant(question.merchant_id)
        if merchant is None:
            raise Refusal("not_found", "There is no merchant with this id.")
        document = self._current() if data is None else self.check.checked(data)
        facts = RoutingFacts(
            transaction_id=question.transaction_id,
            merchant_id=question.merchant_id,
            amount=question.amount,
            currency=question.currency,
            country=question.country,
            capture=question.capture,
            payment_method=PaymentMethod(type=question.payment_method_type, token=_TOKEN),
            metadata=question.metadata,
            given=CUSTOMER_FACTS,
            checkout=CheckoutFacts() if question.payment_method_type == CHECKOUT else None,
        )
        available = Availability(
            capabilities=self.providers.capabilities(),
            accounts=merchant.preferred_accounts(),
            disabled=merchant.disabled,
        )
        return decide_route(document, facts, available)

    def _current(self) -> RoutingDocument:
        """The document in effect, even if a check that is newer than it would refuse it."""
        return self.check.decode(self.publisher.current().document)
