"""The first event is made again from a stored payment: by every later release, exactly as it was."""

from dataclasses import replace

from payflowx.domain.payments.acceptance import FIRST_EVENT_FORMAT, accepted_event, held_event
from payflowx.domain.payments.events import GENESIS_HASH
from tests.data.items.write import payments

PAYMENT = next(payments())
HASH = "b81cbc26ef142fb29eb6c24e3320deddfa3a88ab48302ef908987804b35cd2b0"


def test_the_event_of_format_1_has_this_hash() -> None:
    """A change of the event's facts needs a new format: payments that hold an event of this one exist."""
    assert FIRST_EVENT_FORMAT == 1
    assert accepted_event(replace(PAYMENT, checkout=None)).hash == HASH


def test_a_payment_holds_its_event_until_the_second_one() -> None:
    assert held_event(PAYMENT) is None
    accepted = accepted_event(PAYMENT)
    holder = replace(PAYMENT, event_seq=1, event_hash=accepted.hash, holds_first_event=True)
    assert held_event(holder) == accepted


def test_an_altered_payment_shows_in_its_event() -> None:
    accepted = accepted_event(PAYMENT)
    altered = replace(PAYMENT, event_hash=accepted.hash, holds_first_event=True, amount=PAYMENT.amount + 1)
    held = held_event(altered)
    assert held is not None
    assert held.hash == accepted.hash != held.compute_hash()
    assert held.previous_hash == GENESIS_HASH
