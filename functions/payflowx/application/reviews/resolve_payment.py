"""Immediate inquiry about a payment. It starts no charge that would not start anyway."""

from dataclasses import dataclass

from payflowx.application.payments.outcome_writer import OutcomeWriter
from payflowx.domain.merchants.operator_action import OperatorAction
from payflowx.domain.payments.change import Context
from payflowx.domain.payments.payment import Payment
from payflowx.domain.payments.ports import Payments
from payflowx.domain.payments.retry import RetryPolicy
from payflowx.domain.payments.review import request_inquiry
from payflowx.domain.shared.ambient import Clock
from payflowx.domain.shared.errors import Refusal, StorageUnavailableError
from payflowx.domain.shared.limits import MAX_COMMIT_TRIES


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolvePayment:
    """Raises `Refusal` (`not_found`, `nothing_to_do`). The worker decides from the stored item."""

    payments: Payments
    outcome_writer: OutcomeWriter
    clock: Clock
    policy: RetryPolicy

    def __call__(self, merchant_id: str, transaction_id: str, operator_action: OperatorAction) -> Payment:
        """Return the payment, due now; its audit log holds the operator and the reason."""
        for _ in range(MAX_COMMIT_TRIES):
            payment = self.payments.get(merchant_id, transaction_id)
            if payment is None:
                raise Refusal("not_found", "There is no payment with this id.")
            context = Context(
                now_ms=self.clock.now_ms(), actor="operator", policy=self.policy, evidence=operator_action.facts()
            )
            stored = self.outcome_writer.commit(request_inquiry(payment, context))
            if stored is not None:
                return stored
        raise StorageUnavailableError("the payment kept changing")
