"""The part of an accepted payment that only a checkout has."""

from dataclasses import dataclass, replace

from payflowx.domain.checkout.addresses import CheckoutAddresses, return_address
from payflowx.domain.checkout.offers import offers
from payflowx.domain.merchants.ports import Merchant
from payflowx.domain.payments.checkout import DEFAULT_LIFETIME_SECONDS, Checkout, Choice, Presentation
from payflowx.domain.payments.payment import Payment
from payflowx.domain.providers.ports import Providers
from payflowx.domain.shared.errors import Refusal
from payflowx.domain.shared.limits import DUE_AFTER_ACCEPT_MS, SECOND_MS
from payflowx.domain.shared.statuses import PaymentStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class NewCheckout:
    """The part of a request that is about a checkout. `methods` empty: all."""

    methods: tuple[str, ...] = ()
    presentation: Presentation = Presentation.PAGE
    lifetime_seconds: int = DEFAULT_LIFETIME_SECONDS

    @property
    def lifetime_ms(self) -> int:
        return self.lifetime_seconds * SECOND_MS


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckoutOpener:
    """Makes a payment wait for its payer. Calls nobody."""

    addresses: CheckoutAddresses
    providers: Providers

    def opened(self, payment: Payment, request: NewCheckout, merchant: Merchant) -> Payment:
        """Return the payment as a checkout, at the provider's own page with its first attempt chosen.

        Raises `Refusal` (`field_missing`, `no_provider_available`).
        """
        expires_at_ms = payment.created_at_ms + request.lifetime_ms
        of = (payment.merchant_id, payment.transaction_id, expires_at_ms)
        checkout = Checkout(
            expires_at_ms=expires_at_ms,
            address=self.addresses.page(*of),
            methods=request.methods,
            presentation=request.presentation,
        )
        waiting = replace(
            payment,
            checkout=checkout,
            status=PaymentStatus.REQUIRES_ACTION,
            charge_deadline_ms=expires_at_ms,
            ready_at_ms=expires_at_ms,
            due_at_ms=expires_at_ms,
        )
        if request.presentation is Presentation.PAGE:
            return waiting
        return replace(
            waiting,
            checkout=checkout.chosen(self._first_choice(waiting, checkout, merchant), payment.created_at_ms),
            ready_at_ms=payment.created_at_ms,
            due_at_ms=payment.created_at_ms + DUE_AFTER_ACCEPT_MS,
        )

    def _first_choice(self, payment: Payment, checkout: Checkout, merchant: Merchant) -> Choice:
        """Return the first method for which nothing is missing: nobody is there to be asked for it."""
        found = offers(payment, self.providers.capabilities(), merchant.disabled, payment.created_at_ms)
        offer = next((offer for offer in found if not offer.missing), None)
        if offer is None:
            missing = found[0].missing if found else ()
            if not missing:
                raise Refusal("no_provider_available", "No provider's page can take this payment.")
            needed = f"{' and '.join(missing)}, in a form that the provider takes"
            detail = f"The provider's page needs {needed}. Send it, or let our page ask the payer."
            raise Refusal("field_missing", detail, field=missing[0])
        back = return_address(
            checkout.address or "",
            self.addresses.tokens,
            payment.merchant_id,
            payment.transaction_id,
            checkout.expires_at_ms,
        )
        return Choice(number=1, method=offer.method, ways=offer.ways, return_url=back)
