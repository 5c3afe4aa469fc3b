"""What holds of a payment's amounts in every stored version, said again so that a fault of the domain's own check is
found."""

from payflowx.domain.payments.operation import Operation
from payflowx.domain.payments.payment import Payment
from payflowx.domain.shared.operation_request import OperationKind
from tests.support.world import World


def amounts(payment: Payment) -> dict[str, int]:
    """The amounts that are not zero."""
    names = ("capturable", "captured", "refundable", "refunded", "reserved", "excess")
    return {name: getattr(payment, name) for name in names if getattr(payment, name)}


def assert_balanced(payment: Payment) -> None:
    parts = [getattr(payment, n) for n in ("capturable", "captured", "refundable", "refunded", "reserved", "excess")]
    assert min(parts) >= 0, amounts(payment)
    left, right = payment.captured + payment.excess, payment.refundable + payment.refunded + payment.reserved
    assert left == right, amounts(payment)
    assert payment.captured + payment.capturable <= payment.amount, amounts(payment)
    assert not (payment.excess and payment.refundable), amounts(payment)


def operations_of(world: World, payment: Payment) -> list[Operation]:
    return list(world.operations.of_payment(payment.merchant_id, payment.transaction_id))


def assert_agrees(payment: Payment, operations: list[Operation]) -> None:
    """The payment's amounts are the sums of what its refunds hold."""
    refunds = [operation for operation in operations if operation.kind is OperationKind.REFUND]
    assert payment.reserved == sum(o.amount for o in refunds if o.held == "reserved")
    assert payment.refunded == sum(o.booked for o in refunds if o.held == "booked")
