"""Closing of an operation's manual review with evidence."""

from dataclasses import dataclass

from payflowx.application.payments.current_ledger import current_ledger
from payflowx.application.payments.outcome_writer import OutcomeWriter
from payflowx.application.reviews.close_review import ReviewEntry, review_facts
from payflowx.domain.merchants.approvals import require_second_person
from payflowx.domain.merchants.directory import MerchantDirectory, limits_of
from payflowx.domain.merchants.operator_action import OperatorAction
from payflowx.domain.payments.change import Context
from payflowx.domain.payments.operation import Operation
from payflowx.domain.payments.operation_ports import Operations
from payflowx.domain.payments.operation_review import close_operation_review
from payflowx.domain.payments.ports import Payments, ReferenceTaken, Stored
from payflowx.domain.payments.retry import RetryPolicy
from payflowx.domain.payments.review_since import check_seen, seen_review
from payflowx.domain.shared.ambient import Clock
from payflowx.domain.shared.errors import Refusal, StorageUnavailableError
from payflowx.domain.shared.limits import MAX_ACCEPT_TRIES


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseOperationReview:
    """Raises `Refusal`, and `SecondPersonNeeded` for a valid decision above the merchant's limit.

    Codes: `not_found`, `invalid_state`, `busy`, `evidence_contradicts`, `held_unknown`, `amount_invalid`,
    `not_supported`, `reference_taken`.
    """

    payments: Payments
    operations: Operations
    outcome_writer: OutcomeWriter
    merchant_directory: MerchantDirectory
    clock: Clock
    policy: RetryPolicy

    def __call__(
        self, merchant_id: str, operation_id: str, finding: ReviewEntry, operator_action: OperatorAction
    ) -> Operation:
        """Return the operation, SUCCEEDED or FAILED; its payment's audit log holds the evidence."""
        facts = review_facts(finding, operator_action)
        transaction_id = self.operations.locate(merchant_id, operation_id)
        for _ in range(MAX_ACCEPT_TRIES):
            payment = self.payments.get(merchant_id, transaction_id) if transaction_id else None
            operation = self.operations.get(merchant_id, transaction_id, operation_id) if transaction_id else None
            if payment is None or operation is None:
                raise Refusal("not_found", "There is no capture, void or refund with this id.")
            seen = seen_review(operation)
            context = Context(now_ms=self.clock.now_ms(), actor="operator", policy=self.policy, evidence=facts)
            payment, operation = current_ledger(payment, operation, self.operations)
            change = close_operation_review(payment, operation, finding.decision(), context)
            check_seen(seen, finding.seen)
            largest = max(operation.amount, finding.amount or 0)
            limits = limits_of(self.merchant_directory, merchant_id)
            require_second_person(limits, largest, payment.currency, operator_action, seen=seen)
            result = self.outcome_writer.apply(change)
            if isinstance(result, ReferenceTaken):
                raise Refusal(
                    "reference_taken",
                    "The provider's reference belongs to another record, so it cannot prove this operation.",
                )
            if isinstance(result, Stored) and change.operation_after is not None:
                return change.operation_after
        raise StorageUnavailableError("the payment kept changing")
