"""The state of a checkout, as its payer may see it. Pure."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from payflowx.domain.checkout.offers import Offer
from payflowx.domain.payments.attempt import Attempt
from payflowx.domain.payments.outcome import NextAction
from payflowx.domain.payments.payment import Payment
from payflowx.domain.shared.statuses import AttemptState, PaymentStatus

_CHARGED: Final = frozenset({AttemptState.SUCCEEDED, AttemptState.AUTHORIZED})


class Screen(StrEnum):
    """The screens of the page. Each shows merchant, amount and description."""

    CHOOSE = "choose"
    """The payer can choose a method."""
    OPENING = "opening"
    """A worker creates the object of the last choice."""
    OPEN = "open"
    """The object can be paid on the provider's page."""
    CLOSING = "closing"
    """The payer asked to close the open object, which is not proven yet."""
    BLOCKED = "blocked"
    """The provider may still turn the last, closed object into a charge: until then nothing else opens."""
    PROCESSING = "processing"
    """The payer has paid, and the provider or the bank has not answered finally."""
    PAID = "paid"
    FAILED = "failed"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    GONE = "gone"
    """Personal data was erased: the page is no longer available."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """The object that can be paid now, or that may still turn into a charge."""

    number: int
    method: str
    action: NextAction | None
    """The provider's address; None unless the object can be paid now."""
    until_ms: int | None
    """The time until which it can be paid, or may still turn into a charge."""
    is_closable: bool
    """The payer can ask to close it and choose again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckoutView:
    """The contents of the page, without personal data: everybody who has the address sees it."""

    screen: Screen
    transaction_id: str
    amount: int
    currency: str
    description: str | None
    expires_at_ms: int
    offers: tuple[Offer, ...] = ()
    door: Door | None = None
    choose_until_ms: int | None = None
    """The last time at which a method can be chosen; None unless one can be."""
    failed_tries: int = 0
    """The payer's failed tries, of the last object."""
    paid_at_ms: int | None = None
    """The time at which the charge was recorded; None before."""
    return_url: str | None = field(default=None, repr=False)
    """The shop's own address, without our parameters."""


def view_of(payment: Payment, found: tuple[Offer, ...], *, is_closable: bool, now_ms: int) -> CheckoutView:
    """Return what the page shows. `is_closable`: the provider of the last attempt can prove a closing.

    Raises ValueError for a payment that is no checkout.
    """
    checkout = payment.checkout
    if checkout is None:
        raise ValueError("the payment is no checkout")
    attempt = payment.unresolved_attempt
    screen = _screen(payment, attempt, found, now_ms)
    shown = attempt if screen in {Screen.OPEN, Screen.CLOSING, Screen.BLOCKED} else None
    last, offered = payment.last_attempt, found if screen is Screen.CHOOSE else ()
    return CheckoutView(
        screen=screen,
        transaction_id=payment.transaction_id,
        amount=payment.amount,
        currency=payment.currency,
        description=payment.description,
        expires_at_ms=checkout.expires_at_ms,
        offers=offered,
        door=_door(shown, is_closable=is_closable and screen is Screen.OPEN) if shown else None,
        choose_until_ms=max((offer.until_ms for offer in offered), default=None),
        failed_tries=last.failed_tries if last else 0,
        paid_at_ms=_paid_at_ms(payment) if screen is Screen.PAID else None,
        return_url=payment.return_url,
    )


def _paid_at_ms(payment: Payment) -> int | None:
    charged = (attempt for attempt in payment.attempts if attempt.state in _CHARGED)
    return next((attempt.settled_at_ms for attempt in charged), None)


def _screen(payment: Payment, attempt: Attempt | None, found: tuple[Offer, ...], now_ms: int) -> Screen:
    checkout = payment.checkout
    if checkout is None or checkout.address is None:
        return Screen.GONE
    match payment.status:
        case PaymentStatus.SUCCESS | PaymentStatus.AUTHORIZED:
            return Screen.PAID
        case PaymentStatus.CANCELLED:
            return Screen.CANCELLED
        case PaymentStatus.FAILED:
            return Screen.EXPIRED if now_ms >= checkout.expires_at_ms else Screen.FAILED
        case PaymentStatus.PENDING | PaymentStatus.IN_REVIEW:
            return Screen.PROCESSING
        case PaymentStatus.REQUIRES_ACTION:
            return _waiting_screen(payment, attempt, found, now_ms)


def _waiting_screen(payment: Payment, attempt: Attempt | None, found: tuple[Offer, ...], now_ms: int) -> Screen:
    checkout = payment.checkout
    if checkout is None:
        raise ValueError("the payment is no checkout")
    if attempt is not None and attempt.is_hosted_unopened and attempt.is_open:
        return Screen.OPENING
    if attempt is not None and attempt.state is AttemptState.REQUIRES_ACTION:
        is_closing = checkout.closing == attempt.number or payment.cancel_requested
        return Screen.CLOSING if is_closing else Screen.OPEN
    if attempt is not None and attempt.is_watched:
        return Screen.BLOCKED
    if attempt is not None or payment.cancel_requested:
        return Screen.PROCESSING
    if checkout.choice_for(len(payment.attempts) + 1) is not None:
        return Screen.OPENING
    return Screen.CHOOSE if found and now_ms < checkout.expires_at_ms else Screen.EXPIRED


def _door(attempt: Attempt, *, is_closable: bool) -> Door:
    hosted = attempt.hosted
    is_open = attempt.state is AttemptState.REQUIRES_ACTION
    return Door(
        number=attempt.number,
        method=hosted.method if hosted else "",
        action=attempt.next_action if is_open else None,
        until_ms=attempt.deadline_ms if is_open else attempt.reopens_until_ms,
        is_closable=is_closable,
    )
