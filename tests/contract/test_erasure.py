"""After an erasure nothing of the payer is in any item, searched by value; it can be repeated after any crash."""

import json
from dataclasses import replace
from typing import Any

import pytest

from payflowx.application.merchants.erase_personal_data import ErasePersonalData
from payflowx.domain.payments.erasure import ERASED_FACT, is_operation_open
from payflowx.domain.payments.operation import Operation
from payflowx.domain.payments.outcome import ActionRequired, Declined, NextAction, Progress, Unknown
from payflowx.domain.payments.payment import Address, Customer, Lease, Payment, PaymentMethod
from payflowx.domain.shared.errors import Refusal, StorageUnavailableError
from payflowx.domain.shared.operation_request import OperationKind
from payflowx.domain.shared.statuses import CaptureMode, DeclineKind, OperationStatus
from tests.contract.test_operations_port import new_refund
from tests.contract.test_outdated_balance import ADA, StoredWorld

HOME = Address(line1="1 Canary Road", line2="canary", city="canary", state="canary", postal_code="canary")
PAYER = Customer(id="cust-canary", name="Ada Canary", email="canary@example.com", phone="+911111canary", address=HOME)
TEXT = "Refund to Ada Canary refused by the bank"
REFUND, CAPTURE = OperationKind.REFUND, OperationKind.CAPTURE


@pytest.fixture
def world() -> StoredWorld:
    return StoredWorld()


def paid(world: StoredWorld, **changes: Any) -> Payment:
    """A payment that names its payer wherever it can."""
    accepted = world.accept(
        customer=PAYER,
        description="canary",
        statement_descriptor_suffix="canary",
        receipt_email="canary@example.org",
        metadata={"note": "canary"},
        return_url="https://shop.example/canary",
        payment_method=PaymentMethod(type="card", token="tok_canary", tokens={"beta": "tok_canary_beta"}),
        **changes,
    )
    world.work_until_idle()
    return world.now(accepted)


def erase(world: StoredWorld, payment: Payment, **limits: int) -> bool:
    use_case = ErasePersonalData(
        payments=world.payments,
        operations=world.operations,
        outcome_writer=world.outcome_writer,
        clock=world.clock,
        policy=world.policy,
        **limits,
    )
    return use_case(payment.merchant_id, payment.transaction_id, ADA)


def stored(world: StoredWorld) -> str:
    """Every item of every table as text."""
    return json.dumps(
        [item for table in world.dynamodb.client.tables.values() for _, item in table.items()], default=repr
    )


def refuse_refund(world: StoredWorld, payment: Payment, key: str = "r") -> Operation:
    return world.refund(payment, 1, Declined(code="refused", message=TEXT), key=key)


def many_refunds(world: StoredWorld, payment: Payment, count: int) -> None:
    """Failed refunds with texts, stored as a worker leaves them."""
    template = refuse_refund(world, payment)
    for number in range(count - 1):
        operation = replace(template, operation_id=new_refund(payment, f"x{number}").operation_id)
        world.store(operation)


def test_nothing_of_the_payer_is_left_anywhere(world: StoredWorld) -> None:
    world.providers.get("alpha").charges = [Declined(kind=DeclineKind.SOFT, code="soft", message=TEXT)]
    payment = paid(world)
    refuse_refund(world, payment)
    assert stored(world).count("anary") > 8
    assert erase(world, payment)
    assert "anary" not in stored(world)
    assert world.now(payment).erased


def test_what_a_provider_says_later_is_not_kept(world: StoredWorld) -> None:
    payment = paid(world)
    assert erase(world, payment)
    refused = refuse_refund(world, payment)
    assert refused.status is OperationStatus.FAILED
    assert "anary" not in stored(world)


def test_what_can_pay_an_order_is_replaced_and_the_provider_s_ids_stay(world: StoredWorld) -> None:
    alpha = world.providers.get("alpha")
    alpha.charges = [Progress(facts={"payment_session_id": "session-canary", "order_id": "order_1"}), "charged"]
    payment = paid(world)
    assert "session-canary" in stored(world)
    assert erase(world, payment)
    assert world.now(payment).attempts[0].progress == {"payment_session_id": ERASED_FACT, "order_id": "order_1"}
    assert "session-canary" not in stored(world)


def test_an_erasure_by_release_020_is_completed(world: StoredWorld) -> None:
    """It left operations and progress as they were, and called the payment erased."""
    payment = paid(world)
    refuse_refund(world, payment)
    old = world.old_payment(payment, strip=False, erased=True)
    assert erase(world, old)
    assert "anary" not in stored(world)


def test_a_repeat_writes_nothing(world: StoredWorld) -> None:
    payment = paid(world)
    refuse_refund(world, payment)
    assert erase(world, payment)
    before = stored(world)
    assert erase(world, payment)
    assert stored(world) == before


def test_the_expired_lease_of_a_refund_is_released(world: StoredWorld) -> None:
    """Its holder was killed, and an event ended the refund. If it only stood still, it must write nothing any more."""
    payment = paid(world)
    refused = refuse_refund(world, payment)
    held = Lease(owner="gone", epoch=refused.lease.epoch + 1, expires_at_ms=world.clock.now_ms() - 1)
    world.store(replace(refused, operation_id=new_refund(payment, "held").operation_id, lease=held))
    assert erase(world, payment)
    leases = [o.lease for o in world.operations.of_payment(payment.merchant_id, payment.transaction_id)]
    assert Lease(epoch=held.epoch + 1) in leases
    assert not any(lease.owner for lease in leases)


class TestRefusal:
    def refused(self, world: StoredWorld, payment: Payment) -> bool:
        before = stored(world)
        with pytest.raises(Refusal) as refusal:
            erase(world, payment)
        return refusal.value.code == "invalid_state" and stored(world) == before

    def test_while_a_refund_is_on_its_way(self, world: StoredWorld) -> None:
        payment = paid(world)
        operation = world.request(REFUND, payment, 5).operation
        assert world.now(payment).due_at_ms is None
        assert self.refused(world, payment)
        world.work_until_idle()
        assert world.operation_now(operation).status is OperationStatus.SUCCEEDED
        assert erase(world, payment)

    def test_while_a_capture_is_on_its_way(self, world: StoredWorld) -> None:
        payment = paid(world, capture=CaptureMode.MANUAL)
        world.request(CAPTURE, payment)
        assert world.now(payment).open_capture_or_void is not None
        assert self.refused(world, payment)

    def test_while_a_capture_waits_for_a_person(self, world: StoredWorld) -> None:
        payment = paid(world, capture=CaptureMode.MANUAL)
        operation = world.request(CAPTURE, payment).operation
        world.old_operation(operation, strip=False, status="IN_REVIEW", dueAt=None, dueShard=None)
        world.old_payment(payment, strip=False, dueAt=None, dueShard=None)
        assert not is_operation_open(world.operation_now(operation), world.clock.now_ms())
        assert self.refused(world, world.now(payment))

    def test_while_a_refund_is_pending_even_if_nothing_is_due(self, world: StoredWorld) -> None:
        payment = paid(world)
        operation = world.request(REFUND, payment, 5).operation
        world.old_operation(operation, strip=False, dueAt=None, dueShard=None)
        assert self.refused(world, payment)

    def test_while_a_refund_is_unknown_and_will_be_asked_about(self, world: StoredWorld) -> None:
        payment = paid(world)
        world.refund(payment, 5, Unknown(code="read_timeout", message=TEXT))
        assert self.refused(world, payment)

    def test_while_the_payment_is_not_final(self, world: StoredWorld) -> None:
        action = ActionRequired(reference="r", action=NextAction(kind="redirect", url="https://bank.test/canary"))
        world.providers.get("alpha").charges = [action]
        assert self.refused(world, paid(world))

    def test_of_an_unknown_payment(self, world: StoredWorld) -> None:
        with pytest.raises(Refusal, match="no payment"):
            erase(world, replace(paid(world), transaction_id="pay_aaaaaaaaaaaaaaaa"))


class TestManyOperations:
    def test_a_thousand_are_erased_in_bounded_calls(self, world: StoredWorld) -> None:
        payment = paid(world)
        many_refunds(world, payment, 1_000)
        answers = [erase(world, payment, max_operations=400) for _ in range(3)]
        assert answers == [False, False, True]
        assert "anary" not in stored(world)

    def test_the_payment_is_called_erased_only_after_its_operations(self, world: StoredWorld) -> None:
        payment = paid(world)
        many_refunds(world, payment, 5)
        assert not erase(world, payment, max_operations=4)
        assert not world.now(payment).erased

    @pytest.mark.parametrize("crash_at", range(8))
    def test_a_crash_at_any_write_can_be_repeated(self, world: StoredWorld, crash_at: int) -> None:
        payment = paid(world)
        many_refunds(world, payment, 6)
        writes = 0

        def crash(method: str, _request: object) -> None:
            nonlocal writes
            is_write = method in {"update_item", "transact_write_items"}
            writes += is_write
            if is_write and writes == crash_at + 1:
                raise StorageUnavailableError("the process died")

        world.dynamodb.before = crash
        try:
            done = erase(world, payment)
        except StorageUnavailableError:
            done = False
        world.dynamodb.before = lambda _method, _request: None
        assert done is (crash_at >= 6)  # a lost write of the payment itself is repeated by the same call
        assert erase(world, payment)
        assert "anary" not in stored(world)
        assert world.now(payment).erased


def test_a_refund_that_is_accepted_meanwhile_is_not_overlooked(
    world: StoredWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    payment = paid(world)
    listed = world.operations.of_payment

    def accepting(merchant_id: str, transaction_id: str) -> Any:
        monkeypatch.undo()
        found = listed(merchant_id, transaction_id)
        world.request(REFUND, payment, 5)
        return found

    monkeypatch.setattr(type(world.operations), "of_payment", lambda _self, *names: accepting(*names))
    with pytest.raises(Refusal, match="capture, void or refund"):
        erase(world, payment)
    assert not world.now(payment).erased
