"""What every change has in common: whose lease it ends, and whether merchants are notified of it."""

from dataclasses import replace

import pytest

from payflowx.domain.payments.change import Context, change_of, operation_change
from payflowx.domain.payments.operation import Operation
from payflowx.domain.payments.payment import Lease, Payment
from payflowx.domain.shared.operation_request import OperationKind
from payflowx.domain.shared.statuses import OperationStatus, PaymentStatus
from tests.support.world import World

NOW = 1_790_000_000_000
LEASE = Lease(owner="a", epoch=1, expires_at_ms=NOW + 1)


def context(*, holds_lease: bool, actor: str = "worker") -> Context:
    return Context(now_ms=NOW, actor=actor, holds_lease=holds_lease, policy=World().policy)


def leased() -> Payment:
    return replace(World().accept(), lease=LEASE, drives=2)


def refund(status: OperationStatus, payment: Payment) -> Operation:
    return Operation(
        merchant_id=payment.merchant_id,
        transaction_id=payment.transaction_id,
        operation_id="ref_aaaaaaaaaaaaaaaa",
        kind=OperationKind.REFUND,
        fingerprint="f",
        amount=1,
        currency=payment.currency,
        charge_attempt=1,
        status=status,
        lease=LEASE,
        created_at_ms=NOW,
        updated_at_ms=NOW,
        send_deadline_ms=NOW,
        ready_at_ms=NOW,
    )


@pytest.mark.parametrize("actor", ["worker", "somebody"])
@pytest.mark.parametrize("holds_lease", [True, False])
def test_a_lease_is_ended_by_its_holder_whatever_it_is_called(actor: str, *, holds_lease: bool) -> None:
    payment = leased()
    change = change_of(payment, payment, "payment.erased", {}, context(holds_lease=holds_lease, actor=actor))
    assert (change.after.lease == LEASE.released()) is holds_lease


def test_a_change_of_an_operation_leaves_the_payments_lease_to_its_worker() -> None:
    payment = leased()
    before, after = (refund(status, payment) for status in (OperationStatus.PENDING, OperationStatus.SUCCEEDED))
    change = operation_change(payment, payment, before, after, context(holds_lease=True), name="succeeded", facts={})
    assert (change.after.lease, change.after.drives) == (LEASE, 2)
    assert change.operation_after is not None
    assert change.operation_after.lease == LEASE.released()


def test_merchants_are_notified_of_a_new_status_and_of_nothing_else() -> None:
    payment = leased()
    same = change_of(payment, payment, "payment.erased", {}, context(holds_lease=False))
    failed = replace(payment, status=PaymentStatus.FAILED)
    new = change_of(payment, failed, "payment.failed", {}, context(holds_lease=False))
    assert (same.merchant_event_type, same.after.announced) == (None, payment.announced)
    assert (new.merchant_event_type, new.after.announced) == ("payment.failed", payment.announced + 1)


def test_an_operation_counts_with_its_payments_events() -> None:
    payment = leased()
    pending, done = (refund(status, payment) for status in (OperationStatus.PENDING, OperationStatus.SUCCEEDED))
    accepted = operation_change(payment, payment, None, pending, context(holds_lease=False), name="requested", facts={})
    ended = operation_change(payment, payment, pending, done, context(holds_lease=True), name="succeeded", facts={})
    assert (accepted.merchant_event_type, accepted.after.announced) == (None, payment.announced)
    assert (ended.merchant_event_type, ended.after.announced) == ("refund.succeeded", payment.announced + 1)
