"""The current balance of a payment that an older release wrote last.

An item of this release is current already and costs no read. After an older release wrote it, its operations are read
once, and the next write stores the result.
"""

from payflowx.domain.payments.balances import is_balanced
from payflowx.domain.payments.derived_balance import Ledger, derive_ledger, rebuild
from payflowx.domain.payments.operation import Operation
from payflowx.domain.payments.operation_ports import Operations
from payflowx.domain.payments.payment import BalanceSource, Payment


def current_payment(payment: Payment, operations: Operations) -> Payment:
    """Return the payment with a current `reserved`."""
    return payment if payment.balance_source is not BalanceSource.OUTDATED else ledger_of(payment, operations).payment


def current_ledger(payment: Payment, operation: Operation, operations: Operations) -> tuple[Payment, Operation]:
    """Return payment and operation with a current `reserved` and, where the amounts decide it, a current `held`."""
    if payment.balance_source is not BalanceSource.OUTDATED and operation.held is not None:
        return payment, operation
    ledger = ledger_of(payment, operations)
    derived = ledger.operations.get(operation.operation_id)
    # The operation may have changed between the two reads; then its own version fails the write.
    same = derived is not None and derived.version == operation.version
    return ledger.payment, derived if derived is not None and same else operation


def explained_payment(payment: Payment, operations: Operations) -> tuple[Payment, Payment]:
    """Return the current payment, and the payment with the amounts that its operations give.

    They are the same, unless the payment is off balance. Raises `Refusal` (`held_unknown`).
    """
    if payment.balance_source is not BalanceSource.OUTDATED and is_balanced(payment):
        return payment, payment
    ledger = ledger_of(payment, operations)
    return ledger.payment, rebuild(ledger)


def ledger_of(payment: Payment, operations: Operations) -> Ledger:
    """Return the payment and all of its operations, current."""
    return derive_ledger(payment, operations.of_payment(payment.merchant_id, payment.transaction_id))
