"""A provider event proves a refund only if it is a refund of that refund's own charge."""

from typing import Any

import pytest

from payflowx.domain.inbound_webhooks.ports import ReceivedEvent
from payflowx.domain.payments.operation import Operation
from payflowx.domain.payments.outcome import Accepted, Mismatch, Succeeded
from payflowx.domain.payments.payment import Payment
from payflowx.domain.providers.events import ProviderEvent
from payflowx.domain.shared.operation_request import OperationKind
from payflowx.domain.shared.statuses import OperationStatus
from tests.support.world import World, fallback


@pytest.fixture
def world() -> World:
    found = World()
    found.rules.document = fallback("alpha")
    return found


@pytest.fixture
def waiting(world: World) -> tuple[Payment, Operation]:
    """A charge, and a refund of it that is pending at the provider."""
    payment = world.accept()
    world.work_until_idle()
    world.providers.get("alpha").moves = [Accepted(reference="re_1")]
    refund = world.request(OperationKind.REFUND, payment).operation
    world.work_until_idle()
    assert world.operation_now(refund).status is OperationStatus.PENDING
    return world.now(payment), world.operation_now(refund)


def moved(world: World, refund: Operation, **charge: Any) -> ReceivedEvent:
    """The refund is done, and these are the ids of the charge whose money it gave back."""
    attempt = refund.attempts[0]
    proof = Succeeded(
        reference="re_1", amount=refund.amount, currency=refund.currency, merchant_reference=attempt.provider_key
    )
    return ReceivedEvent(
        merchant_id="acme",
        provider="alpha",
        account_id="main",
        received_at_ms=world.clock.now_ms(),
        provider_event=ProviderEvent(
            event_id="ev-1",
            type="refund.done",
            operation_reference="re_1",
            operation_key=attempt.provider_key,
            operation_outcome=proof,
            **charge,
        ),
    )


def test_of_its_own_charge_is_proof(world: World, waiting: tuple[Payment, Operation]) -> None:
    payment, refund = waiting
    charge = payment.attempts[0]
    event = moved(world, refund, charge_reference=charge.reference, charge_key=charge.provider_key)
    world.process_provider_event(event)
    assert world.operation_now(refund).status is OperationStatus.SUCCEEDED


@pytest.mark.parametrize("charge", [{"charge_reference": "ch_other"}, {"charge_key": "pfx-zzzzzzzzzzzzzzzz-1"}])
def test_of_another_charge_causes_an_inquiry(
    world: World, waiting: tuple[Payment, Operation], charge: dict[str, str]
) -> None:
    """Such as Cashfree's refund of an order that was paid twice: the other payment may have given the money."""
    payment, refund = waiting
    alpha = world.providers.get("alpha")
    alpha.operation_inquiries = [Mismatch(code="another_payment", reference="re_1")]
    world.process_provider_event(moved(world, refund, **charge))
    assert world.operation_now(refund).status is OperationStatus.PENDING
    world.work_until_idle()
    assert world.operation_now(refund).status is OperationStatus.IN_REVIEW
    assert (world.now(payment).refunded, world.now(payment).reserved) == (0, refund.amount)
