"""The refund of an extra charge that an operator made in the provider's dashboard."""

from dataclasses import dataclass

from payflowx.application.payments.outcome_writer import OutcomeWriter
from payflowx.domain.merchants.approvals import require_second_person
from payflowx.domain.merchants.directory import MerchantDirectory, limits_of
from payflowx.domain.merchants.operator_action import OperatorAction, checked_words
from payflowx.domain.payments.change import Context
from payflowx.domain.payments.extra_charges import record_extra_refund
from payflowx.domain.payments.operation_ports import Operations
from payflowx.domain.payments.payment import Payment
from payflowx.domain.payments.ports import Payments
from payflowx.domain.payments.retry import RetryPolicy
from payflowx.domain.shared.ambient import Clock
from payflowx.domain.shared.errors import Refusal, StorageUnavailableError
from payflowx.domain.shared.limits import MAX_COMMIT_TRIES
from payflowx.domain.shared.text import provider_reference


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordExtraRefund:
    """Records each refund once; a repetition changes nothing.

    Raises `SecondPersonNeeded` above the merchant's limit.
    Raises `Refusal` (`not_found`, `invalid_state`, `reference_invalid`, `reference_taken`, `reason_invalid`).
    """

    payments: Payments
    operations: Operations
    outcome_writer: OutcomeWriter
    merchant_directory: MerchantDirectory
    clock: Clock
    policy: RetryPolicy

    def __call__(
        self,
        merchant_id: str,
        transaction_id: str,
        operator_action: OperatorAction,
        *,
        charge: str,
        reference: str,
        evidence: str,
    ) -> Payment:
        """Return the payment as it is now; its audit log holds the evidence.

        `charge`: the provider's id of the extra charge. `reference`: the provider's id of its refund.
        """
        if provider_reference(reference) is None:
            raise Refusal("reference_invalid", "Not a valid provider reference.")
        facts = {**operator_action.facts(), "evidence": checked_words("evidence", evidence)}
        for _ in range(MAX_COMMIT_TRIES):
            payment = self.payments.get(merchant_id, transaction_id)
            if payment is None:
                raise Refusal("not_found", "There is no payment with this id.")
            context = Context(now_ms=self.clock.now_ms(), actor="operator", policy=self.policy, evidence=facts)
            change = record_extra_refund(payment, charge, reference, context)
            if change is None:
                return payment
            self._refuse_a_known_refund(payment, reference)
            owed = next(known for known in payment.owed_charges if known.reference == charge)
            limits = limits_of(self.merchant_directory, merchant_id)
            require_second_person(limits, owed.amount, owed.currency, operator_action)
            stored = self.outcome_writer.commit(change)
            if stored is not None:
                return stored
        raise StorageUnavailableError("the payment kept changing")

    def _refuse_a_known_refund(self, payment: Payment, reference: str) -> None:
        """A refund that we know returned the payment's own charge, and not the extra one."""
        operations = self.operations.of_payment(payment.merchant_id, payment.transaction_id)
        known = {attempt.reference for operation in operations for attempt in operation.attempts}
        if reference in known:
            raise Refusal("reference_taken", "This refund returned the payment's own charge.")
