"""Erasure of a payment's personal data and tokens.

The audit log holds none and stays.
"""

from dataclasses import dataclass

from payflowx.application.payments.outcome_writer import OutcomeWriter
from payflowx.domain.merchants.operator_action import OperatorAction
from payflowx.domain.payments.payment import Payment
from payflowx.domain.payments.ports import Payments
from payflowx.domain.payments.retry import RetryPolicy
from payflowx.domain.payments.state_machine import Context, erase
from payflowx.domain.shared.ambient import Clock
from payflowx.domain.shared.errors import Refusal, StorageUnavailableError
from payflowx.domain.shared.limits import MAX_COMMIT_TRIES


@dataclass(frozen=True, slots=True, kw_only=True)
class ErasePersonalData:
    """Raises `Refusal` (`not_found`, `invalid_state`). Idempotent."""

    payments: Payments
    outcome_writer: OutcomeWriter
    clock: Clock
    policy: RetryPolicy

    def __call__(self, merchant_id: str, transaction_id: str, operator_action: OperatorAction) -> Payment:
        """Return the payment without customer, tokens, description, metadata and URLs."""
        for _ in range(MAX_COMMIT_TRIES):
            payment = self.payments.get(merchant_id, transaction_id)
            if payment is None:
                raise Refusal("not_found", "There is no payment with this id.")
            if payment.erased:
                return payment
            if payment.due_at_ms is not None or payment.lease.is_live(self.clock.now_ms()):
                raise Refusal(
                    "invalid_state",
                    "The payment is not final yet. Erase its data after it has become final.",
                )
            context = Context(
                now_ms=self.clock.now_ms(), actor="operator", policy=self.policy, evidence=operator_action.facts()
            )
            stored = self.outcome_writer.commit(erase(payment, context))
            if stored is not None:
                return stored
        raise StorageUnavailableError("the payment kept changing")
