"""The first entry of a payment's audit log. It is made of what the payment never changes, so it can be made again.

A payment in the compact layout holds its first event without a copy of it: `event_hash` proves it, and the write of the
second event stores both. A change of this function needs a new format, because payments of the format before exist; a
test holds the hash of an example.
"""

from dataclasses import replace
from typing import Final

from payflowx.domain.payments.events import GENESIS_HASH, Event, Fact
from payflowx.domain.payments.payment import Payment

FIRST_EVENT_FORMAT: Final = 1


def accepted_event(payment: Payment) -> Event:
    """Return the event of a payment whose status is that of its acceptance."""
    route = payment.route
    facts: dict[str, Fact] = {
        "amount": payment.amount,
        "currency": payment.currency,
        "rule": route.rule,
        "routingDocument": route.document,
        "providers": ",".join(candidate.provider for candidate in route.candidates),
    }
    if payment.checkout is not None:
        facts["expiresAtMs"] = payment.checkout.expires_at_ms
    if payment.order is not None:
        facts["orderHash"] = payment.order.order_hash
    event = Event(
        merchant_id=payment.merchant_id,
        transaction_id=payment.transaction_id,
        seq=1,
        type="payment.accepted",
        status_from=None,
        status_to=payment.status,
        actor="api",
        at_ms=payment.created_at_ms,
        facts=facts,
        previous_hash=GENESIS_HASH,
    )
    return replace(event, hash=event.compute_hash())


def held_event(payment: Payment) -> Event | None:
    """Return the first event of a payment that still holds it; None once it is stored with the second one.

    Its hash is the one that was stored on acceptance: if the payment was altered since, the audit log shows it.
    """
    return replace(accepted_event(payment), hash=payment.event_hash) if payment.holds_first_event else None
