"""Acceptance of a payment: once per key, with its route, before any request to a provider."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import NoReturn

from payflowx.application.orders.take_order import TakeOrder
from payflowx.application.payments.charge_request import new_charge_request_of
from payflowx.application.payments.new_checkout import CheckoutOpener, NewCheckout
from payflowx.domain.checkout.refused_starts import RefusedStarts
from payflowx.domain.merchants.ports import Merchant, MerchantConfiguration
from payflowx.domain.orders.order_hash import order_hash
from payflowx.domain.payments.acceptance import accepted_event
from payflowx.domain.payments.hosted import CHECKOUT_METHODS
from payflowx.domain.payments.order_link import OrderLink
from payflowx.domain.payments.payment import Customer, Layout, Payment, PaymentMethod, Route, customer_facts
from payflowx.domain.payments.ports import Created, Existing, Job, Jobs, Payments
from payflowx.domain.payments.retry import RetryPolicy
from payflowx.domain.providers.health import ProviderHealth
from payflowx.domain.providers.ports import Providers
from payflowx.domain.routing.ports import RoutingRules
from payflowx.domain.routing.routing import Availability, CheckoutFacts, RoutingFacts, decide_route
from payflowx.domain.shared.ambient import Clock, Telemetry
from payflowx.domain.shared.errors import Refusal, StorageUnavailableError
from payflowx.domain.shared.identifiers import derive_transaction_id
from payflowx.domain.shared.limits import DUE_AFTER_ACCEPT_MS
from payflowx.domain.shared.metrics import Metric
from payflowx.domain.shared.statuses import CaptureMode, Initiator


@dataclass(frozen=True, slots=True, kw_only=True)
class NewPayment:
    """A validated request. The fingerprints identify it without the key.

    `fingerprint` is that of the body as it was sent, which release 0.2.0 compares; `content_fingerprint` that of its
    validated content, in which two spellings of one request are equal.
    """

    merchant_id: str
    idempotency_key: str
    fingerprint: str
    amount: int
    currency: str
    capture: CaptureMode
    payment_method: PaymentMethod
    content_fingerprint: str | None = None
    customer: Customer | None = field(default=None, repr=False)
    description: str | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)
    statement_descriptor_suffix: str | None = None
    receipt_email: str | None = field(default=None, repr=False)
    initiator: Initiator = Initiator.CUSTOMER
    save_payment_method: bool = False
    return_url: str | None = None
    checkout: NewCheckout | None = None
    """None: the payment has a token."""
    order_id: str | None = None
    """The merchant's own reference of what is paid, in NFC."""
    once_per_order: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Acceptance:
    """The key's payment as it is now; `replayed` if an earlier request created it."""

    payment: Payment
    replayed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CreatePayment:
    """Raises `Refusal` with nothing written.

    Codes: `no_route`, `no_provider_available`, `field_missing`, `checkout_unavailable`, `idempotency_key_reused`,
    `order_not_free`. Raises `StorageUnavailableError` when the caller should repeat the request with the same key.
    """

    payments: Payments
    take_order: TakeOrder
    jobs: Jobs
    merchants: MerchantConfiguration
    rules: RoutingRules
    providers: Providers
    clock: Clock
    telemetry: Telemetry
    policy: RetryPolicy
    layout: Layout
    """The layout in which new payments are stored, each for life."""
    health: ProviderHealth
    checkout_opener: CheckoutOpener | None = None
    """None: this deployment has no checkout."""
    refused_starts: RefusedStarts | None = None
    """None: no merchant's limit of refused starts is held."""

    def __call__(self, request: NewPayment) -> Acceptance:
        """Write once, then send one message; without the message, the payment is still due."""
        transaction_id = derive_transaction_id(request.merchant_id, request.idempotency_key)
        self.telemetry.about(transactionId=transaction_id)
        try:
            merchant = self._merchant(request)
            route = self._route(request, merchant, transaction_id)
            payment = self._new(request, merchant, transaction_id, route)
        except Refusal:
            # A key that was accepted stays accepted, even if no rule would route it today.
            existing = self.payments.find_key(request.merchant_id, request.idempotency_key)
            if existing is None:
                raise
            return self._replay(request, existing)
        event = accepted_event(payment)
        holds_event = payment.layout is Layout.COMPACT
        payment = replace(payment, event_hash=event.hash, holds_first_event=holds_event)
        job = self._first_job(payment)
        create = self.payments.create if payment.order is None else self.take_order
        match create(payment, event, request.idempotency_key):
            case Existing() as existing:
                return self._replay(request, existing)
            case Created(item=stored):
                if job is not None:
                    self._wake(job)
                self.telemetry.count(Metric.PAYMENTS_ACCEPTED)
                self.telemetry.info("payment accepted")
                return Acceptance(payment=stored, replayed=False)

    def _merchant(self, request: NewPayment) -> Merchant:
        merchant = self.merchants.get(request.merchant_id)
        if merchant is None:
            raise Refusal(
                "no_provider_available", "This merchant has no provider account yet. Ask an operator to add one."
            )
        if request.checkout is not None:
            self._check_checkout(merchant)
        return merchant

    def _check_checkout(self, merchant: Merchant) -> None:
        """Raises `Refusal` (`checkout_unavailable`) where no new checkout is accepted."""
        if self.checkout_opener is None:
            _refuse_checkout(
                "This deployment has no checkout. Send a token of a provider's vault, or ask an operator to switch the "
                "checkout on."
            )
        if not merchant.checkout.new_checkouts:
            _refuse_checkout("This merchant's new checkouts are off; those that exist can be paid. Ask an operator.")
        limit = merchant.checkout.max_refused_starts
        if limit is None or self.refused_starts is None:
            return
        if self.refused_starts.of_this_hour(merchant.merchant_id, self.clock.now_ms()) >= limit:
            _refuse_checkout(
                "Payers' pages of this merchant refused so many starts within this hour that no new checkout is "
                "accepted until it is over: this looks like a test of stolen cards. Those that exist can be paid."
            )

    def _route(self, request: NewPayment, merchant: Merchant, transaction_id: str) -> Route:
        facts = RoutingFacts(
            transaction_id=transaction_id,
            merchant_id=request.merchant_id,
            amount=request.amount,
            currency=request.currency,
            country=request.customer.country if request.customer else None,
            capture=request.capture,
            payment_method=request.payment_method,
            metadata=request.metadata,
            given=customer_facts(request.customer),
            save_payment_method=request.save_payment_method,
            checkout=_checkout_facts(request.checkout) if request.checkout else None,
        )
        available = Availability(
            capabilities=self.providers.capabilities(),
            accounts=merchant.preferred_accounts(),
            disabled=merchant.disabled,
            failing=self.health.passed_over(merchant.merchant_id, merchant.preferred_accounts()),
        )
        return decide_route(self.rules.current(), facts, available)

    def _new(self, request: NewPayment, merchant: Merchant, transaction_id: str, route: Route) -> Payment:
        now_ms = self.clock.now_ms()
        payment = Payment(
            merchant_id=request.merchant_id,
            transaction_id=transaction_id,
            fingerprint=request.fingerprint,
            content_fingerprint=request.content_fingerprint,
            amount=request.amount,
            currency=request.currency,
            capture=request.capture,
            payment_method=request.payment_method,
            customer=request.customer,
            description=request.description,
            metadata=request.metadata,
            statement_descriptor_suffix=request.statement_descriptor_suffix,
            receipt_email=request.receipt_email,
            initiator=request.initiator,
            save_payment_method=request.save_payment_method,
            return_url=request.return_url,
            route=route,
            created_at_ms=now_ms,
            updated_at_ms=now_ms,
            charge_deadline_ms=now_ms + self.policy.charge_deadline_ms,
            event_seq=1,
            ready_at_ms=now_ms,
            due_at_ms=now_ms + DUE_AFTER_ACCEPT_MS,
            order=_order_link(request),
            layout=self.layout,
        )
        if request.checkout is None or self.checkout_opener is None:
            return payment
        return self.checkout_opener.opened(payment, request.checkout, merchant)

    def _first_job(self, payment: Payment) -> Job | None:
        """Build the first wake-up, from which a worker can claim without a read.

        It holds no token, only the request's hash. It is built before anything is written: a payment for which no
        request can be built is not accepted. A checkout whose payer has not chosen yet has none.
        """
        if payment.checkout is not None:
            unhinted = Job(merchant_id=payment.merchant_id, transaction_id=payment.transaction_id)
            return unhinted if payment.checkout.choice else None
        first = payment.route.candidates[0]
        charge = new_charge_request_of(payment, first.provider, 1)
        return Job(
            merchant_id=payment.merchant_id,
            transaction_id=payment.transaction_id,
            version=payment.version,
            provider=first.provider,
            account_id=first.account_id,
            request_hash=self.providers.get(first.provider).request_hash(charge),
            layout=payment.layout,
            due_at_ms=payment.due_at_ms,
        )

    def _wake(self, job: Job) -> None:
        """Send the wake-up. A failure is no error, because the payment is due anyway."""
        try:
            self.jobs.send(job)
        except StorageUnavailableError:
            self.telemetry.warn("job not sent; the sweeper will wake a worker", transactionId=job.transaction_id)

    def _replay(self, request: NewPayment, existing: Existing) -> Acceptance:
        if not existing.is_of(request.fingerprint, request.content_fingerprint):
            raise Refusal(
                "idempotency_key_reused",
                "This idempotency key was used for another request. Use a new key for a new payment, "
                "or repeat the first request unchanged.",
            )
        payment = existing.payment or self.payments.get(request.merchant_id, existing.transaction_id)
        if payment is None:
            raise StorageUnavailableError("the payment of a known key cannot be read")
        self.telemetry.count(Metric.REQUESTS_REPEATED)
        return Acceptance(payment=payment, replayed=True)


def _refuse_checkout(detail: str) -> NoReturn:
    raise Refusal("checkout_unavailable", detail, field="paymentMethod")


def _checkout_facts(checkout: NewCheckout) -> CheckoutFacts:
    return CheckoutFacts(methods=checkout.methods or CHECKOUT_METHODS, lifetime_ms=checkout.lifetime_ms)


def _order_link(request: NewPayment) -> OrderLink | None:
    if request.order_id is None:
        return None
    order = order_hash(request.merchant_id, request.order_id)
    return OrderLink(order_hash=order, order_id=request.order_id, once=request.once_per_order)
