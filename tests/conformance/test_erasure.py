"""After an erasure nothing that names the payer or pays the order is stored, at every provider."""

from dataclasses import asdict

from payflowx.application.merchants.erase_personal_data import ErasePersonalData
from payflowx.domain.merchants.operator_action import OperatorAction
from payflowx.domain.payments.erasure import BEARER_FACTS, ERASED_FACT
from payflowx.domain.shared.operation_request import OperationKind
from tests.support.conformance import PAYER, ProviderHarness


def test_a_paid_and_refunded_payment(provider: str) -> None:
    harness = ProviderHarness(provider)
    world = harness.world
    payment = harness.paid_for(OperationKind.REFUND)
    harness.settle(harness.request(OperationKind.REFUND, payment, 20_000))
    world.work_until_idle()
    before = world.now(payment)
    bearers = [value for a in before.attempts for name, value in a.progress.items() if name in BEARER_FACTS]
    assert bool(bearers) == ("cashfree" in provider)
    world.clock.advance(30 * 24 * 3600)
    for _ in range(50):
        if world.now(payment).due_at_ms is None:
            break
        world.sweep(world.deadline)
        world.work_until_idle()
        world.clock.advance(3600)
    erase = ErasePersonalData(
        payments=world.payments,
        operations=world.operations,
        outcome_writer=world.outcome_writer,
        clock=world.clock,
        policy=world.policy,
    )
    assert erase(payment.merchant_id, payment.transaction_id, OperatorAction(who="ada", why="T-1"))
    erased = world.now(payment)
    operations = world.operations.of_payment(payment.merchant_id, payment.transaction_id)
    kept = repr([asdict(erased), *(asdict(operation) for operation in operations)])
    assert not [
        value for value in (PAYER.name, PAYER.email, PAYER.phone, "tok_success", *bearers) if str(value) in kept
    ]
    facts = {name: value for attempt in erased.attempts for name, value in attempt.progress.items()}
    assert {value for name, value in facts.items() if name in BEARER_FACTS} <= {ERASED_FACT}


def test_a_refund_of_an_erased_payment_still_moves(provider: str) -> None:
    """What operations need of the charge, such as the provider's order id, stays."""
    harness = ProviderHarness(provider)
    world = harness.world
    payment = harness.paid_for(OperationKind.REFUND)
    erase = ErasePersonalData(
        payments=world.payments,
        operations=world.operations,
        outcome_writer=world.outcome_writer,
        clock=world.clock,
        policy=world.policy,
    )
    assert world.now(payment).due_at_ms is None
    assert erase(payment.merchant_id, payment.transaction_id, OperatorAction(who="ada", why="T-1"))
    ended = harness.settle(harness.request(OperationKind.REFUND, payment, 20_000))
    assert ended.status.value == "SUCCEEDED"
