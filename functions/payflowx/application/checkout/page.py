"""The acts of a payer who has the address of a checkout: see it, choose, close the open object, come back."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Final

from payflowx.application.payments.outcome_writer import OutcomeWriter
from payflowx.domain.checkout.addresses import return_address
from payflowx.domain.checkout.offers import Offer, offers
from payflowx.domain.checkout.refused_starts import RefusedStarts
from payflowx.domain.checkout.tokens import CheckoutTokens, Purpose
from payflowx.domain.checkout.view import CheckoutView, Screen, view_of
from payflowx.domain.merchants.ports import Merchant, MerchantConfiguration
from payflowx.domain.payments.change import Context
from payflowx.domain.payments.checkout import MIN_EXPEDITE_INTERVAL_MS, Checkout, Choice
from payflowx.domain.payments.outcome import NextAction
from payflowx.domain.payments.payment import FACT_PREFIX, Customer, Payment
from payflowx.domain.payments.ports import Payments, Stored
from payflowx.domain.payments.retry import RetryPolicy
from payflowx.domain.payments.state_machine import choose, expedite
from payflowx.domain.providers.ports import Providers
from payflowx.domain.shared.ambient import Clock, Telemetry
from payflowx.domain.shared.errors import StorageUnavailableError
from payflowx.domain.shared.limits import MAX_ATTEMPTS, MAX_COMMIT_TRIES, SECOND_MS
from payflowx.domain.shared.metrics import Metric
from payflowx.domain.shared.statuses import AttemptState, PaymentStatus

_POLL_SECONDS: Final = 0.25


class Obstacle(StrEnum):
    """Why a request of the payer changed nothing, for a sentence on the page."""

    METHOD_UNKNOWN = "method_unknown"
    DATA_MISSING = "data_missing"
    ALREADY_CHOSEN = "already_chosen"
    TOO_MANY_STARTS = "too_many_starts"
    ATTEMPTS_USED = "attempts_used"
    NOT_OPEN = "not_open"
    NOT_CLOSABLE = "not_closable"
    BUSY = "busy"


_BEYOND_LIMITS: Final = frozenset({Obstacle.TOO_MANY_STARTS, Obstacle.ATTEMPTS_USED})
"""Typical of a program that tests stolen cards."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """The payer's input on our page, validated. It completes the customer and replaces nothing."""

    name: str | None = field(default=None, repr=False)
    email: str | None = field(default=None, repr=False)
    phone: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """The page of a valid address."""

    merchant: Merchant
    view: CheckoutView


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """The payer's choice was stored. `action`: the provider's address, if it was known in time."""

    action: NextAction | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckoutPage:
    """Every method returns None for an address that is unknown, changed, expired or of another purpose.

    Raises `StorageUnavailableError` when the payer should repeat the request.
    """

    payments: Payments
    merchants: MerchantConfiguration
    providers: Providers
    tokens: CheckoutTokens
    outcome_writer: OutcomeWriter
    clock: Clock
    telemetry: Telemetry
    policy: RetryPolicy
    pause: Callable[[float], None]
    wait_seconds: float
    """How long the request whose choice was stored waits for the provider's address; 0: not at all."""
    refused_starts: RefusedStarts | None = None
    """None: they are not counted."""

    def show(self, token: str) -> Page | None:
        """Return the page. Changes nothing: programs that show a preview of an address open it, too."""
        found = self._find(token, Purpose.PAY)
        return self._page(*found) if found else None

    def choose(self, token: str, method: str, contact: Contact) -> Chosen | Obstacle | None:
        """Store the choice of a method, and have a worker begin its attempt."""
        for _ in range(MAX_COMMIT_TRIES):
            found = self._find(token, Purpose.PAY)
            if found is None:
                return None
            payment, merchant = found
            customer = self._completed(payment, merchant, method, contact)
            planned = self._planned(replace(payment, customer=customer), merchant, method)
            if isinstance(planned, Obstacle):
                self._count_refused_start(planned, merchant)
                return planned
            change = choose(payment, planned, self._context())
            change = replace(change, after=replace(change.after, customer=customer))
            stored = self.outcome_writer.commit(change)
            if stored is not None:
                return Chosen(action=self._wait(stored))
        return Obstacle.BUSY

    def close(self, token: str) -> Obstacle | bool | None:
        """Ask a worker to close the open object, so that the payer can choose again. True: the wish is stored."""
        for _ in range(MAX_COMMIT_TRIES):
            found = self._find(token, Purpose.PAY)
            if found is None:
                return None
            payment, _merchant = found
            attempt, checkout = payment.unresolved_attempt, payment.checkout
            if checkout is None or attempt is None or attempt.state is not AttemptState.REQUIRES_ACTION:
                return Obstacle.NOT_OPEN
            if checkout.closing == attempt.number:
                return True
            if not self._is_closable(payment):
                return Obstacle.NOT_CLOSABLE
            if payment.lease.is_live(self.clock.now_ms()):
                return Obstacle.BUSY
            change = choose(payment, checkout.closed_by_payer(attempt.number), self._context())
            if self.outcome_writer.commit(change) is not None:
                return True
        return Obstacle.BUSY

    def come_back(self, token: str) -> Page | None:
        """Return the page for a payer whom a provider sent back, and have a worker inquire soon. It proves nothing."""
        found = self._find(token, Purpose.RETURN)
        if found is None:
            return None
        payment, merchant = found
        return self._page(self._expedited(payment), merchant)

    # -- parts

    def _find(self, token: str, purpose: Purpose) -> tuple[Payment, Merchant] | None:
        bearer = self.tokens.open(token, self.clock.now_ms())
        if bearer is None or bearer.purpose is not purpose:
            return None
        self.telemetry.about(transactionId=bearer.transaction_id, merchantId=bearer.merchant_id)
        payment = self.payments.get(bearer.merchant_id, bearer.transaction_id)
        merchant = self.merchants.get(bearer.merchant_id)
        if payment is None or payment.checkout is None or merchant is None:
            return None
        return payment, merchant

    def _page(self, payment: Payment, merchant: Merchant) -> Page:
        now_ms = self.clock.now_ms()
        view = view_of(payment, self._offers(payment, merchant), is_closable=self._is_closable(payment), now_ms=now_ms)
        return Page(merchant=merchant, view=view)

    def _offers(self, payment: Payment, merchant: Merchant) -> tuple[Offer, ...]:
        return offers(payment, self.providers.capabilities(), merchant.disabled, self.clock.now_ms())

    def _is_closable(self, payment: Payment) -> bool:
        attempt = payment.unresolved_attempt
        able = self.providers.capabilities().get(attempt.provider) if attempt else None
        return able is not None and able.hosted is not None and able.hosted.is_closing_proof

    def _completed(self, payment: Payment, merchant: Merchant, method: str, contact: Contact) -> Customer | None:
        """Return the customer with what the payer typed, where nothing was known or the provider does not take it."""
        offer = next((offer for offer in self._offers(payment, merchant) if offer.method == method), None)
        typed = {name: getattr(contact, name) for name in ("name", "email", "phone")}
        known, asked = payment.customer or Customer(), offer.missing if offer else ()
        filled = {
            name: value
            for name, value in typed.items()
            if value and (not getattr(known, name) or f"{FACT_PREFIX}{name}" in asked)
        }
        return replace(known, **filled) if filled else payment.customer

    def _planned(self, payment: Payment, merchant: Merchant, method: str) -> Checkout | Obstacle:
        """Return the checkout with the choice, or the reason why none is stored."""
        now_ms, checkout = self.clock.now_ms(), payment.checkout
        found = self._offers(payment, merchant)
        screen = view_of(payment, found, is_closable=False, now_ms=now_ms).screen
        if checkout is None or screen is not Screen.CHOOSE or payment.lease.is_live(now_ms):
            return Obstacle.ALREADY_CHOSEN
        offer = next((offer for offer in found if offer.method == method), None)
        if offer is None:
            return Obstacle.METHOD_UNKNOWN
        if offer.missing:
            return Obstacle.DATA_MISSING
        number = len(payment.attempts) + 1
        if number > MAX_ATTEMPTS:
            return Obstacle.ATTEMPTS_USED
        if not checkout.may_start(now_ms):
            return Obstacle.TOO_MANY_STARTS
        back = return_address(
            checkout.address or "",
            self.tokens,
            payment.merchant_id,
            payment.transaction_id,
            checkout.expires_at_ms,
        )
        return checkout.chosen(Choice(number=number, method=method, ways=offer.ways, return_url=back), now_ms)

    def _count_refused_start(self, obstacle: Obstacle, merchant: Merchant) -> None:
        if obstacle not in _BEYOND_LIMITS:
            return
        self.telemetry.count(Metric.CHECKOUT_STARTS_REFUSED)
        self.telemetry.warn("start refused", reason=obstacle.value)
        if self.refused_starts is None or merchant.checkout.max_refused_starts is None:
            return
        try:
            self.refused_starts.add(merchant.merchant_id, self.clock.now_ms())
        except StorageUnavailableError as error:
            self.telemetry.warn("refused start not counted", reason=str(error))

    def _wait(self, stored: Payment) -> NextAction | None:
        """Wait for the object of this choice: only the request that stored it does."""
        number = len(stored.attempts) + 1
        until_ms = self.clock.now_ms() + int(self.wait_seconds * SECOND_MS)
        while self.clock.now_ms() < until_ms:
            self.pause(_POLL_SECONDS)
            payment = self.payments.get(stored.merchant_id, stored.transaction_id)
            if payment is None or payment.status is not PaymentStatus.REQUIRES_ACTION:
                return None
            opened = next((a.next_action for a in payment.attempts[number - 1 :] if a.next_action), None)
            waits = payment.checkout is not None and payment.checkout.choice is not None
            if opened is not None or not waits:
                return opened
        return None

    def _expedited(self, payment: Payment) -> Payment:
        """Bring the next inquiry forward, at most once in `MIN_EXPEDITE_INTERVAL_MS`."""
        now_ms, checkout, attempt = self.clock.now_ms(), payment.checkout, payment.unresolved_attempt
        if checkout is None or attempt is None or payment.lease.is_live(now_ms):
            return payment
        if now_ms < checkout.expedited_at_ms + MIN_EXPEDITE_INTERVAL_MS or payment.ready_at_ms <= now_ms:
            return payment
        after = replace(expedite(payment, now_ms), checkout=replace(checkout, expedited_at_ms=now_ms))
        stored = self.payments.reschedule(payment, after)
        if not isinstance(stored, Stored):
            return stored.item or payment
        self.outcome_writer.wake(stored.item, 0)
        return stored.item

    def _context(self) -> Context:
        return Context(now_ms=self.clock.now_ms(), actor="payer", policy=self.policy)
