"""Erasure of the personal data of a payment and its operations, and of what can pay.

The audit log holds none and stays.
"""

from dataclasses import dataclass, replace
from typing import Final

from payflowx.application.payments.outcome_writer import OutcomeWriter
from payflowx.domain.merchants.operator_action import OperatorAction
from payflowx.domain.payments.change import Context
from payflowx.domain.payments.erasure import erase_operation, erase_payment, is_operation_open, is_payment_open
from payflowx.domain.payments.operation import Operation
from payflowx.domain.payments.operation_ports import Operations
from payflowx.domain.payments.payment import Payment
from payflowx.domain.payments.ports import Payments, Stored
from payflowx.domain.payments.retry import RetryPolicy
from payflowx.domain.payments.state_machine import erase
from payflowx.domain.shared.ambient import Clock
from payflowx.domain.shared.errors import Refusal, StorageUnavailableError
from payflowx.domain.shared.limits import MAX_COMMIT_TRIES

MAX_OPERATIONS_ERASED: Final = 500
"""Writes of one call; each takes some milliseconds, and the operators' function ends after 30 seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ErasePersonalData:
    """Raises `Refusal` (`not_found`, `invalid_state`). Idempotent, also after a crash at any place."""

    payments: Payments
    operations: Operations
    outcome_writer: OutcomeWriter
    clock: Clock
    policy: RetryPolicy
    max_operations: int = MAX_OPERATIONS_ERASED

    def __call__(self, merchant_id: str, transaction_id: str, operator_action: OperatorAction) -> bool:
        """Erase the operations, then the payment; return False if operations are left for a further call.

        The payment is written last, on the condition that it is the one that was read first: an operation accepted or
        changed meanwhile changes it too. What is written to an erased payment later is written without personal data.
        """
        for _ in range(MAX_COMMIT_TRIES):
            payment = self.payments.get(merchant_id, transaction_id)
            if payment is None:
                raise Refusal("not_found", "There is no payment with this id.")
            left = self._left(payment)
            if not all(self._erase_operation(operation) for operation in left[: self.max_operations]):
                continue
            if len(left) > self.max_operations:
                return False
            if payment == erase_payment(payment) or self._erase_payment(payment, operator_action):
                return True
        raise StorageUnavailableError("the payment kept changing")

    def _left(self, payment: Payment) -> list[Operation]:
        """Return the operations that still hold something to erase."""
        now_ms = self.clock.now_ms()
        operations = self.operations.of_payment(payment.merchant_id, payment.transaction_id)
        if is_payment_open(payment, now_ms):
            raise Refusal("invalid_state", "The payment is not final yet. Erase its data after it has become final.")
        if payment.open_capture_or_void is not None or any(is_operation_open(o, now_ms) for o in operations):
            raise Refusal(
                "invalid_state",
                "A capture, void or refund of the payment is not final yet. Erase its data after it has become final.",
            )
        return [operation for operation in operations if operation != erase_operation(operation)]

    def _erase_operation(self, operation: Operation) -> bool:
        lease = operation.lease.after_change_by_another(self.clock.now_ms())
        erased = replace(erase_operation(operation), version=operation.version + 1, lease=lease)
        return isinstance(self.operations.reschedule(operation, erased), Stored)

    def _erase_payment(self, payment: Payment, operator_action: OperatorAction) -> bool:
        context = Context(
            now_ms=self.clock.now_ms(), actor="operator", policy=self.policy, evidence=operator_action.facts()
        )
        return self.outcome_writer.commit(erase(payment, context)) is not None
